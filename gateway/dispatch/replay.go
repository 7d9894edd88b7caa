package dispatch

import (
	"context"
	"fmt"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Replay takes endpoint back to the event at from: it is delivered everything
// from there on once more, under the plan in force, in the order of each key.
// What it owed before that event it owes still; what is among its retries is
// not delivered twice. A position ahead of the endpoint changes nothing.
//
// When Replay returns nil, that is on disk: a restart goes on with it.
func (d *Dispatcher) Replay(ctx context.Context, endpoint string, from event.Position) error {
	r := d.runner(endpoint)
	if r == nil || !r.replay(from) {
		return fmt.Errorf("dispatch: endpoint %s does not exist, or is being closed", endpoint)
	}
	if err := d.save(ctx); err != nil {
		return fmt.Errorf("dispatch: %s is being replayed from %s, but a restart would forget it: save positions: %w", endpoint, from, err)
	}
	return nil
}

// replay begins a new epoch at from; false means that the runner is ending.
//
// Deliveries of the epoch before that wait in memory are dropped, since the
// follower comes upon them again. Those under way end as they may, and count
// for nothing; see outdated.
func (r *runner) replay(from event.Position) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining {
		return false
	}
	r.epoch++
	r.track = newTracker(rewound(r.track.mark(r.name), from))
	r.dirty = true
	for _, l := range r.crew.lanes {
		for _, en := range l.takeAll() {
			if r.outdated(en) {
				r.dequeued(en)
			} else {
				l.push(en)
			}
		}
	}
	clear(r.spilled)
	r.spilledTo = 0
	for q := range r.queues() {
		for _, rt := range q.entries {
			rt.first = false
			// One whose only copy is in memory may yet be lost, and one that is
			// under way was perhaps taken before: they come again.
			onDisk := rt.ref != delivery.Ref{} || rt.replace != delivery.Ref{}
			if onDisk && !rt.redrive && !rt.inLane {
				r.expect(rt)
			}
		}
	}
	r.leave()
	r.detach()
	tell(r.room)
	return true
}

// outdated reports whether en is a first attempt of an epoch that is over. It
// comes again, so nothing is to be made of it.
func (r *runner) outdated(en entry) bool {
	return en.fresh() && en.epoch != r.epoch
}

// rewound returns m as if nothing from p on were settled.
func rewound(m delivery.Mark, p event.Position) delivery.Mark {
	before := make([]byte, (p.Index+7)/8)
	for i := range p.Index {
		before[i/8] |= 1 << (i % 8)
	}
	if p.Seq < m.Low {
		m.Low, m.Settled = p.Seq, [][]byte{before}
		return m
	}
	at := p.Seq - m.Low
	if at >= uint64(len(m.Settled)) {
		return m
	}
	had := m.Settled[at]
	for i := range before {
		if i < len(had) {
			before[i] &= had[i]
		} else {
			before[i] = 0
		}
	}
	m.Settled = append(m.Settled[:at:at], before)
	return m
}
