package servicebus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// sessionQueue declares a queue "q" that requires sessions.
func sessionQueue(s broker.Settings) servicebus.Options {
	s.RequiresSession = true
	return servicebus.Options{Entities: broker.Config{Queues: []broker.Queue{{Name: "q", Settings: s}}}}
}

func acceptNamed(t testing.TB, c *azservicebus.Client, id string) *azservicebus.SessionReceiver {
	t.Helper()
	return must1[*azservicebus.SessionReceiver](t)(c.AcceptSessionForQueue(within(t), "q", id, nil))
}

func acceptNext(t testing.TB, c *azservicebus.Client) *azservicebus.SessionReceiver {
	t.Helper()
	return must1[*azservicebus.SessionReceiver](t)(c.AcceptNextSessionForQueue(within(t), "q", nil))
}

// TestSessionsInOrder sends to five sessions, singly and in batches, and
// receives each whole and in order, two by name and three as they come.
func TestSessionsInOrder(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	c := n.client(t)
	s := sender(t, c, "q")
	const sessions, singles, batched = 5, 10, 10
	for i := range singles {
		for j := range sessions {
			must(t, s.SendMessage(within(t), grouped(fmt.Sprint("s", j), fmt.Sprint(i)), nil))
		}
	}
	for j := range sessions {
		b := must1[*azservicebus.MessageBatch](t)(s.NewMessageBatch(within(t), nil))
		for i := range batched {
			must(t, b.AddMessage(grouped(fmt.Sprint("s", j), fmt.Sprint(singles+i)), nil))
		}
		must(t, s.SendMessageBatch(within(t), b, nil))
	}
	var got []string
	for j := range sessions {
		var r *azservicebus.SessionReceiver
		if j < 2 {
			r = acceptNamed(t, c, fmt.Sprint("s", j))
		} else {
			r = acceptNext(t, c)
		}
		got = append(got, r.SessionID())
		if time.Until(r.LockedUntil()) < 30*time.Second {
			t.Errorf("session %s is locked until %v", r.SessionID(), r.LockedUntil())
		}
		for i := 0; i < singles+batched; {
			// Credit for all of it at once: what is there comes without a gap.
			messages, err := r.ReceiveMessages(within(t), singles+batched-i, nil)
			must(t, err)
			for _, m := range messages {
				if string(m.Body) != fmt.Sprint(i) || *m.SessionID != r.SessionID() {
					t.Fatalf("session %s: received %q of %s, want %d", r.SessionID(), m.Body, *m.SessionID, i)
				}
				must(t, r.CompleteMessage(within(t), m, nil))
				i++
			}
		}
		must(t, r.Close(within(t)))
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"s0", "s1", "s2", "s3", "s4"}) {
		t.Errorf("accepted %v", got)
	}
	if info := n.entity(t, "q").Info(); info.Messages != 0 || len(info.Sessions) != 0 {
		t.Errorf("left over: %+v", info)
	}
}

func TestSessionState(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	c := n.client(t)
	r := acceptNamed(t, c, "s")
	if state := must1[[]byte](t)(r.GetSessionState(within(t), nil)); len(state) != 0 {
		t.Fatalf("state %q of a new session", state)
	}
	must(t, r.SetSessionState(within(t), []byte("state"), nil))
	before := r.LockedUntil()
	must(t, r.RenewSessionLock(within(t), nil))
	if r.LockedUntil().Before(before) {
		t.Errorf("renewed from %v to %v", before, r.LockedUntil())
	}
	if ids := sessionsOf(t, c); !slices.Equal(ids, []string{"s"}) {
		t.Errorf("sessions %v", ids)
	}
	must(t, r.Close(within(t)))
	r = acceptNamed(t, c, "s")
	if state := must1[[]byte](t)(r.GetSessionState(within(t), nil)); string(state) != "state" {
		t.Errorf("state %q, want it to outlive the receiver", state)
	}
}

// sessionsOf lists the sessions of the queue.
func sessionsOf(t testing.TB, c *azservicebus.Client) []string {
	t.Helper()
	var ids []string
	for p := c.NewListSessionsForQueuePager("q", nil); p.More(); {
		page := must1[azservicebus.ListSessionsResponse](t)(p.NextPage(within(t)))
		ids = append(ids, page.Sessions...)
	}
	return ids
}

