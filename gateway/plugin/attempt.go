package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/sdk/abi"
)

// attempt is one Run of a binding. It holds an instance, and replaces it when
// it fails: an event fails only when it fails alone, on a fresh instance.
type attempt struct {
	b   *Binding
	ctx context.Context

	i      *instance // nil before the first call, and when none could be made
	handle uint32
	fresh  bool // nothing has run on i
	broken bool // i failed, and is to be replaced

	fuel    int64 // of the last call
	careful bool  // an earlier run of the events was given up, when some had failed
	probing bool
	trapped int         // events that failed alone
	last    *GuestError // of the last of them
}

// end gives the instance back.
func (a *attempt) end() {
	switch {
	case a.i == nil:
	case a.broken:
		a.b.module.pool.drop(a.i)
	default:
		a.b.module.pool.release(a.i)
	}
}

// run passes the items through in batches, after a probe if there is to be one.
func (a *attempt) run(probe bool, in, out []pipeline.Item) (_ []pipeline.Item, err error) {
	a.careful = a.b.config.breaker.remembers()
	if probe {
		if in, out, err = a.probe(in, out); err != nil {
			return nil, err
		}
	}
	for len(in) > 0 {
		n := a.b.take(in)
		if out, err = a.batch(in[:n], out); err != nil {
			return nil, err
		}
		in = in[n:]
	}
	a.b.config.breaker.forget()
	return out, nil
}

// ready makes sure that there is a sound instance, and a fresh one if asked to.
func (a *attempt) ready(fresh bool) (err error) {
	if a.i != nil && !a.broken && (a.fresh || !fresh) {
		return nil
	}
	b := a.b
	switch {
	case a.i == nil && !fresh:
		a.i, a.handle, err = b.acquire(a.ctx)
		a.fresh = false
		return err
	case a.i == nil:
		if a.i, err = b.module.pool.acquire(a.ctx, b.name); err != nil {
			a.i = nil
			return b.unable(err)
		}
	}
	i := a.i
	a.i = nil
	if i, err = b.module.pool.replace(a.ctx, i, b.name); err != nil {
		return b.unable(err)
	}
	a.i, a.handle, err = b.opened(i)
	a.fresh, a.broken = true, false
	return err
}

// call makes one call. A guest that fails it is a GuestError, with the number
// of the event that it was at, or −1 when that is not known; err is anything else.
func (a *attempt) call(in, out []pipeline.Item, fresh bool) (next []pipeline.Item, at int, g *GuestError, err error) {
	if err := a.ready(fresh); err != nil {
		return nil, 0, nil, err
	}
	var started time.Time
	if a.b.module.runtime.options.Measure != nil {
		started = time.Now()
	}
	next, err = a.i.run(a.b.config, a.handle, in, out)
	a.fresh, a.fuel = false, a.i.used
	if a.b.module.runtime.options.Measure != nil {
		a.measure(len(in), started, err != nil)
	}
	if err == nil {
		a.b.config.breaker.passed(len(in))
		return next, 0, nil, nil
	}
	a.broken = true
	var fault *GuestError // not g, which would then be made anew for every call
	if !errors.As(err, &fault) {
		return nil, 0, nil, err
	}
	at = a.i.begun() - 1
	if a.i.answered {
		at = -1
	}
	return nil, at, fault, nil
}

func (a *attempt) measure(events int, started time.Time, failed bool) {
	u := Use{Plugin: a.b.name, Digest: a.b.module.info.Digest, Kind: a.b.config.kind,
		Events: events, Fuel: a.fuel, Elapsed: time.Since(started), Failed: failed}
	if failed {
		u.MostFuel = u.Fuel
	} else {
		u.MostFuel = slices.Max(a.i.spent)
	}
	a.b.module.runtime.options.Measure(u)
}

// batch runs events together, and those that stand in the way alone.
func (a *attempt) batch(in, out []pipeline.Item) ([]pipeline.Item, error) {
	if len(in) == 0 {
		return out, nil
	}
	if a.careful {
		return a.oneByOne(in, out)
	}
	next, at, g, err := a.call(in, out, false)
	if err != nil || g == nil {
		return next, err
	}
	before := a.trapped
	if at < 0 {
		next, err = a.oneByOne(in, out)
	} else {
		next, err = a.around(at, in, out)
	}
	if err == nil && a.trapped == before {
		a.stateDependent(in, at, g)
	}
	return next, err
}

