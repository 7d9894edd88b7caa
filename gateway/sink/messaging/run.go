package messaging

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/headgate/headgate/gateway/delivery"
)

// chain is deliveries that leave one after the other, and where their outcomes
// go: all of one key, or, of those without a key, all of one place.
type chain struct {
	ds       []*delivery.Delivery
	outcomes []*delivery.Outcome
}

func (c *chain) add(d *delivery.Delivery, out *delivery.Outcome) {
	c.ds = append(c.ds, d)
	c.outcomes = append(c.outcomes, out)
}

func (c chain) cut(n int) (front, back chain) {
	return chain{c.ds[:n], c.outcomes[:n]}, chain{c.ds[n:], c.outcomes[n:]}
}

func (c chain) fill(out delivery.Outcome) {
	for _, to := range c.outcomes {
		*to = out
	}
}

// chains sorts a batch into chains, in the order in which they begin.
func chains(batch []delivery.Delivery, outcomes []delivery.Outcome, place func(*delivery.Delivery) string) []chain {
	type name struct {
		keyed bool
		text  string
	}
	var all []chain
	index := map[name]int{}
	for i := range batch {
		d := &batch[i]
		n := name{true, d.Key}
		if d.Key == "" {
			n = name{false, place(d)}
		}
		at, ok := index[n]
		if !ok {
			at = len(all)
			index[n] = at
			all = append(all, chain{})
		}
		all[at].add(d, &outcomes[i])
	}
	return all
}

// run is one Send under way, on one link.
type run[C Client] struct {
	*Sender[C]
	client C
	failed atomic.Pointer[delivery.Outcome] // the first that is not settled
	lost   atomic.Bool
}

// all sends chains side by side, as many at a time as inFlight allows.
func (r *run[C]) all(ctx context.Context, chains []chain) {
	if len(chains) == 1 {
		r.send(ctx, chains[0])
		return
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(chains), inFlight) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(chains)); i = next.Add(1) - 1 {
				r.send(ctx, chains[i])
			}
		})
	}
	workers.Wait()
}

// send sends a chain until a transfer of it is not settled, and reports whether
// all of it is. A service that calls a transfer malformed or too large has
// taken nothing of it and does not say which event is to blame, so the halves
// are sent on their own until the blame lies with single events: the others are
// not dead-lettered for it.
func (r *run[C]) send(ctx context.Context, c chain) bool {
	for len(c.ds) > 0 {
		if out := r.failed.Load(); out != nil {
			c.fill(*out)
			return false
		}
		n, out := r.transfer(ctx, c.ds)
		var front chain
		front, c = c.cut(n)
		if out.Blame == delivery.Event && n > 1 {
			first, second := front.cut(n / 2)
			if !r.send(ctx, first) {
				r.hold(second)
				r.hold(c)
				return false
			}
			if !r.send(ctx, second) {
				r.hold(c)
				return false
			}
			continue
		}
		front.fill(out)
		if !out.Settled() {
			r.failed.CompareAndSwap(nil, &out)
			r.hold(c)
			return false
		}
	}
	return true
}

// hold keeps back what follows a failure in its chain. Without a key there is
// no order to keep, and it shares the outcome.
func (r *run[C]) hold(c chain) {
	if len(c.ds) == 0 {
		return
	}
	if c.ds[0].Key == "" {
		c.fill(*r.failed.Load())
		return
	}
	c.fill(delivery.NotTried())
}

// transfer sends one transfer of deliveries from the front of ds, and returns
// how many they were and their outcome.
func (r *run[C]) transfer(ctx context.Context, ds []*delivery.Delivery) (int, delivery.Outcome) {
	if out, ended := r.ended(ctx); ended {
		return 1, out
	}
	n := 1
	t, err := r.service.Pack(ctx, r.client, ds)
	if err == nil {
		n, err = t.N, t.Send(ctx)
	}
	if err == nil {
		return n, delivery.Delivered()
	}
	v := r.service.judge(ctx, &r.target, err, false)
	if v.Blame == delivery.Event {
		// An SDK that mends a link within a call may have been refused it, and
		// that is not the event's fault.
		if err := r.service.Ready(ctx, r.client); err != nil {
			v = r.service.judge(ctx, &r.target, err, true)
		}
	}
	if v.lost {
		r.lost.Store(true)
	}
	return n, v.Outcome
}
