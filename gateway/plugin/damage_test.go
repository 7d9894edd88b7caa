package plugin_test

import (
	"context"
	"testing"

	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
)

// small are limits under which thousands of damaged modules are tried soon.
var small = func() plugin.Limits {
	l := siege
	l.EventFuel, l.StartFuel, l.MemoryBytes = 20_000, 20_000, 4<<20
	return l
}()

// tryout loads a module and runs it as far as it goes.
func tryout(r *plugin.Runtime, wasm []byte) (ran bool) {
	ctx := context.Background()
	m, err := r.Load(ctx, wasm)
	if err != nil {
		return false
	}
	defer m.Close()
	for _, kind := range m.Info().Kinds {
		b, err := m.Bind(ctx, kind, nil, "damaged")
		if err != nil {
			return false
		}
		out, err := b.Run(ctx, mixed(3, 1), nil)
		b.Close()
		ran = err == nil && len(out) > 0
	}
	return ran
}

// complete is a small filter that uses what there is: host functions, a table,
// globals, a start function.
func complete() []byte {
	w := filtering([]wasmImport{
		{module: abi.Module, name: abi.ImportLog, typ: "iii>"}, {module: "wasi_snapshot_preview1", name: "random_get", typ: "ii>i"},
	}, i32c(1), i32c(16), i32c(4), call(1), i32c(8), i32c(8), call(2), drop)
	w.memory = []byte{0, 2}
	w.globals = []byte{1, 0x7f, 1, 0x41, 7, 0x0b}
	w.fn("", ">", i32c(3), []byte{0x24, 0})
	w.start = len(w.imports) + len(w.funcs) - 1
	return w.bytes()
}

// TestDamagedModules cuts a module at every byte, and turns over every bit of it.
func TestDamagedModules(t *testing.T) {
	r, err := plugin.NewRuntime(t.Context(), plugin.Options{Limits: small})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	whole := complete()
	if !tryout(r, whole) {
		t.Fatal("the module does not run when it is whole")
	}
	for n := range whole {
		tryout(r, whole[:n])
	}
	ran := 0
	for n := range whole {
		for bit := range 8 {
			wasm := append([]byte(nil), whole...)
			wasm[n] ^= 1 << bit
			if tryout(r, wasm) {
				ran++
			}
		}
	}
	t.Logf("%d of %d damaged modules still ran", ran, len(whole)*8)
	if !tryout(r, whole) {
		t.Error("the runtime is not what it was")
	}
}

// FuzzModule holds that no module brings the process down or goes on for ever.
func FuzzModule(f *testing.F) {
	f.Add(tiny().bytes())
	f.Add(complete())
	for _, group := range [][]attack{loadAttacks(), bindAttacks(), runAttacks(), answerAttacks()} {
		for _, a := range group {
			if w, ok := a.guest.(*wasm); ok && len(w.bytes()) < 2000 {
				f.Add(w.bytes())
			}
		}
	}
	r, err := plugin.NewRuntime(context.Background(), plugin.Options{Limits: small})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = r.Close(context.Background()) })
	f.Fuzz(func(_ *testing.T, wasm []byte) { tryout(r, wasm) })
}
