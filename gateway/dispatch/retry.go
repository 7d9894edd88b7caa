package dispatch

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// retry is a delivery that failed, or that waits behind one of its key that
// did. Its body is on disk once ref is set, and then no longer here.
type retry struct {
	d     *delivery.Delivery // nil once it is on disk and not in a lane
	queue *keyQueue
	size  int
	age   time.Time // delivery.Since
	tried bool      // failed once; else it only waits behind its key

	// place orders the entries of a key. First says that the tracker is to be
	// told when the retry is on disk.
	place   place
	first   bool
	route   string
	redrive bool
	waits   bool // it is the accepted event, which is yet to go through its route

	ref     delivery.Ref // the zero value while not on disk
	replace delivery.Ref // an older copy that the next put replaces
	due     time.Time
	inLane  bool   // on its way to a lane, in it, or being sent
	gone    bool   // finished or buried
	giveUp  string // why it is to be buried instead of tried, once loaded
	unread  int    // how often it could not be loaded
}

// place is where a delivery stands among those of its key.
type place struct {
	position event.Position
	output   int
}

func placeOf(d *delivery.Delivery) place { return place{d.Position, d.Output} }

func (p place) compare(q place) int {
	return cmp.Or(p.position.Compare(q.position), cmp.Compare(p.output, q.output))
}

// keyQueue holds the retries of one key in order. While it is not empty its
// key is blocked: only the first entry may be tried.
type keyQueue struct {
	key     string
	entries []*retry
	index   int // in the heap; -1 when not
}

// dueHeap orders key queues by when their first entry is due.
type dueHeap []*keyQueue

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].entries[0].due.Before(h[j].entries[0].due) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *dueHeap) Push(x any)        { q := x.(*keyQueue); q.index = len(*h); *h = append(*h, q) }
func (h *dueHeap) Pop() any {
	old := *h
	q := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	q.index = -1
	return q
}

// spill makes en a retry that is due after wait, or puts it back among them.
// It is written to disk by the keeper, and scheduled when it is there.
func (r *runner) spill(en entry, wait time.Duration) {
	due := time.Now().Add(wait)
	rt := en.retry
	if rt == nil {
		rt = newRetry(en.d)
		rt.first = en.fresh()
		r.addRetry(rt, queueOf(en.d))
	} else {
		rt.replace, rt.ref = rt.ref, delivery.Ref{}
	}
	rt.d, rt.due = en.d, due
	r.outOfLane(rt)
	rt.tried = rt.tried || en.d.Attempts > 0
	r.puts = append(r.puts, rt)
	r.passed(en.from)
	tell(r.keep)
}

// newRetry returns a retry of d that lives on without d.
func newRetry(d *delivery.Delivery) *retry {
	return &retry{
		size: sizeOf(d), age: d.Since(), tried: d.Attempts > 0,
		place: placeOf(d), route: strings.Clone(d.Route), redrive: d.Redrive != nil, waits: d.Unrendered,
	}
}

// addRetry puts rt into the queue of its key; one without a key has its own.
// The queue is in order of position: a redrive is older than what waits there.
func (r *runner) addRetry(rt *retry, key string) {
	q := r.keys[key]
	if key == "" || q == nil {
		// The key outlives the delivery that it shares memory with.
		q = &keyQueue{key: strings.Clone(key), index: -1}
		if key == "" {
			r.keyless[q] = true
		} else {
			r.keys[q.key] = q
		}
	}
	rt.queue = q
	at := len(q.entries)
	for at > 0 && rt.place.compare(q.entries[at-1].place) < 0 && !q.entries[at-1].inLane {
		at--
	}
	q.entries = slices.Insert(q.entries, at, rt)
	if at == 0 && q.index >= 0 {
		r.schedule(q) // its first entry is another one
	}
	if rt.waits {
		r.waits++
	}
	r.open++
	r.openSize += rt.size
}

// schedule puts q into the heap, or to its new place there, when its first
// entry can be tried.
func (r *runner) schedule(q *keyQueue) {
	ready := len(q.entries) > 0 && q.entries[0].ref != (delivery.Ref{}) && !q.entries[0].inLane
	switch {
	case ready && q.index >= 0:
		heap.Fix(&r.due, q.index)
	case ready:
		heap.Push(&r.due, q)
	case q.index >= 0:
		heap.Remove(&r.due, q.index)
	default:
		return
	}
	tell(r.clock)
}

