package servicebus_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
	"github.com/headgate/headgate/gateway/sink/servicebus"
)

// BenchmarkSend compares the sink with the bare SDK, both in order per session
// over the same number of workers, as the sessions are told: long runs of one
// (batches), or each event of another than the one before it (singles).
func BenchmarkSend(b *testing.B) {
	for _, run := range []struct{ sessions, events int }{{8, 200}, {64, 25}, {1600, 1}} {
		var keys []string
		for i := range run.sessions {
			keys = append(keys, fmt.Sprint("twin-", i))
		}
		ds := grouped(run.events, keys...)
		for i := range ds {
			ds[i].Event.Data = fmt.Appendf(nil, `{"modelId":"dtmi:plant:Pump;1","patch":[{"value":%d,"path":"/speed","op":"replace"}],"pad":"%0300d"}`, i, 0)
		}
		lanes := inLanes(ds)
		name := fmt.Sprintf("%d of %d sessions", run.events, run.sessions)
		b.Run(name+"/sink", func(b *testing.B) {
			n := brokertest.Listen(b, 1<<20)
			s := open(b, n.ConnectionString(), "q", servicebus.Options{})
			measure(b, n, len(ds), lanes, func(lane []delivery.Delivery) {
				for at := 0; at < len(lane); at += s.Capacity().Batch {
					for _, out := range s.Send(context.Background(), lane[at:min(at+s.Capacity().Batch, len(lane))]) {
						if out.Err != nil {
							b.Error(out.Err)
						}
					}
				}
			})
		})
		b.Run(name+"/SDK", func(b *testing.B) {
			n := brokertest.Listen(b, 1<<20)
			c, err := azservicebus.NewClientFromConnectionString(n.ConnectionString(), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close(context.Background())
			sender, err := c.NewSender("q", nil)
			if err != nil {
				b.Fatal(err)
			}
			measure(b, n, len(ds), lanes, func(lane []delivery.Delivery) { bare(b, sender, lane) })
		})
	}
}

// inLanes spreads deliveries as the engine does.
func inLanes(ds []delivery.Delivery) [][]delivery.Delivery {
	lanes := make([][]delivery.Delivery, 8)
	for _, d := range ds {
		h := fnv.New32a()
		h.Write([]byte(d.Key))
		at := h.Sum32() % uint32(len(lanes))
		lanes[at] = append(lanes[at], d)
	}
	return lanes
}

func measure(b *testing.B, n *brokertest.Entity, events int, lanes [][]delivery.Delivery, send func([]delivery.Delivery)) {
	n.Forget()
	b.ReportAllocs()
	for b.Loop() {
		var running sync.WaitGroup
		for _, lane := range lanes {
			running.Go(func() { send(lane) })
		}
		running.Wait()
	}
	b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
	if n.Taken() < events*b.N {
		b.Errorf("%d events arrived", n.Taken())
	}
}

// bare sends a lane with as little as the SDK needs: a batch for each session
// that has several, and up to 16 sessions at a time.
func bare(b *testing.B, sender *azservicebus.Sender, lane []delivery.Delivery) {
	sessions := map[string][]*azservicebus.Message{}
	for i := range lane {
		d := &lane[i]
		id, _ := d.Event.Extension("idempotencykey")
		sessions[d.Key] = append(sessions[d.Key], &azservicebus.Message{
			Body: d.Event.Data, SessionID: &d.Key, PartitionKey: &d.Key, MessageID: &id, ContentType: &d.Event.DataContentType, Subject: &d.Event.Subject,
			ApplicationProperties: map[string]any{
				"cloudEvents:id": d.Event.ID, "cloudEvents:source": d.Event.Source, "cloudEvents:type": d.Event.Type,
				"cloudEvents:specversion": "1.0", "cloudEvents:subject": d.Event.Subject, "cloudEvents:idempotencykey": id,
			},
		})
	}
	free := make(chan struct{}, 16)
	var running sync.WaitGroup
	for _, messages := range sessions {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			if err := bareSession(sender, messages); err != nil {
				b.Error(err)
			}
		})
	}
	running.Wait()
}

func bareSession(sender *azservicebus.Sender, messages []*azservicebus.Message) error {
	ctx := context.Background()
	if len(messages) == 1 {
		return sender.SendMessage(ctx, messages[0], nil)
	}
	batch, err := sender.NewMessageBatch(ctx, nil)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := batch.AddMessage(m, nil); err != nil {
			return err
		}
	}
	return sender.SendMessageBatch(ctx, batch, nil)
}
