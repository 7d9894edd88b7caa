package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// open returns a broker that ends with the test.
func open(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// entity returns the entity at an address.
func entity(t *testing.T, b *broker.Broker, address string) *broker.Entity {
	t.Helper()
	e, err := b.Entity(address)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// queue returns a queue with settings.
func queue(t *testing.T, s broker.Settings) *broker.Entity {
	t.Helper()
	return entity(t, open(t, broker.Config{Queues: []broker.Queue{{Name: "q", Settings: s}}}), "q")
}

func msg(body string) broker.Message { return broker.Message{Body: body, Size: int64(len(body))} }

func inSession(id, body string) broker.Message {
	m := msg(body)
	m.SessionID, m.HasSession = id, true
	return m
}

func send(t *testing.T, e *broker.Entity, messages ...broker.Message) {
	t.Helper()
	if err := e.Send(messages...); err != nil {
		t.Fatal(err)
	}
}

func receiver(t *testing.T, e *broker.Entity, mode broker.Mode) *broker.Receiver {
	t.Helper()
	r, err := e.Receive(t, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(false) })
	return r
}

// ready takes all that is ready.
func ready(t *testing.T, r *broker.Receiver) []broker.Message {
	t.Helper()
	var got []broker.Message
	if _, err := r.Feed(func(m broker.Message) error { got = append(got, m); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func bodies(messages []broker.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, m.Body.(string))
	}
	return fmt.Sprint(all)
}

func wantBodies(t *testing.T, got []broker.Message, want ...string) {
	t.Helper()
	if bodies(got) != fmt.Sprint(want) {
		t.Fatalf("got %v, want %v", bodies(got), want)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func settle(t *testing.T, r *broker.Receiver, m broker.Message, d broker.Disposition) {
	t.Helper()
	if err := r.Settle(m.LockToken, d); err != nil {
		t.Fatal(err)
	}
}

var ever = context.Background()

func TestQueueKeepsOrder(t *testing.T) {
	q := queue(t, broker.Settings{})
	send(t, q, msg("a"), msg("b"))
	send(t, q, msg("c"))
	r := receiver(t, q, broker.PeekLock)
	got := ready(t, r)
	wantBodies(t, got, "a", "b", "c")
	for i, m := range got {
		if m.Sequence != int64(i+1) || m.LockToken == (broker.Token{}) || m.LockedUntil.IsZero() {
			t.Errorf("message %d: %+v", i, m)
		}
	}
	settle(t, r, got[1], broker.Disposition{Verdict: broker.Abandon})
	settle(t, r, got[0], broker.Disposition{Verdict: broker.Release})
	again := ready(t, r)
	wantBodies(t, again, "a", "b")
	if again[0].Failures != 0 || again[1].Failures != 1 {
		t.Errorf("failures %d and %d, want 0 after a release and 1 after an abandon", again[0].Failures, again[1].Failures)
	}
	settle(t, r, again[0], broker.Disposition{})
	wantError(t, r.Settle(again[0].LockToken, broker.Disposition{}), broker.ErrMessageLockLost)
	wantError(t, r.Settle(broker.Token{1}, broker.Disposition{}), broker.ErrMessageLockLost)
	if n := q.Info().Messages; n != 2 {
		t.Errorf("%d messages after one was completed, want 2", n)
	}
}

func TestReceiveAndDelete(t *testing.T) {
	q := queue(t, broker.Settings{})
	send(t, q, msg("a"), msg("b"))
	r := receiver(t, q, broker.ReceiveAndDelete)
	m, err := r.Next(ever)
	if err != nil || m.Body != "a" || m.LockToken != (broker.Token{}) {
		t.Fatalf("Next = %+v, %v", m, err)
	}
	if info := q.Info(); info.Messages != 1 || info.Bytes != 1 {
		t.Errorf("after one of two one-byte messages was deleted: %+v", info)
	}
}

func TestFeedLeavesWhatIsRefused(t *testing.T) {
	q := queue(t, broker.Settings{})
	send(t, q, msg("a"), msg("b"), msg("c"))
	for _, mode := range []broker.Mode{broker.PeekLock, broker.ReceiveAndDelete} {
		r := receiver(t, q, mode)
		var got []broker.Message
		if _, err := r.Feed(func(m broker.Message) error {
			if len(got) == 1 {
				return errors.New("no credit")
			}
			got = append(got, m)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 {
			t.Fatalf("mode %v took %v", mode, bodies(got))
		}
	}
	last := ready(t, receiver(t, q, broker.PeekLock))
	wantBodies(t, last, "c")
	if last[0].Failures != 0 {
		t.Errorf("a refused message has %d failed deliveries", last[0].Failures)
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, broker.Settings{})
		r := receiver(t, q, broker.PeekLock)
		got := make(chan broker.Message)
		go func() {
			m, _ := r.Next(ever)
			got <- m
		}()
		synctest.Wait()
		send(t, q, msg("a"))
		if m := <-got; m.Body != "a" {
			t.Fatalf("Next = %+v", m)
		}
		ctx, cancel := context.WithTimeout(ever, time.Second)
		defer cancel()
		_, err := r.Next(ctx)
		wantError(t, err, context.DeadlineExceeded)

		ended := make(chan error)
		go func() {
			_, err := r.Next(ever)
			ended <- err
		}()
		synctest.Wait()
		r.Close(false)
		wantError(t, <-ended, broker.ErrClosed)
	})
}

func TestLockExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, broker.Settings{LockDuration: broker.Duration(30 * time.Second)})
		send(t, q, msg("a"), msg("b"))
		r := receiver(t, q, broker.PeekLock)
		got := ready(t, r)
		time.Sleep(20 * time.Second)
		until, err := q.RenewLocks(got[0].LockToken)
		if err != nil || !until[0].Equal(time.Now().Add(30*time.Second)) {
			t.Fatalf("RenewLocks = %v, %v", until, err)
		}
		m, err := r.Next(ever) // waits ten seconds for b's lock to run out
		if err != nil || m.Body != "b" || m.Failures != 1 {
			t.Fatalf("Next = %+v, %v", m, err)
		}
		wantError(t, r.Settle(got[1].LockToken, broker.Disposition{}), broker.ErrMessageLockLost)
		settle(t, r, got[0], broker.Disposition{})
		_, err = q.RenewLocks(m.LockToken, got[0].LockToken)
		wantError(t, err, broker.ErrMessageLockLost)
	})
}

