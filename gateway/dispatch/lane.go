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
// crew with a new sink; the new one begins when the old one's last call of Send
// returned, so that deliveries of one key never overlap.
type crew struct {
	sink     Sink
	capacity delivery.Capacity
	lanes    []*lane
	seed     maphash.Seed
	turn     int // the lane of the next delivery without a key

	retired bool
	sending int // calls of Send under way
	busy    int // deliveries in them
	done    chan struct{}
	after   *crew
}

// lane is a queue that one goroutine empties. What goes first is older than
// the rest: retries, and deliveries that the sink held back.
type lane struct {
	wake    chan struct{}
	retries queue
	first   queue
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

// takeAll empties the lane.
func (l *lane) takeAll() []entry {
	var all []entry
	for l.retries.len() > 0 {
		all = append(all, l.retries.pop())
	}
	for l.first.len() > 0 {
		all = append(all, l.first.pop())
	}
	return all
}

// newCrew returns a crew for sink that begins when after, which may be nil,
// has ended.
func newCrew(sink Sink, after *crew) *crew {
	c := &crew{sink: sink, capacity: sink.Capacity(), seed: maphash.MakeSeed(), done: make(chan struct{}), after: after}
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

// startCrew runs r.crew's lanes. It is called with r.mu held.
func (r *runner) startCrew() {
	c := r.crew
	r.wg.Go(func() {
		defer close(c.done)
		if c.after != nil {
			<-c.after.done
			c.after.sink.Close()
			c.after = nil
		}
		var lanes sync.WaitGroup
		for _, l := range c.lanes {
			lanes.Go(func() { r.runLane(c, l) })
		}
		lanes.Wait()
	})
}

// runLane sends what comes into l until the crew is retired or r is closed.
func (r *runner) runLane(c *crew, l *lane) {
	var entries []entry
	var batch []delivery.Delivery
	for {
		r.mu.Lock()
		entries = r.pick(c, l, entries[:0])
		retired, timeout := c.retired, r.policy.Timeout
		if len(entries) > 0 {
			c.sending++
			c.busy += len(entries)
		}
		r.mu.Unlock()
		if retired {
			return
		}
		if len(entries) == 0 {
			tell(r.drained)
			select {
			case <-r.ctx.Done():
				return
			case <-l.wake:
			}
			continue
		}
		batch = batch[:0]
		for _, en := range entries {
			batch = append(batch, *en.d)
		}
		at := time.Now()
		outcomes := send(r.ctx, c.sink, batch, timeout)
		r.settle(c, entries, outcomes, at, time.Since(at))
		clear(entries)
		clear(batch)
	}
}

// send calls the sink with a deadline, and holds it to its contract.
func send(ctx context.Context, sink Sink, batch []delivery.Delivery, timeout time.Duration) []delivery.Outcome {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	outcomes := sink.Send(ctx, batch)
	if len(outcomes) != len(batch) {
		wrong := delivery.Transient(fmt.Errorf("sink answered %d outcomes for %d deliveries", len(outcomes), len(batch)))
		outcomes = make([]delivery.Outcome, len(batch))
		for i := range outcomes {
			outcomes[i] = wrong
		}
	}
	return outcomes
}

// pick takes the next batch off l: nothing while the endpoint is paused, one
// delivery as a probe when the pause is over. A first attempt whose key is
// blocked joins the retries instead.
func (r *runner) pick(c *crew, l *lane, batch []entry) []entry {
	if c.retired || r.stopped {
		return batch
	}
	limit, bytes := c.capacity.Batch, 0
	if r.health.paused {
		if r.health.probing || time.Now().Before(r.health.until) {
			return batch
		}
		limit = 1
	}
	for len(batch) < limit {
		q := &l.retries
		if q.len() == 0 {
			q = &l.first
		}
		if q.len() == 0 {
			break
		}
		en := q.peek()
		if en.retry != nil && r.draining {
			q.pop()
			r.reschedule(en.retry, 0)
			continue
		}
		if en.retry == nil {
			if _, blocked := r.keys[en.d.Key]; blocked && en.d.Key != "" {
				q.pop()
				r.dequeued(en)
				r.spill(en, 0)
				continue
			}
		}
		size := en.d.Event.Size()
		if len(batch) > 0 && c.capacity.BatchBytes > 0 && bytes+size > c.capacity.BatchBytes {
			break
		}
		bytes += size
		q.pop()
		if en.retry == nil {
			r.dequeued(en)
		}
		batch = append(batch, en)
	}
	if len(batch) > 0 && r.health.paused {
		r.health.probing = true
	}
	return batch
}

// settle draws the consequences of what the sink answered.
func (r *runner) settle(c *crew, entries []entry, outcomes []delivery.Outcome, at time.Time, took time.Duration) {
	now := at.Add(took)
	tries := make([]delivery.Try, 0, len(entries))
	r.mu.Lock()
	c.sending--
	c.busy -= len(entries)
	r.dirty = true
	for i, en := range entries {
		out := outcomes[i]
		if out.Blame == delivery.Held {
			r.hold(en, len(tries) == 0)
			continue
		}
		r.health.saw(out, now, r.policy)
		dead := false
		if out.Blame == delivery.None {
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
		tries = append(tries, delivery.Try{Delivery: en.d, At: at, Took: took, Outcome: out, Dead: dead})
	}
	if r.health.takeRecovered() {
		r.retryNow()
		r.crew.wakeAll()
	}
	if r.health.paused {
		r.health.probing = false
		tell(r.clock)
	}
	r.mu.Unlock()
	if len(tries) > 0 {
		r.d.recorder.Record(tries)
	}
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
// the sink tried nothing at all of the batch.
func (r *runner) hold(en entry, idle bool) {
	_, blocked := r.keys[en.d.Key]
	switch {
	case en.retry != nil:
		r.reschedule(en.retry, 0)
	case blocked && en.d.Key != "":
		r.spill(en, 0)
	case idle:
		// Only a broken sink does so; it is not to be asked in a tight loop.
		r.spill(en, time.Second)
	default:
		r.queued++
		r.queuedBytes += en.d.Event.Size()
		l := r.crew.lane(en.d.Key)
		l.retries.push(en) // ahead of its key's others
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
	if en.d.Redrive == nil {
		r.track.settle(en.d.Position)
	}
}
