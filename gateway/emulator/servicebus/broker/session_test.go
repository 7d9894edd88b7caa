package broker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

var sessions = broker.Settings{RequiresSession: true, LockDuration: broker.Duration(time.Minute)}

func accept(t *testing.T, e *broker.Entity, owner any, id *string) *broker.Receiver {
	t.Helper()
	r, err := e.AcceptSession(t.Context(), owner, id, broker.PeekLock)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func name(t *testing.T, r *broker.Receiver) string {
	t.Helper()
	id, until, ok := r.Session()
	if !ok || until.IsZero() {
		t.Fatalf("Session() = %q, %v, %v", id, until, ok)
	}
	return id
}

func TestSessionIsExclusiveAndInOrder(t *testing.T) {
	q := queue(t, sessions)
	send(t, q, inSession("x", "x1"), inSession("y", "y1"), inSession("x", "x2"), inSession("", "none"))
	x, y, empty := accept(t, q, 1, nil), accept(t, q, 2, nil), accept(t, q, 3, nil)
	if name(t, x) != "x" || name(t, y) != "y" || name(t, empty) != "" {
		t.Fatalf("accepted %q, %q, %q: want them in the order they began to wait", name(t, x), name(t, y), name(t, empty))
	}
	id := "x"
	_, err := q.AcceptSession(ever, 2, &id, broker.PeekLock)
	wantError(t, err, broker.ErrSessionHeld)
	got := ready(t, x)
	wantBodies(t, got, "x1", "x2")
	wantError(t, y.Settle(got[0].LockToken, broker.Disposition{}), broker.ErrMessageLockLost)
	wantError(t, q.Settle(2, got[0].LockToken, broker.Disposition{}), broker.ErrSessionLockLost)
	if err := q.Settle(1, got[0].LockToken, broker.Disposition{}); err != nil {
		t.Fatal(err)
	}
	send(t, q, inSession("x", "x3"))
	x.Close(true)
	wantError(t, x.Settle(got[1].LockToken, broker.Disposition{}), broker.ErrSessionLockLost)
	again := ready(t, accept(t, q, 2, nil))
	wantBodies(t, again, "x2", "x3")
	if again[0].Failures != 0 {
		t.Errorf("closing a session counted %d failures", again[0].Failures)
	}
}

func TestSessionRules(t *testing.T) {
	b := open(t, broker.Config{Queues: []broker.Queue{{Name: "grouped-*", Settings: sessions}}})
	plain, grouped := entity(t, b, "plain"), entity(t, b, "Grouped-1")
	wantError(t, grouped.Send(msg("a")), broker.ErrNotAllowed)
	_, err := grouped.Receive(t, broker.PeekLock)
	wantError(t, err, broker.ErrNotAllowed)
	_, err = plain.AcceptSession(ever, t, nil, broker.PeekLock)
	wantError(t, err, broker.ErrNotAllowed)
	send(t, plain, inSession("s", "a")) // a session id does no harm where none is required
	wantBodies(t, ready(t, receiver(t, plain, broker.PeekLock)), "a")
	m := inSession("s", "a")
	m.PartitionKey = "p"
	wantError(t, grouped.Send(m), broker.ErrNotAllowed)
	m.PartitionKey = "s"
	send(t, grouped, m)
}

func TestNextSessionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, sessions)
		ctx, cancel := context.WithTimeout(ever, time.Minute)
		defer cancel()
		_, err := q.AcceptSession(ctx, t, nil, broker.PeekLock)
		wantError(t, err, broker.ErrNoSession)
		wantError(t, err, context.DeadlineExceeded)

		got := make(chan *broker.Receiver)
		for range 2 {
			go func() {
				r, _ := q.AcceptSession(ever, t, nil, broker.PeekLock)
				got <- r
			}()
		}
		synctest.Wait()
		send(t, q, inSession("a", "1"))
		a := <-got
		synctest.Wait() // the second goes on waiting
		a.Close(false)
		b := <-got
		if name(t, a) != "a" || name(t, b) != "a" {
			t.Fatalf("accepted %q and %q", name(t, a), name(t, b))
		}
	})
}

func TestSessionLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, sessions)
		send(t, q, inSession("s", "a"), inSession("s", "b"))
		r := accept(t, q, 1, nil)
		got := ready(t, r)
		_, err := q.RenewLocks(got[0].LockToken)
		wantError(t, err, broker.ErrNotAllowed)
		time.Sleep(45 * time.Second)
		until, err := q.RenewSession(1, "s")
		if err != nil || !until.Equal(time.Now().Add(time.Minute)) {
			t.Fatalf("RenewSession = %v, %v", until, err)
		}
		time.Sleep(45 * time.Second)
		settle(t, r, got[0], broker.Disposition{})
		_, err = r.Next(ever)
		wantError(t, err, broker.ErrSessionLockLost)
		_, err = q.RenewSession(1, "s")
		wantError(t, err, broker.ErrSessionLockLost)
		again := ready(t, accept(t, q, 2, nil))
		wantBodies(t, again, "b")
		if again[0].Failures != 1 {
			t.Errorf("a lost lock counted %d failures, want 1", again[0].Failures)
		}
		r.Close(true) // who lost the session cannot end the next one's lock
		if _, err := q.RenewSession(2, "s"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSessionState(t *testing.T) {
	q := queue(t, broker.Settings{RequiresSession: true, MaxMessageBytes: 8})
	id := "s"
	wantError(t, q.SetSessionState(1, id, []byte("x")), broker.ErrSessionLockLost)
	r := accept(t, q, 1, &id)
	if s, err := q.SessionState(1, id); s != nil || err != nil {
		t.Fatalf("state %q, %v", s, err)
	}
	if err := q.SetSessionState(1, id, []byte("state")); err != nil {
		t.Fatal(err)
	}
	wantError(t, q.SetSessionState(1, id, make([]byte, 9)), broker.ErrTooLarge)
	r.Close(false)
	_, err := q.SessionState(1, id)
	wantError(t, err, broker.ErrSessionLockLost)
	accept(t, q, 2, &id)
	if s, err := q.SessionState(2, id); string(s) != "state" || err != nil {
		t.Fatalf("state %q, %v", s, err)
	}
	if info := q.Info(); info.Bytes != 5 || len(info.Sessions) != 1 || info.Sessions[0].StateBytes != 5 {
		t.Errorf("info %+v", info)
	}
	if err := q.SetSessionState(2, id, nil); err != nil || q.Info().Bytes != 0 {
		t.Errorf("after the state was cleared: %v, %+v", err, q.Info())
	}
}

func TestSessionsList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, sessions)
		if ids := q.Sessions(time.Time{}); ids != nil {
			t.Fatalf("sessions %v", ids)
		}
		send(t, q, inSession("b", "1"), inSession("a", "2"))
		start := time.Now()
		time.Sleep(time.Second)
		id := "c"
		c := accept(t, q, 1, &id)
		if ids := q.Sessions(time.Time{}); len(ids) != 2 || ids[0] != "a" || ids[1] != "b" {
			t.Fatalf("sessions %v", ids)
		}
		if err := q.SetSessionState(1, id, []byte{}); err != nil {
			t.Fatal(err)
		}
		if ids := q.Sessions(start); len(ids) != 1 || ids[0] != "c" {
			t.Fatalf("sessions since the start %v", ids)
		}
		if err := q.SetSessionState(1, id, nil); err != nil {
			t.Fatal(err)
		}
		c.Close(false)
		if n := len(q.Info().Sessions); n != 2 {
			t.Errorf("%d sessions are kept, want 2", n)
		}
	})
}

func TestDeferredInSession(t *testing.T) {
	q := queue(t, sessions)
	send(t, q, inSession("s", "a"))
	r := accept(t, q, 1, nil)
	settle(t, r, ready(t, r)[0], broker.Disposition{Verdict: broker.Defer})
	_, err := q.ReceiveDeferred(2, broker.PeekLock, 1)
	wantError(t, err, broker.ErrSessionLockLost)
	if _, err = q.ReceiveDeferred(1, broker.PeekLock, 1); err != nil {
		t.Fatal(err)
	}
	r.Close(false)
	id := "s"
	accept(t, q, 2, &id)
	taken, err := q.ReceiveDeferred(2, broker.PeekLock, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Settle(2, taken[0].LockToken, broker.Disposition{}); err != nil {
		t.Fatal(err)
	}
}
