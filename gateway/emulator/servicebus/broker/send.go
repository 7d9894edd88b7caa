package broker

import (
	"fmt"
	"time"
	"unicode/utf16"
)

// maxID is the longest message, session or partition id, in UTF-16 code units.
const maxID = 128

func tooLong(id string) bool {
	n := 0
	for _, r := range id {
		n += utf16.RuneLen(r)
	}
	return n > maxID
}

// Send accepts all of messages or none. It returns once they are enqueued or
// scheduled; one whose id the entity has seen within its window is dropped
// without a word, as the service does.
func (e *Entity) Send(messages ...Message) error {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	if err := e.admit(messages); err != nil {
		return err
	}
	for i := range messages {
		e.accept(messages[i], now)
	}
	return nil
}

// Schedule accepts all of messages or none, to be enqueued when each says, and
// returns the numbers by which [Entity.Cancel] knows them. A time that is past
// is now.
func (e *Entity) Schedule(messages ...Message) ([]int64, error) {
	now := e.b.enter()
	defer e.b.mu.Unlock()
	if err := e.admit(messages); err != nil {
		return nil, err
	}
	numbers := make([]int64, len(messages))
	for i := range messages {
		numbers[i] = e.accept(messages[i], now)
	}
	return numbers, nil
}

// Cancel drops scheduled messages: all of them, or none and [ErrNoMessage].
func (e *Entity) Cancel(sequences ...int64) error {
	e.b.enter()
	defer e.b.mu.Unlock()
	if err := e.sendable(); err != nil {
		return err
	}
	found := make([]*entry, len(sequences))
	for i, n := range sequences {
		found[i] = e.ledger.find(n)
		if found[i] == nil || found[i].State != StateScheduled {
			return fmt.Errorf("%w: %s: %d is not scheduled", ErrNoMessage, e.path, n)
		}
	}
	for _, m := range found {
		if !m.gone { // a number may be given twice
			e.drop(m)
		}
	}
	return nil
}

// admit judges messages before any is accepted.
func (e *Entity) admit(messages []Message) error {
	if err := e.sendable(); err != nil {
		return err
	}
	var total int64
	for i := range messages {
		if err := e.judge(&messages[i]); err != nil {
			return err
		}
		total += messages[i].Size
	}
	if total > e.settings.MaxMessageBytes {
		return fmt.Errorf("%w: %s: %d bytes: at most %d", ErrTooLarge, e.path, total, e.settings.MaxMessageBytes)
	}
	if copies := int64(max(1, len(e.subs))); e.bytes+total*copies > e.settings.MaxSizeBytes {
		return fmt.Errorf("%w: %s holds %d of %d bytes", ErrQuota, e.path, e.bytes, e.settings.MaxSizeBytes)
	}
	return nil
}

func (e *Entity) judge(m *Message) error {
	switch {
	case e.settings.RequiresSession && !m.HasSession:
		return fmt.Errorf("%w: %s requires sessions, and the message has no session id", ErrNotAllowed, e.path)
	case m.HasSession && m.PartitionKey != "" && m.PartitionKey != m.SessionID:
		return fmt.Errorf("%w: %s: the partition key %q is not the session id %q", ErrNotAllowed, e.path, m.PartitionKey, m.SessionID)
	case tooLong(m.ID), tooLong(m.SessionID), tooLong(m.PartitionKey):
		return fmt.Errorf("%w: %s: a message id, session id or partition key is longer than %d characters", ErrArgument, e.path, maxID)
	}
	return nil
}

// accept takes a message that was admitted, and returns its number. A
// duplicate's is that of no message.
func (e *Entity) accept(m Message, now time.Time) int64 {
	if e.settings.RequiresDuplicateDetection && e.recent.seen(m.ID, now, time.Duration(e.settings.DuplicateDetectionHistoryTimeWindow)) {
		return e.next()
	}
	if limit := time.Duration(e.settings.DefaultMessageTimeToLive); limit > 0 && (m.TTL == 0 || m.TTL > limit) {
		m.TTL = limit
	}
	m.Sequence = e.next()
	m.EnqueuedSequence = m.Sequence
	m.EnqueuedAt = now
	if !m.EnqueueAt.After(now) {
		e.enqueue(m, now)
		return m.Sequence
	}
	m.State = StateScheduled
	scheduled := e.keep(m)
	e.b.setAlarm(scheduled, m.EnqueueAt)
	return m.Sequence
}

func (e *Entity) next() int64 {
	e.sequence++
	return e.sequence
}

// activate enqueues a scheduled message whose time has come.
func (e *Entity) activate(m *entry, now time.Time) {
	moved := m.Message
	e.drop(m)
	moved.Sequence, moved.State, moved.EnqueuedAt = e.next(), StateActive, now
	e.enqueue(moved, now)
}

// enqueue makes a numbered message ready, here or in every subscription.
func (e *Entity) enqueue(m Message, now time.Time) {
	if e.kind != kindTopic {
		e.offer(e.keep(m), now)
		return
	}
	for _, s := range e.subs {
		c := m
		c.Sequence = s.next()
		if limit := time.Duration(s.settings.DefaultMessageTimeToLive); limit > 0 && (c.TTL == 0 || c.TTL > limit) {
			c.TTL = limit
		}
		if s.settings.RequiresSession && !c.HasSession {
			s.bury(c, "Session Id is null.", "The subscription requires sessions, and the message has no session id.")
			continue
		}
		s.offer(s.keep(c), now)
	}
}

// keep enters a message into the ledger.
func (e *Entity) keep(m Message) *entry {
	entered := &entry{Message: m, home: e}
	e.ledger.add(entered)
	e.owner.bytes += m.Size
	if e.settings.RequiresSession && m.HasSession {
		entered.session = e.session(m.SessionID)
		entered.session.messages++
	}
	return entered
}

// drop takes a message out, wherever it lies.
func (e *Entity) drop(m *entry) {
	e.b.setAlarm(m, time.Time{})
	e.unready(m)
	if m.locked {
		delete(e.locked, m.LockToken)
	}
	e.ledger.remove(m)
	e.owner.bytes -= m.Size
	if m.session != nil {
		m.session.messages--
		m.session.tidy()
	}
}

// bury moves a message, which is out of the ledger, to the dead-letter queue.
func (e *Entity) bury(m Message, reason, description string) {
	d := e.letters
	m.Sequence, m.State, m.DeadLetterSource = d.next(), StateActive, e.path
	m.LockToken, m.LockedUntil = Token{}, time.Time{}
	buried := d.keep(m)
	buried.set(map[string]any{"DeadLetterReason": reason, "DeadLetterErrorDescription": description})
	d.offer(buried, time.Now())
}

// expire ends a message that waited too long.
func (e *Entity) expire(m *entry, _ time.Time) {
	ended := m.Message
	e.drop(m)
	if e.settings.DeadLetteringOnMessageExpiration {
		e.bury(ended, "TTLExpiredException", "The message expired and was dead lettered.")
	}
}

// offer makes a message ready for whoever receives next, unless it has expired.
func (e *Entity) offer(m *entry, now time.Time) {
	until := m.expiresAt()
	if !until.IsZero() && !until.After(now) {
		e.expire(m, now)
		return
	}
	e.b.setAlarm(m, until)
	if m.session == nil {
		e.ready.push(m)
		e.arrived.wake()
		return
	}
	m.session.offer(m)
}

func (e *Entity) unready(m *entry) {
	switch {
	case m.ready == 0:
	case m.session == nil:
		e.ready.remove(m.ready - 1)
	default:
		m.session.ready.remove(m.ready - 1)
		m.session.queue()
	}
}