// around runs the event at which a batch failed alone, and the others together.
func (a *attempt) around(at int, in, out []pipeline.Item) ([]pipeline.Item, error) {
	own, err := a.alone(in[at:at+1], nil)
	if err != nil {
		return nil, err
	}
	if out, err = a.batch(in[:at], out); err != nil {
		return nil, err
	}
	return a.batch(in[at+1:], append(out, own...))
}

// oneByOne runs each event alone, when nobody knows which one is to blame.
func (a *attempt) oneByOne(in, out []pipeline.Item) (_ []pipeline.Item, err error) {
	for k := range in {
		if out, err = a.alone(in[k:k+1], out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// alone runs one event, if need be twice: an event that fails on a fresh
// instance is to blame.
func (a *attempt) alone(in, out []pipeline.Item) ([]pipeline.Item, error) {
	breaker := &a.b.config.breaker
	if g := breaker.recall(&in[0]); g != nil {
		a.trapped++
		return failed(in[0], g, out), nil
	}
	if open := breaker.state(); open != nil && !a.probing {
		return a.b.wait(open, in, out)
	}
	for fresh := a.broken || a.fresh; ; fresh = true {
		next, _, g, err := a.call(in, out, fresh)
		if err != nil || g == nil {
			return next, err
		}
		if fresh {
			a.blame(&in[0], g)
			return failed(in[0], g, out), nil
		}
	}
}

func failed(item pipeline.Item, g *GuestError, out []pipeline.Item) []pipeline.Item {
	item.Err = g
	item.Fuel += g.Fuel
	return append(out, item)
}

// blame reports an event that failed alone on a fresh instance.
func (a *attempt) blame(item *pipeline.Item, g *GuestError) {
	g.Position = item.Position
	a.trapped++
	a.last = g
	b := a.b
	b.module.notify(Notice{What: EventTrapped, Plugin: b.name, Position: item.Position, Err: g, Bundle: b.bundle(a.i, item, g)})
	if !b.module.breaker.DeadLetter {
		b.config.breaker.remember(item, g)
	}
	if b.config.breaker.trapped(b.module.breaker, g) {
		b.module.notify(Notice{What: BreakerOpened, Plugin: b.name, Err: g, Until: b.Open().Until})
	}
}

// stateDependent reports that a batch failed of which each event passed.
func (a *attempt) stateDependent(in []pipeline.Item, at int, cause *GuestError) {
	n := Notice{What: StateDependent, Plugin: a.b.name, Err: cause}
	if at >= 0 {
		n.Position = in[at].Position
	}
	a.b.module.notify(n)
	a.i.log(abi.Warn, fmt.Sprintf("a batch of %d events failed (%v), and each of them passed alone: the plugin depends on what it saw before", len(in), cause))
}

// probe runs a few events alone, when the breaker was open for its pause. If
// most of them pass the breaker is closed and the others follow; if not, they
// wait again. What is known of events does not get lost, so that a batch comes
// to its end however many of them trap.
func (a *attempt) probe(in, out []pipeline.Item) (rest, next []pipeline.Item, err error) {
	a.probing = true
	breaker, policy := &a.b.config.breaker, a.b.module.breaker
	events, traps, k := 0, 0, 0
	for ; k < len(in) && events < probeEvents; k++ {
		known, last := breaker.recall(&in[k]) != nil, a.last
		if out, err = a.alone(in[k:k+1], out); err != nil {
			breaker.probed(policy, 0, 0, nil)
			return nil, nil, err
		}
		if !known {
			events++
			if a.last != last {
				traps++
			}
		}
	}
	a.probing = false
	closed := breaker.probed(policy, events, traps, a.last)
	if closed {
		a.b.module.notify(Notice{What: BreakerClosed, Plugin: a.b.name})
	}
	if in = in[k:]; closed || len(in) == 0 {
		return in, out, nil
	}
	out, err = a.b.wait(a.b.Open(), in, out)
	return nil, out, err
}
