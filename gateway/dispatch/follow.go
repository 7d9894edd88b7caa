package dispatch

import (
	"context"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// near is how many chunks behind the live reader a follower begins to take
// part in it; maxAhead is how many of its chunks are kept meanwhile.
const (
	near     = 32
	maxAhead = 128
)

// patience is how many chunks in a row are to be fast before an endpoint with
// slow routes joins the live reader again.
const patience = 16

// offer hands r a chunk that the live reader took.
func (r *runner) offer(ev evaluated) {
	r.mu.Lock()
	if !ev.skipped && ev.err == nil {
		r.evaluated += uint64(ev.events)
	}
	var given []delivery.Try
	switch {
	case ev.seq < r.track.next:
		// The follower has been here.
	case r.attached:
		if ev.skipped || ev.err != nil || r.draining || !r.hasRoom() {
			r.detach()
			break
		}
		given = r.accept(ev)
		if ev.slow {
			// All other endpoints wait for the routes of this one.
			r.slow = patience
			r.detach()
		}
	case r.wants && ev.seq > r.wantsFrom:
		if ev.skipped || ev.err != nil || len(r.ahead) >= maxAhead || r.aheadBytes > maxQueuedBytes {
			r.detach()
			break
		}
		r.ahead = append(r.ahead, ev)
		r.aheadBytes += ev.bytes
	}
	r.mu.Unlock()
	r.record(given)
}

// detach leaves the live reader; the follower takes over from track.next.
func (r *runner) detach() {
	r.attached, r.wants = false, false
	r.live.Store(false)
	r.ahead, r.aheadBytes = nil, 0
	tell(r.attach)
}

// join is called before the follower takes chunk seq. It lets the live reader
// know when it is near, and reports true when the live reader has that chunk,
// or will: the runner is then attached. It is true as well when ctx, the
// follower's, ended.
func (r *runner) join(ctx context.Context, seq uint64) bool {
	r.mu.Lock()
	if r.attached || r.draining || ctx.Err() != nil {
		r.mu.Unlock()
		return true
	}
	if !r.wants {
		if r.slow > 0 || seq+near < r.d.read.Load() {
			r.mu.Unlock()
			return false
		}
		// From here on chunks are evaluated for this endpoint too; of those
		// that the live reader has by now, that is not known.
		r.wants = true
		r.live.Store(true)
		r.wantsFrom = r.d.read.Load()
	}
	if seq <= r.wantsFrom {
		r.mu.Unlock()
		return false
	}
	// Chunk seq is the live reader's. What it brought already is taken now.
	var given []delivery.Try
	r.attached = true
	for _, ev := range r.ahead {
		if !r.hasRoom() {
			r.detach()
			break
		}
		given = append(given, r.accept(ev)...)
	}
	r.ahead, r.aheadBytes = nil, 0
	r.mu.Unlock()
	r.record(given)
	return true
}

// follow reads the journal for an endpoint while it is detached, until it has
// come up to the live reader.
func (r *runner) follow() {
	for r.ctx.Err() == nil {
		if !r.awaitDetached() {
			return
		}
		ctx, leave := context.WithCancel(r.ctx)
		r.mu.Lock()
		r.leave = leave
		r.mu.Unlock()
		err := r.catchUp(ctx)
		left := ctx.Err() != nil
		leave()
		if left {
			continue
		}
		r.mu.Lock()
		news := err != nil && r.stuck == nil
		r.stuck = err
		r.mu.Unlock()
		if news {
			r.d.log.Error("endpoint not brought up to date; trying again and again", "endpoint", r.name, "err", err)
		}
		if err != nil {
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

// awaitRoom waits until the runner can take another chunk; false means that it,
// or ctx, ended.
func (r *runner) awaitRoom(ctx context.Context) bool {
	for {
		r.mu.Lock()
		room, draining := r.hasRoom(), r.draining
		r.mu.Unlock()
		if draining || room {
			return !draining
		}
		select {
		case <-ctx.Done():
			return false
		case <-r.room:
		}
	}
}

// catchUp takes chunks from the journal until the live reader takes over, or
// ctx ends: the endpoint then begins elsewhere.
func (r *runner) catchUp(ctx context.Context) error {
	if !r.awaitRoom(ctx) {
		return nil
	}
	r.mu.Lock()
	next := r.track.next
	r.mu.Unlock()
	if r.join(ctx, next) {
		return nil
	}
	for chunk, err := range r.d.journal.Read(ctx, next) {
		if err != nil {
			r.d.log.Error("accepted events cannot be read, and do not reach the endpoint", "endpoint", r.name, "err", err)
			continue
		}
		if r.join(ctx, chunk.Seq) || !r.awaitRoom(ctx) {
			return nil
		}
		if err := r.take(ctx, &chunk); err != nil {
			return err
		}
		if r.join(ctx, chunk.Seq+1) {
			return nil
		}
	}
	return ctx.Err()
}

// take evaluates chunk and accepts it.
func (r *runner) take(ctx context.Context, chunk *event.Chunk) error {
	r.mu.Lock()
	slow := r.slow > 0
	r.mu.Unlock()
	if slow {
		// Of those that hold up a processor, one at a time does.
		select {
		case r.d.slowly <- struct{}{}:
			defer func() { <-r.d.slowly }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var ev evaluated
	for known := false; !known; {
		var err error
		if ev, known, err = r.d.evaluateFor(ctx, chunk, r, false); err != nil {
			return err
		}
		if !known {
			pause(ctx, 10*time.Millisecond)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	r.mu.Lock()
	r.evaluated += uint64(ev.events)
	if r.draining || ctx.Err() != nil {
		r.mu.Unlock()
		return nil
	}
	r.stuck = nil
	switch {
	case ev.slow:
		r.slow = patience
	case r.slow > 0:
		r.slow--
	}
	given := r.accept(ev)
	r.mu.Unlock()
	r.record(given)
	return nil
}
