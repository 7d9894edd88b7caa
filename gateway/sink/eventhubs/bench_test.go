package eventhubs_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/eventhubs"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
)

// BenchmarkSend compares the sink with the bare SDK, both in order per key over
// as many transfers at a time: runs of one key, and each event of its own.
func BenchmarkSend(b *testing.B) {
	for _, run := range []struct{ keys, events int }{{10, 25}, {250, 1}} {
		var keys []string
		for i := range run.keys {
			keys = append(keys, fmt.Sprint("twin-", i))
		}
		ds := brokertest.Deliveries(run.events, keys...)
		name := fmt.Sprintf("%d of %d keys", run.events, run.keys)
		b.Run(name+"/sink", func(b *testing.B) {
			n := brokertest.Listen(b, 1<<20)
			s := open(b, n.ConnectionString(), "hub", eventhubs.Options{})
			measure(b, n, len(ds), func() {
				for _, out := range s.Send(context.Background(), ds) {
					if out.Err != nil {
						b.Error(out.Err)
					}
				}
			})
		})
		b.Run(name+"/SDK", func(b *testing.B) {
			n := brokertest.Listen(b, 1<<20)
			c, err := azeventhubs.NewProducerClientFromConnectionString(n.ConnectionString(), "hub", nil)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close(context.Background())
			measure(b, n, len(ds), func() { bare(b, c, ds) })
		})
	}
}

// measure runs four lanes side by side.
func measure(b *testing.B, n *brokertest.Entity, events int, send func()) {
	const lanes = 4
	n.Forget()
	b.ReportAllocs()
	for b.Loop() {
		var running sync.WaitGroup
		for range lanes {
			running.Go(send)
		}
		running.Wait()
	}
	b.ReportMetric(float64(lanes*events*b.N)/b.Elapsed().Seconds(), "events/s")
	if n.Taken() < lanes*events*b.N {
		b.Errorf("%d events arrived", n.Taken())
	}
}

// bare sends with as little as the SDK needs: a batch for each key, up to 16 at
// a time.
func bare(b *testing.B, c *azeventhubs.ProducerClient, ds []delivery.Delivery) {
	keys := map[string][]*azeventhubs.EventData{}
	for i := range ds {
		d := &ds[i]
		id, _ := d.Event.Extension("idempotencykey")
		keys[d.Key] = append(keys[d.Key], &azeventhubs.EventData{
			Body: d.Event.Data, MessageID: &id, ContentType: &d.Event.DataContentType,
			Properties: map[string]any{
				"cloudEvents:id": d.Event.ID, "cloudEvents:source": d.Event.Source, "cloudEvents:type": d.Event.Type,
				"cloudEvents:specversion": "1.0", "cloudEvents:subject": d.Event.Subject, "cloudEvents:idempotencykey": id,
			},
		})
	}
	free := make(chan struct{}, 16)
	var running sync.WaitGroup
	for key, events := range keys {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			if err := bareKey(c, key, events); err != nil {
				b.Error(err)
			}
		})
	}
	running.Wait()
}

func bareKey(c *azeventhubs.ProducerClient, key string, events []*azeventhubs.EventData) error {
	ctx := context.Background()
	batch, err := c.NewEventDataBatch(ctx, &azeventhubs.EventDataBatchOptions{PartitionKey: &key})
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := batch.AddEventData(e, nil); err != nil {
			return err
		}
	}
	return c.SendEventDataBatch(ctx, batch, nil)
}
