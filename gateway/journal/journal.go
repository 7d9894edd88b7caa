// Package journal keeps accepted events, positions, retries and dead letters.
//
// A [Journal] is a directory with an embedded JetStream server in it. What
// Append, SaveMarks and a [Spool] answer without an error is on disk: fsynced,
// and found again after a power cut. A call that failed may still have become
// durable; that is what at-least-once means.
//
// Nothing that an endpoint still owes is discarded. What every mark has passed
// is kept for replay, by age and size, and then purged; a journal that is full
// of what is owed refuses new events.
//
// RATIONALE.md says why it is made the way it is.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Options are what a journal may be told; the zero value works.
type Options struct {
	// MaxBytes bounds the accepted events on disk; 0 means 16 GiB.
	MaxBytes int64
	// RetainAge and RetainBytes say how long, and up to which size of the whole
	// journal, events are kept for replay that no endpoint owes any more. They
	// go once either is exceeded. 0 means 24 hours and half of MaxBytes; a
	// negative value keeps nothing.
	RetainAge   time.Duration
	RetainBytes int64
	// ReserveBytes is the free space of the disk below which no event is
	// accepted; 0 means 256 MiB, a negative value sets none. Retries and dead
	// letters may use three quarters of the reserve, so that what was accepted
	// can still be delivered.
	ReserveBytes int64
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 30
	}
	if o.RetainAge == 0 {
		o.RetainAge = 24 * time.Hour
	}
	if o.RetainBytes == 0 {
		o.RetainBytes = o.MaxBytes / 2
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 256 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Journal is an open journal directory. Its methods may be called concurrently.
type Journal struct {
	opt Options
	dir *directory

	events  *committer
	retries *Spool
	dead    *Spool
	space   *space
	recent  recent

	markMu sync.Mutex // one save at a time
	floor  floor

	mu      sync.Mutex // guards what follows
	engine  *engine    // nil while it is being reopened
	cause   error      // why it is
	refused error      // why the latest Append was, nil after one that was not
	first   uint64     // sequence of the first chunk kept, or the next one's
	base    uint64     // the total of bytes before that
	tail    tail       // the last chunk, and the totals after it
	changed signal     // raised when any of these changes
	closing bool

	cancel    context.CancelFunc // ends supervise and retain
	running   sync.WaitGroup
	closeOnce sync.Once
	closed    chan struct{}
}

// tail is where the next chunk goes.
type tail struct {
	seq      uint64
	accepted int64
	events   uint64 // in all chunks so far
	bytes    uint64
}

// Open opens or creates the journal in dir, which nothing else may be in, and
// recovers what a crash left. It fails, without writing, for a directory that
// holds other things or a format it does not know, and for one that another
// process has open.
func Open(ctx context.Context, dir string, opt Options) (*Journal, error) {
	opt = opt.withDefaults()
	d, err := openDirectory(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{
		opt:    opt,
		dir:    d,
		space:  &space{dir: d.path},
		floor:  floor{wake: make(chan struct{}, 1)},
		closed: make(chan struct{}),
	}
	j.events = &committer{
		header:    chunkHeader,
		maxCount:  maxChunkEvents,
		maxBytes:  maxChunkBytes,
		write:     j.writeChunk,
		committed: j.wroteChunk,
	}
	j.retries = newSpool(j, retryStream)
	j.dead = newSpool(j, deadStream)

	e, err := startEngine(ctx, d.path, opt.MaxBytes, d.fresh, opt.Logger)
	if err != nil {
		d.close()
		return nil, err
	}
	if err := errors.Join(j.begin(e), d.ready(), j.recover(ctx, e)); err != nil {
		e.stop()
		d.close()
		return nil, fmt.Errorf("journal in %s: %w", d.path, err)
	}
	j.engine = e
	j.events.start()
	j.retries.start()
	j.dead.start()
	background, cancel := context.WithCancel(context.Background())
	j.cancel = cancel
	j.running.Go(func() { j.supervise(background, e) })
	j.running.Go(func() { j.retain(background) })
	return j, nil
}

// begin saves the first, empty set of marks in a journal that is being made:
// from then on a journal without marks is one that lost them.
func (j *Journal) begin(e *engine) error {
	if !j.dir.fresh {
		return nil
	}
	_, err := e.publish(markStream, encodeMarks(nil))
	return err
}

// Close refuses new calls, waits until what was queued is durable, and stops
// the server. It may be called again. When ctx ends first, the rest goes on in
// the background.
func (j *Journal) Close(ctx context.Context) error {
	j.closeOnce.Do(func() {
		go func() {
			defer close(j.closed)
			j.close()
		}()
	})
	select {
	case <-j.closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("journal: close: %w", context.Cause(ctx))
	}
}

func (j *Journal) close() {
	j.mu.Lock()
	j.closing = true
	j.changed.raise()
	j.mu.Unlock()
	j.events.close()
	j.retries.commits.close()
	j.dead.commits.close()
	j.markMu.Lock() // a save that goes on ends first
	defer j.markMu.Unlock()
	j.cancel()
	j.running.Wait()
	j.dir.close()
}

// Retries are the deliveries that wait for another try.
func (j *Journal) Retries() *Spool { return j.retries }

// DeadLetters are the deliveries that were given up.
func (j *Journal) DeadLetters() *Spool { return j.dead }

// First is the sequence of the first chunk kept; 0 while there is none.
func (j *Journal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.first > j.tail.seq {
		return 0
	}
	return j.first
}

// Last is the sequence of the last chunk; 0 while there is none.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.tail.seq
}

// serving returns the running engine, or why a new call is refused.
func (j *Journal) serving() (*engine, error) {
	j.mu.Lock()
	closing := j.closing
	j.mu.Unlock()
	if closing {
		return nil, ErrClosed
	}
	return j.current()
}

// current returns the running engine, or why there is none.
func (j *Journal) current() (*engine, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.engine == nil {
		return nil, later(fmt.Errorf("%w: %w", ErrUnavailable, j.cause), time.Second)
	}
	return j.engine, nil
}

// await returns the running engine, once there is one.
func (j *Journal) await(ctx context.Context) (*engine, error) {
	for {
		j.mu.Lock()
		e, closing, changed := j.engine, j.closing, j.changed.wait()
		j.mu.Unlock()
		switch {
		case closing:
			return nil, ErrClosed
		case e != nil:
			return e, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// recover brings what is known of the streams up to what e found in them.
func (j *Journal) recover(ctx context.Context, e *engine) error {
	info, err := e.streams[eventStream].Info(ctx)
	if err != nil {
		return err
	}
	first, last := info.State.FirstSeq, info.State.LastSeq
	var t tail
	// A last chunk that is damaged is for readers to report.
	for seq := last; seq >= max(first, 1) && t.seq == 0; seq-- {
		if t, err = e.tailAt(ctx, seq); err != nil {
			return err
		}
	}
	t.seq = last
	base := t.bytes
	if info.State.Msgs > 0 {
		m, err := e.get(ctx, eventStream, first, jetstream.WithGetMsgSubject(eventStream))
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return err
		}
		if err == nil {
			if h, err := readHead(m.Data); err == nil {
				base = h.bytes
			}
		}
	}
	if err := errors.Join(j.retries.recover(ctx, e), j.dead.recover(ctx, e)); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	// What is known of an earlier run of the store is not forgotten.
	t.accepted = max(t.accepted, j.tail.accepted)
	t.events, t.bytes = max(t.events, j.tail.events), max(t.bytes, j.tail.bytes)
	j.tail = t
	j.first = max(first, j.first, 1)
	j.base = min(max(base, j.base), t.bytes)
	return nil
}

// tailAt is the tail that the chunk seq leaves, zero if it cannot be read.
func (e *engine) tailAt(ctx context.Context, seq uint64) (tail, error) {
	m, err := e.get(ctx, eventStream, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return tail{}, nil
	}
	if err != nil {
		return tail{}, err
	}
	t, err := tailAfter(m)
	if err != nil {
		return tail{}, nil
	}
	return t, nil
}

func tailAfter(m *jetstream.RawStreamMsg) (tail, error) {
	h, err := readHead(m.Data)
	return tail{
		seq:      m.Sequence,
		accepted: h.accepted,
		events:   h.events + uint64(h.count),
		bytes:    h.bytes + uint64(len(m.Data)),
	}, err
}
