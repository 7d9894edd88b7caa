package admin

import (
	"sync"
	"sync/atomic"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// How much waits for a follower before it misses something.
const (
	tailItems = 4096
	tailBytes = 8 << 20
)

// Tail tells its followers what happens, as it happens. It never waits for
// them: what a follower is too slow for, it is told the number of.
type Tail struct {
	following atomic.Int32 // len(followers), so that nobody watching costs nothing
	dropped   atomic.Uint64

	ended chan struct{} // closed by Close

	mu        sync.Mutex // guards what follows
	followers map[*follower]struct{}
	closed    bool
}

// NewTail returns a tail that nobody follows yet.
func NewTail() *Tail {
	return &Tail{followers: map[*follower]struct{}{}, ended: make(chan struct{})}
}

// Ended is closed by Close: no stream goes on then.
func (t *Tail) Ended() <-chan struct{} { return t.ended }

// Accepted tells of the events of c, which are on disk.
func (t *Tail) Accepted(c event.Chunk) {
	if t.following.Load() == 0 {
		return
	}
	t.each(func(f *follower) {
		for i := range c.Events {
			e := &c.Events[i]
			if !f.query.Matches(e) {
				continue
			}
			f.add(tailItem{
				accepted: &catalog.StoredEvent{
					ID: event.Position{Seq: c.Seq, Index: i}, AcceptedAt: c.Accepted, Event: catalog.CloudEvent{Event: *e},
				},
				bytes: e.Size(),
			})
		}
	})
}

// Record tells of attempts. It does not hold on to them.
func (t *Tail) Record(tries []delivery.Try) {
	if t.following.Load() == 0 {
		return
	}
	t.each(func(f *follower) {
		if !f.deliveries {
			return
		}
		for _, try := range tries {
			if try.Outcome.Blame == delivery.Held || !f.query.Matches(original(try.Delivery)) {
				continue
			}
			report := catalog.NewDeliveryReport(try)
			f.add(tailItem{delivery: &report, bytes: 512 + len(report.Error)})
		}
	})
}

// original is the accepted event of d, as far as d knows it.
func original(d *delivery.Delivery) *event.Event {
	if d.Origin != nil {
		return d.Origin
	}
	return &d.Event
}

// Status counts the followers, and what all of them missed so far.
func (t *Tail) Status() catalog.TailStatus {
	return catalog.TailStatus{Followers: int(t.following.Load()), Dropped: t.dropped.Load()}
}

// Close ends all streams, so that the server can stop; later ones end at once.
func (t *Tail) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	close(t.ended)
	for f := range t.followers {
		close(f.end)
	}
}

func (t *Tail) each(fn func(*follower)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for f := range t.followers {
		fn(f)
	}
}

// follow adds a follower, which its caller removes with leave.
func (t *Tail) follow(q catalog.EventQuery, deliveries bool) *follower {
	f := &follower{
		query: q, deliveries: deliveries, missed: &t.dropped,
		wake: make(chan struct{}, 1), end: make(chan struct{}),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.followers[f] = struct{}{}
	t.following.Add(1)
	if t.closed {
		close(f.end)
	}
	return f
}

func (t *Tail) leave(f *follower) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.followers, f)
	t.following.Add(-1)
}

// tailItem is one of its two, and what it weighs.
type tailItem struct {
	accepted *catalog.StoredEvent
	delivery *catalog.DeliveryReport
	bytes    int
}

// follower is one reader of the tail, with what waits for it.
type follower struct {
	query      catalog.EventQuery
	deliveries bool
	missed     *atomic.Uint64
	wake       chan struct{} // holds one when items wait
	end        chan struct{} // closed when the tail is

	mu      sync.Mutex // guards what follows
	items   []tailItem
	bytes   int
	dropped uint64
}

func (f *follower) add(item tailItem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.items) >= tailItems || f.bytes+item.bytes > tailBytes && f.bytes > 0 {
		f.dropped++
		f.missed.Add(1)
	} else {
		f.items = append(f.items, item)
		f.bytes += item.bytes
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take returns what waited, and how many were dropped after it.
func (f *follower) take() ([]tailItem, uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	items, dropped := f.items, f.dropped
	f.items, f.bytes, f.dropped = nil, 0, 0
	return items, dropped
}
