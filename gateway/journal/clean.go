package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// scan builds the index from the messages in the stream.
func (s *Spool) scan(ctx context.Context, e *engine, state jetstream.StreamState) error {
	last, found := state.LastSeq, uint64(0)
	for seq := uint64(1); seq <= last; seq++ {
		m, err := e.get(ctx, s.stream, seq, jetstream.WithGetMsgSubject(s.stream))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s %d: %w", s.stream, seq, err)
		}
		seq = m.Sequence
		found++
		c, err := change(m.Data)
		if err != nil {
			s.journal.opt.Logger.Error("journal: a message is damaged; it is kept for inspection", "stream", s.stream, "seq", seq, "err", err)
			s.index.messages = append(s.index.messages, &message{seq: seq, damaged: true})
			found--
			continue
		}
		s.index.apply(seq, c)
	}
	if s.lost = state.Msgs - min(found, state.Msgs); s.lost > 0 {
		s.journal.opt.Logger.Error("journal: messages are damaged; the deliveries in them are lost", "stream", s.stream, "messages", s.lost)
	}
	s.applied, s.scanned = last, true
	return nil
}

// delete deletes a message. One that is not there is no error: it may have been
// deleted by a call that was never answered.
func (e *engine) delete(ctx context.Context, stream string, seq uint64) error {
	err := e.streams[stream].DeleteMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		// The client does not hand on why in a form that can be told apart.
		if _, reason := e.get(ctx, stream, seq); errors.Is(reason, jetstream.ErrMsgNotFound) {
			return nil
		}
	}
	return err
}

// Bounds of cleaning.
const (
	minDead         = 64  // dead messages that are worth a round before its time
	maxCleanDeletes = 512 // single deletes of one round: each costs an fsync
)

// clean drops messages that nothing needs: the run of dead ones at the front
// at once, and others one by one, what a removal names before the removal.
func (s *Spool) clean(ctx context.Context, e *engine) error {
	s.cleaning.Lock()
	defer s.cleaning.Unlock()
	s.mu.Lock()
	idle := s.index.dead == s.needed
	upTo := s.index.deadPrefix()
	prefix := len(s.index.messages) > 0 && s.index.messages[0].seq < upTo
	s.mu.Unlock()
	if idle {
		return nil
	}
	if prefix {
		if err := e.purge(ctx, s.stream, upTo); err != nil {
			return fmt.Errorf("%s below %d: %w", s.stream, upTo, err)
		}
		s.forget(func(seq uint64) bool { return seq < upTo })
	}
	s.mu.Lock()
	seqs := s.index.deadInside()
	s.mu.Unlock()
	gone := map[uint64]bool{}
	var failed error
	for _, seq := range seqs[:min(len(seqs), maxCleanDeletes)] {
		if err := e.delete(ctx, s.stream, seq); err != nil {
			failed = fmt.Errorf("%s %d: %w", s.stream, seq, err)
			break
		}
		gone[seq] = true
	}
	s.forget(func(seq uint64) bool { return gone[seq] })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.needed = s.index.dead - (len(seqs) - len(gone))
	return failed
}

func (s *Spool) forget(gone func(seq uint64) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.drop(gone)
}
