package dispatch

import (
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// burial is a delivery on its way to the dead letters.
type burial struct {
	letter *delivery.DeadLetter // nil when an old letter is only to be removed
	// remove is the letter that this one replaces, or that is done with.
	remove delivery.Ref
	// settle says that the tracker is to be told when the letter is on disk, if
	// epoch is the runner's still.
	settle bool
	epoch  int
}

// bury gives en up for reason.
func (r *runner) bury(en entry, reason string) {
	d := *en.d
	b := burial{settle: en.fresh(), epoch: r.epoch}
	if d.Redrive != nil {
		r.redriving[d.Redrive.Letter].failed = true
		b.remove = r.letterDone(d.Redrive.Letter)
		d.Attempts, d.Redrive = d.AllAttempts(), nil
	}
	b.letter = &delivery.DeadLetter{Delivery: d, Reason: reason, DeadAt: time.Now()}
	r.burials = append(r.burials, b)
	r.burialBytes += sizeOf(&d)
	if en.retry != nil {
		r.finish(en.retry)
	}
	r.passed(en.from)
	tell(r.keep)
}

// hasWork reports whether the keeper has anything to do.
func (r *runner) hasWork() bool {
	return len(r.burials)+len(r.puts)+len(r.removes) > 0
}

// work is one round of the keeper.
type work struct {
	burials []burial
	puts    []*retry
	removes []delivery.Ref
}

// runKeeper brings retries and dead letters to disk. A change that
// fails is tried until it succeeds: until then it is owed, and a restart finds
// the event in the journal.
func (r *runner) runKeeper() {
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.keep:
		}
		for {
			r.mu.Lock()
			r.keeping = r.hasWork()
			more := r.keeping
			w := work{r.burials, r.puts, r.removes}
			r.burials, r.puts, r.removes = nil, nil, nil
			r.mu.Unlock()
			if !more {
				break
			}
			if err := r.do(&w); err != nil {
				r.giveBack(w)
				if r.ctx.Err() != nil {
					return
				}
				r.d.log.Error("retries and dead letters not saved; trying again", "endpoint", r.name, "err", err)
				select {
				case <-r.ctx.Done():
					return
				case <-time.After(time.Second):
				}
			}
		}
		tell(r.drained)
	}
}

// do works off w and empties what is done. The order matters: a retry is
// removed only when the letter that it became is on disk.
func (r *runner) do(w *work) error {
	if err := r.doBurials(w); err != nil {
		return err
	}
	if err := r.doPuts(w); err != nil {
		return err
	}
	if len(w.removes) > 0 {
		if _, err := r.d.retries.Replace(r.ctx, w.removes, nil); err != nil {
			return err
		}
		w.removes = nil
	}
	return nil
}

func (r *runner) doBurials(w *work) error {
	if len(w.burials) == 0 {
		return nil
	}
	var letters []delivery.DeadLetter
	var done []delivery.Ref
	for _, b := range w.burials {
		if b.letter != nil {
			letters = append(letters, *b.letter)
		}
		if b.remove != (delivery.Ref{}) {
			done = append(done, b.remove)
		}
	}
	if _, err := r.d.letters.Replace(r.ctx, done, letters); err != nil {
		return err
	}
	r.mu.Lock()
	for _, b := range w.burials {
		if b.settle && b.epoch == r.epoch {
			r.track.settle(b.letter.Delivery.Position)
		}
		if rd := r.redriving[b.remove]; rd != nil {
			rd.done(b.remove, !rd.failed)
			delete(r.redriving, b.remove)
		}
		if b.letter != nil {
			r.burialBytes -= sizeOf(&b.letter.Delivery)
		}
	}
	r.dirty = true
	r.madeRoom()
	r.mu.Unlock()
	w.burials = nil
	return nil
}

func (r *runner) doPuts(w *work) error {
	if len(w.puts) == 0 {
		return nil
	}
	copies := make([]delivery.DeadLetter, len(w.puts))
	var older []delivery.Ref
	for i, rt := range w.puts {
		copies[i].Delivery = *rt.d
		if rt.replace != (delivery.Ref{}) {
			older = append(older, rt.replace)
		}
	}
	refs, err := r.d.retries.Replace(r.ctx, older, copies)
	if err != nil {
		return err
	}
	r.mu.Lock()
	for i, rt := range w.puts {
		rt.ref, rt.replace, rt.d = refs[i], delivery.Ref{}, nil
		if rt.first {
			rt.first = false
			r.track.settle(copies[i].Delivery.Position)
		}
		r.schedule(rt.queue)
	}
	r.dirty = true
	r.madeRoom()
	r.mu.Unlock()
	w.puts = nil
	return nil
}

// giveBack puts what was not done in front of what came since.
func (r *runner) giveBack(w work) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.burials = append(w.burials, r.burials...)
	r.puts = append(w.puts, r.puts...)
	r.removes = append(w.removes, r.removes...)
	r.keeping = false
	tell(r.keep)
}