func TestListSessions(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	c := n.client(t)
	if ids := sessionsOf(t, c); len(ids) != 0 {
		t.Fatalf("sessions %v of an empty queue", ids)
	}
	s := sender(t, c, "q")
	const many = 250 // more than a page
	for i := range many {
		must(t, s.SendMessage(within(t), grouped(fmt.Sprintf("%04d", i), ""), nil))
	}
	ids := sessionsOf(t, c)
	if len(ids) != many || ids[0] != "0000" || ids[many-1] != "0249" {
		t.Errorf("%d sessions: %v", len(ids), ids)
	}
}

func TestSessionIsHeld(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	c := n.client(t)
	acceptNamed(t, c, "s")
	_, err := n.client(t).AcceptSessionForQueue(within(t), "q", "s", nil)
	if condition(err) != "com.microsoft:session-cannot-be-locked" {
		t.Errorf("error %v", err)
	}
}

func TestNextSession(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	c := n.client(t)
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	_, err := c.AcceptNextSessionForQueue(ctx, "q", nil)
	var e *azservicebus.Error
	if !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &e) || e.Code != azservicebus.CodeTimeout) {
		t.Fatalf("error %v, want a timeout", err)
	}

	type accepted struct {
		r   *azservicebus.SessionReceiver
		err error
	}
	got := make(chan accepted, 1)
	go func() {
		r, err := c.AcceptNextSessionForQueue(within(t), "q", nil)
		got <- accepted{r, err}
	}()
	must(t, sender(t, c, "q").SendMessage(within(t), grouped("late", "a"), nil))
	a := <-got
	must(t, a.err)
	if m := one(t, a.r); a.r.SessionID() != "late" || string(m.Body) != "a" {
		t.Errorf("session %q, message %q", a.r.SessionID(), m.Body)
	}
}

func TestSessionSettlement(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	c := n.client(t)
	s := sender(t, c, "q")
	for i := range 3 {
		must(t, s.SendMessage(within(t), grouped("", fmt.Sprint(i)), nil)) // "" is a session too
	}
	r := acceptNamed(t, c, "")
	m := one(t, r)
	must(t, r.AbandonMessage(within(t), m, nil))
	m = one(t, r)
	if string(m.Body) != "0" || m.DeliveryCount != 2 {
		t.Fatalf("after abandon: %q, delivery %d", m.Body, m.DeliveryCount)
	}
	must(t, r.DeferMessage(within(t), m, nil))
	must(t, r.DeadLetterMessage(within(t), one(t, r), nil))
	must(t, r.CompleteMessage(within(t), one(t, r), nil))
	deferred, err := r.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	must(t, err)
	must(t, r.CompleteMessage(within(t), deferred[0], nil))
	if info := n.entity(t, "q").Info(); info.Messages != 0 || info.DeadLetters != 1 {
		t.Errorf("left over: %+v", info)
	}
	if d := one(t, deadLetters(t, c, "q")); string(d.Body) != "1" {
		t.Errorf("dead letter %q", d.Body)
	}
}

func TestSessionLockIsLost(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	c := n.client(t)
	must(t, sender(t, c, "q").SendMessage(within(t), grouped("s", "a"), nil))
	r := acceptNamed(t, c, "s")
	m := one(t, r)
	must(t, n.Inject(servicebus.Fault{Kind: servicebus.LockLost, Entity: "q"}))
	thief := acceptNamed(t, n.client(t), "s")
	// The link is gone, and the SDK tries in vain to accept the session again.
	if err := r.RenewSessionLock(within(t), nil); condition(err) != "com.microsoft:session-cannot-be-locked" {
		t.Errorf("renew: error %v", err)
	}
	if err := r.CompleteMessage(within(t), m, nil); err == nil {
		t.Error("completed a message of a session that was lost")
	}
	again := one(t, thief)
	if string(again.Body) != "a" || again.DeliveryCount != 2 {
		t.Errorf("redelivered %q, delivery %d", again.Body, again.DeliveryCount)
	}
	must(t, thief.CompleteMessage(within(t), again, nil))
}

func TestSessionSubscription(t *testing.T) {
	n := serve(t, servicebus.Options{Entities: broker.Config{Topics: []broker.Topic{{
		Name:          "t",
		Subscriptions: []broker.Subscription{{Name: "s", Settings: broker.Settings{RequiresSession: true}}},
	}}}})
	c := n.client(t)
	must(t, sender(t, c, "t").SendMessage(within(t), grouped("id", "a"), nil))
	r := must1[*azservicebus.SessionReceiver](t)(c.AcceptNextSessionForSubscription(within(t), "t", "s", nil))
	if m := one(t, r); string(m.Body) != "a" || r.SessionID() != "id" {
		t.Errorf("session %s: %q", r.SessionID(), m.Body)
	}
}
