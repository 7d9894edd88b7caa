package servicebus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// TestFaultsUnderLoad has four clients send to twelve sessions and four receive,
// while connections are cut and links detached on both sides. With message ids
// and duplicate detection, every message is there once; within a session, what
// is received for the first time comes in order.
func TestFaultsUnderLoad(t *testing.T) {
	const clients, sessions, each = 4, 12, 25
	n := serve(t, sessionQueue(broker.Settings{RequiresDuplicateDetection: true, MaxDeliveryCount: 1000}))
	for skip := 10; skip < 200; skip += 30 {
		for i, kind := range []servicebus.FaultKind{
			servicebus.ServerBusy, servicebus.DropBefore, servicebus.DropAfter, servicebus.DetachLink, servicebus.DropBeforeSettle,
		} {
			must(t, n.Inject(servicebus.Fault{Kind: kind, Entity: "q", Skip: skip + 3*i, Times: 1}))
		}
	}
	ctx := within(t)
	var senders sync.WaitGroup
	for c := range clients {
		s := sender(t, n.client(t), "q")
		senders.Go(func() {
			for i := range each {
				for session := c; session < sessions; session += clients {
					if err := sendUntilTaken(ctx, s, session, i); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	seen := &received{last: map[string]int{}, want: sessions * each, all: make(chan struct{})}
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	var receivers sync.WaitGroup
	for range clients {
		c := n.client(t)
		receivers.Go(func() {
			for stop.Err() == nil {
				drainSession(stop, c, seen)
			}
		})
	}
	senders.Wait()
	select {
	case <-seen.all:
	case <-ctx.Done():
		t.Errorf("received %d messages of %d: %+v", seen.count, seen.want, n.entity(t, "q").Info())
	}
	cancel()
	receivers.Wait()
	if seen.wrong != "" {
		t.Error(seen.wrong)
	}
}

// sendUntilTaken sends a message, again and with the same id until that is answered.
func sendUntilTaken(ctx context.Context, s *azservicebus.Sender, session, i int) error {
	id, name := fmt.Sprintf("%d-%d", session, i), fmt.Sprint(session)
	for {
		try, cancel := context.WithTimeout(ctx, time.Second)
		err := s.SendMessage(try, &azservicebus.Message{MessageID: &id, SessionID: &name, Body: []byte(fmt.Sprint(i))}, nil)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

// received is what the receivers have seen.
type received struct {
	mu    sync.Mutex
	last  map[string]int // by session, one more than the last message
	count int
	want  int
	wrong string
	all   chan struct{}
}

// take notes a message. What was seen before is a redelivery.
func (r *received) take(session, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var i int
	fmt.Sscan(body, &i)
	switch {
	case i < r.last[session]:
	case i > r.last[session]:
		r.wrong = fmt.Sprintf("session %s: %d after %d", session, i, r.last[session]-1)
	default:
		r.last[session]++
		if r.count++; r.count == r.want {
			close(r.all)
		}
	}
}

// drainSession accepts a session, and completes its messages until none comes
// or something goes wrong.
func drainSession(ctx context.Context, c *azservicebus.Client, seen *received) {
	try, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := c.AcceptNextSessionForQueue(try, "q", nil)
	if err != nil {
		return
	}
	defer r.Close(context.WithoutCancel(ctx))
	for {
		try, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		got, err := r.ReceiveMessages(try, 1, nil)
		cancel()
		if err != nil {
			return
		}
		for _, m := range got {
			seen.take(*m.SessionID, string(m.Body))
			try, cancel := context.WithTimeout(ctx, time.Second)
			err := r.CompleteMessage(try, m, nil)
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) {
				return
			}
		}
	}
}
