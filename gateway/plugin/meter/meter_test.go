package meter_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/gateway/plugin/meter"
)

// run instruments a module whose function "f" is () → (), calls it with so
// much fuel, and returns what is left.
func run(t *testing.T, fuel int64, wasm []byte) (left int64, err error) {
	t.Helper()
	out, err := meter.Instrument(wasm, meter.Options{Fuel: 1000, Depth: 1 << 40, MemoryPages: 4})
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntime(t.Context())
	defer r.Close(context.Background())
	m, err := r.Instantiate(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	g := m.ExportedGlobal(meter.Fuel).(api.MutableGlobal)
	if got := int64(g.Get()); got != 1000 {
		t.Errorf("the first fuel is %d, want 1000", got)
	}
	g.Set(uint64(fuel))
	_, err = m.ExportedFunction("f").Call(t.Context())
	return int64(g.Get()), err
}

// f is a module with a memory of 1 page and the function f of that body, with
// one i32 local, and after it the function 1, which does nothing.
func f(body ...byte) []byte {
	body = append([]byte{1, 1, 0x7f}, append(body, 0x0b)...)
	code := append([]byte{2, byte(len(body))}, body...)
	return module(
		section(1, 1, 0x60, 0, 0),
		section(3, 2, 0, 0),
		section(4, 1, 0x70, 0, 1),
		section(5, 1, 0, 1),
		section(7, 1, 1, 'f', 0, 0),
		section(10, append(code, 2, 0, 0x0b)...),
	)
}

func TestFuel(t *testing.T) {
	for _, tt := range []struct {
		name string
		body []byte
		want int64 // used; -1 for more than there is
	}{
		{"nothing: the entry, and the end", nil, 2},
		{"two instructions", []byte{0x01, 0x01}, 4},
		{"a call", []byte{0x10, 1}, 3 + 2},
		{"a branch not taken counts", []byte{0x41, 0, 0x04, 0x40, 0x01, 0x01, 0x0b}, 7},
		// Ten rounds of a loop: entry, loop, end = 3; each round 1 + 8.
		{"a loop", []byte{0x03, 0x40, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x41, 10, 0x48, 0x0d, 0, 0x0b}, 3 + 10*9},
		{"an endless loop", []byte{0x03, 0x40, 0x0c, 0, 0x0b}, -1},
		{"endless recursion", []byte{0x10, 0}, -1},
		{"memory.fill of 800 bytes", []byte{0x41, 0, 0x41, 0, 0x41, 0xa0, 6, 0xfc, 11, 0}, 6 + 100},
		{"memory.copy of 800 bytes", []byte{0x41, 0, 0x41, 0, 0x41, 0xa0, 6, 0xfc, 10, 0, 0}, 6 + 100},
		{"memory.grow by a page", []byte{0x41, 1, 0x40, 0, 0x1a}, 5 + 8192},
		{"memory.grow by far too much", []byte{0x41, 0x7f, 0x40, 0, 0x1a}, -1},
		{"table.grow by 100", []byte{0xd0, 0x70, 0x41, 0xe4, 0, 0xfc, 15, 0, 0x1a}, 6 + 100},
		{"a vector instruction of two bytes", []byte{0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0x80, 1, 0x1a}, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const full = 1_000_000
			left, err := run(t, full, f(tt.body...))
			if tt.want < 0 {
				if err == nil || left >= 0 {
					t.Fatalf("left %d, %v: want it to run out", left, err)
				}
				return
			}
			if err != nil || full-left != tt.want {
				t.Fatalf("used %d, %v, want %d", full-left, err, tt.want)
			}
			if left, err := run(t, tt.want, f(tt.body...)); err != nil || left != 0 {
				t.Errorf("with exactly enough: left %d, %v", left, err)
			}
			if left, err := run(t, tt.want-1, f(tt.body...)); err == nil || left >= 0 {
				t.Errorf("with one too little: left %d, %v", left, err)
			}
		})
	}
}

