package plugin_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
)

// benchmark runs batches of 560-byte twin updates through a binding.
func benchmark(b *testing.B, wasm []byte, kind plugin.Kind, config string, batch int) {
	s := bind(b, load(b, newRuntime(b, plugin.Options{}), wasm), kind, config)
	in := updates(batch)
	out, err := s.Run(b.Context(), in, nil)
	if err != nil || len(out) != batch || out[0].Err != nil {
		b.Fatal(len(out), err, out[0].Err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if out, err = s.Run(b.Context(), in, out[:0]); err != nil {
			b.Fatal(err)
		}
		n += batch
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
	if kind == plugin.Transform {
		b.ReportMetric(float64(made(out))/float64(batch), "madeB/event")
	}
}

// made is the size of what a transform made: events and their new data. It is
// the product, and not garbage.
func made(out []pipeline.Item) (n int) {
	const eventBytes = 7*16 + 2*24
	for _, it := range out {
		n += eventBytes + len(it.Event.Data)
	}
	return n
}

// BenchmarkHost runs a guest by hand that does nothing but pass every event.
func BenchmarkHost(b *testing.B) {
	marks := tiny().importing(abi.Module, abi.ImportBegin, "i>")
	marks.with(abi.ExportFilter, "iii>i", passAll(slices.Concat(get(5), call(0))), i32c(0))
	for _, n := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) { benchmark(b, tiny().bytes(), plugin.Filter, "", n) })
		b.Run(fmt.Sprintf("begin/batch=%d", n), func(b *testing.B) { benchmark(b, marks.bytes(), plugin.Filter, "", n) })
	}
}

// BenchmarkThreshold runs the tutorial's filter, in standard Go.
func BenchmarkThreshold(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			benchmark(b, build(b, "../../examples/threshold"), plugin.Filter, `{"path":"/Temperature","min":70}`, n)
		})
	}
}

// BenchmarkTSI runs the Time Series Insights transform, in standard Go.
func BenchmarkTSI(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			benchmark(b, build(b, "../../plugins/tsi"), plugin.Transform, "", n)
		})
	}
}
