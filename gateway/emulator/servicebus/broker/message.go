package broker

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"time"
)

// Message is a message as a sender gives it, and as the broker keeps it. What
// the broker hands out is a copy; Body and Properties are shared and must not
// be changed.
type Message struct {
	// ID is what duplicates are known by; "" is none.
	ID string
	// SessionID is the session, if HasSession; "" is a session like any other.
	SessionID    string
	HasSession   bool
	PartitionKey string
	// TTL is how long the message may wait; 0 is for ever.
	TTL time.Duration
	// EnqueueAt is when a scheduled message is to be enqueued.
	EnqueueAt time.Time
	// Size is what the message counts against the limits.
	Size int64
	// Body is the sender's message, which the broker never looks into.
	Body any

	// What follows is the broker's word.

	// Sequence is the message's number in its entity, from 1. A message that
	// moves, when its schedule or its dead-lettering comes, is numbered anew.
	Sequence int64
	// EnqueuedSequence is the number that it was accepted under.
	EnqueuedSequence int64
	EnqueuedAt       time.Time
	State            State
	// Failures counts its failed deliveries.
	Failures int
	// LockedUntil and LockToken are set while the message is locked.
	LockedUntil time.Time
	LockToken   Token
	// DeadLetterSource is the entity that it was dead-lettered from.
	DeadLetterSource string
	// Properties are application properties that a receiver, or the broker,
	// set over those of the body.
	Properties map[string]any
}

// State is how a message waits.
type State int

// The states of a message, by the numbers that the service gives them.
const (
	StateActive State = iota
	StateDeferred
	StateScheduled
)

// Token names one lock of one message, as an RFC 9562 UUID.
type Token [16]byte

func newToken() Token {
	var t Token
	binary.LittleEndian.PutUint64(t[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(t[8:], rand.Uint64())
	t[6] = t[6]&0x0f | 0x40
	t[8] = t[8]&0x3f | 0x80
	return t
}

// entry is a message where it lies. It is in exactly one of these ways there:
// ready (in a heap of its entity or session), locked, deferred or scheduled.
type entry struct {
	Message
	alarm   alarm
	home    *Entity
	session *session  // of an entity that requires one
	ready   int       // place among the ready ones, plus one
	locked  bool      // under LockToken
	holder  *Receiver // that locked it, if one did
	gone    bool
}

func bySequence(x, y *entry) bool { return x.Sequence < y.Sequence }

func moveReady(x *entry, place int) { x.ready = place + 1 }

func (m *entry) clock() *alarm { return &m.alarm }

// ring is the end of a wait: of a schedule, of a lock, or of its time to live.
func (m *entry) ring(now time.Time) {
	switch {
	case m.State == StateScheduled:
		m.home.activate(m, now)
	case m.locked:
		m.home.unlock(m, now, true)
	default:
		m.home.expire(m, now)
	}
}

// expiresAt is when the message's time to live ends, or zero. In a dead-letter
// queue, and once deferred, nothing expires.
func (m *entry) expiresAt() time.Time {
	if m.TTL == 0 || m.State != StateActive || m.home.kind.dead() {
		return time.Time{}
	}
	return m.EnqueuedAt.Add(m.TTL)
}

// set lays properties over those the message has.
func (m *entry) set(properties map[string]any) {
	if len(properties) == 0 {
		return
	}
	merged := maps.Clone(m.Properties) // what was handed out stays as it was
	if merged == nil {
		merged = make(map[string]any, len(properties))
	}
	maps.Copy(merged, properties)
	m.Properties = merged
}
