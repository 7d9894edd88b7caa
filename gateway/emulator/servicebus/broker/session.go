package broker

import (
	"container/list"
	"context"
	"fmt"
	"time"
)

// session is one session of an entity that requires them. It is there while it
// has messages, a state or a holder.
type session struct {
	alarm    alarm
	e        *Entity
	id       string
	messages int // in any state
	ready    heap[*entry]
	arrived  signal

	holder      *Receiver
	lockedUntil time.Time
	place       *list.Element // among the entity's waiting sessions

	state   []byte // nil is none
	updated time.Time
}

// session finds or makes a session.
func (e *Entity) session(id string) *session {
	s := e.sessions[id]
	if s == nil {
		s = &session{e: e, id: id, ready: heap[*entry]{before: bySequence, moved: moveReady}}
		e.sessions[id] = s
	}
	return s
}

func (s *session) clock() *alarm { return &s.alarm }

// ring is the end of the session's lock: its receiver has lost it.
func (s *session) ring(now time.Time) {
	s.holder.end(fmt.Errorf("%w: session %q of %s expired", ErrSessionLockLost, s.id, s.e.path))
	s.release(now, true)
}

// offer makes a message of the session ready.
func (s *session) offer(m *entry) {
	s.ready.push(m)
	s.arrived.wake()
	s.queue()
}

// queue has the session wait for a receiver exactly while it has ready
// messages and none. Sessions wait in the order in which they began to.
func (s *session) queue() {
	waits := s.holder == nil && len(s.ready.items) > 0
	switch {
	case waits && s.place == nil:
		s.place = s.e.waiting.PushBack(s)
		s.e.arrived.wake()
	case !waits && s.place != nil:
		s.e.waiting.Remove(s.place)
		s.place = nil
	}
}

// tidy forgets a session that nothing speaks of any more.
func (s *session) tidy() {
	if s.messages == 0 && s.state == nil && s.holder == nil {
		delete(s.e.sessions, s.id)
	}
}

func (s *session) hold(r *Receiver, now time.Time) {
	s.holder, r.session = r, s
	s.renew(now)
	s.queue()
}

func (s *session) renew(now time.Time) {
	s.lockedUntil = now.Add(s.e.lockDuration())
	s.e.b.setAlarm(s, s.lockedUntil)
}

// release ends the lock of the session and of its messages, which a lock that
// ran out counts as failed deliveries.
func (s *session) release(now time.Time, failed bool) {
	s.e.b.setAlarm(s, time.Time{})
	for _, m := range s.e.lockedBy(func(m *entry) bool { return m.session == s }) {
		s.e.unlock(m, now, failed)
	}
	s.holder = nil
	s.queue()
	s.tidy()
}

// AcceptSession locks the session with that id for a new receiver, at once or
// with [ErrSessionHeld]. Without an id it locks the session that has waited
// longest with messages, and waits for one until ctx ends: [ErrNoSession].
// owner is as for [Entity.Receive].
func (e *Entity) AcceptSession(ctx context.Context, owner any, id *string, mode Mode) (*Receiver, error) {
	for {
		r, wait, err := e.tryAccept(owner, id, mode)
		if r != nil || err != nil {
			return r, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %s: %w", ErrNoSession, e.path, ctx.Err())
		}
	}
}

func (e *Entity) tryAccept(owner any, id *string, mode Mode) (*Receiver, <-chan struct{}, error) {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	if err := e.receivable(); err != nil {
		return nil, nil, err
	}
	if !e.settings.RequiresSession {
		return nil, nil, fmt.Errorf("%w: %s does not require sessions, and has none to accept: declare it with requiresSession", ErrNotAllowed, e.path)
	}
	var s *session
	switch {
	case id == nil && e.waiting.Len() == 0:
		return nil, e.arrived.wait(), nil
	case id == nil:
		s = e.waiting.Front().Value.(*session)
	case tooLong(*id):
		return nil, nil, fmt.Errorf("%w: %s: a session id is longer than %d characters", ErrArgument, e.path, maxID)
	case e.sessions[*id] != nil && e.sessions[*id].holder != nil:
		return nil, nil, fmt.Errorf("%w: session %q of %s is held by another receiver", ErrSessionHeld, *id, e.path)
	default:
		s = e.session(*id)
	}
	r := &Receiver{e: e, mode: mode, owner: owner}
	s.hold(r, now)
	return r, nil, nil
}

// held is the session with that id, if owner holds it.
func (e *Entity) held(owner any, id string) (*session, error) {
	s := e.sessions[id]
	if s == nil || s.holder == nil || s.holder.owner != owner {
		return nil, fmt.Errorf("%w: session %q of %s", ErrSessionLockLost, id, e.path)
	}
	return s, nil
}

// RenewSession prolongs the lock of a session that owner holds, and says until when.
func (e *Entity) RenewSession(owner any, id string) (time.Time, error) {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	s, err := e.held(owner, id)
	if err != nil {
		return time.Time{}, err
	}
	s.renew(now)
	return s.lockedUntil, nil
}

// SessionState is the state of a session that owner holds; nil is none.
func (e *Entity) SessionState(owner any, id string) ([]byte, error) {
	e.b.enter()
	defer e.b.mu.Unlock()
	s, err := e.held(owner, id)
	if err != nil {
		return nil, err
	}
	return s.state, nil
}

// SetSessionState replaces the state of a session that owner holds; nil is
// none. It keeps state, which counts against the entity's size.
func (e *Entity) SetSessionState(owner any, id string, state []byte) error {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	s, err := e.held(owner, id)
	if err != nil {
		return err
	}
	if n := int64(len(state)); n > e.settings.MaxMessageBytes {
		return fmt.Errorf("%w: a session state of %d bytes: at most %d", ErrTooLarge, n, e.settings.MaxMessageBytes)
	}
	grown := int64(len(state) - len(s.state))
	if grown > 0 && e.owner.bytes+grown > e.owner.settings.MaxSizeBytes {
		return fmt.Errorf("%w: %s holds %d of %d bytes", ErrQuota, e.owner.path, e.owner.bytes, e.owner.settings.MaxSizeBytes)
	}
	e.owner.bytes += grown
	s.state, s.updated = state, now
	return nil
}
