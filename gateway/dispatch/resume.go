package dispatch

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// loadRetries gives each runner the retries that were on disk when the process
// ended. Those of an endpoint that is gone become dead letters.
func (d *Dispatcher) loadRetries(ctx context.Context) error {
	orphans := map[delivery.Ref]delivery.DeadLetter{}
	for kept, err := range d.retries.All(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			d.log.Error("a retry cannot be read and is set aside; its event is not delivered", "retry", kept.Ref, "err", err)
			continue
		}
		ref, letter := kept.Ref, kept.DeadLetter
		if r := d.runners[letter.Delivery.Endpoint]; r != nil {
			whole := false
			if rd := letter.Delivery.Redrive; rd != nil {
				old, err := d.letters.Get(ctx, rd.Letter)
				whole = err == nil && old.Delivery.Unrendered
			}
			r.resume(ref, &letter.Delivery, whole)
		} else {
			letter.Reason = fmt.Sprintf("endpoint %s was deleted", letter.Delivery.Endpoint)
			orphans[ref] = letter
		}
	}
	for _, r := range d.runners {
		r.sortRetries()
	}
	return d.buryStored(ctx, orphans)
}

// resume takes back a retry that is on disk. It is due at once: nobody knows
// how the endpoint fares by now. Whole says that it is one of several outputs of
// a redriven letter, of which the others may not have come to disk.
func (r *runner) resume(ref delivery.Ref, d *delivery.Delivery, whole bool) {
	rt := newRetry(d)
	rt.ref, rt.due = ref, time.Now()
	r.addRetry(rt, queueOf(d))
	if d.Redrive != nil {
		rd := r.redriving[d.Redrive.Letter]
		if rd == nil {
			rd = &redriving{keep: whole}
			r.redriving[d.Redrive.Letter] = rd
		}
		rd.left++
	} else if d.Position.Seq >= r.track.next {
		r.expect(rt)
	}
}

// expect notes that what rt is about is not to be taken once more from its
// chunk, which is yet to come.
func (r *runner) expect(rt *retry) {
	from := rt.place.output
	if rt.waits {
		from = -1 - from
	}
	id := outputsOf{rt.route, rt.place.position}
	r.spilled[id] = append(r.spilled[id], from)
	r.spilledTo = max(r.spilledTo, rt.place.position.Seq)
}

// outputsOf names what a route makes of an event for the endpoint.
type outputsOf struct {
	route    string
	position event.Position
}

// covers reports whether retries that stand for outputs, as expect notes them,
// stand for output n: those of −1−k for k and all behind it.
func covers(outputs []int, n int) bool {
	return slices.ContainsFunc(outputs, func(k int) bool { return k == n || k < 0 && n >= -1-k })
}

// sortRetries brings the queues into the order of the journal, whatever order
// the entries were written in, and schedules them.
func (r *runner) sortRetries() {
	order := func(q *keyQueue) {
		slices.SortStableFunc(q.entries, func(a, b *retry) int { return a.place.compare(b.place) })
		r.schedule(q)
	}
	for q := range r.queues() {
		order(q)
	}
}

// estate is what a runner leaves that ended.
type estate struct {
	r       *runner
	reason  string
	letters []delivery.DeadLetter // to be put, and
	done    []delivery.Ref        // dead letters that go with it
	stored  []delivery.Ref        // retries that become dead letters
	removes []delivery.Ref        // retries that are done with
}

// estate collects everything that r, which has ended, still holds.
func (r *runner) estate(reason string) *estate {
	e := &estate{r: r, reason: reason, removes: r.removes}
	add := func(d *delivery.Delivery) {
		if d.Redrive == nil { // a letter that is driven again never left the list
			e.letters = append(e.letters, delivery.DeadLetter{Delivery: *d, Reason: reason, DeadAt: time.Now()})
		}
	}
	for _, l := range r.crew.lanes {
		for _, en := range l.takeAll() {
			if en.retry == nil && en.from == nil {
				add(en.d)
			}
		}
	}
	for _, b := range r.burials {
		if b.letter != nil {
			e.letters = append(e.letters, *b.letter)
		}
		if b.remove != (delivery.Ref{}) {
			e.done = append(e.done, b.remove)
		}
	}
	for q := range r.queues() {
		for _, rt := range q.entries {
			switch {
			case rt.ref != (delivery.Ref{}):
				e.stored = append(e.stored, rt.ref)
				continue
			case rt.replace != (delivery.Ref{}):
				e.removes = append(e.removes, rt.replace)
			}
			add(rt.d)
		}
	}
	sortLetters(e.letters)
	slices.SortFunc(e.stored, delivery.Ref.Compare)
	return e
}

// queues yields all queues of retries.
func (r *runner) queues() iter.Seq[*keyQueue] {
	return func(yield func(*keyQueue) bool) {
		for _, q := range r.keys {
			if !yield(q) {
				return
			}
		}
		for q := range r.keyless {
			if !yield(q) {
				return
			}
		}
	}
}

// bury brings the estate among the dead letters. After an error it goes on
// where it stopped.
func (e *estate) bury(ctx context.Context) error {
	d := e.r.d
	if len(e.letters)+len(e.done) > 0 {
		if _, err := d.letters.Replace(ctx, e.done, e.letters); err != nil {
			return err
		}
		e.letters, e.done = nil, nil
	}
	if len(e.removes) > 0 {
		if _, err := d.retries.Replace(ctx, e.removes, nil); err != nil {
			return err
		}
		e.removes = nil
	}
	for len(e.stored) > 0 {
		n := min(len(e.stored), estateBatch)
		stored := make(map[delivery.Ref]delivery.DeadLetter, n)
		for _, ref := range e.stored[:n] {
			letter, err := d.retries.Get(ctx, ref)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				d.log.Error("a retry cannot be read and is set aside; its event is not delivered", "retry", ref, "err", err)
				continue
			}
			letter.Reason = e.reason
			stored[ref] = letter
		}
		if err := d.buryStored(ctx, stored); err != nil {
			return err
		}
		e.stored = e.stored[n:]
	}
	return nil
}

// estateBatch is how many retries are held in memory at once.
const estateBatch = 256

func sortLetters(letters []delivery.DeadLetter) {
	slices.SortStableFunc(letters, func(a, b delivery.DeadLetter) int {
		return placeOf(&a.Delivery).compare(placeOf(&b.Delivery))
	})
}

// buryStored moves retries to the dead letters. A redrive only ends: its
// letter never left them.
func (d *Dispatcher) buryStored(ctx context.Context, stored map[delivery.Ref]delivery.DeadLetter) error {
	if len(stored) == 0 {
		return nil
	}
	var letters []delivery.DeadLetter
	var refs []delivery.Ref
	for ref, letter := range stored {
		refs = append(refs, ref)
		if letter.Delivery.Redrive == nil {
			letter.DeadAt = time.Now()
			letters = append(letters, letter)
		}
	}
	sortLetters(letters)
	if len(letters) > 0 {
		if _, err := d.letters.Replace(ctx, nil, letters); err != nil {
			return err
		}
	}
	_, err := d.retries.Replace(ctx, refs, nil)
	return err
}
