package delivery

import (
	"fmt"
	"time"
)

// Blame says whose fault it is that a try did not deliver, and so what the
// engine does next.
type Blame uint8

// The kinds of outcome.
const (
	// None: the endpoint took the delivery.
	None Blame = iota
	// Event: no later attempt can succeed; the delivery becomes a dead letter.
	Event
	// Endpoint: the endpoint refuses everything, as when a key was rotated. It
	// is retried slowly and shown failing; nothing is dead-lettered for it
	// before the age limit.
	Endpoint
	// Nobody: a later attempt may succeed.
	Nobody
	// Held: not tried, because an earlier delivery with the same key failed in
	// this batch. It does not count as an attempt.
	Held
)

// String returns the word that the API and logs use.
func (b Blame) String() string {
	switch b {
	case None:
		return "delivered"
	case Event:
		return "event"
	case Endpoint:
		return "endpoint"
	case Nobody:
		return "transient"
	case Held:
		return "held"
	}
	return fmt.Sprintf("blame(%d)", uint8(b))
}

// Outcome is what one try of a delivery came to.
type Outcome struct {
	Blame Blame
	Err   error // nil only when delivered or held
	// RetryAfter is how long the endpoint asked to wait; zero when it did not.
	RetryAfter time.Duration
}

// Delivered is the outcome of a delivery that the endpoint took.
func Delivered() Outcome { return Outcome{} }

// Permanent is the outcome of a delivery that the endpoint will never take:
// 400, 413, 415, 422, too large, malformed.
func Permanent(err error) Outcome { return Outcome{Blame: Event, Err: err} }

// Refused is the outcome of a try that failed by the endpoint's own state:
// 401, 403, 404, 410, unauthorised, not found, disabled, quota.
func Refused(err error) Outcome { return Outcome{Blame: Endpoint, Err: err} }

// Transient is the outcome of a try that failed in any other way.
func Transient(err error) Outcome { return Outcome{Blame: Nobody, Err: err} }

// NotTried is the outcome of a delivery that was held back for its key's sake.
func NotTried() Outcome { return Outcome{Blame: Held} }

// After returns o with the wait that the endpoint asked for.
func (o Outcome) After(d time.Duration) Outcome {
	o.RetryAfter = d
	return o
}

// Settled reports whether the delivery needs no further attempt.
func (o Outcome) Settled() bool { return o.Blame == None || o.Blame == Event }

// Reason is the error's text, or the blame's word where there is none.
func (o Outcome) Reason() string {
	if o.Err == nil {
		return o.Blame.String()
	}
	return o.Err.Error()
}

// Try is one attempt and what it came to: the one value that metrics, logs,
// traces and the live tail are made from.
type Try struct {
	Delivery *Delivery
	At       time.Time
	Took     time.Duration
	Outcome  Outcome
	// Dead is set when the delivery became a dead letter after this try.
	Dead bool
}
