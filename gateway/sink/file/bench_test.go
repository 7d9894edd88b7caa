package file_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// BenchmarkSend appends durable batches of twin updates of some 600 bytes.
func BenchmarkSend(b *testing.B) {
	update := sinktest.Events()[1]
	update.Data = []byte(`{"modelId":"dtmi:plant:Pump;1","patch":[{"value":"` + strings.Repeat("x", 300) + `","path":"/note","op":"replace"}]}`)
	for _, size := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "x.ndjson"))
			batch := make([]delivery.Delivery, size)
			for i := range batch {
				batch[i].Event = update
			}
			b.ReportAllocs()
			for b.Loop() {
				if out := s.Send(b.Context(), batch); out[0].Blame != delivery.None {
					b.Fatal(out[0].Reason())
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
