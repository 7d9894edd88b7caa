package servicebus_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

var body = make([]byte, 400)

// BenchmarkSend sends messages of 400 bytes with the official SDK, which is
// most of the cost.
func BenchmarkSend(b *testing.B) {
	for _, parallel := range []int{1, 32} {
		b.Run(fmt.Sprintf("single/parallel=%d", parallel), func(b *testing.B) {
			b.ReportAllocs()
			s := sender(b, serve(b, servicebus.Options{}).client(b), "q")
			b.SetParallelism(parallel)
			b.ResetTimer()
			if parallel == 1 {
				for b.Loop() {
					must(b, s.SendMessage(context.Background(), &azservicebus.Message{Body: body}, nil))
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := s.SendMessage(context.Background(), &azservicebus.Message{Body: body}, nil); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	b.Run("batch=200", func(b *testing.B) {
		b.ReportAllocs()
		s := sender(b, serve(b, servicebus.Options{}).client(b), "q")
		sent := 0
		for b.Loop() {
			batch := must1[*azservicebus.MessageBatch](b)(s.NewMessageBatch(context.Background(), nil))
			for range 200 {
				must(b, batch.AddMessage(&azservicebus.Message{Body: body}, nil))
			}
			must(b, s.SendMessageBatch(context.Background(), batch, nil))
			sent += 200
		}
		b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "messages/s")
	})
}

// BenchmarkReceive receives and completes with the official SDK.
func BenchmarkReceive(b *testing.B) {
	b.ReportAllocs()
	n := serve(b, servicebus.Options{})
	c := n.client(b)
	q, r := n.entity(b, "q"), queueReceiver(b, c, "q")
	s := sender(b, c, "q")
	received := 0
	for b.Loop() {
		if q.Info().Ready < 100 {
			batch := must1[*azservicebus.MessageBatch](b)(s.NewMessageBatch(context.Background(), nil))
			for range 200 {
				must(b, batch.AddMessage(&azservicebus.Message{Body: body}, nil))
			}
			must(b, s.SendMessageBatch(context.Background(), batch, nil))
		}
		got := must1[[]*azservicebus.ReceivedMessage](b)(r.ReceiveMessages(context.Background(), 100, nil))
		var wg sync.WaitGroup
		for _, m := range got {
			wg.Go(func() {
				if err := r.CompleteMessage(context.Background(), m, nil); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		received += len(got)
	}
	b.ReportMetric(float64(received)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkBroker is the broker alone: a message in a session is sent, locked
// and completed, beside a hundred thousand others.
func BenchmarkBroker(b *testing.B) {
	b.ReportAllocs()
	br := must1[*broker.Broker](b)(broker.New(broker.Config{Queues: []broker.Queue{{Name: "q", Settings: broker.Settings{RequiresSession: true}}}}))
	defer br.Close()
	q := must1[*broker.Entity](b)(br.Entity("q"))
	m := broker.Message{Body: body, Size: 400, HasSession: true}
	for i := range 100_000 {
		m.SessionID = fmt.Sprint(i % 1000)
		must(b, q.Send(m))
	}
	r := must1[*broker.Receiver](b)(q.AcceptSession(context.Background(), b, &m.SessionID, broker.PeekLock))
	for b.Loop() {
		must(b, q.Send(m))
		got := must1[broker.Message](b)(r.Next(context.Background()))
		must(b, r.Settle(got.LockToken, broker.Disposition{}))
	}
}
