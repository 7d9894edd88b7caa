package dispatch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// Bounds of what one endpoint may hold in memory and among the retries. Beyond
// them it takes nothing more until it caught up: the journal keeps its events.
const (
	maxQueued       = 4096
	maxQueuedBytes  = 16 << 20
	maxRetries      = 10_000
	maxRetriesBytes = 64 << 20
)

// runner brings one endpoint its deliveries. Its state is guarded by mu; the
// goroutines that it starts are its lanes, its keeper (the spools), its clock
// (retries that come due) and its follower (the journal, while detached).
type runner struct {
	name string
	d    *Dispatcher

	mu    sync.Mutex
	track tracker
	dirty bool
	crew  *crew

	policy delivery.Policy

	// attached means that the live reader's chunks are taken as they come.
	// While detached, wants says that they are kept in ahead until the
	// follower has come near, and wantsFrom is the newest chunk that the live
	// reader may have taken before it knew.
	attached  bool
	wants     bool
	wantsFrom uint64
	ahead     []evaluated
	attach    chan struct{} // told when the follower is to look again

	queued      int
	queuedBytes int
	room        chan struct{} // told when there is room again

	keys     map[string]*keyQueue // blocked keys
	keyless  map[*keyQueue]bool   // retries without a key
	due      dueHeap
	clock    chan struct{} // told when the earliest due time changed
	open     int           // deliveries among the retries
	openSize int

	inLanes int // retries on their way through a lane

	loads   []*retry
	puts    []*retry
	removes []delivery.Ref
	burials []burial
	keep    chan struct{} // told when the keeper has work
	keeping bool          // the keeper is at work

	health   health
	stuck    error         // why the routes of this endpoint cannot run
	draining bool          // nothing new is taken, no retry is tried
	stopped  bool          // nothing is sent
	drained  chan struct{} // told when something finished while draining

	redriving map[delivery.Ref]*redriving
	// spilled are the outputs of chunks yet to be taken that are among the
	// retries since before the process started.
	spilled map[outputID]bool

	ctx    context.Context // of the runner's goroutines
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// entry is a delivery in a lane. Retry is nil until it failed once.
type entry struct {
	d     *delivery.Delivery
	retry *retry
}

// evaluated is a chunk with what it means for one endpoint.
type evaluated struct {
	seq        uint64
	events     int
	deliveries []rendered
	err        error // why the routes could not run
}

// rendered is a delivery, or with err set one that a stage gave up.
type rendered struct {
	d   *delivery.Delivery
	err error
}

func newRunner(d *Dispatcher, e Endpoint, m delivery.Mark) *runner {
	r := &runner{
		name: e.Name, d: d,
		track:  newTracker(m),
		policy: e.Policy,
		attach: make(chan struct{}, 1), room: make(chan struct{}, 1),
		keys: map[string]*keyQueue{}, keyless: map[*keyQueue]bool{},
		clock: make(chan struct{}, 1), keep: make(chan struct{}, 1), drained: make(chan struct{}, 1),
		redriving: map[delivery.Ref]*redriving{},
		spilled:   map[outputID]bool{},
		dirty:     true,
	}
	r.crew = newCrew(e.Sink, nil)
	return r
}

// tell wakes the goroutine that waits for c, now or when it comes to wait.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (r *runner) start(ctx context.Context) {
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.mu.Lock()
	r.startCrew()
	r.mu.Unlock()
	r.wg.Go(r.runKeeper)
	r.wg.Go(r.runClock)
	r.wg.Go(r.follow)
}

// configure puts e's policy and sink in force. Deliveries that wait go to the
// new sink, at once: what failed before may well succeed now.
func (r *runner) configure(e Endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy = e.Policy
	if r.crew.sink == e.Sink {
		return
	}
	old := r.crew
	r.crew = newCrew(e.Sink, old)
	for _, l := range old.lanes {
		for _, en := range l.takeAll() {
			r.crew.lane(en.d.Key).push(en)
		}
		tell(l.wake)
	}
	old.retired = true
	if r.ctx != nil {
		r.startCrew()
	}
	r.health.reset()
	r.retryNow()
}

// offer hands r a chunk that the live reader took and the table evaluated; ok
// says whether r was among the endpoints that it was evaluated for.
func (r *runner) offer(ev evaluated, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case ev.seq < r.track.next:
		// The follower has been here.
	case !ok || ev.err != nil || r.draining || (r.attached && !r.hasRoom()):
		r.detach()
	case r.attached || (r.wants && ev.seq == r.track.next && r.hasRoom()):
		r.attached = true
		r.accept(ev)
		tell(r.attach)
	case r.wants:
		if len(r.ahead) >= maxAhead {
			r.detach()
			return
		}
		r.ahead = append(r.ahead, ev)
		tell(r.attach)
	}
}

