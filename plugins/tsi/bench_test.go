package main_test

import (
	"testing"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
)

// silent is a host that is told nothing.
type silent struct{}

func (silent) Begin(uint32)        {}
func (silent) Fail(uint32, string) {}

// batch is an input arena of count equal updates, each of three properties.
func batch(count int) []byte {
	const data = `{"modelId":"dtmi:com:example:Boiler;3","patch":[{"value":81.25,"path":"/Temperature","op":"replace"},` +
		`{"value":"running","path":"/State","op":"replace"},{"value":{"inlet":3.1,"outlet":2.9},"path":"/Circuit/Pressure","op":"add"}]}`
	attributes := map[abi.Attribute]string{
		abi.ID: "7c7f2f0e-51d0-4b0f-9d5e-5a3f0a0b7c11", abi.Source: "plant-7.example", abi.Type: sdk.TwinUpdate,
		abi.Subject: "boiler-0042", abi.Time: "2024-03-05T07:11:42.1234567Z", abi.DataContentType: "application/json",
	}
	text := len(data)
	for _, s := range attributes {
		text += len(s)
	}
	b := make([]byte, abi.InputBytes(count, 0, count*text))
	w := abi.NewInputWriter(b, count, 0)
	for range count {
		w.Next()
		for a, s := range attributes {
			w.Set(a, s)
		}
		w.SetData([]byte(data))
	}
	return b
}

// open returns the registered plugin with a configuration bound.
func open(t testing.TB, config string) (*sdk.Guest, int32) {
	t.Helper()
	p, _ := sdk.Registered()
	g := sdk.NewGuest(p, silent{})
	handle := g.Open(abi.Transform, []byte(config))
	if handle < 0 {
		t.Fatalf("config %s is refused", config)
	}
	return g, handle
}

func TestNoGarbage(t *testing.T) {
	for _, config := range []string{`{}`, `{"keys":"nested","timestamp":"at"}`} {
		g, handle := open(t, config)
		arena := batch(64)
		if n := testing.AllocsPerRun(10, func() { g.Transform(handle, arena) }); n != 0 {
			t.Errorf("config %s: %v allocations in a batch", config, n)
		}
	}
}

// BenchmarkTransform is the guest's own work, natively: 64 events a round.
func BenchmarkTransform(b *testing.B) {
	for _, config := range []string{`{}`, `{"keys":"nested"}`} {
		b.Run(config, func(b *testing.B) {
			const count = 64
			g, handle := open(b, config)
			arena := batch(count)
			b.ReportAllocs()
			for b.Loop() {
				if len(g.Transform(handle, arena)) == 0 {
					b.Fatal("no outputs")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/event")
		})
	}
}
