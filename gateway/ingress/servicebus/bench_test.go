package servicebus_test

import (
	"context"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

// benchMessages is how many messages one round of the benchmarks receives.
const benchMessages = 5000

// fill puts benchMessages into the queue, in batches.
func fill(b *testing.B, n *namespace) {
	b.Helper()
	c, err := azservicebus.NewClientFromConnectionString(n.connection(), nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer c.Close(ctx)
	sender, err := c.NewSender("q", nil)
	if err != nil {
		b.Fatal(err)
	}
	messages := numbered(benchMessages, "")
	for len(messages) > 0 {
		batch, err := sender.NewMessageBatch(ctx, nil)
		if err != nil {
			b.Fatal(err)
		}
		for len(messages) > 0 && batch.NumMessages() < 250 {
			if err := batch.AddMessage(messages[0], nil); err != nil {
				b.Fatal(err)
			}
			messages = messages[1:]
		}
		if err := sender.SendMessageBatch(ctx, batch, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSource receives, accepts into memory and completes; beside it the
// SDK alone receives and completes, 256 messages at a time as the source does.
func BenchmarkSource(b *testing.B) {
	b.Run("source", func(b *testing.B) {
		n := start(b, plain(broker.Settings{}))
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			fill(b, n)
			j := &pulltest.Journal{}
			b.StartTimer()
			r := run(b, j, n.settings(nil))
			pulltest.Eventually(b, "all settled", func() bool { return j.Len() == benchMessages && n.count(b, "q") == 0 })
			b.StopTimer()
			r.Stop()
			b.StartTimer()
		}
		b.ReportMetric(float64(b.N)*benchMessages/b.Elapsed().Seconds(), "messages/s")
	})
	b.Run("sdk", func(b *testing.B) {
		n := start(b, plain(broker.Settings{}))
		c, err := azservicebus.NewClientFromConnectionString(n.connection(), nil)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close(context.Background())
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			fill(b, n)
			b.StartTimer()
			r, err := c.NewReceiverForQueue("q", nil)
			if err != nil {
				b.Fatal(err)
			}
			for left := benchMessages; left > 0; {
				messages, err := r.ReceiveMessages(context.Background(), min(256, left), nil)
				if err != nil {
					b.Fatal(err)
				}
				for _, m := range messages {
					if err := r.CompleteMessage(context.Background(), m, nil); err != nil {
						b.Fatal(err)
					}
				}
				left -= len(messages)
			}
			b.StopTimer()
			r.Close(context.Background())
			b.StartTimer()
		}
		b.ReportMetric(float64(b.N)*benchMessages/b.Elapsed().Seconds(), "messages/s")
	})
}
