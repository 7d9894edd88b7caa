package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/route"
)

// job is one chunk on its way from the live reader to the hand-off.
type job struct {
	chunk event.Chunk
	want  []bool
	// parts is what the chunk means for the endpoints of force, in their order;
	// force is nil when nothing is known of any.
	force *force
	parts []evaluated
	done  chan struct{} // told when it was evaluated
}

// depth is how many chunks may be under evaluation, per worker.
const depth = 4

// runLive reads the journal from sequence from on. Workers evaluate chunks side
// by side; the hand-off takes them in the order of the journal.
func (d *Dispatcher) runLive(ctx context.Context, from uint64) {
	work := make(chan *job)
	ordered := make(chan *job, depth*d.opts.Workers)
	// Jobs are used again: one is free whenever there is room for it.
	free := make(chan *job, cap(ordered)+d.opts.Workers+2)
	for range cap(free) {
		free <- &job{done: make(chan struct{}, 1)}
	}
	var workers sync.WaitGroup
	for range d.opts.Workers {
		workers.Go(func() {
			for j := range work {
				d.evaluateLive(ctx, j)
				j.done <- struct{}{}
			}
		})
	}
	var handoff sync.WaitGroup
	handoff.Go(func() {
		for j := range ordered {
			<-j.done
			d.handOff(j)
			free <- j
		}
	})

	for ctx.Err() == nil {
		for chunk, err := range d.journal.Read(ctx, from) {
			if err != nil {
				d.log.Error("accepted events cannot be read, and reach no endpoint", "err", err)
				continue
			}
			d.read.Store(chunk.Seq)
			from = chunk.Seq + 1
			d.opts.Accepted(chunk)
			j := <-free
			j.chunk = chunk
			ordered <- j
			work <- j
		}
		pause(ctx, time.Second) // the journal was closed under us
	}
	close(work)
	close(ordered)
	workers.Wait()
	handoff.Wait()
}

func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// evaluateLive evaluates j for the endpoints that take what the live reader
// reads.
func (d *Dispatcher) evaluateLive(ctx context.Context, j *job) {
	f, ev, err := d.acquire()
	if err != nil {
		// Each endpoint follows by itself then, and says so.
		j.force = nil
		return
	}
	defer f.Table.Release(ev)
	j.force, j.want, j.parts = f, j.want[:0], j.parts[:0]
	for _, r := range f.runners {
		j.want = append(j.want, r.live.Load())
	}
	result := ev.Evaluate(ctx, &j.chunk, j.want)
	count(result)
	for i, want := range j.want {
		part := evaluated{seq: j.chunk.Seq, skipped: true}
		if want {
			part = f.part(i, &j.chunk, result)
		}
		j.parts = append(j.parts, part)
	}
}

// handOff gives every endpoint its part of a chunk.
func (d *Dispatcher) handOff(j *job) {
	if j.force == nil {
		for _, r := range d.force.Load().runners {
			r.offer(evaluated{seq: j.chunk.Seq, skipped: true})
		}
	} else {
		for i, r := range j.force.runners {
			r.offer(j.parts[i])
		}
	}
	clear(j.parts)
	j.force, j.chunk = nil, event.Chunk{}
}

// count adds what the routes did to their tallies.
func count(result *route.Result) {
	for _, c := range result.Counts {
		if c.Rule.Tally != nil && result.Errs[c.Rule.Endpoint] == nil {
			c.Rule.Tally.Add(c)
		}
	}
}

// evaluateFor evaluates chunk for r alone. It reports false when the plan in
// force does not know r: it is on its way in, or out. Its routes are counted
// unless they had the event before.
func (d *Dispatcher) evaluateFor(ctx context.Context, chunk *event.Chunk, r *runner, again bool) (evaluated, bool, error) {
	f, ev, err := d.acquire()
	if err != nil {
		return evaluated{}, false, fmt.Errorf("routes cannot be evaluated: %w", err)
	}
	defer f.Table.Release(ev)
	want := make([]bool, len(f.runners))
	for i := range f.runners {
		if f.runners[i] == r {
			want[i] = true
			result := ev.Evaluate(ctx, chunk, want)
			if !again {
				count(result)
			}
			part := f.part(i, chunk, result)
			return part, true, part.err
		}
	}
	return evaluated{}, false, nil
}

// acquire returns the plan in force and an evaluator of its table. A table
// that was closed since it was loaded is not in force any more.
func (d *Dispatcher) acquire() (*force, *route.Evaluator, error) {
	for {
		f := d.force.Load()
		ev, err := f.Table.Acquire()
		if errors.Is(err, route.ErrClosed) && d.force.Load() != f {
			continue
		}
		return f, ev, err
	}
}

// evaluated is a chunk with what it means for one endpoint.
type evaluated struct {
	seq        uint64
	events     int
	bytes      int // of the chunk, which its deliveries keep in memory
	deliveries []rendered
	err        error // why the routes could not run
	skipped    bool  // it was not evaluated for this endpoint
	slow       bool  // it took its routes long
}

// A chunk of which each event takes longer than slowEvent is slow, if it is
// more than the noise of a busy machine.
const (
	slowEvent = time.Millisecond
	slowChunk = 20 * time.Millisecond
)

// part renders what came out for endpoint i.
func (f *force) part(i int, chunk *event.Chunk, result *route.Result) evaluated {
	took := result.Took[i]
	part := evaluated{
		seq: chunk.Seq, events: len(chunk.Events), err: result.Errs[i],
		slow: took > slowChunk && took > slowEvent*time.Duration(len(chunk.Events)),
	}
	outputs := result.Outputs[i]
	if len(outputs) == 0 {
		return part
	}
	for k := range chunk.Events {
		part.bytes += chunk.Events[k].Size()
	}
	part.deliveries = make([]rendered, len(outputs))
	for k := range outputs {
		part.deliveries[k].render(&f.Endpoints[i], chunk.Accepted, &outputs[k])
	}
	return part
}
