package dispatch

import (
	"cmp"
	"container/heap"
	"errors"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// Blocked is a key of an endpoint whose first delivery failed, or waits for a
// plugin, and is to go before the others of the key.
type Blocked struct {
	Key      string // "" for a delivery that stands for itself
	Position event.Position
	First    Retrying
	// UnderWay says that the first one is being tried, or on its way to that or
	// to the disk.
	UnderWay bool
	Behind   int // deliveries among the retries that wait for the first one
}

// Blocked returns the keys of endpoint that wait, those first that hold up the
// most, then the oldest, at most limit, and how many there are. It reports false
// for an endpoint that is not in force.
func (d *Dispatcher) Blocked(endpoint string, limit int) (keys []Blocked, total int, ok bool) {
	r := d.runner(endpoint)
	if r == nil {
		return nil, 0, false
	}
	keys = r.blockedKeys()
	slices.SortFunc(keys, func(a, b Blocked) int {
		return cmp.Or(cmp.Compare(b.Behind, a.Behind), a.Position.Compare(b.Position), cmp.Compare(a.First.Output, b.First.Output), cmp.Compare(a.First.Route, b.First.Route))
	})
	return keys[:min(limit, len(keys))], len(keys), true
}

func (r *runner) blockedKeys() []Blocked {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]Blocked, 0, len(r.keys)+len(r.keyless))
	for q := range r.queues() {
		rt := q.entries[0]
		b := Blocked{Key: q.key, Position: rt.place.position, First: rt.retrying(), UnderWay: q.index < 0, Behind: len(q.entries) - 1}
		if rt.waits {
			_, b.Key = splitWaitKey(q.key)
		}
		keys = append(keys, b)
	}
	return keys
}

// The reasons for which a delivery cannot be given up by hand.
var (
	// ErrNotBlocking means that a delivery is not the first of its key among the
	// retries: it was delivered or given up, is yet to be tried, or waits for
	// another.
	ErrNotBlocking = errors.New("it does not hold up its key")
	// ErrUnderWay means that a delivery is being tried at this moment.
	ErrUnderWay = errors.New("it is being tried at this moment")
)

// GiveUp makes the first delivery of a key of endpoint, which rests between two
// tries, a dead letter with the reason why: its key goes on without it. It returns
// before the letter is on disk; until then the delivery is among the retries.
func (d *Dispatcher) GiveUp(endpoint, route string, p event.Position, output int, why string) error {
	r := d.runner(endpoint)
	if r == nil {
		return ErrNotBlocking
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for q := range r.queues() {
		rt := q.entries[0]
		if rt.route != route || rt.place != (place{p, output}) {
			continue
		}
		if q.index < 0 || r.draining {
			return ErrUnderWay
		}
		r.giveUp(q, why)
		return nil
	}
	return ErrNotBlocking
}

// giveUp has the first of q, which rests, loaded and buried.
func (r *runner) giveUp(q *keyQueue, why string) {
	heap.Remove(&r.due, q.index)
	rt := q.entries[0]
	rt.giveUp = why
	r.intoLane(rt)
	r.loads = append(r.loads, rt)
	tell(r.load)
}

// Retry tries at once what rests at endpoint, also while it refuses everything,
// and reports false for an endpoint that is not in force.
func (d *Dispatcher) Retry(endpoint string) bool {
	r := d.runner(endpoint)
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.health.paused {
		r.health.until = time.Now()
	}
	r.retryNow()
	r.crew.wakeAll()
	return true
}

// runner returns the runner of an endpoint in force, or nil.
func (d *Dispatcher) runner(endpoint string) *runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runners[endpoint]
}

// retrying says of rt what there is to know of a retry.
func (rt *retry) retrying() Retrying {
	return Retrying{Route: rt.route, Output: rt.place.output, Kept: rt.ref, Due: rt.due, Waits: !rt.tried}
}
