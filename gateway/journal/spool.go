package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/headgate/headgate/gateway/delivery"
)

// Spool is a durable bag of deliveries in the order in which they were put.
// Its memory is bounded by their number, not by their size. Its methods may be
// called concurrently, and share commits.
type Spool struct {
	journal *Journal
	stream  string
	commits *committer

	cleaning sync.Mutex // held while messages are dropped

	mu      sync.Mutex // guards what follows
	index   index
	scanned bool
	applied uint64   // the last message in the index
	needed  int      // dead messages that the last clean had to keep
	lost    uint64   // messages that the scan could not read
	latest  struct { // the message that was read last
		seq     uint64
		records []record
	}
}

func newSpool(j *Journal, stream string) *Spool {
	s := &Spool{journal: j, stream: stream}
	s.index.endpoints = map[string]*tally{}
	s.commits = &committer{
		header:    1,
		maxCount:  maxChunkEvents,
		maxBytes:  maxChunkBytes,
		write:     s.write,
		committed: s.wrote,
	}
	return s
}

func (s *Spool) start() { s.commits.start() }

// Put makes entries durable, in order, and returns the name of each. Errors
// are those of [Journal.Append].
func (s *Spool) Put(ctx context.Context, entries []Entry) ([]delivery.Ref, error) {
	return s.Replace(ctx, nil, entries)
}

// Remove makes it durable that the entries refs are no longer kept. Those
// that are not, already, are passed over.
func (s *Spool) Remove(ctx context.Context, refs []delivery.Ref) error {
	_, err := s.Replace(ctx, refs, nil)
	return err
}

// Replace puts entries and then removes refs, in one commit where that is not
// too large for a message; else the removals are never durable before the
// puts. After an error, either may have happened, a removal never alone.
func (s *Spool) Replace(ctx context.Context, refs []delivery.Ref, entries []Entry) ([]delivery.Ref, error) {
	bodies := make([][]byte, len(entries))
	for i := range entries {
		bodies[i] = appendEntry(nil, &entries[i])
		if n := len(bodies[i]); n > maxEntryBytes {
			return nil, fmt.Errorf("journal: delivery %d of %d bytes: %w", i, n, ErrTooLarge)
		}
	}
	refs = s.liveOf(refs)
	n := len(entries) + len(refs)
	if n == 0 {
		return nil, nil
	}
	if err := s.admit(); err != nil {
		return nil, err
	}
	placed := make([]delivery.Ref, len(entries)) // Index alone, until the commit
	batches := make([]*batch, 0, 1)
	of := make([]int, len(entries)) // the batch of each entry
	err := s.commits.add(ctx, n,
		func(b []byte, i int) []byte {
			if i < len(entries) {
				b = binary.AppendUvarint(append(b, opPut), uint64(len(bodies[i])))
				return append(b, bodies[i]...)
			}
			ref := refs[i-len(entries)]
			b = binary.AppendUvarint(append(b, opRemove), ref.Seq)
			return binary.AppendUvarint(b, uint64(ref.Index))
		},
		func(b *batch, i int) {
			if k := len(batches); k == 0 || batches[k-1] != b {
				batches = append(batches, b)
			}
			if i >= len(entries) {
				b.index.removes = append(b.index.removes, refs[i-len(entries)])
				return
			}
			of[i] = len(batches) - 1
			placed[i].Index = len(b.index.puts)
			b.index.puts = append(b.index.puts, slotChange{entries[i].Delivery.Endpoint, len(bodies[i])})
		})
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		if err := b.wait(ctx); err != nil {
			return nil, err
		}
	}
	for i := range placed {
		placed[i].Seq = batches[of[i]].seq
	}
	return placed, nil
}

// liveOf returns those of refs that are live.
func (s *Spool) liveOf(refs []delivery.Ref) []delivery.Ref {
	if len(refs) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	live := make([]delivery.Ref, 0, len(refs))
	for _, ref := range refs {
		if s.index.has(ref) {
			live = append(live, ref)
		}
	}
	return live
}

// admit refuses early what would only fail in the queue. Three quarters of the
// reserve are for what was accepted already.
func (s *Spool) admit() error {
	if _, err := s.journal.serving(); err != nil {
		return err
	}
	return s.journal.space.check(s.journal.opt.ReserveBytes / 4)
}

// write is the committer's write.
func (s *Spool) write(b *batch) (uint64, error) {
	e, err := s.journal.current()
	if err != nil {
		return 0, err
	}
	b.buf[0] = spoolVersion
	return e.publish(s.stream, b.buf)
}

// wrote enters a durable message into the index.
func (s *Spool) wrote(b *batch) (reuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.apply(b.seq, b.index)
	s.applied = b.seq
	if s.index.dead-s.needed > max(minDead, len(s.index.messages)/2) {
		s.journal.hurry()
	}
	return true
}