// detach leaves the live reader; the follower takes over from track.next.
func (r *runner) detach() {
	r.attached, r.wants = false, false
	clear(r.ahead)
	r.ahead = r.ahead[:0]
	tell(r.attach)
}

// hasRoom reports whether another chunk may be taken.
func (r *runner) hasRoom() bool {
	return r.queued < maxQueued && r.queuedBytes < maxQueuedBytes &&
		r.open < maxRetries && r.openSize < maxRetriesBytes && len(r.burials) < maxQueued
}

// accept takes a chunk: it is owed from here on.
func (r *runner) accept(ev evaluated) {
	ev.deliveries = slices.DeleteFunc(ev.deliveries, r.had)
	var pending []uint16
	if len(ev.deliveries) > 0 {
		pending = make([]uint16, ev.events)
	}
	for _, out := range ev.deliveries {
		pending[out.d.Position.Index]++
	}
	r.track.take(ev.seq, ev.events, pending)
	r.dirty = true
	for _, out := range ev.deliveries {
		if out.err == nil {
			r.enqueue(entry{d: out.d})
			continue
		}
		outcome := delivery.Permanent(out.err)
		r.d.recorder.Record([]delivery.Try{{Delivery: out.d, At: time.Now(), Outcome: outcome, Dead: true}})
		r.bury(entry{d: out.d}, out.err.Error())
	}
}

// had reports whether out was settled, or came among the retries, before the
// process started.
func (r *runner) had(out rendered) bool {
	if r.track.done(out.d.Position) {
		return true
	}
	if len(r.spilled) == 0 || !r.spilled[idOf(out.d)] {
		return false
	}
	delete(r.spilled, idOf(out.d))
	return true
}

// enqueue puts a first attempt into its lane. Also one whose key is blocked goes
// there, behind those of its key that came before it; pick sorts them out.
func (r *runner) enqueue(en entry) {
	if r.health.failing() && r.policy.Expired(en.d, time.Now()) {
		r.bury(en, r.health.expired(r.policy))
		return
	}
	r.queued++
	r.queuedBytes += en.d.Event.Size()
	l := r.crew.lane(en.d.Key)
	l.push(en)
	tell(l.wake)
}

// dequeued notes that a first attempt left its lane.
func (r *runner) dequeued(en entry) {
	r.queued--
	r.queuedBytes -= en.d.Event.Size()
	r.madeRoom()
}

func (r *runner) madeRoom() {
	if r.queued <= maxQueued/2 && r.open <= maxRetries/2 {
		tell(r.room)
	}
}

func (r *runner) takeDirty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	dirty := r.dirty
	r.dirty = false
	return dirty
}

func (r *runner) mark() delivery.Mark {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.track.mark(r.name)
}

// drain stops taking new events.
func (r *runner) drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	r.detach()
	tell(r.room)
}

// waitDrained waits until what is queued was tried once, what is under way has
// come to its end, and what failed is on disk, or ctx ends. A failing endpoint
// is not waited for: the journal keeps what is queued.
func (r *runner) waitDrained(ctx context.Context) {
	r.await(ctx, func() bool { return r.queued == 0 || r.health.failing() })
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.await(ctx, func() bool { return r.crew.sending == 0 && !r.hasWork() && !r.keeping })
}

// await waits until cond, which is called with r.mu held, or ctx ends.
func (r *runner) await(ctx context.Context, cond func() bool) {
	for {
		r.mu.Lock()
		done := cond()
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-r.drained:
		}
	}
}

// close ends the goroutines and the sink.
func (r *runner) close() {
	r.cancel()
	r.wg.Wait()
	r.crew.sink.Close()
}

// remove ends a runner whose endpoint was deleted. What it still owed becomes
// dead letters, in the background.
func (r *runner) remove() {
	r.d.wg.Go(func() {
		r.drain()
		r.cancel()
		r.wg.Wait()
		r.crew.sink.Close()
		if err := r.buryAll(r.d.ctx, fmt.Sprintf("endpoint %s was deleted", r.name)); err != nil {
			r.d.log.Error("deliveries of a deleted endpoint stay among the retries until the next start", "endpoint", r.name, "err", err)
		}
	})
}
