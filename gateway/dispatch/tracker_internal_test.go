package dispatch

import (
	"cmp"
	"slices"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// FuzzTracker takes and settles chunks as the bytes say, saves positions and
// starts again from them. A position never covers what is owed, covers all that
// is settled, and what it covers is never taken again.
func FuzzTracker(f *testing.F) {
	f.Add([]byte{0, 5, 0, 3, 1, 0, 2, 1, 7, 3, 0, 9})
	f.Add([]byte("take, settle, save and start anew, again and again"))
	f.Fuzz(func(t *testing.T, script []byte) {
		owed := map[event.Position]int{} // deliveries of what was taken
		settled := map[event.Position]bool{}
		sizes := map[uint64]int{}
		var open []event.Position
		tr := newTracker(delivery.Mark{Endpoint: "hub", Low: 1})
		next := func() (b byte) {
			if len(script) > 0 {
				b, script = script[0], script[1:]
			}
			return b
		}
		check := func() delivery.Mark {
			m := tr.mark("hub")
			for p, n := range owed {
				if n > 0 && m.IsSettled(p) {
					t.Fatalf("%s is owed, and covered by %+v", p, m)
				}
			}
			for p := range settled {
				if !m.IsSettled(p) {
					t.Fatalf("%s is settled, and not covered by %+v", p, m)
				}
			}
			return m
		}
		for len(script) > 0 {
			switch op := next(); op % 4 {
			case 0, 1: // take a chunk
				seq := tr.next
				if op >= 128 && sizes[seq] == 0 && !tr.resuming(seq) {
					seq += uint64(op % 3) // chunks before it are lost
				}
				if sizes[seq] == 0 {
					sizes[seq] = 1 + int(next())%20
				}
				var pending []uint32
				for i := range sizes[seq] {
					p := event.Position{Seq: seq, Index: i}
					n := max(0, int(next()%6)-3)
					if n == 0 || tr.done(p) {
						if tr.done(p) != settled[p] {
							t.Fatalf("%s: done = %v, settled = %v", p, tr.done(p), settled[p])
						}
						settled[p] = true
						continue
					}
					if pending == nil {
						pending = tr.counts(sizes[seq])
					}
					pending[i] = uint32(n)
					owed[p] = n
					open = append(open, slices.Repeat([]event.Position{p}, n)...)
				}
				tr.take(seq, sizes[seq], pending)
			case 2: // settle a delivery
				if len(open) == 0 {
					continue
				}
				i := int(next()) % len(open)
				p := open[i]
				open = slices.Delete(open, i, i+1)
				tr.settle(p)
				if owed[p]--; owed[p] == 0 {
					delete(owed, p)
					settled[p] = true
				}
			case 3: // save, and start again
				m := check()
				if op < 128 {
					continue
				}
				tr = newTracker(m)
				clear(owed)
				open = nil
			}
		}
		check()
		for _, p := range slices.Clone(open) {
			tr.settle(p)
		}
		if m := tr.mark("hub"); m.Low != tr.next || tr.span() != 0 {
			t.Fatalf("mark = %+v, span %d when all is settled at %d", m, tr.span(), tr.next)
		}
	})
}

// TestTrackerStaysSmall keeps one event of an old chunk open for long.
func TestTrackerStaysSmall(t *testing.T) {
	tr := newTracker(delivery.Mark{Low: 1})
	tr.take(1, 2, []uint32{1, 0})
	for seq := uint64(2); seq < 50_000; seq++ {
		tr.take(seq, 256, append(make([]uint32, 255), 1))
		tr.settle(event.Position{Seq: seq, Index: 255})
	}
	var m delivery.Mark
	if n := testing.AllocsPerRun(10, func() { m = tr.mark("hub") }); n > 4 {
		t.Errorf("a mark over %d chunks makes %v allocations: those that are settled are to share their bitmap", tr.span(), n)
	}
	if m.IsSettled(event.Position{Seq: 1}) || !m.IsSettled(event.Position{Seq: 1, Index: 1}) || !m.IsSettled(event.Position{Seq: 40_000, Index: 255}) {
		t.Error("the mark is wrong")
	}
	tr.settle(event.Position{Seq: 1})
	if m = tr.mark("hub"); m.Low != 50_000 || len(m.Settled) != 0 {
		t.Errorf("mark = %d with %d bitmaps once all is settled", m.Low, len(m.Settled))
	}
}

// FuzzOrder puts retries of one key in as the bytes say: they stand in the
// order of the journal, except that nothing passes the one that may be under
// way.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{1, 0, 2, 0, 3, 1, 3, 0})
	f.Fuzz(func(t *testing.T, places []byte) {
		r := newRunner(nil, Endpoint{Sink: nothing{}}, delivery.Mark{}, nil)
		for i := 0; i+1 < len(places); i += 2 {
			p := place{event.Position{Seq: uint64(places[i]) + 1, Index: int(places[i+1] >> 4)}, int(places[i+1] & 15)}
			r.addRetry(&retry{place: p}, "k")
		}
		q := r.keys["k"]
		if q == nil {
			return
		}
		if !slices.IsSortedFunc(q.entries[1:], func(a, b *retry) int { return a.place.compare(b.place) }) {
			t.Error("the entries behind the first are out of order")
		}
		if got, want := q.entries[0].place.position.Seq, uint64(places[0])+1; got != want {
			t.Errorf("first entry = %d, want %d, which came first", got, want)
		}
		r.sortRetries()
		if !slices.IsSortedFunc(q.entries, func(a, b *retry) int { return a.place.compare(b.place) }) {
			t.Error("the entries are out of order after a start")
		}
	})
}

type nothing struct{ Sink }

func (nothing) Capacity() delivery.Capacity { return delivery.Capacity{} }

func TestPlaceOrder(t *testing.T) {
	at := func(seq uint64, index, output int) place {
		return place{event.Position{Seq: seq, Index: index}, output}
	}
	order := []place{at(1, 0, 0), at(1, 0, 1), at(1, 2, 0), at(2, 0, 0), at(2, 0, 7), at(10, 0, 0)}
	for i, a := range order {
		for j, b := range order {
			if got := a.compare(b); got != cmp.Compare(i, j) {
				t.Errorf("%v compared to %v = %d", a, b, got)
			}
		}
	}
}
