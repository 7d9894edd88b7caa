package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// Progress is told what becomes of letters that are driven again. Its methods
// are called from many goroutines, some of which hold locks: they must not block.
// A letter is either refused, or started and, some time later, done.
type Progress interface {
	Started(letter delivery.Ref)
	Refused(letter delivery.Ref, why error)
	// Done says, once it is on disk, that a letter left the list, or that
	// something of it returned to the list or its endpoint is gone.
	Done(letter delivery.Ref, delivered bool)
}

// Redrive sends dead letters again: it takes the accepted event of each,
// renders it under the plan in force, and delivers it in the order of its key.
// A letter leaves the list when its redrive is delivered; one that fails again
// is listed anew, with its attempts added.
//
// Redrive waits while an endpoint has no room, until ctx ends.
func (d *Dispatcher) Redrive(ctx context.Context, refs []delivery.Ref) (Redriven, error) {
	var r redriven
	err := d.RedriveTelling(ctx, refs, &r)
	return r.Redriven, err
}

// redriven collects what one goroutine tells it.
type redriven struct{ Redriven }

func (r *redriven) Started(delivery.Ref)    { r.Redriven.Started++ }
func (r *redriven) Done(delivery.Ref, bool) {}
func (r *redriven) Refused(letter delivery.Ref, why error) {
	r.Redriven.Refused = append(r.Redriven.Refused, Refusal{letter, why.Error()})
}

// RedriveTelling is Redrive that tells what becomes of each letter. After an
// error, which means that ctx ended, those that were started go on.
func (d *Dispatcher) RedriveTelling(ctx context.Context, refs []delivery.Ref, p Progress) error {
	// Letters are read twice, since all of them may not fit into memory: their
	// places first, then one after the other.
	type placed struct {
		ref      delivery.Ref
		endpoint string
		place    place
	}
	order := make([]placed, 0, len(refs))
	for _, ref := range refs {
		letter, err := d.letters.Get(ctx, ref)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			p.Refused(ref, err)
			continue
		}
		order = append(order, placed{ref, strings.Clone(letter.Delivery.Endpoint), placeOf(&letter.Delivery)})
	}
	slices.SortStableFunc(order, func(a, b placed) int { return a.place.compare(b.place) })
	for _, o := range order {
		started, err := d.redrive(ctx, o.endpoint, o.ref, p)
		if ctx.Err() != nil && !started {
			return ctx.Err()
		}
		if err != nil {
			p.Refused(o.ref, err)
		}
	}
	return nil
}

// redrive puts a letter on its way, and reports whether it did.
func (d *Dispatcher) redrive(ctx context.Context, endpoint string, ref delivery.Ref, p Progress) (started bool, err error) {
	r := d.runner(endpoint)
	if r == nil {
		return false, fmt.Errorf("endpoint %s does not exist any more", endpoint)
	}
	// The letter is read when nobody else can drive it, or be done with it.
	if err := r.reserve(ctx, ref); err != nil {
		return false, err
	}
	letter, err := d.letters.Get(ctx, ref)
	if err != nil {
		return false, r.unreserve(ref, err)
	}
	old := &letter.Delivery
	outputs, err := d.renderAgain(ctx, r, old)
	if err != nil {
		return false, r.unreserve(ref, err)
	}
	for i := range outputs {
		if outputs[i].err != nil {
			return false, r.unreserve(ref, outputs[i].err)
		}
		outputs[i].d.Redrive = &delivery.Redrive{Letter: ref, At: time.Now(), Attempts: old.Attempts}
	}
	if err := r.redrive(ref, outputs, p); err != nil {
		return false, err
	}
	return true, nil
}

