package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// loadRetries gives each runner the retries that were on disk when the process
// ended. Those of an endpoint that is gone become dead letters.
func (d *Dispatcher) loadRetries(ctx context.Context) error {
	orphans := map[delivery.Ref]delivery.DeadLetter{}
	for kept, err := range d.retries.All(ctx) {
		if err != nil {
			return err
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
	rt := &retry{
		size: d.Event.Size(), age: d.Since(), place: placeOf(d), tried: d.Attempts > 0,
		ref: ref, due: time.Now(),
	}
	r.addRetry(rt, d.Key)
	if d.Redrive != nil {
		rd := r.redriving[d.Redrive.Letter]
		if rd == nil {
			rd = &redriving{keep: whole}
			r.redriving[d.Redrive.Letter] = rd
		}
		rd.left++
	} else if d.Position.Seq >= r.track.next {
		r.spilled[idOf(d)] = true
	}
}

// outputID names a delivery of the endpoint.
type outputID struct {
	route string
	place place
}

func idOf(d *delivery.Delivery) outputID { return outputID{d.Route, placeOf(d)} }

// sortRetries brings the queues into the order of the journal, whatever order
// the entries were written in, and schedules them.
func (r *runner) sortRetries() {
	order := func(q *keyQueue) {
		slices.SortStableFunc(q.entries, func(a, b *retry) int { return a.place.compare(b.place) })
		r.schedule(q)
	}
	for _, q := range r.keys {
		order(q)
	}
	for q := range r.keyless {
		order(q)
	}
}

// buryAll makes dead letters of everything that a stopped runner still holds.
func (r *runner) buryAll(ctx context.Context, reason string) error {
	now := time.Now()
	var letters []delivery.DeadLetter
	stored := map[delivery.Ref]delivery.DeadLetter{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.crew.lanes {
		for _, en := range l.takeAll() {
			if en.retry == nil && en.d.Redrive == nil {
				letters = append(letters, delivery.DeadLetter{Delivery: *en.d, Reason: reason, DeadAt: now})
			}
		}
	}
	for _, b := range r.burials {
		if b.letter != nil {
			letters = append(letters, *b.letter)
		}
	}
	queues := make([]*keyQueue, 0, len(r.keys)+len(r.keyless))
	for _, q := range r.keys {
		queues = append(queues, q)
	}
	for q := range r.keyless {
		queues = append(queues, q)
	}
	for _, q := range queues {
		for _, rt := range q.entries {
			ref := cmp.Or(rt.ref, rt.replace)
			if ref == (delivery.Ref{}) {
				if rt.d.Redrive != nil {
					continue
				}
				letters = append(letters, delivery.DeadLetter{Delivery: *rt.d, Reason: reason, DeadAt: now})
				continue
			}
			letter, err := r.d.retries.Get(ctx, ref)
			if err != nil {
				return err
			}
			letter.Reason = reason
			stored[ref] = letter
		}
	}
	slices.SortStableFunc(letters, func(a, b delivery.DeadLetter) int {
		return placeOf(&a.Delivery).compare(placeOf(&b.Delivery))
	})
	if len(letters) > 0 {
		if _, err := r.d.letters.Replace(ctx, nil, letters); err != nil {
			return err
		}
	}
	if err := r.d.buryStored(ctx, stored); err != nil {
		return err
	}
	if len(r.removes) > 0 {
		_, err := r.d.retries.Replace(ctx, r.removes, nil)
		return err
	}
	return nil
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
	slices.SortFunc(letters, func(a, b delivery.DeadLetter) int {
		return placeOf(&a.Delivery).compare(placeOf(&b.Delivery))
	})
	if len(letters) > 0 {
		if _, err := d.letters.Replace(ctx, nil, letters); err != nil {
			return err
		}
	}
	_, err := d.retries.Replace(ctx, refs, nil)
	return err
}
