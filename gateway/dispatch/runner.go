package dispatch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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
	maxShared       = 8 << 20
	maxInLanes      = 1024    // retries that are in memory to be tried
	maxSpan         = 1 << 16 // chunks since the oldest that is not settled
)

// runner brings one endpoint its deliveries. Its state is guarded by mu; the
// goroutines that it starts are its lanes, its keeper and its loader (the
// spools), its clock (retries that come due) and its follower (the journal, while
// detached).
type runner struct {
	name string
	d    *Dispatcher

	mu     sync.Mutex
	track  tracker
	epoch  int                // counts the replays; what an older one began is not settled
	leave  context.CancelFunc // ends the follower's present round
	dirty  bool
	crew   *crew
	policy delivery.Policy
	paused bool // by a person; health knows the pauses that a refusal brings

	// attached means that the live reader's chunks are taken as they come.
	// While detached, wants says that those behind wantsFrom are kept in ahead
	// until the follower has come so far. Live is set in both cases.
	attached   bool
	wants      bool
	live       atomic.Bool
	wantsFrom  uint64
	ahead      []evaluated
	aheadBytes int
	attach     chan struct{} // told when the follower is to look again
	slow       int           // chunks that are to be fast before it may join

	evaluated uint64 // events that the endpoint's routes were asked about

	queued      int
	queuedBytes int
	shared      int           // bytes of the chunks that came since the queue was empty
	room        chan struct{} // told when there is room again

	keys     map[string]*keyQueue // blocked keys
	keyless  map[*keyQueue]bool   // retries without a key
	due      dueHeap
	clock    chan struct{} // told when the earliest due time changed
	open     int           // deliveries among the retries
	openSize int
	waits    int // of those, that wait to go through their route

	inLanes   int // retries on their way through a lane
	laneBytes int // that they take of memory

	loads []*retry
	load  chan struct{} // told when the loader has work

	puts        []*retry
	removes     []delivery.Ref
	burials     []burial
	burialBytes int
	keep        chan struct{} // told when the keeper has work
	keeping     bool          // the keeper is at work

	health   health
	stuck    error         // why the routes of this endpoint cannot run
	draining bool          // nothing new is taken, no retry is tried
	stopped  bool          // nothing is sent
	drained  chan struct{} // told when something finished while draining

	redriving map[delivery.Ref]*redriving
	// spilled are the outputs of chunks yet to be taken, the last of which is
	// spilledTo, that are among the retries since before the process started.
	spilled   map[outputsOf][]int
	spilledTo uint64

	ctx    context.Context // of the runner's goroutines
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// entry is a delivery in a lane. Retry is nil until it failed once; until then
// it belongs to an epoch, unless it is a redrive or comes of an event that waited.
type entry struct {
	d     *delivery.Delivery
	retry *retry
	epoch int
	from  *passage
}

// fresh reports whether nothing but the journal has en's event.
func (en entry) fresh() bool { return en.retry == nil && en.d.Redrive == nil && en.from == nil }

// newRunner returns a runner at m. Its crew begins when before, which may be
// nil, is closed.
func newRunner(d *Dispatcher, e Endpoint, m delivery.Mark, before chan struct{}) *runner {
	return &runner{
		name: e.Name, d: d,
		track: newTracker(m), dirty: true,
		leave: func() {},
		crew:  newCrew(e.Sink, before), policy: e.Policy, paused: e.Paused,
		attach: make(chan struct{}, 1), room: make(chan struct{}, 1),
		keys: map[string]*keyQueue{}, keyless: map[*keyQueue]bool{},
		clock: make(chan struct{}, 1), keep: make(chan struct{}, 1), load: make(chan struct{}, 1), drained: make(chan struct{}, 1),
		redriving: map[delivery.Ref]*redriving{},
		spilled:   map[outputsOf][]int{},
	}
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
	r.wg.Go(r.runLoader)
	r.wg.Go(r.runClock)
	r.wg.Go(r.follow)
}

// configure puts e's policy, pause and sink in force. Deliveries that wait go to
// a new sink at once: what failed before may well succeed now.
func (r *runner) configure(e Endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	resumed := r.paused && !e.Paused
	r.policy, r.paused = e.Policy, e.Paused
	if r.crew.sink == e.Sink {
		if resumed {
			r.crew.wakeAll()
			tell(r.clock)
		}
		return
	}
	old := r.crew
	r.crew = newCrew(e.Sink, old.ended)
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

// hasRoom reports whether another chunk may be taken.
func (r *runner) hasRoom() bool {
	return r.queued < maxQueued && r.queuedBytes < maxQueuedBytes &&
		r.open < maxRetries && r.openSize < maxRetriesBytes &&
		len(r.burials) < maxQueued && r.burialBytes < maxQueuedBytes &&
		r.track.span() < maxSpan
}

// accept takes a chunk: it is owed from here on. It returns what is to be
// recorded.
func (r *runner) accept(ev evaluated) (given []delivery.Try) {
	out := ev.deliveries
	if r.track.resuming(ev.seq) || len(r.spilled) > 0 {
		kept := out[:0]
		for i := range out {
			if !r.had(&out[i]) {
				kept = append(kept, out[i])
			}
		}
		clear(out[len(kept):])
		out = kept
		if ev.seq >= r.spilledTo {
			clear(r.spilled)
		}
	}
	if r.waits > 0 {
		out = r.behindWaiting(out)
	}
	var pending []uint32
	if len(out) > 0 {
		pending = r.track.counts(ev.events)
	}
	crowded := r.crowded(out, ev.bytes)
	for i := range out {
		d := &out[i].d
		pending[d.Position.Index]++
		if crowded {
			own(d)
		}
	}
	r.track.take(ev.seq, ev.events, pending)
	r.dirty = true
	for i := range out {
		d, err := &out[i].d, out[i].err
		if err == nil {
			r.enqueue(entry{d: d, epoch: r.epoch})
			continue
		}
		if out[i].waits() {
			r.spill(entry{d: d, epoch: r.epoch}, r.rest(d, err))
			continue
		}
		given = append(given, delivery.Try{Delivery: d, At: time.Now(), Outcome: delivery.Permanent(err), Dead: true})
		r.bury(entry{d: d}, err.Error())
	}
	return given
}

// crowded reports whether the deliveries of a chunk of so many bytes are to get
// memory of their own: in a queue that does not empty, a few of each chunk would
// keep all of it.
func (r *runner) crowded(out []rendered, bytes int) bool {
	if r.queued == 0 {
		r.shared = 0
	}
	if r.shared += bytes; r.shared <= maxShared {
		return false
	}
	size := 0
	for i := range out {
		size += sizeOf(&out[i].d)
	}
	return size < bytes/2
}

// record tells of tries, without r.mu.
func (r *runner) record(tries []delivery.Try) {
	if len(tries) > 0 {
		r.d.recorder.Record(tries)
	}
}

// had reports whether out was settled, or came among the retries, before the
// process started, or a replay began. An event that is to wait is then about
// what its route makes of it beyond that.
func (r *runner) had(out *rendered) bool {
	retries := r.spilled[outputsOf{out.d.Route, out.d.Position}]
	for out.waits() && slices.Contains(retries, out.d.Output) {
		out.d.Output++
	}
	return r.track.done(out.d.Position) || covers(retries, out.d.Output)
}

// enqueue puts a first attempt into its lane. Also one whose key is blocked goes
// there, behind those of its key that came before it; pick sorts them out.
func (r *runner) enqueue(en entry) {
	if r.health.paused && !r.paused && r.policy.Expired(en.d, time.Now()) {
		r.bury(en, r.health.expired(r.policy))
		return
	}
	r.queued++
	r.queuedBytes += sizeOf(en.d)
	l := r.crew.lane(en.d.Key)
	l.push(en)
	tell(l.wake)
}

// dequeued notes that a first attempt left its lane.
func (r *runner) dequeued(en entry) {
	r.queued--
	r.queuedBytes -= sizeOf(en.d)
	r.madeRoom()
}

// madeRoom lets the follower go on: not for every single delivery that leaves
// a full queue.
func (r *runner) madeRoom() {
	if r.queued <= maxQueued/2 && r.hasRoom() {
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
// is not waited for, nor a paused one: the journal keeps what is queued.
func (r *runner) waitDrained(ctx context.Context) {
	r.await(ctx, func() bool { return r.queued == 0 || r.paused || r.health.failing() })
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
}

// remove ends a runner whose endpoint was deleted, at once. What it still owed
// becomes dead letters; an error means that the dispatcher ended before.
func (r *runner) remove() error {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.drain()
	r.close()
	estate := r.estate(fmt.Sprintf("endpoint %s was deleted", r.name))
	defer r.abandon()
	for warned := false; ; warned = true {
		err := estate.bury(r.d.burying)
		if err == nil {
			return nil
		}
		if r.d.burying.Err() != nil {
			r.d.log.Error("deliveries of a deleted endpoint are lost, or stay among the retries until the next start", "endpoint", r.name, "err", err)
			return err
		}
		if !warned {
			r.d.log.Error("deliveries of a deleted endpoint do not come among the dead letters; trying again and again", "endpoint", r.name, "err", err)
		}
		pause(r.d.burying, time.Second)
	}
}
