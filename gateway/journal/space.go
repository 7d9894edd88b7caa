package journal

import (
	"fmt"
	"sync"
	"time"
)

// spaceFreshness is how long an answer of the disk is believed.
const spaceFreshness = 100 * time.Millisecond

// space knows the free space of the journal's disk.
type space struct {
	dir string

	mu   sync.Mutex // guards what follows
	at   time.Time
	free uint64
	err  error
}

// bytes is the free space, as of lately.
func (s *space) bytes() (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.at.IsZero() || now.Sub(s.at) >= spaceFreshness {
		s.free, s.err = freeBytes(s.dir)
		s.at = now
	}
	return s.free, s.err
}

// check returns [ErrDiskFull] when less than reserve is free.
func (s *space) check(reserve int64) error {
	if reserve <= 0 {
		return nil
	}
	free, err := s.bytes()
	if err != nil {
		return later(err, 5*time.Second)
	}
	if free < uint64(reserve) {
		return later(fmt.Errorf("%w: %d MiB are free, %d MiB are reserved", ErrDiskFull, free>>20, reserve>>20), 10*time.Second)
	}
	return nil
}
