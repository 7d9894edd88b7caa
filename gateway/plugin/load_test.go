package plugin_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
)

var spin = []byte{0x03, 0x40, 0x0c, 0, 0x0b} // loop forever

func TestLoadRefuses(t *testing.T) {
	limits := plugin.Limits{ModuleBytes: 1 << 20, MemoryBytes: 8 << 20, StartFuel: 10_000_000}
	r := newRuntime(t, plugin.Options{Limits: limits})
	for _, tt := range []struct {
		name string
		wasm []byte
		want []string // each is part of the error
	}{
		{"nothing", nil, []string{"not WebAssembly"}},
		{"text", []byte("hello world"), []string{"not WebAssembly"}},
		{"too large", make([]byte, 1<<20+1), []string{"1048577 bytes, the limit of moduleBytes is 1048576"}},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), []string{"component"}},
		{"another version", []byte("\x00asm\x02\x00\x00\x00"), []string{"version 02 00 00 00"}},
		{"an empty module", []byte("\x00asm\x01\x00\x00\x00"), []string{
			`exports no memory as "memory"`, "does not export headgate_describe () → i64",
			"does not export headgate_alloc (i32) → i32", "does not export headgate_open (i32, i32, i32) → i32",
			"does not export headgate_close (i32)",
		}},
		{"truncated", tiny().bytes()[:80], []string{"not a valid module"}},
		{"a byte after a section", append(tiny().bytes(), 0), []string{"not a valid module"}},
		{"a body of the wrong type", tiny().with(abi.ExportOpen, "iii>i", i64c(0)).bytes(), []string{"not a valid module", "cannot use i64"}},
		{"a global that only the meter has", tiny().with(abi.ExportClose, "i>", i64c(1), []byte{0x24, 0}).bytes(), []string{"global 0 of 0"}},
		{"no memory", func() []byte { w := tiny(); w.memory, w.data = nil, ""; w.funcs = w.funcs[:4]; return w.bytes() }(), []string{"exports no memory"}},
		{"memory above the limit", func() []byte { w := tiny(); w.memory = []byte{0, 0x81, 1}; return w.bytes() }(), []string{"needs 129 pages", "the limit is 128"}},
		{"everything at once", tiny().importing("env", "abort", "i>").importing(abi.Module, "nope", ">").
			importing(abi.Module, "log", "i>i").importing("wasi_snapshot_preview1", "proc_raise", "ii>i").
			without(abi.ExportClose).with(abi.ExportAlloc, "l>i", i32c(8)).bytes(), []string{
			`imports "abort" from "env": only headgate_v1 and wasi_snapshot_preview1`,
			`imports "nope" from "headgate_v1", which has no such function`,
			`imports "log" from "headgate_v1" as (i32) → i32, want (i32, i32, i32)`,
			`proc_raise`,
			"does not export headgate_close (i32)",
			"exports headgate_alloc as (i64) → i32, want (i32) → i32",
		}},
		{"an imported memory", func() []byte {
			w := tiny()
			w.imports = []wasmImport{{module: "env", name: "memory", kind: 2, desc: []byte{0, 1}}}
			return w.bytes()
		}(), []string{`imports a memory, "memory" from "env"`}},
		{"an imported global", func() []byte {
			w := tiny()
			w.imports = []wasmImport{{module: "env", name: "g", kind: 3, desc: []byte{0x7e, 1}}}
			return w.bytes()
		}(), []string{`imports a global`}},
		{"description out of memory", tiny().with(abi.ExportDescribe, ">l", i64c(0x7FFFFFFF_00000010)).bytes(), []string{"leads out of the memory"}},
		{"description too long", tiny().with(abi.ExportDescribe, ">l", i64c(0x10_00100000)).bytes(), []string{"description has 1048576 bytes"}},
		{"description is no JSON", tiny().describes("{").bytes(), []string{"not the JSON"}},
		{"kinds of the wrong type", tiny().describes(`{"kinds":"filter"}`).bytes(), []string{"not the JSON"}},
		{"no kinds", tiny().describes(`{}`).bytes(), []string{"lists no kinds"}},
		{"many things in a description", tiny().without(abi.ExportClose).
			describes(`{"kinds":["filter","transform","sink"],"features":["x"],"capabilities":["clock","network"],"config":7}`).bytes(), []string{
			"is a transform and does not export headgate_transform (i32, i32, i32) → i64", `the kind "sink"`,
			`the feature "x"`, `the capability "network"`, "not a JSON Schema", "does not export headgate_close",
		}},
		{"a trap in describe", tiny().with(abi.ExportDescribe, ">l", []byte{0}).bytes(), []string{"trapped in headgate_describe: unreachable"}},
		{"a loop in describe", tiny().with(abi.ExportDescribe, ">l", spin, i64c(0)).bytes(), []string{"out of fuel in headgate_describe"}},
		{"a loop in the start function", func() []byte { w := tiny(); w.fn("", ">", spin); w.start = 5; return w.bytes() }(), []string{"out of fuel in start: the limit of startFuel is 10000000"}},
		{"a trap in _initialize", func() []byte { w := tiny(); w.fn("_initialize", ">", []byte{0}); return w.bytes() }(), []string{"trapped in _initialize"}},
		{"_initialize of the wrong type", func() []byte { w := tiny(); w.fn("_initialize", ">i", i32c(0)); return w.bytes() }(), []string{"exports _initialize as () → i32, want ()"}},
		{"begin before there are events", func() []byte {
			w := tiny().importing(abi.Module, "begin", "i>")
			w.fn("_initialize", ">", i32c(0), call(0))
			return w.bytes()
		}(), []string{"begin(0)"}},
		{"too many locals", func() []byte { w := tiny(); w.fn("", ">"); w.funcs[5].locals = 1<<32 - 1; return w.bytes() }(), []string{"the limit of locals is 10000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := r.Load(t.Context(), tt.wasm)
			if err == nil {
				m.Close()
				t.Fatal("loaded")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q\nlacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
		})
	}
}

