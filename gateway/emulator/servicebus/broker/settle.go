package broker

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Verdict is what becomes of a locked message.
type Verdict int

const (
	// Complete removes the message.
	Complete Verdict = iota
	// Abandon makes it ready again, and counts a failed delivery.
	Abandon
	// Release makes it ready again, and counts nothing.
	Release
	// Defer sets it aside, for those who know its sequence number.
	Defer
	// DeadLetter moves it to the dead-letter queue.
	DeadLetter
)

// Disposition settles a message.
type Disposition struct {
	Verdict Verdict
	// Reason and Description are for DeadLetter.
	Reason, Description string
	// Properties replace application properties of a message that stays.
	Properties map[string]any
}

// Settle settles the message that is locked under token, and fails with
// [ErrMessageLockLost] if none is. In an entity with sessions it needs owner
// to hold the message's session: [ErrSessionLockLost].
func (e *Entity) Settle(owner any, token Token, d Disposition) error {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	m := e.locked[token]
	if m == nil {
		return fmt.Errorf("%w: %s", ErrMessageLockLost, e.path)
	}
	if m.session != nil {
		if _, err := e.held(owner, m.session.id); err != nil {
			return err
		}
	}
	return e.settle(m, d, now)
}

// Settle settles a message that the receiver took.
func (r *Receiver) Settle(token Token, d Disposition) error {
	now := r.e.b.enter()
	defer r.e.b.mu.Unlock()
	if r.session != nil && r.session.holder != r {
		return fmt.Errorf("%w: session %q of %s", ErrSessionLockLost, r.session.id, r.e.path)
	}
	m := r.e.locked[token]
	if m == nil || m.session != r.session {
		return fmt.Errorf("%w: %s", ErrMessageLockLost, r.e.path)
	}
	return r.e.settle(m, d, now)
}

func (e *Entity) settle(m *entry, d Disposition, now time.Time) error {
	switch d.Verdict {
	case Complete:
		e.drop(m)
	case Abandon:
		m.set(d.Properties)
		e.unlock(m, now, true)
	case Release:
		e.unlock(m, now, false)
	case Defer:
		m.set(d.Properties)
		m.State = StateDeferred
		e.unlock(m, now, false)
	case DeadLetter:
		if e.kind.dead() {
			return fmt.Errorf("%w: %s: a message in a dead-letter queue cannot be dead-lettered", ErrNotAllowed, e.path)
		}
		m.set(d.Properties)
		buried := m.Message
		e.drop(m)
		e.bury(buried, d.Reason, d.Description)
	default:
		return fmt.Errorf("%w: verdict %d", ErrArgument, d.Verdict)
	}
	return nil
}

// unlock puts a locked message back where it was: ready, or deferred. A failed
// delivery counts, and the last that may fail moves it to the dead-letter queue.
func (e *Entity) unlock(m *entry, now time.Time, failed bool) {
	delete(e.locked, m.LockToken)
	m.locked, m.holder = false, nil
	m.LockToken, m.LockedUntil = Token{}, time.Time{}
	e.b.setAlarm(m, time.Time{})
	if failed && !e.kind.dead() {
		m.Failures++
		if m.Failures >= e.settings.MaxDeliveryCount {
			buried := m.Message
			e.drop(m)
			e.bury(buried, "MaxDeliveryCountExceeded",
				fmt.Sprintf("Message could not be consumed after %d delivery attempts.", m.Failures))
			return
		}
	}
	if m.State == StateDeferred {
		return
	}
	e.offer(m, now)
}

// lockedBy lists the locked messages that f picks, in order.
func (e *Entity) lockedBy(f func(*entry) bool) []*entry {
	var found []*entry
	for _, m := range e.locked {
		if f(m) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(x, y *entry) int { return cmp.Compare(x.Sequence, y.Sequence) })
	return found
}

// RenewLocks prolongs the locks of messages outside sessions: all of them, or
// none and [ErrMessageLockLost]. It returns until when each is locked.
func (e *Entity) RenewLocks(tokens ...Token) ([]time.Time, error) {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	found := make([]*entry, len(tokens))
	for i, t := range tokens {
		found[i] = e.locked[t]
		if found[i] == nil {
			return nil, fmt.Errorf("%w: %s", ErrMessageLockLost, e.path)
		}
		if found[i].session != nil {
			return nil, fmt.Errorf("%w: %s: a message of a session has the session's lock", ErrNotAllowed, e.path)
		}
	}
	until := make([]time.Time, len(tokens))
	for i, m := range found {
		m.LockedUntil = now.Add(e.lockDuration())
		e.b.setAlarm(m, m.LockedUntil)
		until[i] = m.LockedUntil
	}
	return until, nil
}

// ReceiveDeferred takes deferred messages by their numbers: all of them, or
// none and [ErrNoMessage]. In an entity with sessions, owner must hold the
// session of each: [ErrSessionLockLost].
func (e *Entity) ReceiveDeferred(owner any, mode Mode, sequences ...int64) ([]Message, error) {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	if err := e.receivable(); err != nil {
		return nil, err
	}
	found := make([]*entry, 0, len(sequences))
	for _, n := range sequences {
		m := e.ledger.find(n)
		if m == nil || m.State != StateDeferred || m.locked || slices.Contains(found, m) {
			return nil, fmt.Errorf("%w: %s: %d is not a deferred message, or is locked", ErrNoMessage, e.path, n)
		}
		if m.session != nil {
			if _, err := e.held(owner, m.session.id); err != nil {
				return nil, err
			}
		}
		found = append(found, m)
	}
	taken := make([]Message, len(found))
	for i, m := range found {
		taken[i] = e.grant(m, mode, now)
		e.take(m, nil, taken[i])
	}
	return taken, nil
}

// BreakLocks ends every lock of a message and of a session as if it had run out.
func (e *Entity) BreakLocks() {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	for _, s := range e.sessions {
		if s.holder != nil {
			s.ring(now)
		}
	}
	for _, m := range e.lockedBy(func(*entry) bool { return true }) {
		e.unlock(m, now, true)
	}
}
