package meter_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/headgate/headgate/gateway/plugin/meter"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/plugintest"
)

// BenchmarkTax runs the same guests plain, metered, and with wazero's own way
// to stop a guest.
func BenchmarkTax(b *testing.B) {
	loop := scanner()
	guest := plugintest.Build(b, "../../../examples/threshold")
	for _, mode := range []string{"plain", "metered", "closeOnDone"} {
		b.Run("loop/"+mode, func(b *testing.B) { benchLoop(b, mode, loop) })
		b.Run("go/"+mode, func(b *testing.B) { benchGuest(b, mode, guest) })
	}
}

func start(b *testing.B, mode string, wasm []byte) (api.Module, func()) {
	b.Helper()
	if mode == "metered" {
		var err error
		if wasm, err = meter.Instrument(wasm, meter.Options{Fuel: 1 << 60, Depth: 1 << 20, MemoryPages: 1024,
			Begin: meter.Import{Module: abi.Module, Name: abi.ImportBegin}}); err != nil {
			b.Fatal(err)
		}
	}
	ctx := b.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(mode == "closeOnDone"))
	b.Cleanup(func() { _ = r.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	ledger, err := r.InstantiateWithConfig(ctx, meter.NewLedger(), wazero.NewModuleConfig().WithName(meter.LedgerModule))
	if err != nil {
		b.Fatal(err)
	}
	view, _ := ledger.Memory().Read(0, meter.LedgerBytes)
	refuel := func() { meter.Ledger(view).Start(meter.LedgerEvents, 1<<40) }
	host := r.NewHostModuleBuilder(abi.Module)
	host.NewFunctionBuilder().WithFunc(func(context.Context, uint32) {}).Export(abi.ImportBegin)
	for _, name := range []string{abi.ImportFail, abi.ImportLog} {
		host.NewFunctionBuilder().WithFunc(func(_ context.Context, _, _, _ uint32) {}).Export(name)
	}
	if _, err := host.Instantiate(ctx); err != nil {
		b.Fatal(err)
	}
	m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		b.Fatal(err)
	}
	if g := m.ExportedGlobal(meter.Fuel); g != nil {
		start := refuel
		refuel = func() { start(); g.(api.MutableGlobal).Set(1 << 40) }
	}
	return m, refuel
}

func benchLoop(b *testing.B, mode string, wasm []byte) {
	m, refuel := start(b, mode, wasm)
	f := m.ExportedFunction("scan")
	stack := make([]uint64, 1)
	for b.Loop() {
		refuel()
		stack[0] = 4096
		if err := f.CallWithStack(b.Context(), stack); err != nil {
			b.Fatal(err)
		}
	}
}

func benchGuest(b *testing.B, mode string, wasm []byte) {
	m, refuel := start(b, mode, wasm)
	call := func(name string, args ...uint64) uint64 {
		refuel()
		res, err := m.ExportedFunction(name).Call(b.Context(), args...)
		if err != nil {
			b.Fatal(err)
		}
		if len(res) == 0 {
			return 0
		}
		return res[0]
	}
	config := `{"path":"/Temperature","min":70}`
	data := []byte(`{"modelId":"dtmi:examplecom:floor:thermostat;1","patch":[{"value":40,"path":"/Humidity","op":"replace"},{"value":71.5,"path":"/Temperature","op":"replace"}]}`)
	ptr := call(abi.ExportAlloc, 1<<16)
	m.Memory().WriteString(uint32(ptr), config)
	h := call(abi.ExportOpen, uint64(abi.Filter), ptr, uint64(len(config)))
	const n = 64
	view, _ := m.Memory().Read(uint32(ptr), 1<<16)
	w := abi.NewInputWriter(view, n, 0)
	for range n {
		w.Next()
		w.Set(abi.ID, "1")
		w.Set(abi.Source, "plant.example")
		w.Set(abi.Type, "Microsoft.DigitalTwins.Twin.Update")
		w.Set(abi.Subject, "boiler-7")
		w.SetData(data)
	}
	f := m.ExportedFunction(abi.ExportFilter)
	stack := make([]uint64, 3)
	count := 0
	for b.Loop() {
		refuel()
		stack[0], stack[1], stack[2] = h, ptr, 1<<16
		if err := f.CallWithStack(b.Context(), stack); err != nil {
			b.Fatal(err)
		}
		count += n
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(count), "ns/event")
}

// scanner is a module whose scan(n) counts the quotes in n bytes of memory, as
// a filter written in C would.
func scanner() []byte {
	body := []byte{
		1, 2, 0x7f, // locals: i, count
		0x03, 0x40, // loop
		0x20, 1, 0x2d, 0, 0, // i32.load8_u i
		0x41, 0x22, 0x46, // == '"'
		0x20, 2, 0x6a, 0x21, 2, // count +=
		0x20, 1, 0x41, 1, 0x6a, 0x22, 1, // i++
		0x20, 0, 0x49, 0x0d, 0, // br_if i < n
		0x0b, 0x20, 2, 0x0b,
	}
	return module(
		section(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
		section(3, 1, 0),
		section(5, 1, 0, 1),
		section(7, append([]byte{1, 4}, append([]byte("scan"), 0, 0)...)...),
		section(10, append([]byte{1, byte(len(body))}, body...)...),
	)
}

func module(sections ...[]byte) []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		b = append(b, s...)
	}
	return b
}

func section(id byte, content ...byte) []byte {
	if len(content) > 127 {
		return append([]byte{id, byte(len(content)&0x7f | 0x80), byte(len(content) >> 7)}, content...)
	}
	return append([]byte{id, byte(len(content))}, content...)
}
