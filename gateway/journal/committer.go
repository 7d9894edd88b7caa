package journal

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Bounds of what waits for a commit.
const (
	maxQueueBytes = 32 << 20
	maxQueueWait  = 5 * time.Second
	spareBuffers  = 4
)

// batch is records on their way into one message, and so into one commit.
type batch struct {
	buf []byte // room for the header, then the records
	n   int    // records that callers count: events, or puts

	index indexChange // of a spool

	done chan struct{} // closed once seq or err is final
	seq  uint64
	err  error // guarded by committer.mu until done is closed
}

// committer gathers the records of concurrent callers into batches and writes
// them one after the other: while one is on its way to the disk, the next one
// fills. When a write fails, everything that waits fails with it, so that of
// one caller's records never a later one is written after an earlier failed.
type committer struct {
	header   int // bytes left free in front of the records
	maxCount int // records of a batch
	maxBytes int // bytes of a batch, unless one record alone is larger

	// write makes a batch durable and returns its sequence; committed is called
	// after that, before the batch's callers learn of it, and keeps the buffer or
	// reports that it may be used again. Both are called by one goroutine.
	write     func(*batch) (uint64, error)
	committed func(*batch) (reuse bool)

	// busy is held from a write until its batch counts as committed.
	busy sync.Mutex

	mu      sync.Mutex // guards what follows
	queue   []*batch   // the last one is still filling
	queued  int        // bytes in queue
	room    signal     // raised when queue shrinks
	spare   [][]byte
	typical int // bytes of the batch before
	closed  bool

	wake   chan struct{}
	exited chan struct{}
}

func (c *committer) start() {
	c.wake = make(chan struct{}, 1)
	c.exited = make(chan struct{})
	go c.run()
}

// add queues n records, which encode appends, and tells placed the batch in
// which each of them lies, at index b.n. Both run under c's lock. The caller
// then waits for those batches. An error means that not all were queued; those
// that were may still become durable.
func (c *committer) add(ctx context.Context, n int, encode func(b []byte, i int) []byte, placed func(b *batch, i int)) error {
	var own *batch
	var deadline <-chan time.Time
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 0; i < n; {
		if c.closed {
			return ErrClosed
		}
		if own != nil && own.err != nil {
			return own.err
		}
		if c.queued >= maxQueueBytes {
			if deadline == nil {
				timer := time.NewTimer(maxQueueWait)
				defer timer.Stop()
				deadline = timer.C
			}
			if err := c.waitRoom(ctx, deadline); err != nil {
				return err
			}
			continue
		}
		own = c.put(encode, i)
		placed(own, i)
		own.n++
		i++
	}
	return nil
}

// put appends record i to the batch that is filling, or to a new one.
func (c *committer) put(encode func([]byte, int) []byte, i int) *batch {
	var b *batch
	if len(c.queue) > 0 {
		b = c.queue[len(c.queue)-1]
	}
	if b == nil || b.n >= c.maxCount || len(b.buf) >= c.maxBytes {
		b = c.open()
	}
	before := len(b.buf)
	b.buf = encode(b.buf, i)
	if len(b.buf) > c.maxBytes && before > c.header {
		record := b.buf[before:]
		b.buf = b.buf[:before]
		b = c.open()
		b.buf = append(b.buf, record...)
		before = c.header
	}
	c.queued += len(b.buf) - before
	return b
}

// open adds an empty batch to the queue.
func (c *committer) open() *batch {
	b := &batch{done: make(chan struct{})}
	if n := len(c.spare); n > 0 {
		b.buf, c.spare = c.spare[n-1], c.spare[:n-1]
	}
	if b.buf == nil {
		b.buf = make([]byte, 0, c.header+c.typical)
	}
	b.buf = append(b.buf[:0], make([]byte, c.header)...)
	c.queue = append(c.queue, b)
	select {
	case c.wake <- struct{}{}:
	default: // it is awake already
	}
	return b
}

// waitRoom gives up the lock until the queue has shrunk.
func (c *committer) waitRoom(ctx context.Context, deadline <-chan time.Time) error {
	shrunk := c.room.wait()
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-shrunk:
		return nil
	case <-deadline:
		return later(ErrBusy, time.Second)
	case <-ctx.Done():
		return fmt.Errorf("journal: wait for room in the queue: %w", context.Cause(ctx))
	}
}

// wait blocks until b is settled or ctx ends, in which case its records may
// still become durable.
func (b *batch) wait(ctx context.Context) error {
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("journal: wait for the disk: %w", context.Cause(ctx))
	}
}

// run writes batches until close, and then what is still queued.
func (c *committer) run() {
	defer close(c.exited)
	for range c.wake {
		for {
			c.gather()
			b := c.take()
			if b == nil {
				break
			}
			if err := c.commit(b); err != nil {
				c.fail(b, err)
				continue
			}
			close(b.done)
		}
	}
}

// gather lets goroutines that are ready to run add their records before a
// batch is taken, as long as they do: callers that were answered together come
// back together, and share the next commit. A lone caller waits for nobody.
func (c *committer) gather() {
	for range 16 {
		before := c.waiting()
		if before == 0 || before >= c.maxCount {
			return
		}
		runtime.Gosched()
		if c.waiting() == before {
			return
		}
	}
}

// waiting is how many records the oldest batch holds.
func (c *committer) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return 0
	}
	return c.queue[0].n
}

func (c *committer) commit(b *batch) error {
	c.busy.Lock()
	defer c.busy.Unlock()
	seq, err := c.write(b)
	if err == nil {
		b.seq = seq
		if c.committed(b) {
			c.recycle(b)
		}
	}
	return err
}

// take removes the oldest batch from the queue; nobody adds to it any more.
func (c *committer) take() *batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil
	}
	b := c.queue[0]
	c.queue[0] = nil
	c.queue = c.queue[1:]
	c.typical = min(len(b.buf), c.maxBytes)
	if c.queued -= len(b.buf) - c.header; c.queued < maxQueueBytes {
		c.room.raise()
	}
	return b
}

// fail settles b and everything queued with err.
func (c *committer) fail(b *batch, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range append([]*batch{b}, c.queue...) {
		b.err = err
		close(b.done)
	}
	c.queue, c.queued = nil, 0
	c.room.raise()
}

// recycle keeps the buffer of a written batch for another.
func (c *committer) recycle(b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spare) < spareBuffers && cap(b.buf) <= 2*maxChunkBytes {
		c.spare = append(c.spare, b.buf)
	}
	b.buf = nil
}

// close refuses new records, and returns once those queued are settled.
func (c *committer) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		c.room.raise()
		close(c.wake)
	}
	c.mu.Unlock()
	<-c.exited
}

// signal wakes everyone who waits for a change. The zero value is ready; its
// owner's lock guards it.
type signal struct {
	ch chan struct{}
}

// wait returns a channel that the next raise closes.
func (s *signal) wait() <-chan struct{} {
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) raise() {
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
