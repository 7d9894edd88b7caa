package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// file is one that gathers, or is being written. All but done and out is
// guarded by the sink's mutex.
type file struct {
	parts   []*part
	bytes   int
	waiting int           // Sends
	closeBy time.Time     // when it is to be written, in real time
	hurry   chan struct{} // told when closeBy has moved; holds one
	cancel  context.CancelFunc

	done chan struct{} // closed once out is known
	out  delivery.Outcome
}

// part is what one Send brings.
type part struct {
	lines []byte
	full  bool
	gone  bool // its Send has given up before the file was closed
}

// join adds p to the file that gathers, or to a new one.
func (s *Sink) join(ctx context.Context, p *part) *file {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if f := s.open; f != nil && f.bytes+len(p.lines) > s.settings.maxBytes {
		f.closeAt(now)
		s.open = nil
	}
	if s.open == nil {
		s.begin(now)
	}
	f := s.open
	f.parts = append(f.parts, p)
	f.bytes += len(p.lines)
	f.waiting++
	if deadline, ok := ctx.Deadline(); ok {
		f.closeAt(now.Add(deadline.Sub(now) / 2))
	}
	switch full := f.isFull(); {
	case f.bytes >= s.settings.maxBytes, full && f.waiting >= lanes: // nobody can join
		f.closeAt(now)
		s.open = nil
	case full:
		f.closeAt(now.Add(linger))
	}
	return f
}

// begin opens a file. The caller holds mu.
func (s *Sink) begin(now time.Time) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &file{
		closeBy: now.Add(s.settings.maxAge), hurry: make(chan struct{}, 1),
		cancel: cancel, done: make(chan struct{}),
	}
	s.open = f
	s.writing.Go(func() {
		defer cancel()
		s.write(ctx, f)
	})
}

// closeAt moves the time at which f is written, if that is sooner.
func (f *file) closeAt(t time.Time) {
	if t.After(f.closeBy) {
		return
	}
	f.closeBy = t
	select {
	case f.hurry <- struct{}{}:
	default: // it is told
	}
}

// isFull reports whether one of f's batches was full.
func (f *file) isFull() bool {
	for _, p := range f.parts {
		if p.full && !p.gone {
			return true
		}
	}
	return false
}

// leave withdraws p, which is written nevertheless if f is being so already.
// A file that nobody waits for is not written.
func (s *Sink) leave(f *file, p *part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.gone = true
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel()
	if s.open == f {
		s.open = nil
	}
}

// write waits until f is to be closed, and writes it.
func (s *Sink) write(ctx context.Context, f *file) {
	defer close(f.done)
	for {
		s.mu.Lock()
		wait := time.Until(f.closeBy)
		s.mu.Unlock()
		if wait <= 0 {
			break
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-f.hurry:
		case <-ctx.Done():
			timer.Stop()
			f.out = delivery.NotTried() // nobody is left to see it
			return
		}
		timer.Stop()
	}
	name, content := s.closeFile(f)
	f.out = s.upload(ctx, name, content)
}

// closeFile ends the gathering of f, and returns its name and content.
func (s *Sink) closeFile(f *file) (name string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == f {
		s.open = nil
	}
	lines := make([][]byte, 0, len(f.parts))
	for _, p := range f.parts {
		if !p.gone {
			lines = append(lines, p.lines)
		}
	}
	now := s.now().UTC()
	if !now.After(s.last) { // the clock stood still, or was set back
		now = s.last.Add(time.Nanosecond)
	}
	s.last = now
	return s.settings.prefix + nameAt(now), bytes.Join(lines, nil)
}

// nameAt returns the name of a file that is written at t, in UTC. Its second
// half is random: other gateways write here too.
func nameAt(t time.Time) string {
	return t.Format("date=2006-01-02/hour=15/20060102T150405.000000000Z-") + rand.Text() + ".ndjson"
}

// appendLines appends each event of batch as one line of JSON to dst. Data that
// is JSON stays byte for byte, but for line breaks between its tokens (where
// alone JSON allows them), which become spaces.
func appendLines(dst []byte, batch []delivery.Delivery) []byte {
	for i := range batch {
		start := len(dst)
		dst = event.AppendJSON(dst, &batch[i].Event)
		line := dst[start:]
		for j, c := range line {
			if c == '\n' || c == '\r' {
				line[j] = ' '
			}
		}
		dst = append(dst, '\n')
	}
	return dst
}
