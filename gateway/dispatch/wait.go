package dispatch

import (
	"errors"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// waiting is the error of a route that asks for time: a plugin of it is left
// alone for a while. Its events wait among the retries, as they were accepted,
// and go through the route later; the other routes of the endpoint go on. Within
// the route the order of a twin is kept.
type waiting interface {
	error
	RetryAfter() time.Duration
}

// waits reports whether out is an event that is to go through its route later.
func (out *rendered) waits() bool { return out.d.Unrendered && retryAfter(out.err) >= 0 }

// retryAfter is how long the route is to be left alone that ended with err; less
// than 0 when it is not.
func retryAfter(err error) time.Duration {
	var w waiting
	if errors.As(err, &w) {
		return max(w.RetryAfter(), 0)
	}
	return -1
}

// rest is how long d waits for its route, which ended with err: no longer than
// until it is too old.
func (r *runner) rest(d *delivery.Delivery, err error) time.Duration {
	return min(retryAfter(err), max(r.policy.MaxAge-time.Since(d.Since()), 0))
}

// queueOf is the key under which d waits among the retries: its own, and for
// one that waits for its route one that only the twin's others of that route
// have.
func queueOf(d *delivery.Delivery) string {
	if d.Unrendered {
		return waitKey(d.Route, d.Event.TwinKey())
	}
	return d.Key
}

func waitKey(route, twin string) string { return "\x00" + route + "\x00" + twin }

// splitWaitKey takes apart what waitKey made.
func splitWaitKey(key string) (route, twin string) {
	route, twin, _ = strings.Cut(strings.TrimPrefix(key, "\x00"), "\x00")
	return route, twin
}

// behindWaiting makes deliveries whose route and twin has events that wait into
// such events, to stay behind them.
func (r *runner) behindWaiting(out []rendered) []rendered {
	kept := out[:0]
	for i := range out {
		d := &out[i].d
		source := accepted(d)
		if r.keys[waitKey(d.Route, source.TwinKey())] == nil {
			kept = append(kept, out[i])
			continue
		}
		if n := len(kept); n > 0 && errors.Is(kept[n-1].err, errBehind) && kept[n-1].d.Route == d.Route && kept[n-1].d.Position == d.Position {
			continue // another output of the same event
		}
		kept = append(kept, rendered{err: errBehind, d: delivery.Delivery{
			Event: source, Unrendered: true, Endpoint: d.Endpoint, Route: d.Route,
			Position: d.Position, Output: d.Output, Accepted: d.Accepted, Key: d.Key,
		}})
	}
	clear(out[len(kept):])
	return kept
}

// errBehind is why an event waits that others of its twin wait before.
var errBehind error = behind{}

type behind struct{}

func (behind) Error() string             { return "earlier events of the twin wait for the route" }
func (behind) RetryAfter() time.Duration { return 0 }

// goThrough takes an event that waited through its route, as that is now. What
// comes of it goes into the lanes of its own keys, behind what is there.
func (r *runner) goThrough(rt *retry, d *delivery.Delivery) {
	r.mu.Lock()
	if d.Position.Seq >= r.track.next && r.hasRoom() || rt.overtook() {
		// After a start, the journal may yet bring an earlier one of the twin, or
		// brought it while this one was being loaded. Where the retries are full
		// it brings nothing more until some of them have gone.
		r.reschedule(rt, 20*time.Millisecond)
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	outputs, err := r.d.renderAgain(r.ctx, r, d)
	var given []delivery.Try
	r.mu.Lock()
	switch {
	case r.ctx.Err() != nil:
		r.reschedule(rt, 0)
	case errors.Is(err, errNothing):
		r.finish(rt)
	case err != nil: // errStuck or errClosing
		r.reschedule(rt, time.Second)
	default:
		given = r.gone(rt, d, outputs)
	}
	r.mu.Unlock()
	r.record(given)
}

// gone sends the outputs of an event that waited as rt on their way, unless it
// is to wait on. It returns what is to be recorded.
func (r *runner) gone(rt *retry, d *delivery.Delivery, outputs []rendered) (given []delivery.Try) {
	if outputs[0].waits() {
		if !r.policy.Expired(d, time.Now()) {
			r.reschedule(rt, r.rest(d, outputs[0].err))
			return nil
		}
		outputs = outputs[:1]
	}
	p := &passage{rt: rt, left: len(outputs)}
	for i := range outputs {
		next, err := &outputs[i].d, outputs[i].err
		if err == nil {
			r.enqueue(entry{d: next, from: p})
			continue
		}
		given = append(given, delivery.Try{Delivery: next, At: time.Now(), Outcome: delivery.Permanent(err), Dead: true})
		r.bury(entry{d: next, from: p}, err.Error())
	}
	return given
}

// passage is an event that waited, whose outputs are on their way. What waits
// stays on disk, and its twin's next behind it, until none of them is left.
type passage struct {
	rt   *retry
	left int
}

// passed notes that an output needs the event that waited no more: it was
// delivered, or has a place of its own on disk, or will before rt is removed.
func (r *runner) passed(p *passage) {
	if p == nil {
		return
	}
	if p.left--; p.left == 0 {
		r.finish(p.rt)
	}
}
