package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/headgate/headgate/gateway/delivery"
)

// Stats is a look at a journal.
type Stats struct {
	First, Last uint64 // chunks kept; 0 while there is none
	Bytes       int64  // of the chunks kept
	MaxBytes    int64
	Accepted    uint64 // events, since the journal began
	FreeBytes   uint64 // of the disk
	Retries     SpoolStats
	DeadLetters SpoolStats
}

// SpoolStats is a look at a [Spool].
type SpoolStats struct {
	Len     int
	Bytes   int64
	Damaged int // messages that could not be read at Open; the log names them
}

// Stats costs no disk access but, at times, for the free space.
func (j *Journal) Stats() Stats {
	free, _ := j.space.bytes()
	j.mu.Lock()
	st := Stats{
		Last:      j.tail.seq,
		Bytes:     int64(j.tail.bytes - j.base),
		MaxBytes:  j.opt.MaxBytes,
		Accepted:  j.tail.events,
		FreeBytes: free,
	}
	if j.first <= j.tail.seq {
		st.First = j.first
	}
	j.mu.Unlock()
	st.Retries, st.DeadLetters = j.retries.stats(), j.dead.stats()
	return st
}

func (s *Spool) stats() SpoolStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SpoolStats{Len: s.index.live, Bytes: s.index.bytes, Damaged: int(s.lost)}
}

// Healthy reports why the journal does not accept events, nil if it does.
func (j *Journal) Healthy() error {
	j.mu.Lock()
	closing, refused := j.closing, j.refused
	j.mu.Unlock()
	if closing {
		return ErrClosed
	}
	if _, err := j.current(); err != nil {
		return err
	}
	if err := j.space.check(j.opt.ReserveBytes); err != nil {
		return err
	}
	if errors.Is(refused, ErrFull) {
		return refused
	}
	return nil
}

// Check reads the whole journal and reports the first thing in it that is
// inconsistent. It is meant for tests and inspection; nothing may be written
// meanwhile.
func (j *Journal) Check(ctx context.Context) error {
	if err := j.checkChunks(ctx); err != nil {
		return err
	}
	if _, err := j.LoadMarks(ctx); err != nil {
		return err
	}
	return errors.Join(j.retries.check(ctx), j.dead.check(ctx))
}

// checkChunks: sequences have no gap, times do not fall, totals add up, and
// every chunk decodes.
func (j *Journal) checkChunks(ctx context.Context) error {
	j.mu.Lock()
	first, last := j.first, j.tail
	j.mu.Unlock()
	var t tail
	for seq := first; seq <= last.seq; seq++ {
		m, err := j.loadFrom(ctx, eventStream, seq)
		if err != nil && seq < j.firstKept() {
			first = seq + 1 // purged meanwhile
			continue
		}
		if err != nil {
			return err
		}
		c, err := decodeChunk(seq, m.Data)
		if err != nil {
			return &DamagedError{First: seq, Last: seq, Err: err}
		}
		h, _ := readHead(m.Data)
		if seq > first && (h.events != t.events || h.bytes != t.bytes || h.accepted < t.accepted) {
			return fmt.Errorf("journal: chunk %d: header %+v does not follow %+v", seq, h, t)
		}
		if t, err = tailAfter(m); err != nil || int(h.count) != len(c.Events) {
			return fmt.Errorf("journal: chunk %d: %d events, header %+v", seq, len(c.Events), h)
		}
	}
	if last.seq > 0 && first <= last.seq && t != last {
		return fmt.Errorf("journal: the last chunk says %+v, the journal %+v", t, last)
	}
	return nil
}

// check: a scan of the stream gives the index that is in use, and every live
// entry decodes.
func (s *Spool) check(ctx context.Context) error {
	e, err := s.journal.await(ctx)
	if err != nil {
		return err
	}
	s.cleaning.Lock()
	defer s.cleaning.Unlock()
	info, err := e.streams[s.stream].Info(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost > 0 {
		return fmt.Errorf("journal: %s: %w: %d messages cannot be read", s.stream, ErrDamaged, s.lost)
	}
	fresh := &Spool{journal: s.journal, stream: s.stream}
	fresh.index.endpoints = map[string]*tally{}
	if err := fresh.scan(ctx, e, info.State); err != nil {
		return err
	}
	want, got := s.index.after(delivery.Ref{}, s.index.live+1, ""), fresh.index.after(delivery.Ref{}, fresh.index.live+1, "")
	if len(want) != len(got) || s.index.bytes != fresh.index.bytes {
		return fmt.Errorf("journal: %s: %d entries of %d bytes are indexed, %d of %d are stored", s.stream, len(want), s.index.bytes, len(got), fresh.index.bytes)
	}
	for i, ref := range want {
		if got[i] != ref {
			return fmt.Errorf("journal: %s: entry %d is indexed as %s, stored as %s", s.stream, i, ref, got[i])
		}
		records, err := fresh.load(ctx, ref.Seq)
		if err != nil {
			return err
		}
		if _, err := fresh.entry(records, ref); err != nil {
			return err
		}
	}
	return nil
}
