package dispatch

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// crew is a sink and the lanes that bring it deliveries. An endpoint gets a new
// crew with a new sink; the new one begins when the old one's sink is closed,
// so that deliveries of one key never overlap.
type crew struct {
	sink     Sink
	capacity delivery.Capacity
	lanes    []*lane
	seed     maphash.Seed
	turn     int // the lane of the next delivery without a key

	retired bool
	sending int           // calls of Send under way
	busy    int           // deliveries in them
	before  chan struct{} // nil, or closed when the crew may begin
	ended   chan struct{} // closed when its sink is
}

// lane is a queue that one goroutine empties.
type lane struct {
	wake    chan struct{}
	held    queue // first attempts that the sink held back, older than the rest
	retries queue
	first   queue
	turn    bool // retries go before first attempts this time
}

// queue is a FIFO that reuses its memory.
type queue struct {
	items []entry
	head  int
}

func (q *queue) push(en entry) { q.items = append(q.items, en) }

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) peek() entry { return q.items[q.head] }

func (q *queue) pop() entry {
	en := q.items[q.head]
	q.items[q.head] = entry{}
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head > 1024 && q.head > len(q.items)/2 {
		q.items = append(q.items[:0], q.items[q.head:]...)
		q.head = 0
	}
	return en
}

func (l *lane) push(en entry) {
	if en.retry != nil {
		l.retries.push(en)
	} else {
		l.first.push(en)
	}
}

// next is the queue that goes next; nil when all are empty. Retries and first
// attempts take turns, so that neither starves: those of one key are never in
// both, as long as a key with a retry is blocked.
func (l *lane) next() *queue {
	switch {
	case l.held.len() > 0:
		return &l.held
	case l.retries.len() == 0 && l.first.len() == 0:
		return nil
	case l.first.len() == 0 || l.turn && l.retries.len() > 0:
		return &l.retries
	}
	return &l.first
}

// takeAll empties the lane.
func (l *lane) takeAll() []entry {
	var all []entry
	for _, q := range []*queue{&l.held, &l.retries, &l.first} {
		for q.len() > 0 {
			all = append(all, q.pop())
		}
	}
	return all
}

// newCrew returns a crew for sink that begins when before, which may be nil, is
// closed.
func newCrew(sink Sink, before chan struct{}) *crew {
	c := &crew{sink: sink, capacity: sink.Capacity(), seed: maphash.MakeSeed(), before: before, ended: make(chan struct{})}
	c.capacity.Lanes = max(c.capacity.Lanes, 1)
	c.capacity.Batch = max(c.capacity.Batch, 1)
	for range c.capacity.Lanes {
		c.lanes = append(c.lanes, &lane{wake: make(chan struct{}, 1)})
	}
	return c
}

// lane returns the lane of key; deliveries without one take turns.
func (c *crew) lane(key string) *lane {
	if key == "" {
		c.turn++
		return c.lanes[c.turn%len(c.lanes)]
	}
	return c.lanes[maphash.String(c.seed, key)%uint64(len(c.lanes))]
}

// wakeAll lets every lane look again.
func (c *crew) wakeAll() {
	for _, l := range c.lanes {
		tell(l.wake)
	}
}

// startCrew runs r.crew's lanes, and then closes its sink. It is called with
// r.mu held.
func (r *runner) startCrew() {
	c := r.crew
	r.wg.Go(func() {
		defer close(c.ended)
		if c.before != nil {
			<-c.before
		}
		var lanes sync.WaitGroup
		for _, l := range c.lanes {
			lanes.Go(func() { r.runLane(c, l) })
		}
		lanes.Wait()
		c.sink.Close()
	})
}

// runLane sends what comes into l until the crew is retired or r is closed.
func (r *runner) runLane(c *crew, l *lane) {
	var s shipment
	for {
		r.mu.Lock()
		r.pick(c, l, &s)
		retired, timeout := c.retired, r.policy.Timeout
		r.mu.Unlock()
		if retired {
			return
		}
		if len(s.entries) == 0 {
			tell(r.drained)
			select {
			case <-r.ctx.Done():
				return
			case <-l.wake:
			}
			continue
		}
		at := time.Now()
		outcomes := s.send(r.ctx, c.sink, timeout)
		r.settle(c, &s, outcomes, at, time.Since(at))
	}
}

// shipment is what one call of Send is about. Its memory is used again.
type shipment struct {
	entries []entry
	batch   []delivery.Delivery
	tries   []delivery.Try
	probe   bool // it asks whether the endpoint is back
}

func (s *shipment) reset() {
	clear(s.entries)
	clear(s.batch)
	clear(s.tries)
	s.entries, s.batch, s.tries, s.probe = s.entries[:0], s.batch[:0], s.tries[:0], false
}

// send calls the sink with a deadline, and holds it to its contract.
func (s *shipment) send(ctx context.Context, sink Sink, timeout time.Duration) []delivery.Outcome {
	for _, en := range s.entries {
		s.batch = append(s.batch, *en.d)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, noAnswer(timeout))
	defer cancel()
	outcomes := sink.Send(ctx, s.batch)
	if len(outcomes) != len(s.batch) {
		wrong := delivery.Transient(fmt.Errorf("sink answered %d outcomes for %d deliveries", len(outcomes), len(s.batch)))
		outcomes = make([]delivery.Outcome, len(s.batch))
		for i := range outcomes {
			outcomes[i] = wrong
		}
	}
	return outcomes
}

