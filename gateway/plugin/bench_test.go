package plugin_test

import (
	"fmt"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
)

func benchmark(b *testing.B, dir string, kind plugin.Kind, config string, batch int) {
	m := load(b, newRuntime(b, plugin.Options{}), build(b, dir))
	s := bind(b, m, kind, config)
	in := updates(batch)
	out := make([]pipeline.Item, 0, batch)
	kept := 0
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		got, err := s.Run(b.Context(), in, out[:0])
		if err != nil {
			b.Fatal(err)
		}
		if n == 0 {
			for _, it := range got {
				if it.Err != nil {
					b.Fatal(it.Err)
				}
				if kind == plugin.Transform {
					kept += len(it.Event.Data)
				}
			}
		}
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*batch), "ns/event")
	if kind == plugin.Transform {
		b.ReportMetric(float64(kept)/float64(batch), "data-B/event")
	}
	_ = event.Event{}
}

func BenchmarkTSI(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benchmark(b, "../../plugins/tsi", plugin.Transform, "", n)
		})
	}
}

func BenchmarkThreshold(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benchmark(b, "../../examples/threshold", plugin.Filter, `{"path":"/Temperature","min":70}`, n)
		})
	}
}