// TestDepth calls functions that call themselves n times.
func TestDepth(t *testing.T) {
	// 0: (i32) → i32, which counts down by calling itself; 1: as 0, with 160
	// locals, which count for ten frames; both return from within blocks.
	down := func(locals, self byte) []byte {
		b := []byte{1, locals, 0x7f,
			0x02, 0x40, 0x20, 0, 0x45, 0x0d, 1, 0x0b, // a branch out of the function when n is 0 …
			0x20, 0, 0x41, 1, 0x6b, 0x10, self, 0x0f, 0x0b}
		b = slices.Replace(b, 3, 11, 0x20, 0, 0x45, 0x04, 0x40, 0x41, 7, 0x0f, 0x0b)
		return append([]byte{byte(len(b))}, b...)
	}
	code := slices.Concat([]byte{2}, down(1, 0), down(120, 1))
	wasm := module(
		section(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
		section(3, 2, 0, 0),
		section(7, 2, 1, 'a', 0, 0, 1, 'b', 0, 1),
		section(10, code...),
	)
	out, err := meter.Instrument(wasm, meter.Options{Fuel: 1 << 40, Depth: 1000})
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntime(t.Context())
	defer r.Close(context.Background())
	for _, tt := range []struct {
		export  string
		n       uint64
		tooDeep bool
	}{{"a", 999, false}, {"a", 1000, true}, {"b", 124, false}, {"b", 125, true}} {
		m, err := r.Instantiate(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		depth := m.ExportedGlobal(meter.Depth)
		res, err := m.ExportedFunction(tt.export).Call(t.Context(), tt.n)
		if tooDeep := err != nil && int64(depth.Get()) < 0; tooDeep != tt.tooDeep || err == nil && (res[0] != 7 || depth.Get() != 1000) {
			t.Errorf("%s(%d): %v, %v, depth left %d", tt.export, tt.n, res, err, int64(depth.Get()))
		}
	}
}

// TestLedger runs a guest that turns to so many events, with a loop between.
func TestLedger(t *testing.T) {
	begin := meter.Import{Module: "env", Name: "begin"}
	// f(n): for i < n { begin(i) }, by the table every other time.
	body := []byte{1, 1, 0x7f,
		0x02, 0x40, 0x03, 0x40,
		0x20, 1, 0x20, 0, 0x4f, 0x0d, 1,
		0x20, 1, 0x41, 1, 0x71, 0x04, 0x40, 0x20, 1, 0x41, 0, 0x11, 1, 0, 0x05, 0x20, 1, 0x10, 0, 0x0b,
		0x20, 1, 0x41, 1, 0x6a, 0x21, 1, 0x0c, 0, 0x0b, 0x0b, 0x0b}
	wasm := module(
		section(1, 2, 0x60, 1, 0x7f, 0, 0x60, 1, 0x7f, 0),
		section(2, slices.Concat([]byte{1, 3}, []byte("env"), []byte{5}, []byte("begin"), []byte{0, 0})...),
		section(3, 1, 0),
		section(4, 1, 0x70, 0, 1),
		section(7, 2, 1, 'f', 0, 1, 1, 'b', 0, 0),
		section(9, 1, 0, 0x41, 0, 0x0b, 1, 0),
		section(10, append([]byte{1, byte(len(body))}, body...)...),
	)
	out, err := meter.Instrument(wasm, meter.Options{Fuel: 1000, Depth: 100, Begin: begin})
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntime(t.Context())
	defer r.Close(context.Background())
	lm, err := r.InstantiateWithConfig(t.Context(), meter.NewLedger(), wazero.NewModuleConfig().WithName(meter.LedgerModule))
	if err != nil {
		t.Fatal(err)
	}
	view, _ := lm.Memory().Read(0, meter.LedgerBytes)
	ledger := meter.Ledger(view)
	m, err := r.Instantiate(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	fuel := m.ExportedGlobal(meter.Fuel).(api.MutableGlobal)

	ledger.Start(5, 40) // enough for an event, not for five
	fuel.Set(40)
	if _, err := m.ExportedFunction("f").Call(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	var notes []int64
	for i := range ledger.Begun() {
		notes = append(notes, ledger.Note(i))
	}
	// Entry and loop head; then what is left of the round, and the next head.
	if want := []int64{27, 22, 22, 22, 22}; !slices.Equal(notes, want) || 40-int64(fuel.Get()) != 22 {
		t.Errorf("notes %v, want %v; left %d", notes, want, int64(fuel.Get()))
	}
	for name, call := range map[string]func() error{
		"too many":  func() error { _, err := m.ExportedFunction("f").Call(t.Context(), 6); return err },
		"the wrong": func() error { _, err := m.ExportedFunction("b").Call(t.Context(), 3); return err },
	} {
		ledger.Start(5, 40)
		fuel.Set(40)
		event, wrong := uint32(0), false
		if err := call(); err != nil {
			event, wrong = ledger.Wrong()
		}
		if !wrong || event != 5 && name == "too many" || event != 3 && name != "too many" {
			t.Errorf("%s: event %d, %v", name, event, wrong)
		}
	}
}

func TestInstrumentRefuses(t *testing.T) {
	tiny := meter.Limits{Functions: 3, Locals: 20, Nesting: 10, BodyBytes: 100, TableEntries: 100}
	for _, tt := range []struct {
		name, want string
		wasm       []byte
	}{
		{"the meter's global by number", "global 0 of 0", f(0x42, 1, 0x24, 0)},
		{"the meter's local by number", "local 1 of 1", f(0x42, 1, 0x21, 1)},
		{"an unknown instruction", "0xfe", f(0xfe, 0)},
		{"a tail call", "0x12", f(0x12, 1)},
		{"a label beyond the function's", "label 1 of 1", f(0x0c, 1)},
		{"a label beyond, in a table", "label 2 of 2", f(0x02, 0x40, 0x41, 0, 0x0e, 1, 0, 2, 0x0b)},
		{"a function that only the meter has", "function 2 of 2", f(0x10, 2)},
		{"its reference", "function 2 of 2", f(0xd2, 2, 0x1a)},
		{"a type that only the meter has", "block of type 1 of 1", f(0x02, 1, 0x0b)},
		{"an indirect call of it", "type 1 of 1", f(0x41, 0, 0x11, 1, 0)},
		{"the ledger", "gateway's own", module(section(1, 1, 0x60, 0, 0),
			section(2, slices.Concat([]byte{1, byte(len(meter.LedgerModule))}, []byte(meter.LedgerModule), []byte{4}, []byte("turn"), []byte{0, 0})...))},
		{"many functions", "the limit of functions is 3", module(section(1, 1, 0x60, 0, 0), section(3, 4, 0, 0, 0, 0))},
		{"many locals", "the limit of locals is 20", module(section(1, 1, 0x60, 0, 0), section(3, 1, 0), section(10, 1, 4, 1, 21, 0x7f, 0x0b))},
		{"deep nesting", "the limit of nesting is 10", f(slices.Concat(bytes.Repeat([]byte{0x02, 0x40}, 11), bytes.Repeat([]byte{0x0b}, 11))...)},
		{"a large body", "the limit of bodyBytes is 100", f(bytes.Repeat([]byte{0x01}, 110)...)},
		{"a large table", "the limit of tableEntries is 100", module(section(4, 2, 0x70, 0, 60, 0x70, 0, 60))},
		{"another memory", "memory 1", f(0x3f, 1, 0x1a)},
		{"a body that goes on", "after its end", f(0x0b)},
		{"a body that does not end", "ends too early", f(0x02, 0x40)},
		{"the meter's export", "own name", module(
			section(6, 1, 0x7e, 1, 0x42, 0, 0x0b),
			section(7, append(append([]byte{1, byte(len(meter.Fuel))}, meter.Fuel...), 3, 0)...))},
		{"an export of the meter's global", "exports global 0 of 0", module(section(7, 1, 1, 'g', 3, 0))},
		{"a constant of a global", "reads global 0", module(section(6, 1, 0x7e, 0, 0x23, 0, 0x0b))},
		{"two memories", "2 memories", module(section(5, 2, 0, 1, 0, 1))},
		{"a shared memory", "shared", module(section(5, 1, 3, 1, 1))},
		{"too much memory", "needs 5 pages", module(section(5, 1, 0, 5))},
		{"sections out of order", "not in its place", module(section(3, 0), section(1, 0))},
		{"a section twice", "not in its place", module(section(1, 0), section(1, 0))},
		{"an unknown section", "section 13", module(section(13, 0))},
		{"a count of four billion", "claims", module(section(1, 0xff, 0xff, 0xff, 0xff, 0x0f))},
		{"a count of elements", "claims", module(section(9, 1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f))},
		{"bodies without functions", "0 functions and 1 bodies", module(section(10, 1, 2, 0, 0x0b))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := meter.Instrument(tt.wasm, meter.Options{MemoryPages: 4, Limits: tiny})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want …%s…", err, tt.want)
			}
		})
	}
}

func TestComplexity(t *testing.T) {
	body := append([]byte{0}, bytes.Repeat([]byte{0x41, 0, 0x04, 0x40, 0x0b}, 2000)...)
	body = append(body, 0x0b)
	long := func(id byte, b []byte) []byte { return append(binary.AppendUvarint([]byte{id}, uint64(len(b))), b...) }
	wasm := module(section(1, 1, 0x60, 0, 0), section(3, 1, 0),
		long(10, append(binary.AppendUvarint([]byte{1}, uint64(len(body))), body...)))
	for limit, want := range map[int]string{4_000_000: "", 3_999_999: "the limit of complexity is 3999999"} {
		_, err := meter.Instrument(wasm, meter.Options{Limits: meter.Limits{Complexity: limit}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// TestSpecModules instruments every module of the official tests, which
// wazero's own module carries: what is valid stays so, what is not is refused,
// and of the valid ones only those that import more than functions are refused.
func TestSpecModules(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/integration_test/spectest/v[12]/testdata/*.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatal("wazero's module does not carry the official tests any more: take them from elsewhere", err)
	}
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(context.Background())
	accepted := 0
	for _, file := range files {
		wasm, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before := valid(t.Context(), r, wasm)
		out, err := meter.Instrument(wasm, meter.Options{Fuel: 1, Depth: 1, MemoryPages: 1 << 16, Limits: meter.Limits{Complexity: 1 << 40}})
		switch {
		case err != nil:
			if before && !strings.Contains(err.Error(), "only functions can be imported") {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
		case before != valid(t.Context(), r, out):
			t.Errorf("%s: valid %v before, %v after", filepath.Base(file), before, !before)
		default:
			accepted++
		}
	}
	t.Logf("%d of %d modules were instrumented", accepted, len(files))
}

func valid(ctx context.Context, r wazero.Runtime, wasm []byte) bool {
	m, err := r.CompileModule(ctx, wasm)
	if err == nil {
		_ = m.Close(ctx)
	}
	return err == nil
}

// FuzzInstrument holds that what wazero takes before it takes after, with a
// meter, and that nothing that the meter lets through becomes valid by it.
func FuzzInstrument(fz *testing.F) {
	fz.Add(scanner())
	fz.Add(f(0x03, 0x40, 0x0c, 0, 0x0b))
	fz.Add(f(0x41, 0, 0x41, 0, 0x41, 0xa0, 6, 0xfc, 10, 0, 0))
	fz.Add(f(0x42, 1, 0x24, 0))
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(16))
	fz.Cleanup(func() { _ = r.Close(ctx) })
	fz.Fuzz(func(t *testing.T, wasm []byte) {
		if len(wasm) < 8 || string(wasm[:8]) != "\x00asm\x01\x00\x00\x00" {
			return
		}
		out, err := meter.Instrument(wasm, meter.Options{Fuel: 1, Depth: 1, MemoryPages: 16})
		if err != nil {
			return // refused before a compiler could be made to trust a count
		}
		// wazero refuses an empty custom section at the very end.
		last := []byte{0, 3, 1, 'x', 0}
		if before, after := valid(ctx, r, append(wasm[:len(wasm):len(wasm)], last...)), valid(ctx, r, append(out, last...)); before != after {
			t.Errorf("valid %v before, %v after: %x", before, after, wasm)
		}
	})
}
