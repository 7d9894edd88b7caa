package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sort"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/headgate/headgate/gateway/event"
)

// Read yields the chunks from the sequence from on, or from the first one
// kept if that is gone; at the end it waits for more. It ends when ctx does,
// or after [ErrClosed]. Any number of reads may go on at once, and none is
// disturbed by a write error.
//
// Chunks that were purged are passed over. Chunks that are lost or do not
// decode are reported as a [DamagedError] that names them; a caller that goes
// on ranging gets what follows, so that what was lost is its decision.
func (j *Journal) Read(ctx context.Context, from uint64) iter.Seq2[event.Chunk, error] {
	return func(yield func(event.Chunk, error) bool) {
		for next := max(from, 1); ; {
			if err := j.awaitChunk(ctx, next); err != nil {
				if errors.Is(err, ErrClosed) {
					yield(event.Chunk{}, err)
				}
				return
			}
			m, err := j.load(ctx, next)
			if ctx.Err() != nil {
				return
			}
			if err != nil && !errors.Is(err, ErrNotFound) {
				yield(event.Chunk{}, err)
				return
			}
			found := j.Last() + 1
			if err == nil {
				found = m.Sequence
			}
			if lost := max(next, j.firstKept()); lost < found {
				gap := &DamagedError{First: lost, Last: found - 1, Err: errors.New("it is not in the store any more")}
				if !yield(event.Chunk{}, gap) {
					return
				}
			}
			if next = found; err != nil {
				continue
			}
			c, err := decodeChunk(m.Sequence, m.Data)
			if err != nil {
				err = &DamagedError{First: m.Sequence, Last: m.Sequence, Err: err}
			}
			if !yield(c, err) {
				return
			}
			next++
		}
	}
}

// awaitChunk blocks until the chunk seq is durable.
func (j *Journal) awaitChunk(ctx context.Context, seq uint64) error {
	for {
		j.mu.Lock()
		last, closing := j.tail.seq, j.closing
		var changed <-chan struct{}
		if last < seq {
			changed = j.changed.wait()
		}
		j.mu.Unlock()
		switch {
		case closing:
			return ErrClosed
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case last >= seq:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (j *Journal) firstKept() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first
}

// load returns the first message of EVENTS at or after seq, from whichever
// engine runs.
func (j *Journal) load(ctx context.Context, seq uint64) (*jetstream.RawStreamMsg, error) {
	return j.loadFrom(ctx, eventStream, seq, jetstream.WithGetMsgSubject(eventStream))
}

// loadFrom gets a message by sequence. It tries until it has an answer, or ctx
// or the journal ends.
func (j *Journal) loadFrom(ctx context.Context, stream string, seq uint64, opts ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	for {
		e, err := j.await(ctx)
		if err != nil {
			return nil, err
		}
		m, err := e.get(ctx, stream, seq, opts...)
		switch {
		case err == nil:
			return m, nil
		case errors.Is(err, jetstream.ErrMsgNotFound):
			return nil, fmt.Errorf("%s %d: %w", stream, seq, ErrNotFound)
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		}
		// The engine failed, or was slow: the next one may answer.
		select {
		case <-e.failed:
			j.drop(e)
		default:
			j.opt.Logger.Warn("journal: read is tried again", "stream", stream, "seq", seq, "err", err)
		}
	}
}

func (e *engine) get(ctx context.Context, stream string, seq uint64, opts ...jetstream.GetMsgOpt) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return e.streams[stream].GetMsg(ctx, seq, opts...)
}

// Chunk returns the chunk seq; [ErrNotFound] if it was purged or never was.
func (j *Journal) Chunk(ctx context.Context, seq uint64) (event.Chunk, error) {
	if seq == 0 || seq > j.Last() || seq < j.firstKept() {
		return event.Chunk{}, fmt.Errorf("journal: chunk %d: %w", seq, ErrNotFound)
	}
	m, err := j.loadFrom(ctx, eventStream, seq)
	if err != nil {
		return event.Chunk{}, fmt.Errorf("journal: %w", err)
	}
	c, err := decodeChunk(seq, m.Data)
	if err != nil {
		return event.Chunk{}, &DamagedError{First: seq, Last: seq, Err: err}
	}
	return c, nil
}

// SeqAt returns the sequence of the first chunk accepted at or after t, which
// is the next one's if there is none yet.
func (j *Journal) SeqAt(ctx context.Context, t time.Time) (uint64, error) {
	j.mu.Lock()
	first, end := j.first, j.tail.seq+1
	j.mu.Unlock()
	if first >= end {
		return end, nil
	}
	var fault error
	n := sort.Search(int(end-first), func(i int) bool {
		h, err := j.headAt(ctx, first+uint64(i))
		if err != nil && fault == nil {
			fault = err
		}
		return err != nil || !time.Unix(0, h.accepted).Before(t)
	})
	if fault != nil {
		return 0, fmt.Errorf("journal: sequence at %s: %w", t.Format(time.RFC3339), fault)
	}
	return first + uint64(n), nil
}

// headAt is the header of the first readable chunk at or after seq. Beyond the
// last one it is later than any.
func (j *Journal) headAt(ctx context.Context, seq uint64) (head, error) {
	for {
		m, err := j.load(ctx, seq)
		if errors.Is(err, ErrNotFound) {
			return head{accepted: 1<<63 - 1, bytes: 1<<64 - 1}, nil
		}
		if err != nil {
			return head{}, err
		}
		if h, err := readHead(m.Data); err == nil {
			return h, nil
		}
		seq = m.Sequence + 1
	}
}
