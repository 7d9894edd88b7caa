package journal

import (
	"context"
	"fmt"

	"github.com/headgate/headgate/gateway/event"
)

// Append makes events durable, in order, and returns the position of the
// first. Concurrent calls share commits. The events are not held on to.
//
// An error that satisfies interface{ RetryAfter() time.Duration } means "not
// now": [ErrFull], [ErrDiskFull], [ErrBusy], [ErrUnavailable]. After any error
// some of the events may still have become durable.
func (j *Journal) Append(ctx context.Context, events []event.Event) (event.Position, error) {
	for i := range events {
		if n := recordBound(&events[i]); n > maxPayload-chunkHeader {
			return event.Position{}, fmt.Errorf("journal: event %d of %d bytes: %w", i, n, ErrTooLarge)
		}
	}
	if len(events) == 0 {
		return event.Position{}, nil
	}
	if err := j.admit(); err != nil {
		return event.Position{}, err
	}
	var index int
	var few [4]*batch
	batches := few[:0]
	err := j.events.add(ctx, len(events),
		func(b []byte, i int) []byte { return event.AppendRecord(b, &events[i]) },
		func(b *batch, i int) {
			if i == 0 {
				index = b.n
			}
			if n := len(batches); n == 0 || batches[n-1] != b {
				batches = append(batches, b)
			}
		})
	if err != nil {
		return event.Position{}, err
	}
	for _, b := range batches {
		if err := b.wait(ctx); err != nil {
			return event.Position{}, err
		}
	}
	return event.Position{Seq: batches[0].seq, Index: index}, nil
}

// recordBound is at least the length of e's record: a length takes at most
// four bytes here, and an extension also one for its kind.
func recordBound(e *event.Event) int { return e.Size() + 9*4 + 9*len(e.Extensions) }

// admit refuses early what would only fail in the queue.
func (j *Journal) admit() error {
	if _, err := j.serving(); err != nil {
		return err
	}
	if err := j.space.check(j.opt.ReserveBytes); err != nil {
		j.hurry()
		return err
	}
	return nil
}

// writeChunk is the committer's write of EVENTS.
func (j *Journal) writeChunk(b *batch) (uint64, error) {
	seq, err := j.tryWriteChunk(b)
	j.mu.Lock()
	j.refused = err
	j.mu.Unlock()
	if err != nil {
		j.hurry()
	}
	return seq, err
}

func (j *Journal) tryWriteChunk(b *batch) (uint64, error) {
	e, err := j.current()
	if err != nil {
		return 0, err
	}
	if err := j.space.check(j.opt.ReserveBytes); err != nil {
		return 0, err
	}
	j.mu.Lock()
	t := j.tail
	j.mu.Unlock()
	h := head{
		accepted: max(j.opt.Now().UnixNano(), t.accepted),
		events:   t.events,
		bytes:    t.bytes,
		count:    uint32(b.n),
	}
	h.put(b.buf)
	return e.publish(eventStream, b.buf)
}

// wroteChunk makes a durable chunk known to readers.
func (j *Journal) wroteChunk(b *batch) (reuse bool) {
	h, _ := readHead(b.buf)
	t := tail{
		seq:      b.seq,
		accepted: h.accepted,
		events:   h.events + uint64(h.count),
		bytes:    h.bytes + uint64(len(b.buf)),
	}
	j.recent.put(b.seq, b.buf)
	j.mu.Lock()
	defer j.mu.Unlock()
	if t.seq > j.tail.seq { // else a reopened store has told already
		j.tail = t
		j.changed.raise()
	}
	if t.bytes-j.floor.judged > uint64(j.opt.MaxBytes)/32 {
		j.hurry()
	}
	return false
}