func TestLoadTiny(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{}), tiny().bytes())
	want := plugin.Info{Digest: m.Info().Digest, Size: len(tiny().bytes()), Name: "tiny", Kinds: []plugin.Kind{plugin.Filter}}
	if diff := cmp.Diff(want, m.Info()); diff != "" || !strings.HasPrefix(want.Digest, "sha256:") || len(want.Digest) != 71 {
		t.Errorf("%s %s", want.Digest, diff)
	}
	out, err := bind(t, m, plugin.Filter, "").Run(t.Context(), updates(600), nil) // three calls
	if err != nil || len(out) != 600 || out[599].Origin != 599 {
		t.Errorf("%d items, %v", len(out), err)
	}
}

func TestBadAlloc(t *testing.T) {
	for name, address := range map[string]int32{"null": 0, "unaligned": 65537, "out of memory": -8, "across the end": 64<<16 - 8} {
		t.Run(name, func(t *testing.T) {
			m := load(t, newRuntime(t, plugin.Options{}), tiny().with(abi.ExportAlloc, "i>i", i32c(address)).bytes())
			b, err := m.Bind(t.Context(), plugin.Filter, []byte(`{"a":"bcdefgh"}`), "x")
			var g *plugin.GuestError
			if !errors.As(err, &g) || g.Fault != plugin.Breach || g.Func != abi.ExportAlloc {
				t.Errorf("bound %v, %v", b, err)
			}
		})
	}
}

// TestCommandIsRefused builds a Go program in the ordinary way, whose main
// returns and so ends the instance.
func TestCommandIsRefused(t *testing.T) {
	out := filepath.Join(t.TempDir(), "command.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", out, "../../examples/threshold")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	_, err = newRuntime(t, plugin.Options{}).Load(t.Context(), wasm)
	var invalid *plugin.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "-buildmode=c-shared") {
		t.Errorf("error %v, want the hint", err)
	}
}

