package webhook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// BenchmarkSend keeps all lanes busy, each with full batches, against a server
// in the same process that reads the body and answers 204. The row "client" is
// the least that net/http costs: a bare request of the same size by as many
// goroutines.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what is short makes the sink fail
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(server.Close)
	update := sinktest.Events()[1]
	update.Data = []byte(`{"modelId":"dtmi:plant:Pump;1","patch":[{"value":"` + strings.Repeat("x", 300) + `","path":"/note","op":"replace"}]}`)
	for _, mode := range []string{"binary", "structured", "raw", "batch"} {
		b.Run(mode, func(b *testing.B) {
			s := open(b, `{"url":"`+server.URL+`","mode":"`+mode+`"}`)
			c := s.Capacity()
			lanes(b, c.Lanes, c.Batch, func() error {
				batch := make([]delivery.Delivery, c.Batch)
				for i := range batch {
					batch[i].Event = update
				}
				return s.Send(b.Context(), batch)[0].Err
			})
		})
	}
	b.Run("client", func(b *testing.B) {
		transport := &http.Transport{MaxIdleConnsPerHost: 32, MaxConnsPerHost: 32}
		defer transport.CloseIdleConnections()
		lanes(b, 32, 1, func() error {
			req, err := http.NewRequestWithContext(b.Context(), "POST", server.URL, strings.NewReader(string(update.Data)))
			if err != nil {
				return err
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		})
	})
}

// lanes calls send b.N times from n goroutines, each of which sends size events.
func lanes(b *testing.B, n, size int, send func() error) {
	work := make(chan struct{})
	var running sync.WaitGroup
	for range n {
		running.Go(func() {
			for range work {
				if err := send(); err != nil {
					b.Error(err)
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
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
}
