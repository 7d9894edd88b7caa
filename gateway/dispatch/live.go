package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/route"
)

// job is one chunk on its way from the live reader to the hand-off.
type job struct {
	chunk event.Chunk
	// perEndpoint holds, by name, what the chunk means for the endpoints that
	// it was evaluated for.
	perEndpoint map[string]evaluated
	done        chan struct{}
}

// depth is how many chunks may be under evaluation, per worker.
const depth = 4

// runLive reads the journal from sequence from on. Workers evaluate chunks side
// by side; the hand-off takes them in the order of the journal.
func (d *Dispatcher) runLive(ctx context.Context, from uint64) {
	work := make(chan *job)
	ordered := make(chan *job, depth*d.opts.Workers)
	var workers sync.WaitGroup
	for range d.opts.Workers {
		workers.Go(func() {
			for j := range work {
				j.perEndpoint = d.evaluate(ctx, &j.chunk, d.wanted)
				close(j.done)
			}
		})
	}
	var handoff sync.WaitGroup
	handoff.Go(func() {
		for j := range ordered {
			<-j.done
			d.handOff(j)
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
			j := &job{chunk: chunk, done: make(chan struct{})}
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
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}

// wanted reports whether the endpoint name takes what the live reader reads.
func (d *Dispatcher) wanted(name string) bool {
	d.mu.Lock()
	r := d.runners[name]
	d.mu.Unlock()
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attached || r.wants
}

// evaluate runs chunk through the plan in force for those of its endpoints
// that want, and renders what comes out.
func (d *Dispatcher) evaluate(ctx context.Context, chunk *event.Chunk, want func(name string) bool) map[string]evaluated {
	plan, ev, err := d.acquire()
	if err != nil {
		d.log.Error("routes not evaluated", "err", err)
		return nil
	}
	defer plan.Table.Release(ev)
	wants := make([]bool, len(plan.Endpoints))
	for i := range plan.Endpoints {
		wants[i] = want(plan.Endpoints[i].Name)
	}
	result := ev.Evaluate(ctx, chunk, wants)
	out := make(map[string]evaluated, len(plan.Endpoints))
	for i := range plan.Endpoints {
		e := &plan.Endpoints[i]
		if wants[i] {
			out[e.Name] = evaluated{
				seq: chunk.Seq, events: len(chunk.Events),
				deliveries: renderAll(e, chunk, result.Outputs[i]), err: result.Errs[i],
			}
		}
	}
	return out
}

func renderAll(e *Endpoint, chunk *event.Chunk, outputs []route.Output) []rendered {
	if len(outputs) == 0 {
		return nil
	}
	all := make([]rendered, len(outputs))
	slab := make([]delivery.Delivery, len(outputs))
	for i, out := range outputs {
		slab[i], all[i].err = render(e, chunk, out)
		all[i].d = &slab[i]
	}
	return all
}

// acquire returns the plan in force and an evaluator of its table. A table
// that was closed since it was loaded is not in force any more.
func (d *Dispatcher) acquire() (*Plan, *route.Evaluator, error) {
	for {
		plan := d.plan.Load()
		ev, err := plan.Table.Acquire()
		if errors.Is(err, route.ErrClosed) && d.plan.Load() != plan {
			continue
		}
		return plan, ev, err
	}
}

// handOff gives every endpoint its part of a chunk.
func (d *Dispatcher) handOff(j *job) {
	d.mu.Lock()
	runners := make([]*runner, 0, len(d.runners))
	for _, r := range d.runners {
		runners = append(runners, r)
	}
	d.mu.Unlock()
	for _, r := range runners {
		ev, ok := j.perEndpoint[r.name]
		if !ok {
			ev.seq = j.chunk.Seq
		}
		r.offer(ev, ok)
	}
}