// noAnswer is the cause of a deadline that passed.
type noAnswer time.Duration

func (n noAnswer) Error() string { return fmt.Sprintf("no answer within %s", time.Duration(n)) }

// pick takes the next batch off l: nothing while the endpoint is paused, one
// delivery as a probe when a pause that a refusal brought is over. A first
// attempt whose key is blocked joins the retries instead.
func (r *runner) pick(c *crew, l *lane, s *shipment) {
	s.reset()
	if c.retired || r.stopped || r.paused {
		return
	}
	limit, bytes := c.capacity.Batch, 0
	if r.health.paused {
		if r.health.probing || time.Now().Before(r.health.until) {
			return
		}
		limit = 1
	}
	for len(s.entries) < limit {
		q := l.next()
		if q == nil {
			break
		}
		en := q.peek()
		if en.retry != nil && r.draining {
			q.pop()
			r.reschedule(en.retry, 0)
			continue
		}
		if en.retry == nil && r.blocked(en.d.Key) {
			q.pop()
			r.dequeued(en)
			r.spill(en, 0)
			continue
		}
		size := en.d.Event.Size()
		if len(s.entries) > 0 && c.capacity.BatchBytes > 0 && bytes+size > c.capacity.BatchBytes {
			break
		}
		bytes += size
		q.pop()
		if en.retry == nil {
			r.dequeued(en)
		}
		s.entries = append(s.entries, en)
		l.turn = en.retry == nil
	}
	if len(s.entries) > 0 {
		c.sending++
		c.busy += len(s.entries)
		if r.health.paused {
			r.health.probing, s.probe = true, true
		}
	}
}

// blocked reports whether a delivery of key is among the retries.
func (r *runner) blocked(key string) bool {
	return key != "" && len(r.keys) > 0 && r.keys[key] != nil
}

// settle draws the consequences of what the sink answered.
func (r *runner) settle(c *crew, s *shipment, outcomes []delivery.Outcome, at time.Time, took time.Duration) {
	now := at.Add(took)
	r.mu.Lock()
	c.sending--
	c.busy -= len(s.entries)
	r.dirty = true
	interrupted := r.ctx.Err() != nil
	for i, en := range s.entries {
		out := outcomes[i]
		if out.Blame == delivery.Held || interrupted && !out.Settled() {
			r.hold(en, len(s.tries) == 0)
			continue
		}
		if c == r.crew { // what a former sink answered says nothing of this one
			r.health.saw(out, now, r.policy, s.probe)
		}
		dead := false
		if r.outdated(en) {
			// It counts for the endpoint's health alone.
		} else if out.Blame == delivery.None {
			en.d.Attempts++
			r.delivered(en)
		} else {
			tried := en.d.Tried(now, out)
			en.d = &tried
			if dead = out.Blame == delivery.Event || r.policy.Exhausted(tried, out, now); dead {
				r.bury(en, out.Reason())
			} else {
				r.spill(en, r.wait(tried, out))
			}
		}
		s.tries = append(s.tries, delivery.Try{Delivery: en.d, At: at, Took: took, Outcome: out, Dead: dead})
	}
	if s.probe && c == r.crew {
		r.health.probing = false
	}
	if r.health.takeRecovered() {
		r.retryNow()
		r.crew.wakeAll()
	}
	if r.health.paused {
		tell(r.clock)
	}
	r.mu.Unlock()
	r.record(s.tries)
	tell(r.drained)
}

// wait is how long a failed delivery rests. A refusal is the endpoint's own
// state, which nothing but a person changes: it is asked again as the pause of
// the whole endpoint says.
func (r *runner) wait(d delivery.Delivery, out delivery.Outcome) time.Duration {
	if out.Blame == delivery.Endpoint {
		return max(time.Until(r.health.until), 0)
	}
	return r.policy.Backoff(d.Attempts, out)
}

// hold keeps a delivery that was not tried: behind the one of its key that
// failed, or, when that one was given up, for the next batch. Idle says that
// the sink tried nothing of the batch so far.
func (r *runner) hold(en entry, idle bool) {
	if r.outdated(en) {
		return
	}
	var rest time.Duration
	if idle && r.ctx.Err() == nil {
		// Only a broken sink does so; it is not to be asked in a tight loop.
		rest = time.Second
	}
	switch {
	case en.retry != nil:
		r.reschedule(en.retry, rest)
	case rest > 0 || r.blocked(en.d.Key):
		r.spill(en, rest)
	default:
		r.queued++
		r.queuedBytes += sizeOf(en.d)
		l := r.crew.lane(en.d.Key)
		l.held.push(en)
		tell(l.wake)
	}
}

// delivered settles what the endpoint took.
func (r *runner) delivered(en entry) {
	if en.d.Redrive != nil {
		if letter := r.letterDone(en.d.Redrive.Letter); letter != (delivery.Ref{}) {
			r.burials = append(r.burials, burial{remove: letter})
			tell(r.keep)
		}
	}
	if en.retry != nil {
		r.finish(en.retry)
		return
	}
	if en.fresh() {
		r.track.settle(en.d.Position)
	}
	r.passed(en.from)
}
