package eventgrid_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/messaging"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/eventgrid/azeventgrid"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/eventgrid"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// BenchmarkSend keeps all lanes busy with full batches, against a server in the
// same process that reads the body and answers 200. The row "publisher" is the
// bare SDK: the same events in batches as large, by as many goroutines.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what is short makes the sender fail
	}))
	b.Cleanup(server.Close)
	servers.Store(server.URL, server.Certificate())
	update := sinktest.Events()[1]
	update.Data = []byte(`{"modelId":"dtmi:plant:Pump;1","patch":[{"value":"` + strings.Repeat("x", 300) + `","path":"/note","op":"replace"}]}`)
	mapped := update
	mapped.Data = wrap(&update)
	b.Run("cloudEvents", func(b *testing.B) { benchmark(b, server.URL, "cloudEventSchemaV1_0", delivery.Delivery{Event: update}) })
	b.Run("eventGrid", func(b *testing.B) { benchmark(b, server.URL, "eventGridSchema", delivery.Delivery{Event: mapped}) })
	b.Run("publisher", func(b *testing.B) {
		client, err := azeventgrid.NewClientWithSharedKeyCredential(server.URL+"/api/events", azcore.NewKeyCredential(key),
			&azeventgrid.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: server.Client()}})
		if err != nil {
			b.Fatal(err)
		}
		lanes(b, 8, 256, func() error {
			events := make([]messaging.CloudEvent, 256)
			for i := range events {
				events[i] = messaging.CloudEvent{ID: update.ID, Source: update.Source, Type: update.Type, SpecVersion: "1.0", Subject: &update.Subject, Data: json.RawMessage(update.Data)}
			}
			_, err := client.PublishCloudEvents(b.Context(), events, nil)
			return err
		})
	})
}

func benchmark(b *testing.B, url, schema string, d delivery.Delivery) {
	s := open(b, `{"topicEndpoint":"`+url+`","caFile":"`+trusted(b, url)+`"`+withKey(schema)+`}`, eventgrid.Options{})
	c := s.Capacity()
	lanes(b, c.Lanes, c.Batch, func() error {
		batch := make([]delivery.Delivery, c.Batch)
		for i := range batch {
			batch[i] = d
		}
		return s.Send(b.Context(), batch)[0].Err
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