func TestStartThatReturnsIsAccepted(t *testing.T) {
	w := tiny()
	w.fn("_start", ">")
	load(t, newRuntime(t, plugin.Options{}), w.bytes())
}

func TestSameBytesAreOneModule(t *testing.T) {
	r := newRuntime(t, plugin.Options{})
	wasm := tiny().bytes()
	var wg sync.WaitGroup
	got := make([]*plugin.Module, 8)
	for i := range got {
		wg.Go(func() {
			m, err := r.Load(context.Background(), wasm)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = m
		})
	}
	wg.Wait()
	for _, m := range got {
		if m != got[0] {
			t.Fatal("one module was loaded twice")
		}
	}
	b := bind(t, got[0], plugin.Filter, "")
	for _, m := range got {
		m.Close()
	}
	if out, err := b.Run(t.Context(), updates(1), nil); err != nil || len(out) != 1 { // the binding keeps it alive
		t.Fatal(out, err)
	}
	b.Close()
	b.Close()
	if _, err := b.Run(t.Context(), updates(1), nil); !errors.Is(err, plugin.ErrClosed) {
		t.Errorf("ran after close: %v", err)
	}
	m := load(t, r, wasm)
	if m == got[0] {
		t.Error("a closed module came back")
	}
}

func TestRuntimeClosed(t *testing.T) {
	r := newRuntime(t, plugin.Options{})
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Load(t.Context(), tiny().bytes()); !errors.Is(err, plugin.ErrClosed) {
		t.Error(err)
	}
}

// TestDamagedCache damages every byte range of a cached file that wazero does
// not check itself, and the file's length.
func TestDamagedCache(t *testing.T) {
	dir := t.TempDir()
	run := func() {
		t.Helper()
		m := load(t, newRuntime(t, plugin.Options{CacheDir: dir}), tiny().bytes())
		if out, err := bind(t, m, plugin.Filter, "").Run(t.Context(), updates(2), nil); err != nil || len(out) != 2 {
			t.Fatal(out, err)
		}
	}
	run()
	for name, damage := range map[string]func([]byte) []byte{
		"magic":     func(b []byte) []byte { b[0] ^= 1; return b },
		"count":     func(b []byte) []byte { b[13] ^= 0xFF; return b },
		"addresses": func(b []byte) []byte { b[18] ^= 0xFF; return b },
		"code":      func(b []byte) []byte { b[len(b)/2] ^= 0xFF; return b },
		"truncated": func(b []byte) []byte { return b[:len(b)-3] },
		"empty":     func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*"))
			if err != nil || len(files) < 6 { // code, its metered form, its description, and checksums
				t.Fatal(files, err)
			}
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasSuffix(f, ".crc") {
					if err := os.WriteFile(f, damage(b), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			run()
		})
	}
}

// TestLoadsLeaveNothing loads and closes many modules, as a gateway does whose
// plugins are replaced all day.
func TestLoadsLeaveNothing(t *testing.T) {
	r, err := plugin.NewRuntime(t.Context(), plugin.Options{}) // no cache: it would keep every module
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	round := func(n int) uint64 {
		for i := range n {
			w := tiny()
			w.extra = append([]byte{0, 6, 1, 'x'}, byte(i), byte(i>>8), byte(i>>16), 0) // each is another module
			m, err := r.Load(t.Context(), w.bytes())
			if err != nil {
				t.Fatal(err)
			}
			b, err := m.Bind(t.Context(), plugin.Filter, nil, "x")
			if err != nil {
				t.Fatal(err)
			}
			if out, err := b.Run(t.Context(), updates(1), nil); err != nil || len(out) != 1 {
				t.Fatal(out, err)
			}
			m.Close()
			b.Close()
		}
		runtime.GC()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := round(200)
	after := round(1500)
	if after > before+before/10+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes over 1500 loads", before, after)
	}
}
