package catalog

import (
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// EventQuery asks for events in the journal, the oldest first. Empty members
// ask for nothing in particular.
type EventQuery struct {
	Subject string
	Source  string
	Type    string
	ID      string // the CloudEvents id
	// From and To bound the scan, both included. Without From it begins as far
	// back from the end of the journal as one scan reaches.
	From, To Bound
	// After continues a scan: the position that its Next named.
	After event.Position
	Limit int // of the items
	// Latest asks for the latest that match, in place of the first: the scan goes
	// back from To. Such a scan is not continued with After.
	Latest bool
}

// Matches reports whether e is one that q asks for, wherever it lies.
func (q *EventQuery) Matches(e *event.Event) bool {
	return (q.Subject == "" || q.Subject == e.Subject) &&
		(q.Source == "" || q.Source == e.Source) &&
		(q.Type == "" || q.Type == e.Type) &&
		(q.ID == "" || q.ID == e.ID)
}

// TailQuery asks for what a follower of the tail is told. Of the rest of
// EventQuery than what [EventQuery.Matches] looks at, nothing is used.
type TailQuery struct {
	EventQuery
	// Filter is a text in the filter language that events must match, unless
	// empty.
	Filter string
	// Sample is how many events it is told a second, at most; 0 sets no limit.
	Sample int
	// Deliveries tells attempts too; with Filter or Sample, those of the events
	// that were told.
	Deliveries bool
}

// Bound is an end of a scan: a time, a position, or neither.
type Bound struct {
	Time     time.Time
	Position event.Position
}

// IsZero reports whether b bounds nothing.
func (b Bound) IsZero() bool { return b.Time.IsZero() && b.Position == event.Position{} }

// ParseBound reads an RFC 3339 time or a position. Its error is a
// [*FieldError] without a path.
func ParseBound(s string) (Bound, error) {
	if s == "" {
		return Bound{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return Bound{Time: t}, nil
	}
	if p, err := event.ParsePosition(s); err == nil {
		return Bound{Position: p}, nil
	}
	return Bound{}, refuse("", "%q is neither a time such as 2024-05-01T12:00:00Z nor a position such as 42-0", s)
}

// String returns what ParseBound reads.
func (b Bound) String() string {
	switch {
	case !b.Time.IsZero():
		return b.Time.Format(time.RFC3339Nano)
	case b.Position != event.Position{}:
		return b.Position.String()
	}
	return ""
}
