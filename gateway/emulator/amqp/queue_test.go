package amqp_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// queues is the smallest broker: a queue for each address, each message to the
// first who asks, and back in its place when its link ends unsettled.
type queues struct {
	mu     sync.Mutex
	queues map[string]*queue
}

type queue struct {
	mu    *sync.Mutex
	items [][]byte
	links []*amqp.Link
}

func (b *queues) Attach(_ context.Context, l *amqp.Link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues == nil {
		b.queues = map[string]*queue{}
	}
	q := b.queues[l.Address()]
	if q == nil {
		q = &queue{mu: &b.mu}
		b.queues[l.Address()] = q
	}
	if l.Sends() {
		l.Grant(100)
		l.OnTransfer(func(d *amqp.Delivery) {
			b.mu.Lock()
			q.items = append(q.items, d.Payload)
			q.pump()
			b.mu.Unlock()
			d.Settle(amqp.Accepted{})
		})
		return nil
	}
	q.links = append(q.links, l)
	l.OnCredit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		q.pump()
	})
	return nil
}

func (q *queue) pump() {
	for _, l := range q.links {
		for len(q.items) > 0 && l.Send(amqp.Outgoing{Payload: q.items[0], OnSettle: func(s *amqp.Settlement) { s.Settle(s.Outcome()) }}) == nil {
			q.items = q.items[1:]
		}
	}
}

func TestSendAndReceive(t *testing.T) {
	addr := serve(t, &queues{}, amqp.Options{})
	s := dial(t, addr, nil)
	sender, err := s.NewSender(timeout(t), "q", nil)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := dial(t, addr, nil).NewReceiver(timeout(t), "q", &client.ReceiverOptions{Credit: 10})
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{0, 1, 254, 255, 256, 65_000, 65_536, 70_000, 500_000}
	for i, size := range sizes {
		m := client.NewMessage(bytes.Repeat([]byte{byte(i)}, size))
		m.ApplicationProperties = map[string]any{"n": int64(i)}
		if err := sender.Send(timeout(t), m, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, size := range sizes {
		m, err := receiver.Receive(timeout(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := m.ApplicationProperties["n"]; n != int64(i) || !bytes.Equal(m.GetData(), bytes.Repeat([]byte{byte(i)}, size)) {
			t.Errorf("message %d: n = %v, %d bytes, want %d", i, n, len(m.GetData()), size)
		}
		if err := receiver.AcceptMessage(timeout(t), m); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWindow sends and receives more than the windows of both sides hold.
func TestWindow(t *testing.T) {
	const n = 12_000
	addr := serve(t, &queues{}, amqp.Options{})
	sender, err := dial(t, addr, nil).NewSender(timeout(t), "q", nil)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := dial(t, addr, nil).NewReceiver(timeout(t), "q", &client.ReceiverOptions{Credit: 500, RequestedSenderSettleMode: client.SenderSettleModeSettled.Ptr()})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for i := range n {
			if err := sender.Send(timeout(t), client.NewMessage(fmt.Append(nil, i)), nil); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range n {
		m, err := receiver.Receive(timeout(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(m.GetData()); got != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, got)
		}
	}
}
