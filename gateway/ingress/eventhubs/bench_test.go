package eventhubs_test

import (
	"context"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

// BenchmarkSource reads a partition of benchEvents and accepts them into memory;
// beside it the SDK alone reads them, as many at a time.
func BenchmarkSource(b *testing.B) {
	const benchEvents = 20_000
	n := start(b, 1)
	n.send(b, "0", numbered("0", 0, benchEvents)...)
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			j := &pulltest.Journal{}
			r := run(b, j, &store{}, n.settings(nil))
			pulltest.Eventually(b, "all events", func() bool { return j.Len() == benchEvents })
			b.StopTimer()
			r.Stop()
			b.StartTimer()
		}
		b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("sdk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := azeventhubs.NewConsumerClientFromConnectionString(n.connection(), "hub", azeventhubs.DefaultConsumerGroup, nil)
			if err != nil {
				b.Fatal(err)
			}
			p, err := c.NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}, Prefetch: 1024})
			if err != nil {
				b.Fatal(err)
			}
			for left := benchEvents; left > 0; {
				events, err := p.ReceiveEvents(context.Background(), min(512, left), nil)
				if err != nil {
					b.Fatal(err)
				}
				left -= len(events)
			}
			p.Close(context.Background())
			c.Close(context.Background())
		}
		b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
	})
}