func TestDeliveriesEndInDeadLetters(t *testing.T) {
	b := open(t, broker.Config{})
	q := entity(t, b, "q")
	send(t, q, msg("poison"))
	r := receiver(t, q, broker.PeekLock)
	for range broker.DefaultMaxDeliveryCount {
		m, err := r.Next(ever)
		if err != nil {
			t.Fatal(err)
		}
		settle(t, r, m, broker.Disposition{Verdict: broker.Abandon, Properties: map[string]any{"hello": "world"}})
	}
	wantBodies(t, ready(t, r))
	letters := receiver(t, entity(t, b, "Q/$deadletterqueue"), broker.PeekLock)
	for range 12 { // no count ends what is dead already
		got := ready(t, letters)
		wantBodies(t, got, "poison")
		m := got[0]
		if m.Properties["DeadLetterReason"] != "MaxDeliveryCountExceeded" || m.Properties["hello"] != "world" ||
			m.DeadLetterSource != "q" || m.Failures != 10 || m.Sequence != 1 || m.EnqueuedSequence != 1 {
			t.Fatalf("dead letter %+v", m)
		}
		settle(t, letters, m, broker.Disposition{Verdict: broker.Abandon})
	}
	m := ready(t, letters)[0]
	wantError(t, letters.Settle(m.LockToken, broker.Disposition{Verdict: broker.DeadLetter}), broker.ErrNotAllowed)
	settle(t, letters, m, broker.Disposition{})
	if info := q.Info(); info.DeadLetters != 0 || info.Bytes != 0 {
		t.Errorf("after the dead letter was completed: %+v", info)
	}
}