// Get returns the entry ref; [ErrNotFound] if it was removed or never was.
func (s *Spool) Get(ctx context.Context, ref delivery.Ref) (Entry, error) {
	s.mu.Lock()
	live, records := s.index.has(ref), s.latest.records
	hit := s.latest.seq == ref.Seq
	s.mu.Unlock()
	if !live {
		return Entry{}, fmt.Errorf("%s %s: %w", s.stream, ref, ErrNotFound)
	}
	if !hit {
		var err error
		if records, err = s.load(ctx, ref.Seq); err != nil {
			return Entry{}, err
		}
	}
	return s.entry(records, ref)
}

// load reads the message seq.
func (s *Spool) load(ctx context.Context, seq uint64) ([]record, error) {
	m, err := s.journal.loadFrom(ctx, s.stream, seq)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	records, err := readRecords(m.Data)
	if err != nil {
		return nil, fmt.Errorf("journal: %s %d: %w: %w", s.stream, seq, ErrDamaged, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest.seq, s.latest.records = seq, records
	return records, nil
}

// entry decodes the put ref of its message's records, with memory of its own.
func (s *Spool) entry(records []record, ref delivery.Ref) (Entry, error) {
	i := ref.Index
	for _, r := range records {
		if r.put == nil {
			continue
		}
		if i--; i < 0 {
			e, err := decodeEntry(bytes.Clone(r.put))
			if err != nil {
				return Entry{}, fmt.Errorf("journal: %s %s: %w: %w", s.stream, ref, ErrDamaged, err)
			}
			return e, nil
		}
	}
	return Entry{}, fmt.Errorf("journal: %s %s: %w: its message is shorter", s.stream, ref, ErrDamaged)
}

// All yields the entries that are live when it comes to them, in order. It
// goes on after an error about one of them, if the caller does.
func (s *Spool) All(ctx context.Context) iter.Seq2[delivery.Kept, error] {
	return func(yield func(delivery.Kept, error) bool) {
		const page = 1024
		var at delivery.Ref
		for {
			s.mu.Lock()
			refs := s.index.after(at, page, "")
			s.mu.Unlock()
			if len(refs) == 0 {
				return
			}
			for _, ref := range refs {
				e, err := s.Get(ctx, ref)
				if errors.Is(err, ErrNotFound) && !s.has(ref) {
					continue // removed meanwhile
				}
				if !yield(delivery.Kept{Ref: ref, DeadLetter: e}, err) || ctx.Err() != nil {
					return
				}
			}
			at = refs[len(refs)-1]
		}
	}
}

// Page returns up to limit entries behind after, which the zero Ref is before
// all of; of one endpoint, unless that is empty. The next page is behind the
// last one's reference.
func (s *Spool) Page(ctx context.Context, after delivery.Ref, limit int, endpoint string) ([]delivery.Kept, error) {
	s.mu.Lock()
	refs := s.index.after(after, limit, endpoint)
	s.mu.Unlock()
	kept := make([]delivery.Kept, 0, len(refs))
	for _, ref := range refs {
		e, err := s.Get(ctx, ref)
		if errors.Is(err, ErrNotFound) && !s.has(ref) {
			continue
		}
		if err != nil {
			return nil, err
		}
		kept = append(kept, delivery.Kept{Ref: ref, DeadLetter: e})
	}
	return kept, nil
}

// Refs is [Spool.Page] without the entries themselves.
func (s *Spool) Refs(after delivery.Ref, limit int, endpoint string) []delivery.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index.after(after, limit, endpoint)
}

// Has reports whether the entry ref is kept.
func (s *Spool) Has(ref delivery.Ref) bool { return s.has(ref) }

func (s *Spool) has(ref delivery.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index.has(ref)
}

// Len is the number of entries.
func (s *Spool) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index.live
}

// Bytes is the size of all entries as stored.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index.bytes
}

// Count is the number of entries of one endpoint.
func (s *Spool) Count(endpoint string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.index.endpoints[endpoint]; t != nil {
		return t.live
	}
	return 0
}

// Counts is the number of entries of each endpoint that has any.
func (s *Spool) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int, len(s.index.endpoints))
	for name, t := range s.index.endpoints {
		counts[name] = t.live
	}
	return counts
}

// recover builds the index from the stream the first time. After a reopen it
// takes back the messages whose callers were told of an error: nobody knows
// their entries' names, so that nobody would ever deliver or remove them.
func (s *Spool) recover(ctx context.Context, e *engine) error {
	info, err := e.streams[s.stream].Info(ctx)
	if err != nil {
		return err
	}
	// A write that was answered enters the index before this looks at it.
	s.commits.busy.Lock()
	defer s.commits.busy.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scanned {
		for seq := s.applied + 1; seq <= info.State.LastSeq; seq++ {
			if err := e.delete(ctx, s.stream, seq); err != nil {
				return fmt.Errorf("%s %d: %w", s.stream, seq, err)
			}
		}
		return nil
	}
	return s.scan(ctx, e, info.State)
}