// reschedule gives back a retry that was in a lane and was not tried.
func (r *runner) reschedule(rt *retry, wait time.Duration) {
	rt.d = nil
	rt.due = time.Now().Add(wait)
	r.outOfLane(rt)
	if rt.overtook() {
		slices.SortStableFunc(rt.queue.entries, func(a, b *retry) int { return a.place.compare(b.place) })
	}
	r.schedule(rt.queue)
}

// overtook reports whether an earlier one of its queue came while rt, the first
// by then, was under way.
func (rt *retry) overtook() bool {
	e := rt.queue.entries
	return len(e) > 1 && e[0] == rt && e[1].place.compare(rt.place) < 0
}

func (r *runner) intoLane(rt *retry) {
	rt.inLane = true
	r.inLanes++
	r.laneBytes += rt.size
}

func (r *runner) outOfLane(rt *retry) {
	if rt.inLane {
		rt.inLane = false
		if r.lanesFull() || r.health.paused {
			tell(r.clock) // which waits for this one
		}
		r.inLanes--
		r.laneBytes -= rt.size
	}
}

// lanesFull reports whether no more retries are to be brought to memory.
func (r *runner) lanesFull() bool { return r.inLanes >= maxInLanes || r.laneBytes >= maxQueuedBytes }

// finish takes rt, which is done with, off its queue; the next of its key is
// due at once.
func (r *runner) finish(rt *retry) {
	if rt.gone {
		return
	}
	rt.gone = true
	r.outOfLane(rt)
	q := rt.queue
	i := slices.Index(q.entries, rt)
	if i == 0 && q.index >= 0 {
		heap.Remove(&r.due, q.index)
	}
	q.entries = slices.Delete(q.entries, i, i+1)
	if rt.waits {
		r.waits--
	}
	r.open--
	r.openSize -= rt.size
	if rt.ref != (delivery.Ref{}) {
		r.removes = append(r.removes, rt.ref)
		tell(r.keep)
	}
	if len(q.entries) == 0 {
		if q.key == "" {
			delete(r.keyless, q)
		} else {
			delete(r.keys, q.key)
		}
		r.madeRoom()
		return
	}
	q.entries[0].due = earlier(q.entries[0], time.Now())
	r.schedule(q)
	r.madeRoom()
}

// earlier is when an entry that became the first of its key is due: at once,
// unless it failed itself and still rests.
func earlier(rt *retry, now time.Time) time.Time {
	if rt.tried && rt.due.After(now) {
		return rt.due
	}
	return now
}

// retryNow makes everything that rests due, also what is on its way to the disk:
// the endpoint is back, or new, or a person wants it.
func (r *runner) retryNow() {
	now := time.Now()
	for q := range r.queues() {
		if q.entries[0].due.After(now) {
			q.entries[0].due = now
		}
	}
	heap.Init(&r.due)
	tell(r.clock)
}

// runClock moves retries that are due into their lanes, and wakes the lanes
// when a pause is over.
func (r *runner) runClock() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		r.mu.Lock()
		wait := r.tick(time.Now())
		r.mu.Unlock()
		timer.Reset(wait)
		select {
		case <-r.ctx.Done():
			return
		case <-r.clock:
		case <-timer.C:
		}
	}
}

// tick does what is due at now and returns how long until it is to be called
// again.
func (r *runner) tick(now time.Time) time.Duration {
	wait := time.Hour
	if r.draining || r.paused {
		return wait
	}
	if r.health.paused {
		if rest := r.health.until.Sub(now); rest > 0 {
			r.expire(now)
			return rest
		}
	}
	for len(r.due) > 0 {
		q := r.due[0]
		rt := q.entries[0]
		if rest := rt.due.Sub(now); rest > 0 {
			wait = min(wait, rest)
			break
		}
		if r.lanesFull() || r.health.paused && r.inLanes > 0 {
			break // one is enough to ask whether the endpoint is back
		}
		heap.Pop(&r.due)
		r.intoLane(rt)
		r.loads = append(r.loads, rt)
		tell(r.load)
	}
	if r.health.paused {
		r.crew.wakeAll()
	}
	return wait
}

// expire gives up what grew too old while the endpoint refuses everything.
func (r *runner) expire(now time.Time) {
	for _, l := range r.crew.lanes {
		for l.first.len() > 0 && r.policy.Expired(l.first.peek().d, now) {
			en := l.first.pop()
			r.dequeued(en)
			r.bury(en, r.health.expired(r.policy))
		}
	}
	for _, q := range slices.Clone(r.due) {
		rt := q.entries[0]
		if now.Sub(rt.age) >= r.policy.MaxAge && !r.lanesFull() {
			r.giveUp(q, r.health.expired(r.policy))
		}
	}
}