func TestDeadLetterByReceiver(t *testing.T) {
	b := open(t, broker.Config{})
	q := entity(t, b, "q")
	send(t, q, msg("bad"))
	r := receiver(t, q, broker.PeekLock)
	settle(t, r, ready(t, r)[0], broker.Disposition{Verdict: broker.DeadLetter, Reason: "why", Description: "because"})
	m := ready(t, receiver(t, entity(t, b, "q/$DeadLetterQueue"), broker.ReceiveAndDelete))[0]
	if m.Properties["DeadLetterReason"] != "why" || m.Properties["DeadLetterErrorDescription"] != "because" {
		t.Errorf("dead letter %+v", m)
	}
	if n := entity(t, b, "q/$Transfer/$DeadLetterQueue").Info().Messages; n != 0 {
		t.Errorf("%d messages in the transfer dead-letter queue", n)
	}
}

func TestDeferred(t *testing.T) {
	q := queue(t, broker.Settings{})
	send(t, q, msg("a"), msg("b"))
	r := receiver(t, q, broker.PeekLock)
	got := ready(t, r)
	settle(t, r, got[0], broker.Disposition{Verdict: broker.Defer, Properties: map[string]any{"k": int64(1)}})
	wantBodies(t, ready(t, r))
	if peeked := q.Peek(1, 10, nil); peeked[0].State != broker.StateDeferred || peeked[0].Properties["k"] != int64(1) {
		t.Fatalf("peeked %+v", peeked)
	}
	_, err := q.ReceiveDeferred(t, broker.PeekLock, 1, 2)
	wantError(t, err, broker.ErrNoMessage)
	taken, err := q.ReceiveDeferred(t, broker.PeekLock, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = q.ReceiveDeferred(t, broker.PeekLock, 1)
	wantError(t, err, broker.ErrNoMessage)
	if err := q.Settle(t, taken[0].LockToken, broker.Disposition{Verdict: broker.Abandon}); err != nil {
		t.Fatal(err)
	}
	wantBodies(t, ready(t, r)) // it stays deferred
	taken, err = q.ReceiveDeferred(t, broker.ReceiveAndDelete, 1)
	if err != nil || taken[0].Failures != 1 {
		t.Fatalf("ReceiveDeferred = %+v, %v", taken, err)
	}
	if n := q.Info().Messages; n != 1 {
		t.Errorf("%d messages left, want 1", n)
	}
}

func TestScheduled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, broker.Settings{})
		later := func(body string, d time.Duration) broker.Message {
			m := msg(body)
			m.EnqueueAt = time.Now().Add(d)
			return m
		}
		numbers, err := q.Schedule(later("late", 2*time.Hour), later("soon", time.Hour), later("never", time.Hour), later("past", -time.Hour))
		if err != nil || !slices.Equal(numbers, []int64{1, 2, 3, 4}) {
			t.Fatalf("Schedule = %v, %v", numbers, err)
		}
		send(t, q, later("annotated", time.Minute))
		wantError(t, q.Cancel(3, 4), broker.ErrNoMessage)
		if err := q.Cancel(3, 3); err != nil {
			t.Fatal(err)
		}
		if info := q.Info(); info.Scheduled != 3 || info.Ready != 1 {
			t.Fatalf("info %+v", info)
		}
		r := receiver(t, q, broker.ReceiveAndDelete)
		var got []broker.Message
		for range 4 {
			m, err := r.Next(ever)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, m)
		}
		wantBodies(t, got, "past", "annotated", "soon", "late")
		if m := got[3]; m.Sequence != 8 || m.EnqueuedSequence != 1 || !m.EnqueuedAt.Equal(time.Now()) || m.State != broker.StateActive {
			t.Errorf("activated %+v", m)
		}
	})
}

func TestDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, broker.Settings{RequiresDuplicateDetection: true, DuplicateDetectionHistoryTimeWindow: broker.Duration(time.Minute)})
		withID := func(id, body string) broker.Message {
			m := msg(body)
			m.ID = id
			return m
		}
		send(t, q, withID("1", "a"), withID("1", "b"), withID("", "c"), withID("", "d"))
		r := receiver(t, q, broker.ReceiveAndDelete)
		wantBodies(t, ready(t, r), "a", "c", "d")
		time.Sleep(59 * time.Second)
		send(t, q, withID("1", "e")) // though what it repeats is long received
		wantBodies(t, ready(t, r))
		time.Sleep(time.Second)
		send(t, q, withID("1", "f"))
		wantBodies(t, ready(t, r), "f")
	})
}

func TestTimeToLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, broker.Config{Queues: []broker.Queue{
			{Name: "drops", Settings: broker.Settings{DefaultMessageTimeToLive: broker.Duration(time.Minute)}},
			{Name: "buries", Settings: broker.Settings{DeadLetteringOnMessageExpiration: true}},
		}})
		drops, buries := entity(t, b, "drops"), entity(t, b, "buries")
		short := func(body string, ttl time.Duration) broker.Message {
			m := msg(body)
			m.TTL = ttl
			return m
		}
		send(t, drops, short("a", time.Hour), short("b", time.Second), msg("c"))
		send(t, buries, short("d", time.Second), msg("e"), short("f", time.Second))
		held := receiver(t, buries, broker.PeekLock)
		got := ready(t, held)
		settle(t, held, got[0], broker.Disposition{Verdict: broker.Release})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if info := drops.Info(); info.Messages != 2 {
			t.Errorf("after 2s: %+v", info)
		}
		if info := buries.Info(); info.DeadLetters != 1 || info.Locked != 2 {
			t.Errorf("after 2s: %+v, want the locked ones to stay", info)
		}
		settle(t, held, got[2], broker.Disposition{Verdict: broker.Release}) // late for f
		letters := ready(t, receiver(t, entity(t, b, "buries/$DeadLetterQueue"), broker.PeekLock))
		wantBodies(t, letters, "d", "f")
		if letters[0].Properties["DeadLetterReason"] != "TTLExpiredException" {
			t.Errorf("dead letter %+v", letters[0])
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if info := drops.Info(); info.Messages != 0 || info.Bytes != 0 {
			t.Errorf("after a minute: %+v", info)
		}
	})
}

func TestTopicFansOut(t *testing.T) {
	b := open(t, broker.Config{Topics: []broker.Topic{{
		Name: "t",
		Subscriptions: []broker.Subscription{
			{Name: "plain"},
			{Name: "grouped", Settings: broker.Settings{RequiresSession: true}},
		},
	}}})
	topic := entity(t, b, "t")
	late := msg("late")
	late.EnqueueAt = time.Now().Add(time.Hour)
	send(t, topic, msg("a"), inSession("s", "b"), late)
	wantBodies(t, ready(t, receiver(t, entity(t, b, "T/subscriptions/PLAIN"), broker.PeekLock)), "a", "b")
	r, err := entity(t, b, "t/Subscriptions/grouped").AcceptSession(ever, t, nil, broker.PeekLock)
	if err != nil {
		t.Fatal(err)
	}
	got := ready(t, r)
	wantBodies(t, got, "b")
	if got[0].EnqueuedSequence != 2 {
		t.Errorf("enqueued as %d in the topic, want 2", got[0].EnqueuedSequence)
	}
	letters := ready(t, receiver(t, entity(t, b, "t/Subscriptions/grouped/$DeadLetterQueue"), broker.PeekLock))
	wantBodies(t, letters, "a")
	if topic.Info().Scheduled != 1 {
		t.Errorf("topic %+v", topic.Info())
	}
	_, err = topic.Receive(t, broker.PeekLock)
	wantError(t, err, broker.ErrNotAllowed)
	wantError(t, entity(t, b, "t/Subscriptions/plain").Send(msg("x")), broker.ErrNotAllowed)
	_, err = b.Entity("t/$DeadLetterQueue")
	wantError(t, err, broker.ErrNotFound)
}
