package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Redriven is what Redrive made of a request.
type Redriven struct {
	// Started counts the letters that are on their way to their endpoint.
	Started int
	// Refused says, for letters that stay where they are, why.
	Refused []Refusal
}

// Refusal is a letter that cannot be driven again.
type Refusal struct {
	Letter delivery.Ref
	Reason string
}

// Redrive sends dead letters again: it takes the accepted event of each,
// renders it under the plan in force, and delivers it in the order of its key.
// A letter leaves the list when its redrive is delivered; one that fails again
// is listed anew, with its attempts added.
//
// Redrive waits while an endpoint has no room, until ctx ends.
func (d *Dispatcher) Redrive(ctx context.Context, refs []delivery.Ref) (Redriven, error) {
	var done Redriven
	letters := make([]delivery.DeadLetter, 0, min(len(refs), redriveBatch))
	for batch := range slices.Chunk(refs, redriveBatch) {
		letters = letters[:0]
		for _, ref := range batch {
			letter, err := d.letters.Get(ctx, ref)
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			if err != nil {
				done.Refused = append(done.Refused, Refusal{ref, err.Error()})
				continue
			}
			letter.Delivery.Redrive = &delivery.Redrive{Letter: ref, At: time.Now(), Attempts: letter.Delivery.Attempts}
			letters = append(letters, letter)
		}
		slices.SortStableFunc(letters, func(a, b delivery.DeadLetter) int {
			return placeOf(&a.Delivery).compare(placeOf(&b.Delivery))
		})
		for i := range letters {
			letter := &letters[i]
			if err := d.redrive(ctx, &letter.Delivery); err != nil {
				if ctx.Err() != nil {
					return done, ctx.Err()
				}
				done.Refused = append(done.Refused, Refusal{letter.Delivery.Redrive.Letter, err.Error()})
				continue
			}
			done.Started++
		}
	}
	return done, nil
}

// redriveBatch is how many letters are held in memory at once.
const redriveBatch = 256

func (d *Dispatcher) redrive(ctx context.Context, old *delivery.Delivery) error {
	d.mu.Lock()
	r := d.runners[old.Endpoint]
	d.mu.Unlock()
	if r == nil {
		return fmt.Errorf("endpoint %s does not exist any more", old.Endpoint)
	}
	outputs, err := d.renderAgain(ctx, old)
	if err != nil {
		return err
	}
	return r.redrive(ctx, old, outputs)
}

// renderAgain makes, under the plan in force, the output that a letter is
// about; of a letter that was never rendered, all outputs.
func (d *Dispatcher) renderAgain(ctx context.Context, old *delivery.Delivery) ([]rendered, error) {
	chunk := event.Chunk{Seq: old.Position.Seq, Accepted: old.Accepted, Events: []event.Event{accepted(old)}}
	ev, ok := d.evaluate(ctx, &chunk, func(name string) bool { return name == old.Endpoint })[old.Endpoint]
	if !ok {
		return nil, fmt.Errorf("endpoint %s does not exist any more", old.Endpoint)
	}
	if ev.err != nil {
		return nil, ev.err
	}
	outputs := slices.DeleteFunc(ev.deliveries, func(out rendered) bool {
		return out.d.Route != old.Route || (out.err == nil && !old.Unrendered && out.d.Output != old.Output)
	})
	if len(outputs) == 0 {
		return nil, fmt.Errorf("route %s, as it is now, sends nothing for this event", old.Route)
	}
	for _, out := range outputs {
		if out.err != nil {
			return nil, out.err
		}
		out.d.Position = old.Position
		redrive := *old.Redrive
		out.d.Redrive = &redrive
	}
	return outputs, nil
}

// accepted returns the event as it was accepted.
func accepted(d *delivery.Delivery) event.Event {
	switch {
	case d.Origin != nil:
		return *d.Origin
	case d.Unrendered:
		return d.Event
	}
	e := d.Event
	e.Extensions = slices.DeleteFunc(slices.Clone(e.Extensions), func(x event.Extension) bool {
		return x.Name == idempotencyKey || x.Name == producedBy
	})
	return e
}

var errRedriving = errors.New("is being sent again already")

// redrive puts the outputs of a letter into their lanes. The letter is done
// with when the last of them is.
func (r *runner) redrive(ctx context.Context, old *delivery.Delivery, outputs []rendered) error {
	letter := old.Redrive.Letter
	for {
		r.mu.Lock()
		switch {
		case r.redriving[letter] != nil:
			r.mu.Unlock()
			return errRedriving
		case r.draining:
			r.mu.Unlock()
			return errors.New("the gateway is shutting down")
		case r.hasRoom():
			r.redriving[letter] = &redriving{left: len(outputs)}
			for _, out := range outputs {
				r.enqueue(entry{d: out.d})
			}
			r.mu.Unlock()
			return nil
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.room:
			tell(r.room) // the follower may wait for it too
			pause(ctx, 10*time.Millisecond)
		}
	}
}

// redriving is a letter whose outputs are on their way.
type redriving struct {
	left int // outputs that are not done with
	// keep says that the letter stays: the process ended in between, and what
	// became of its other outputs is not known.
	keep bool
}

// letterDone notes that an output of a redriven letter needs nothing more, and
// returns the letter when it is to be removed; else the zero value.
func (r *runner) letterDone(letter delivery.Ref) delivery.Ref {
	rd := r.redriving[letter]
	if rd.left--; rd.left > 0 {
		return delivery.Ref{}
	}
	delete(r.redriving, letter)
	if rd.keep {
		return delivery.Ref{}
	}
	return letter
}
