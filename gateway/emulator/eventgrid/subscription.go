package eventgrid

import (
	"container/heap"
	"encoding/json"
	"time"
)

// State is what became of the validation of a subscription's endpoint.
type State string

// The states of a subscription. Only one that succeeded gets events, and only
// those that are published from then on.
const (
	Creating             State = "Creating"
	AwaitingManualAction State = "AwaitingManualAction"
	Succeeded            State = "Succeeded"
	Failed               State = "Failed"
	deleted              State = "Deleted"
)

// subscription is a declared one and what became of it. The server's mutex
// guards it.
type subscription struct {
	Subscription
	topic *topic

	state      State
	reason     string // why it failed, in words
	code       string // by which the endpoint may still validate itself
	validUntil time.Time

	wake      chan struct{} // of its deliverer; holds one
	stop      func()        // ends its deliverer; nil before it succeeded
	pending   queue
	seen      int // events that the filters let through
	sending   int
	delivered int
	dead      int
	letters   []DeadLetter // the latest
}

// delivery is an event on its way to a subscriber.
type delivery struct {
	event     json.RawMessage // in the schema of deliveries
	version   string          // dataVersion, quoted
	published time.Time
	due       time.Time
	order     int // of publication
	attempts  int
	tried     time.Time
	outcome   string
}

// enqueue makes e due at once.
func (sub *subscription) enqueue(e accepted, now time.Time) {
	sub.seen++
	d := &delivery{event: e.raw, published: now, due: now, order: sub.seen}
	if json.Unmarshal(e.members["dataVersion"], &d.version) != nil {
		d.version = "" // a CloudEvent has none
	}
	if sub.EventDeliverySchema != sub.topic.Schema {
		d.event = e.toCloud()
	}
	sub.push(d)
}

func (sub *subscription) push(d *delivery) {
	heap.Push(&sub.pending, d)
	select {
	case sub.wake <- struct{}{}:
	default: // it is awake
	}
}

// due takes what is to be sent at now: as many events as go into one request.
// Those that expired become dead letters. Without any it says when to look
// again; a negative time is never.
func (sub *subscription) due(now time.Time, keep int) ([]*delivery, time.Duration) {
	var batch []*delivery
	size := 0
	for len(sub.pending) > 0 && len(batch) < sub.MaxEventsPerBatch {
		next := sub.pending[0]
		if wait := next.due.Sub(now); wait > 0 {
			if len(batch) == 0 {
				return nil, wait
			}
			break
		}
		if !now.Before(next.published.Add(sub.ttl())) {
			heap.Pop(&sub.pending)
			sub.bury(next, "TimeToLiveExceeded", keep)
			continue
		}
		if size += len(next.event); len(batch) > 0 && size > sub.PreferredBatchSizeInKilobytes<<10 {
			break
		}
		batch = append(batch, heap.Pop(&sub.pending).(*delivery))
	}
	if len(batch) == 0 {
		return nil, -1
	}
	sub.sending += len(batch)
	return batch, 0
}

// DeadLetter is an event that was given up.
type DeadLetter struct {
	Event                   json.RawMessage
	Reason                  string
	Attempts                int
	LastDeliveryOutcome     string
	PublishTime             time.Time
	LastDeliveryAttemptTime time.Time
	cloud                   bool
}

// MarshalJSON writes the event with the members that the service adds to it in
// a dead-letter blob, by names in the manner of the event's schema.
func (l DeadLetter) MarshalJSON() ([]byte, error) {
	names := []string{"deadLetterReason", "deliveryAttempts", "lastDeliveryOutcome", "publishTime", "lastDeliveryAttemptTime"}
	if l.cloud {
		names = []string{"deadletterreason", "deliveryattempts", "lastdeliveryoutcome", "publishtime", "lastdeliveryattempttime"}
	}
	b := append([]byte(nil), l.Event[:len(l.Event)-1]...)
	for i, value := range []any{l.Reason, l.Attempts, l.LastDeliveryOutcome, l.PublishTime, l.LastDeliveryAttemptTime} {
		member, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"`+names[i]+`":`...), member...)
	}
	return append(b, '}'), nil
}

// bury makes a dead letter of d.
func (sub *subscription) bury(d *delivery, reason string, keep int) {
	sub.dead++
	sub.letters = latest(append(sub.letters, DeadLetter{
		Event: d.event, Reason: reason, Attempts: d.attempts, LastDeliveryOutcome: d.outcome,
		PublishTime: d.published, LastDeliveryAttemptTime: d.tried, cloud: sub.EventDeliverySchema == CloudEventSchema,
	}), keep)
}

// queue is a heap of deliveries by the time at which they are due.
type queue []*delivery

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*delivery)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	d := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return d
}
