package journal

// White-box: what the cleaner may drop is decided by the index, which is not
// exported.

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
)

// store is a stream of a spool as it would be on disk.
type store struct {
	seqs    []uint64
	changes map[uint64]indexChange
}

func (s *store) delete(seq uint64) {
	s.seqs = slices.DeleteFunc(s.seqs, func(q uint64) bool { return q == seq })
}

// scan builds the index that a start after a crash would.
func (s *store) scan() *index {
	x := &index{endpoints: map[string]*tally{}}
	for _, seq := range s.seqs {
		x.apply(seq, s.changes[seq])
	}
	return x
}

func (x *index) all() []delivery.Ref { return x.after(delivery.Ref{}, 1<<30, "") }

// TestIndexClean: whenever the process stops in the middle of cleaning, the
// next scan finds the same live entries, and the last message is never dropped.
func TestIndexClean(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		disk := &store{changes: map[uint64]indexChange{}}
		x := disk.scan()
		seq := uint64(0)
		check := func(what string) {
			t.Helper()
			if got, want := disk.scan().all(), x.all(); !slices.Equal(got, want) {
				t.Fatalf("seed %d: %s: a scan finds %v, want %v", seed, what, got, want)
			}
			if len(x.all()) != x.live || seq > 0 && !slices.Contains(disk.seqs, seq) {
				t.Fatalf("seed %d: %s: %d live of %d", seed, what, x.live, len(x.all()))
			}
		}
		for range 60 {
			var c indexChange
			for range rng.IntN(4) {
				c.puts = append(c.puts, slotChange{fmt.Sprint("e", rng.IntN(3)), 10})
			}
			live := x.all()
			for range rng.IntN(5) {
				if len(live) > 0 {
					c.removes = append(c.removes, live[rng.IntN(len(live))])
				}
			}
			if len(c.puts)+len(c.removes) == 0 {
				continue
			}
			seq++
			disk.seqs = append(disk.seqs, seq)
			disk.changes[seq] = c
			x.apply(seq, c)
			check("apply")
			if rng.IntN(5) > 0 {
				continue
			}
			upTo := x.deadPrefix()
			for _, q := range slices.Clone(disk.seqs) { // a purge goes from the front, and may be cut short
				if q < upTo {
					disk.delete(q)
					check("purge")
				}
			}
			x.drop(func(q uint64) bool { return q < upTo })
			for _, q := range x.deadInside() {
				disk.delete(q)
				check("delete")
				x.drop(func(r uint64) bool { return r == q })
				check("drop")
			}
			if len(x.messages) != len(disk.seqs) {
				t.Fatalf("seed %d: %d messages are indexed, %d stored", seed, len(x.messages), len(disk.seqs))
			}
		}
		// With everything removed, one message is left.
		seq++
		c := indexChange{removes: x.all()}
		disk.seqs, disk.changes[seq] = append(disk.seqs, seq), c
		x.apply(seq, c)
		if upTo := x.deadPrefix(); upTo != seq || x.live != 0 || x.bytes != 0 || len(x.endpoints) != 0 {
			t.Fatalf("seed %d: empty, but kept from %d of %d: %+v", seed, upTo, seq, x)
		}
	}
}
