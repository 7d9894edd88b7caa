// Package delivery holds the values of a delivery: [Delivery], one rendered
// event bound for one endpoint; [Policy], how long to try; [Outcome], what a
// try came to; and [DeadLetter], what is kept after giving up.
package delivery

import (
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// Delivery is one rendered event bound for one endpoint, over all tries. Its
// event is what the endpoint will see: a retry sends the same thing, whatever
// was changed in the gateway meanwhile.
type Delivery struct {
	Event      event.Event
	Properties Properties
	// Origin is the accepted event where rendering changed more of it than
	// adding idempotencykey and producedby; nil where it did not.
	Origin *event.Event
	// Unrendered says that a stage failed, so that Event is the accepted one.
	Unrendered bool

	Endpoint string
	Route    string
	// Position is that of the accepted event; Output counts, from 0, what the
	// route made of it. Together with Route they identify the delivery.
	Position event.Position
	Output   int
	// Key orders deliveries within an endpoint; an empty key orders nothing.
	Key      string
	Accepted time.Time

	// Attempts counts the tries so far; History holds the latest of them,
	// oldest first, at most [MaxHistory].
	Attempts int
	History  []Attempt

	// Redrive is set on the delivery of a former dead letter.
	Redrive *Redrive
}

// Redrive ties a delivery to the dead letter that it drives again.
type Redrive struct {
	Letter   Ref
	At       time.Time // when it was asked for: the age limit counts from here
	Attempts int       // of earlier drives
}

// MaxHistory bounds Delivery.History.
const MaxHistory = 10

// Properties are what a transform may set for the carrier of a delivery,
// beside the event. Zero values mean that the sink decides.
type Properties struct {
	SessionID    string        // Service Bus: ordered group
	PartitionKey string        // Event Hubs, Service Bus: placement
	MessageID    string        // Service Bus: duplicate detection
	ScheduledAt  time.Time     // Service Bus: enqueue not before
	TimeToLive   time.Duration // Service Bus: expiry
	Application  []Property    // AMQP application properties
}

// Property is a named application property.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attempt is one try that did not deliver.
type Attempt struct {
	At    time.Time `json:"at"`
	Error string    `json:"error"`
}

// Tried returns d with one more attempt counted, which ended at now with out.
func (d Delivery) Tried(now time.Time, out Outcome) Delivery {
	d.Attempts++
	keep := d.History
	if len(keep) >= MaxHistory {
		keep = keep[len(keep)-MaxHistory+1:]
	}
	d.History = append(append(make([]Attempt, 0, len(keep)+1), keep...), Attempt{At: now, Error: out.Reason()})
	return d
}

// Since is when d's age began: its acceptance, or its redrive.
func (d *Delivery) Since() time.Time {
	if d.Redrive != nil {
		return d.Redrive.At
	}
	return d.Accepted
}

// AllAttempts counts the tries of this drive and of those before it.
func (d *Delivery) AllAttempts() int {
	if d.Redrive != nil {
		return d.Redrive.Attempts + d.Attempts
	}
	return d.Attempts
}

// Ref names a delivery that the journal keeps for a retry or as a dead letter.
type Ref = event.Position

// DeadLetter is a delivery that was given up, and why. Nothing is lost while
// it is listed.
type DeadLetter struct {
	Delivery Delivery
	Reason   string
	DeadAt   time.Time
}

// Mark is how far an endpoint has come in the journal: every event in a chunk
// below Low is settled, and of the chunks from Low on those whose bits are set.
type Mark struct {
	Endpoint string
	Low      uint64
	// Settled holds, for chunks Low, Low+1, …, a bitmap of settled events,
	// lowest bit of the first byte first; a missing or short one means unset.
	Settled [][]byte
}

// IsSettled reports whether the event at p needs nothing more from the endpoint.
func (m Mark) IsSettled(p event.Position) bool {
	if p.Seq < m.Low {
		return true
	}
	chunk := p.Seq - m.Low
	if chunk >= uint64(len(m.Settled)) {
		return false
	}
	bits := m.Settled[chunk]
	return p.Index/8 < len(bits) && bits[p.Index/8]&(1<<(p.Index%8)) != 0
}

// Capacity is how a sink wants to be called.
type Capacity struct {
	// Lanes bounds the concurrent calls of Send; deliveries with one key always
	// take one lane. 1 means that the sink is never called concurrently.
	Lanes int
	// Batch bounds the deliveries of a call, BatchBytes the sum of their
	// events' sizes (a larger event is a batch alone); 0 sets no bound on bytes.
	Batch      int
	BatchBytes int
}
