package journal

import (
	"context"
	"fmt"
	"sort"
	"time"
)

// retainInterval is how often the journal looks for what may go, unless it is
// pressed for space.
const retainInterval = 5 * time.Second

// purgeRoom is the free space that a purge needs.
const purgeRoom = 1 << 20

// floor is what retention goes by; the journal's mutex guards it.
type floor struct {
	seq    uint64        // all marks have passed what is below; 0 while unknown
	judged uint64        // tail.bytes when it was last looked at
	wake   chan struct{} // asks for a look now
}

// passed notes that every mark has passed the chunks below seq.
func (j *Journal) passed(seq uint64) {
	j.mu.Lock()
	j.floor.seq = seq
	pressed := j.refused != nil
	j.mu.Unlock()
	if pressed {
		j.hurry()
	}
}

// hurry asks for a look at what may be purged.
func (j *Journal) hurry() {
	select {
	case j.floor.wake <- struct{}{}:
	default:
	}
}

// retain purges and cleans, now and then, until ctx ends.
func (j *Journal) retain(ctx context.Context) {
	ticker := time.NewTicker(retainInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-j.floor.wake:
		}
		e, err := j.current()
		if err != nil {
			continue
		}
		for _, work := range []func(context.Context, *engine) error{j.purge, j.retries.clean, j.dead.clean} {
			if err := work(ctx, e); err != nil && ctx.Err() == nil {
				j.opt.Logger.Warn("journal: purge", "err", err)
			}
		}
	}
}

// purge drops the chunks that all marks have passed and retention lets go. The
// last chunk always stays, so that sequences and totals go on from it.
func (j *Journal) purge(ctx context.Context, e *engine) error {
	j.mu.Lock()
	first, t, limit, refused := j.first, j.tail, j.floor.seq, j.refused
	j.floor.judged = t.bytes
	j.mu.Unlock()
	if limit = min(limit, t.seq); limit <= first {
		return nil
	}
	oldest, err := j.headAt(ctx, first)
	if err != nil {
		return err
	}
	upTo := limit
	pressed := refused != nil || t.bytes-oldest.bytes > uint64(j.opt.MaxBytes)/8*7 || j.space.check(j.opt.ReserveBytes/8*9) != nil
	if !pressed {
		now := j.opt.Now().UnixNano()
		if !j.expired(oldest, t, now) {
			return nil
		}
		n := sort.Search(int(limit-first), func(i int) bool {
			h, headErr := j.headAt(ctx, first+uint64(i))
			if headErr != nil {
				err = headErr
			}
			return headErr != nil || !j.expired(h, t, now)
		})
		if err != nil {
			return err
		}
		if upTo = first + uint64(n); upTo <= first {
			return nil
		}
	}
	// A purge writes before it frees. On a disk that somebody else filled to the
	// last byte JetStream's got no answer, and held up the writes behind it.
	if free, err := j.space.bytes(); err == nil && j.opt.ReserveBytes > 0 && free < purgeRoom {
		return nil
	}
	// Readers must know before it is gone that it is not lost.
	kept, err := j.headAt(ctx, upTo)
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.first, j.base = max(j.first, upTo), min(max(j.base, kept.bytes), j.tail.bytes)
	j.mu.Unlock()
	if err := e.purge(ctx, eventStream, upTo); err != nil {
		return fmt.Errorf("chunks below %d: %w", upTo, err)
	}
	j.mu.Lock()
	j.refused = nil // what comes next may fit
	j.mu.Unlock()
	j.opt.Logger.Debug("journal: purged", "below", upTo, "first", first, "last", t.seq)
	return nil
}

// expired reports whether retention lets go of the chunk with header h. If it
// does, it also does of every earlier one.
func (j *Journal) expired(h head, t tail, now int64) bool {
	return j.opt.RetainAge < 0 || j.opt.RetainBytes < 0 ||
		now-h.accepted > int64(j.opt.RetainAge) ||
		h.bytes < t.bytes && t.bytes-h.bytes > uint64(j.opt.RetainBytes)
}
