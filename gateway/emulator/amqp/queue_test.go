package amqp_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// queues is the smallest broker: a queue for each address, each message to the
// first who asks, and back in front when it is not settled in the end.
type queues struct {
	mu     sync.Mutex
	queues map[string]*queue
}

type queue struct {
	items [][]byte
	links []*amqp.Link
	sent  map[*amqp.Link][][]byte // and not settled
}

func (b *queues) Attach(_ context.Context, l *amqp.Link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues == nil {
		b.queues = map[string]*queue{}
	}
	q := b.queues[l.Address()]
	if q == nil {
		q = &queue{sent: map[*amqp.Link][][]byte{}}
		b.queues[l.Address()] = q
	}
	if l.Sends() {
		l.Grant(100)
		l.OnTransfer(func(d *amqp.Delivery) {
			b.mu.Lock()
			q.items = append(q.items, d.Payload)
			b.pump(q)
			b.mu.Unlock()
			d.Settle(amqp.Accepted{})
		})
		return nil
	}
	q.links = append(q.links, l)
	l.OnCredit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.pump(q)
	})
	l.OnDetach(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		q.items = append(q.sent[l], q.items...)
		delete(q.sent, l)
		q.links = slices.DeleteFunc(q.links, func(other *amqp.Link) bool { return other == l })
		b.pump(q)
	})
	return nil
}

func (b *queues) pump(q *queue) {
	for _, l := range q.links {
		for len(q.items) > 0 {
			item := q.items[0]
			if l.Send(amqp.Outgoing{Payload: item, OnSettle: func(s *amqp.Settlement) { b.settle(q, s, item) }}) != nil {
				break
			}
			q.items = q.items[1:]
			q.sent[l] = append(q.sent[l], item)
		}
	}
}

func (b *queues) settle(q *queue, s *amqp.Settlement, item []byte) {
	b.mu.Lock()
	q.sent[s.Link()] = slices.DeleteFunc(q.sent[s.Link()], func(other []byte) bool { return &other[0] == &item[0] })
	b.mu.Unlock()
	s.Settle(s.Outcome())
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

// TestCuts cuts connections and links at every point of a message's way, many
// times. A client that tries again until it is told loses no message.
func TestCuts(t *testing.T) {
	const clients, each = 3, 60
	faults := &amqp.Faults{}
	for i, p := range []amqp.Point{amqp.Attach, amqp.Transfer, amqp.Settle, amqp.Deliver, amqp.Respond, amqp.Confirm} {
		for j := range 8 {
			faults.Add(amqp.Rule{Point: p, Skip: (5*i + 7*j) % 23, Times: 1, Fault: amqp.Fault{Drop: j%2 == 0, Detach: true}})
		}
	}
	addr := serve(t, &queues{}, amqp.Options{Faults: faults})
	ctx, done := context.WithCancel(timeout(t))
	defer done()
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for j := 0; j < each && ctx.Err() == nil; {
				session(ctx, addr, func(s *client.Session) error {
					sender, err := s.NewSender(ctx, "q", nil)
					for ; err == nil && j < each; j++ {
						if err = sender.Send(ctx, client.NewMessage(fmt.Append(nil, i, "/", j)), nil); err != nil {
							break
						}
					}
					return err
				})
			}
		})
	}
	var mu sync.Mutex
	got := map[string]int{}
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				session(ctx, addr, func(s *client.Session) error {
					receiver, err := s.NewReceiver(ctx, "q", &client.ReceiverOptions{Credit: 5, SettlementMode: client.ReceiverSettleModeSecond.Ptr()})
					for err == nil {
						var m *client.Message
						if m, err = receiver.Receive(ctx, nil); err != nil {
							break
						}
						mu.Lock()
						if got[string(m.GetData())]++; len(got) == clients*each {
							done()
						}
						mu.Unlock()
						err = receiver.AcceptMessage(ctx, m)
					}
					return err
				})
			}
		})
	}
	wg.Wait()
	if len(got) != clients*each {
		t.Errorf("%d messages came, want %d", len(got), clients*each)
	}
	if left := faults.Rules(); len(left) > 0 {
		t.Errorf("%d faults did not happen", len(left))
	}
}

// session runs f in a session of a connection of its own. Its errors are those
// that the test makes.
func session(ctx context.Context, addr string, f func(*client.Session) error) {
	conn, err := client.Dial(ctx, "amqp://"+addr, &client.ConnOptions{SASLType: client.SASLTypeAnonymous()})
	if err != nil {
		return
	}
	defer conn.Close()
	if s, err := conn.NewSession(ctx, nil); err == nil {
		_ = f(s)
	}
}
