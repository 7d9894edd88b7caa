package dispatch

import (
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// runLoader reads the bodies of retries that are due. It does so beside the
// keeper: a key with many waits for each of them in turn, and is not to wait
// for the disk to write as well.
func (r *runner) runLoader() {
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.load:
		}
		for {
			r.mu.Lock()
			loads := r.loads
			r.loads = nil
			r.mu.Unlock()
			if len(loads) == 0 {
				break
			}
			r.toLanes(loads)
		}
	}
}

// toLanes reads retries, in the order of the disk, and hands them on.
func (r *runner) toLanes(loads []*retry) {
	slices.SortFunc(loads, func(a, b *retry) int { return a.ref.Compare(b.ref) })
	for _, rt := range loads {
		letter, err := r.d.retries.Get(r.ctx, rt.ref)
		if err == nil && letter.Delivery.Unrendered && rt.giveUp == "" {
			r.goThrough(rt, &letter.Delivery)
			continue
		}
		r.mu.Lock()
		switch {
		case err != nil && r.ctx.Err() != nil:
			r.reschedule(rt, 0)
		case err != nil:
			r.unreadable(rt, err)
		case rt.giveUp != "":
			r.bury(entry{d: &letter.Delivery, retry: rt}, rt.giveUp)
		default:
			rt.d = &letter.Delivery
			l := r.crew.lane(rt.d.Key)
			l.push(entry{d: rt.d, retry: rt})
			tell(l.wake)
		}
		r.mu.Unlock()
	}
}

// maxUnread is how often a retry is read before it is set aside.
const maxUnread = 5

// unreadable gives a retry that cannot be read another chance, or sets it
// aside: its key goes on without it. It stays on disk, for a repair.
func (r *runner) unreadable(rt *retry, err error) {
	if rt.unread++; rt.unread < maxUnread {
		r.reschedule(rt, time.Second)
		return
	}
	r.d.log.Error("a retry cannot be read and is set aside; its event is not delivered",
		"endpoint", r.name, "position", rt.place.position, "retry", rt.ref, "err", err)
	rt.ref = delivery.Ref{}
	r.finish(rt)
}
