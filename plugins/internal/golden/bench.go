package golden

import (
	"fmt"
	"testing"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/plugintest"
)

// Update returns an update of a twin as Azure Digital Twins sends it, of 600
// bytes: what benchmarks measure with.
func Update(n int) plugintest.Event {
	return plugintest.Event{
		ID:              fmt.Sprintf("7c7f2f0e-51d0-4b0f-9d5e-%012d", n),
		Source:          "plant-7-digital-twins.api.weu.digitaltwins.azure.net",
		Type:            sdk.TwinUpdate,
		Subject:         fmt.Sprintf("boiler-%04d", n),
		Time:            "2024-03-05T07:11:42.1234567Z",
		DataContentType: "application/json",
		Extensions:      []plugintest.Pair{{Name: "traceparent", Value: "00-1f0a4c0de1b84f2c8a2f6f1b1c8d9e10-00f067aa0ba902b7-01"}},
		Data: []byte(`{"modelId":"dtmi:com:example:plant:Boiler;3","patch":[` +
			`{"value":81.25,"path":"/Temperature","op":"replace"},` +
			`{"value":"running","path":"/State","op":"replace"},` +
			`{"value":{"inlet":3.125,"outlet":2.875},"path":"/Circuit/Pressure","op":"add"},` +
			`{"value":40,"path":"/Humidity","op":"replace"}]}`),
	}
}

// NoGarbage demands that a batch leaves the plugin nothing to collect.
func NoGarbage(t *testing.T, config string) {
	t.Helper()
	g, handle := open(t, config)
	in := arena(64)
	if n := testing.AllocsPerRun(10, func() { g.Transform(handle, in) }); n != 0 {
		t.Errorf("config %s: %v allocations in a batch", config, n)
	}
}

// Benchmark measures the plugin's own work, natively, and that of the module in
// the host.
func Benchmark(b *testing.B, configs ...string) {
	h := newHost(b)
	for _, config := range configs {
		b.Run("native/"+config, func(b *testing.B) { benchmarkNative(b, config) })
		for _, batch := range []int{1, 64} {
			b.Run(fmt.Sprintf("host/batch=%d/%s", batch, config), func(b *testing.B) { benchmarkHost(b, h, config, batch) })
		}
	}
}

func benchmarkNative(b *testing.B, config string) {
	const batch = 64
	g, handle := open(b, config)
	in := arena(batch)
	b.ReportAllocs()
	for b.Loop() {
		if len(g.Transform(handle, in)) == 0 {
			b.Fatal("no outputs")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/event")
}

func benchmarkHost(b *testing.B, h *host, config string, batch int) {
	binding := h.bind(b, config)
	defer binding.Close()
	in := items(updates(batch))
	out, err := binding.Run(b.Context(), in, nil)
	if err != nil || len(out) < batch || out[0].Err != nil {
		b.Fatalf("%d outputs, %v: %+v", len(out), err, out)
	}
	b.ReportAllocs()
	for b.Loop() {
		if out, err = binding.Run(b.Context(), in, out[:0]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/event")
	b.ReportMetric(float64(h.used.Fuel)/float64(h.used.Events), "fuel/event") // which no other load changes
}

func updates(n int) []plugintest.Event {
	events := make([]plugintest.Event, n)
	for i := range events {
		events[i] = Update(i)
	}
	return events
}

// arena is an input arena of n updates.
func arena(n int) []byte {
	events := updates(n)
	text, pairs := 0, 0
	for _, e := range events {
		text += accepted(&e).Size()
		pairs += len(e.Extensions)
	}
	b := make([]byte, abi.InputBytes(n, pairs, text))
	w := abi.NewInputWriter(b, n, pairs)
	for _, e := range events {
		w.Next()
		for a, s := range [...]string{e.ID, e.Source, e.Type, e.Subject, e.Time, e.DataContentType} {
			w.Set(abi.Attribute(a), s)
		}
		w.SetData(e.Data)
		for _, p := range e.Extensions {
			w.Extension(p.Name, p.Value, p.Kind)
		}
	}
	return b
}

// open returns the registered plugin with a configuration bound.
func open(t testing.TB, config string) (*sdk.Guest, int32) {
	t.Helper()
	p, ok := sdk.Registered()
	if !ok {
		t.Fatal("golden: no plugin was registered; import its package")
	}
	g := sdk.NewGuest(p, silent{})
	handle := g.Open(abi.Transform, []byte(config))
	if handle < 0 {
		t.Fatalf("golden: config %s is refused", config)
	}
	return g, handle
}

// silent is a host that is told nothing.
type silent struct{}

func (silent) Begin(uint32)        {}
func (silent) Fail(uint32, string) {}
