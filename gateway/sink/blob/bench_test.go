package blob_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/blob"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// BenchmarkSend keeps all lanes busy with full batches, against Azurite.
func BenchmarkSend(b *testing.B) {
	e := newEndpoint(b)
	s := open(b, strings.Replace(e.settings(""), e.proxy.URL+"/"+account, useAzurite(b), 1), blob.Options{})
	c := s.Capacity()
	update := sinktest.Events()[1]
	update.Data = []byte(`{"modelId":"dtmi:plant:Pump;1","patch":[{"value":"` + strings.Repeat("x", 300) + `","path":"/note","op":"replace"}]}`)
	work := make(chan struct{})
	var running sync.WaitGroup
	for range c.Lanes {
		running.Go(func() {
			for range work {
				batch := make([]delivery.Delivery, c.Batch)
				for i := range batch {
					batch[i].Event = update
				}
				if out := s.Send(b.Context(), batch)[0]; out.Blame != delivery.None {
					b.Error(out.Reason())
				}
			}
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	running.Wait()
	b.ReportMetric(float64(b.N*c.Batch)/b.Elapsed().Seconds(), "events/s")
	if files := len(e.files()); files > 0 {
		b.ReportMetric(float64(b.N*c.Batch)/float64(files), "events/file")
	}
}