// renderAgain makes, under the plan in force, the output that old is about; of
// one that was never rendered, that one and those after it. The error is
// errNothing when the route makes none, errStuck when it cannot run now, and
// errClosing when the endpoint is on its way in or out.
func (d *Dispatcher) renderAgain(ctx context.Context, r *runner, old *delivery.Delivery) ([]rendered, error) {
	chunk := event.Chunk{Seq: old.Position.Seq, Accepted: old.Accepted, Events: []event.Event{accepted(old)}}
	ev, known, err := d.evaluateFor(ctx, &chunk, r, true)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStuck, err)
	}
	if !known {
		return nil, errClosing
	}
	outputs := slices.DeleteFunc(ev.deliveries, func(out rendered) bool {
		if out.d.Route != old.Route || out.d.Output < old.Output && !out.waits() {
			return true
		}
		return out.err == nil && !old.Unrendered && out.d.Output != old.Output
	})
	if len(outputs) == 0 {
		return nil, fmt.Errorf("route %s, as it is now, %w", old.Route, errNothing)
	}
	for i := range outputs {
		outputs[i].d.Position = old.Position
	}
	return outputs, nil
}

// Accepted returns the event of d as it was accepted.
func Accepted(d *delivery.Delivery) event.Event { return accepted(d) }

func accepted(d *delivery.Delivery) event.Event {
	switch {
	case d.Origin != nil:
		return *d.Origin
	case d.Unrendered:
		return d.Event
	}
	return Unstamped(d.Event)
}

// Unstamped returns e without the attributes that rendering adds.
func Unstamped(e event.Event) event.Event {
	e.Extensions = slices.DeleteFunc(slices.Clone(e.Extensions), func(x event.Extension) bool {
		return x.Name == idempotencyKey || x.Name == producedBy
	})
	return e
}

var (
	errRedriving = errors.New("is being sent again already")
	errClosing   = errors.New("its endpoint is being closed")
	errPaused    = errors.New("its endpoint is paused: resume it first")
	errNothing   = errors.New("sends nothing for this event")
	errStuck     = errors.New("it cannot be tried now")
)

// reserve waits until r has room for a letter, or ctx ends, and keeps others
// from driving it.
func (r *runner) reserve(ctx context.Context, letter delivery.Ref) error {
	for {
		r.mu.Lock()
		room, taken, closing, paused := r.hasRoom(), r.redriving[letter] != nil, r.draining, r.paused
		if room && !taken && !closing && !paused {
			r.redriving[letter] = &redriving{}
		}
		r.mu.Unlock()
		switch {
		case taken:
			return errRedriving
		case closing:
			return errClosing
		case paused:
			return errPaused
		case room:
			return nil
		}
		if pause(ctx, 20*time.Millisecond); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (r *runner) unreserve(letter delivery.Ref, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.redriving, letter)
	return err
}

// redrive puts the outputs of a reserved letter into their lanes. The letter is
// done with when the last of them is.
func (r *runner) redrive(letter delivery.Ref, outputs []rendered, p Progress) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining {
		delete(r.redriving, letter)
		return errClosing
	}
	r.redriving[letter].left, r.redriving[letter].progress = len(outputs), p
	p.Started(letter)
	for i := range outputs {
		r.enqueue(entry{d: &outputs[i].d})
	}
	return nil
}

// redriving is a letter whose outputs are on their way, until its removal is
// on disk.
type redriving struct {
	left int // outputs that are not done with
	// keep says that the letter stays: the process ended in between, and what
	// became of its other outputs is not known.
	keep bool
	// progress is told of its end; nil after a start of the process. Failed says
	// that an output returned to the list.
	progress Progress
	failed   bool
}

// done tells of the end of a letter.
func (rd *redriving) done(letter delivery.Ref, delivered bool) {
	if rd != nil && rd.progress != nil {
		rd.progress.Done(letter, delivered)
	}
}

// abandon tells of the letters that are on their way when r ends.
func (r *runner) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for letter, rd := range r.redriving {
		rd.done(letter, rd.left == 0 && !rd.failed) // what was delivered went with the estate
	}
}

// letterDone notes that an output of a redriven letter needs nothing more, and
// returns the letter when it is to be removed; else the zero value.
func (r *runner) letterDone(letter delivery.Ref) delivery.Ref {
	rd := r.redriving[letter]
	if rd.left--; rd.left > 0 {
		return delivery.Ref{}
	}
	if rd.keep {
		delete(r.redriving, letter)
		return delivery.Ref{}
	}
	return letter
}
