package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sort"
	"sync"
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
		ctx, cancel := context.WithCancel(ctx)
		r := reader{journal: j, next: max(from, 1)}
		defer func() {
			cancel()
			r.running.Wait()
		}()
		for {
			f, err := r.read(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(event.Chunk{}, err)
				return
			}
			if lost := max(r.next, j.firstKept()); lost < f.seq {
				gap := &DamagedError{First: lost, Last: f.seq - 1, Err: errors.New("it is not in the store any more")}
				if !yield(event.Chunk{}, gap) {
					return
				}
			}
			if r.next = f.seq + 1; f.none {
				r.next = f.seq
			} else if !yield(f.chunk, f.damage) {
				return
			}
		}
	}
}

// reader is the state of one Read.
type reader struct {
	journal *Journal
	next    uint64 // the first sequence that was not read
	ahead   chan found
	running sync.WaitGroup
}

// found is the first chunk at or after the sequence that was asked for.
type found struct {
	seq    uint64 // of the chunk; when there is none, of the next one to be written
	none   bool
	chunk  event.Chunk
	damage error // it does not decode
	err    error // it could not be read, and nothing more can
	recent bool  // it was in memory
}

// read waits for the next chunk. A reader that catches up has the one after it
// read meanwhile.
func (r *reader) read(ctx context.Context) (found, error) {
	var f found
	if r.ahead != nil {
		f = <-r.ahead
		r.ahead = nil
	} else {
		if err := r.journal.awaitChunk(ctx, r.next); err != nil {
			return found{}, err
		}
		f = r.journal.find(ctx, max(r.next, r.journal.firstKept()))
	}
	if f.err == nil && !f.recent && f.seq < r.journal.Last() {
		ahead := make(chan found, 1)
		r.ahead = ahead
		r.running.Go(func() { ahead <- r.journal.find(ctx, f.seq+1) })
	}
	return f, f.err
}

// find reads the first chunk at or after seq, which is at most the last one.
func (j *Journal) find(ctx context.Context, seq uint64) found {
	f := found{seq: seq}
	b := j.recent.get(seq)
	if f.recent = b != nil; !f.recent {
		m, err := j.load(ctx, seq)
		switch {
		case errors.Is(err, ErrNotFound):
			return found{seq: j.Last() + 1, none: true}
		case err != nil:
			return found{err: err}
		}
		f.seq, b = m.Sequence, m.Data
	}
	var err error
	if f.chunk, err = decodeChunk(f.seq, b); err != nil {
		f.damage = &DamagedError{First: f.seq, Last: f.seq, Err: err}
	}
	return f
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
		// The engine failed, or is slow: it or the next one may answer.
		timer := time.NewTimer(readPause)
		select {
		case <-e.failed:
			j.drop(e)
		case <-timer.C:
			j.opt.Logger.Warn("journal: read is tried again", "stream", stream, "seq", seq, "err", err)
		}
		timer.Stop()
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
