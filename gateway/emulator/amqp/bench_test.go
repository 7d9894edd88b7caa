package amqp_test

import (
	"context"
	"testing"

	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

func BenchmarkMessage(b *testing.B) {
	in, err := messages()["all"].MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(in)))
		for b.Loop() {
			if _, err := amqp.DecodeMessage(in); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		m, err := amqp.DecodeMessage(in)
		if err != nil {
			b.Fatal(err)
		}
		var buf []byte
		b.ReportAllocs()
		b.SetBytes(int64(len(in)))
		for b.Loop() {
			if buf, err = m.Append(buf[:0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkServer sends messages of 400 bytes one by one, from many goroutines
// on one link of the reference client, to a broker that accepts them at once.
func BenchmarkServer(b *testing.B) {
	addr := serve(b, amqp.HandlerFunc(func(_ context.Context, l *amqp.Link) error {
		l.Grant(1000)
		l.OnTransfer(func(d *amqp.Delivery) { d.Settle(amqp.Accepted{}) })
		return nil
	}), amqp.Options{})
	sender, err := dial(b, addr, nil).NewSender(b.Context(), "q", nil)
	if err != nil {
		b.Fatal(err)
	}
	m := client.NewMessage(make([]byte, 400))
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := sender.Send(b.Context(), m, nil); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
