package broker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Mode is what becomes of a message that is received.
type Mode int

const (
	// PeekLock locks it until it is settled or the lock runs out.
	PeekLock Mode = iota
	// ReceiveAndDelete removes it.
	ReceiveAndDelete
)

// Receiver takes messages from one entity, or from one session of it. It must
// be closed. Any number of goroutines may use it.
type Receiver struct {
	e       *Entity
	mode    Mode
	owner   any
	session *session // or nil
	err     error    // why it ended
}

// Receive opens a receiver on an entity without sessions. owner is who may do
// what needs the receiver's session or its close: any comparable value, such
// as a pointer to a connection.
func (e *Entity) Receive(owner any, mode Mode) (*Receiver, error) {
	e.b.enter()
	defer e.b.mu.Unlock()
	if err := e.receivable(); err != nil {
		return nil, err
	}
	if e.settings.RequiresSession {
		return nil, fmt.Errorf("%w: %s requires sessions: accept one", ErrNotAllowed, e.path)
	}
	return &Receiver{e: e, mode: mode, owner: owner}, nil
}

// Session is the id of the receiver's session, and until when its lock was
// held at the time of the call; ok is false without one.
func (r *Receiver) Session() (id string, until time.Time, ok bool) {
	if r.session == nil {
		return "", time.Time{}, false
	}
	r.e.b.enter()
	defer r.e.b.mu.Unlock()
	return r.session.id, r.session.lockedUntil, true
}

// Feed takes messages, one after another and in order, and hands each to
// deliver, until deliver refuses one by an error or none is ready. A refused
// message stays as it was. The channel is closed when it may be worth to feed
// again: when something has arrived, or ended.
//
// It fails with [ErrSessionLockLost] when the session is lost, [ErrDisabled]
// when the entity is, and [ErrClosed] when the receiver or the broker is.
// deliver must neither wait nor call the broker.
func (r *Receiver) Feed(deliver func(Message) error) (<-chan struct{}, error) {
	now := r.e.b.enter()
	defer r.e.b.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	if err := r.e.receivable(); err != nil {
		return nil, err
	}
	ready, arrived := &r.e.ready, &r.e.arrived
	if r.session != nil {
		ready, arrived = &r.session.ready, &r.session.arrived
	}
	for len(ready.items) > 0 {
		first := ready.items[0]
		given := r.e.grant(first, r.mode, now)
		if deliver(given) != nil {
			break
		}
		r.e.take(first, r, given)
	}
	return arrived.wait(), nil
}

// Next waits for one message, and takes it. It ends as [Receiver.Feed] does,
// or with the error of ctx.
func (r *Receiver) Next(ctx context.Context) (Message, error) {
	for {
		var m *Message
		arrived, err := r.Feed(func(given Message) error {
			if m != nil {
				return errOne
			}
			m = &given
			return nil
		})
		if m != nil {
			return *m, nil
		}
		if err != nil {
			return Message{}, err
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return Message{}, ctx.Err()
		}
	}
}

var errOne = errors.New("one is enough")

// grant is m as a receiver in that mode would have it.
func (e *Entity) grant(m *entry, mode Mode, now time.Time) Message {
	given := m.Message
	if mode == ReceiveAndDelete {
		return given
	}
	given.LockToken = newToken()
	given.LockedUntil = now.Add(e.lockDuration())
	if m.session != nil {
		given.LockedUntil = m.session.lockedUntil // the session's lock is the message's
	}
	return given
}

// take gives m away as it was granted: locked, or for good.
func (e *Entity) take(m *entry, r *Receiver, given Message) {
	if given.LockToken == (Token{}) {
		e.drop(m)
		return
	}
	e.unready(m)
	m.Message, m.locked, m.holder = given, true, r
	e.locked[m.LockToken] = m
	if m.session != nil {
		e.b.setAlarm(m, time.Time{})
	} else {
		e.b.setAlarm(m, m.LockedUntil)
	}
}

// Close ends the receiver, and its session's lock; deliveries in a session are
// not counted as failed by that. Without a session the locks of its messages
// outlive it, as they may still be settled by their tokens; but if lost, since
// whoever held them is gone, the messages are ready again and their deliveries
// count as failed.
func (r *Receiver) Close(lost bool) {
	now := r.e.b.enter()
	defer r.e.b.mu.Unlock()
	if r.err != nil {
		return
	}
	r.end(fmt.Errorf("%w: receiver of %s", ErrClosed, r.e.path))
	if r.session != nil {
		r.session.release(now, false)
		return
	}
	if !lost {
		return
	}
	for _, m := range r.e.lockedBy(func(m *entry) bool { return m.holder == r }) {
		r.e.unlock(m, now, true)
	}
}

func (r *Receiver) end(err error) {
	r.err = err
	if r.session != nil {
		r.session.arrived.wake()
	} else {
		r.e.arrived.wake()
	}
}
