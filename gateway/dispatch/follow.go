package dispatch

import (
	"context"
	"time"
)

// near is how many chunks behind the live reader a follower begins to take
// part in it; maxAhead is how many of its chunks are kept meanwhile.
const (
	near     = 32
	maxAhead = 128
)

// follow reads the journal for an endpoint while it is detached, until it has
// come up to the live reader.
func (r *runner) follow() {
	for r.ctx.Err() == nil {
		if !r.awaitDetached() {
			return
		}
		if err := r.catchUp(); err != nil && r.ctx.Err() == nil {
			r.d.log.Error("endpoint not brought up to date; trying again", "endpoint", r.name, "err", err)
			pause(r.ctx, time.Second)
		}
	}
}

// awaitDetached waits until the runner is detached; false means that it ended.
func (r *runner) awaitDetached() bool {
	for {
		r.mu.Lock()
		attached, draining := r.attached, r.draining
		r.mu.Unlock()
		if !attached && !draining {
			return true
		}
		select {
		case <-r.ctx.Done():
			return false
		case <-r.attach:
		}
	}
}

// awaitRoom waits until the runner can take another chunk; false means that it
// ended or was attached meanwhile.
func (r *runner) awaitRoom() bool {
	for {
		r.mu.Lock()
		room, gone := r.hasRoom(), r.attached || r.draining
		r.mu.Unlock()
		if gone || room {
			return !gone
		}
		select {
		case <-r.ctx.Done():
			return false
		case <-r.room:
		}
	}
}

// catchUp takes chunks from the journal until the live reader takes over.
func (r *runner) catchUp() error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	if !r.awaitRoom() {
		return nil
	}
	r.mu.Lock()
	next := r.track.next
	r.mu.Unlock()
	if r.join(next) {
		return nil
	}
	only := func(name string) bool { return name == r.name }
	for chunk, err := range r.d.journal.Read(ctx, next) {
		if err != nil {
			r.d.log.Error("accepted events cannot be read, and do not reach the endpoint", "endpoint", r.name, "err", err)
			continue
		}
		if r.join(chunk.Seq) || !r.awaitRoom() {
			return nil
		}
		ev, ok := r.d.evaluate(ctx, &chunk, only)[r.name]
		if !ok {
			// The plan in force does not know this endpoint: it is on its way
			// in, or out.
			pause(ctx, 10*time.Millisecond)
			return ctx.Err()
		}
		r.mu.Lock()
		if r.stuck = ev.err; ev.err != nil {
			r.mu.Unlock()
			return ev.err
		}
		if r.attached || r.draining {
			r.mu.Unlock()
			return nil
		}
		r.accept(ev)
		r.mu.Unlock()
	}
	return ctx.Err()
}

// join is called before the follower takes chunk seq. It lets the live reader
// know when it is near, and reports true when the live reader has that chunk,
// or will: the runner is then attached, or will be when the chunk comes.
func (r *runner) join(seq uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attached || r.draining {
		return true
	}
	if !r.wants {
		if seq+near < r.d.read.Load() {
			return false
		}
		// From here on chunks are evaluated for this endpoint too; those that
		// the live reader holds already may not be.
		r.wants = true
		r.wantsFrom = r.d.read.Load()
	}
	if seq <= r.wantsFrom {
		return false
	}
	// Chunk seq is the live reader's. What it brought already is taken now.
	for len(r.ahead) > 0 {
		if !r.hasRoom() {
			r.detach()
			return true
		}
		ev := r.ahead[0]
		r.ahead = r.ahead[1:]
		if ev.seq >= r.track.next {
			r.accept(ev)
			r.attached = true
		}
	}
	r.ahead = nil
	r.attached = true
	return true
}
