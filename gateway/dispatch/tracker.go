package dispatch

import (
	"sort"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// tracker knows what an endpoint still owes of the chunks that it took: the
// chunks from the oldest unsettled one on, and for each of their events how
// many deliveries are open.
type tracker struct {
	next uint64 // the chunk to be taken next
	open []openChunk
	head int // open[:head] is done
	// resumed is where the endpoint stood when the process started: events
	// settled there are not delivered again.
	resumed delivery.Mark
	full    []byte // the bitmap of a chunk that is settled whole, or longer
	spare   [][]uint32
}

// maxSpare is how many counts are kept to be used again.
const maxSpare = 16

type openChunk struct {
	seq     uint64
	events  int
	pending []uint32 // open deliveries per event; nil when there are none
	left    int      // events with any
}

func newTracker(m delivery.Mark) tracker { return tracker{next: m.Low, resumed: m} }

// resuming reports whether events of chunk seq may have been settled before
// the process started.
func (t *tracker) resuming(seq uint64) bool {
	return seq < t.resumed.Low+uint64(len(t.resumed.Settled))
}

// done reports whether the event at p was settled before the process started.
func (t *tracker) done(p event.Position) bool { return t.resumed.IsSettled(p) }

// span is the number of chunks that are remembered because of the oldest.
func (t *tracker) span() int { return len(t.open) - t.head }

// counts returns a zero for each of so many events, for take.
func (t *tracker) counts(events int) []uint32 {
	if n := len(t.spare); n > 0 && cap(t.spare[n-1]) >= events {
		counts := t.spare[n-1][:events]
		t.spare = t.spare[:n-1]
		clear(counts)
		return counts
	}
	return make([]uint32, events)
}

// take notes that chunk seq with events events was taken, and that pending
// holds, per event, how many deliveries came of it. It keeps pending, which
// may be nil when there are none.
func (t *tracker) take(seq uint64, events int, pending []uint32) {
	t.next = seq + 1
	left := 0
	for _, n := range pending {
		if n > 0 {
			left++
		}
	}
	if left == 0 {
		if t.span() == 0 {
			return // nothing is owed: the low mark moves along
		}
		pending = nil
	}
	t.open = append(t.open, openChunk{seq: seq, events: events, pending: pending, left: left})
}

// settle notes that one delivery of the event at p needs nothing more.
func (t *tracker) settle(p event.Position) {
	live := t.open[t.head:]
	i := sort.Search(len(live), func(i int) bool { return live[i].seq >= p.Seq })
	c := &live[i]
	c.pending[p.Index]--
	if c.pending[p.Index] > 0 {
		return
	}
	if c.left--; c.left > 0 {
		return
	}
	if len(t.spare) < maxSpare {
		t.spare = append(t.spare, c.pending)
	}
	c.pending = nil
	for t.head < len(t.open) && t.open[t.head].left == 0 {
		t.head++
	}
	if t.head == len(t.open) {
		t.open, t.head = t.open[:0], 0
	} else if t.head > 64 && t.head > len(t.open)/2 {
		n := copy(t.open, t.open[t.head:])
		clear(t.open[n:])
		t.open, t.head = t.open[:n], 0
	}
}

// mark returns how far the endpoint has come.
func (t *tracker) mark(endpoint string) delivery.Mark {
	m := delivery.Mark{Endpoint: endpoint, Low: t.next}
	live := t.open[t.head:]
	if len(live) == 0 {
		return t.resumedFrom(m)
	}
	m.Low = live[0].seq
	m.Settled = make([][]byte, 0, len(live))
	for i := range live {
		c := &live[i]
		// Chunks that the journal skipped count as settled to no harm: there
		// is nothing to be read of them.
		for uint64(len(m.Settled)) < c.seq-m.Low {
			m.Settled = append(m.Settled, nil)
		}
		m.Settled = append(m.Settled, t.bitmap(c))
	}
	return t.resumedFrom(m)
}

// bitmap returns a bit for each event of c; chunks that are settled share theirs.
func (t *tracker) bitmap(c *openChunk) []byte {
	size := (c.events + 7) / 8
	if c.pending == nil {
		for len(t.full) < size {
			t.full = append(t.full, 0xff)
		}
		return t.full[:size:size]
	}
	bits := make([]byte, size)
	for i, n := range c.pending {
		if n == 0 {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	return bits
}

// resumedFrom adds to m what was settled, before the process started, of
// chunks that were not taken again yet.
func (t *tracker) resumedFrom(m delivery.Mark) delivery.Mark {
	end := t.resumed.Low + uint64(len(t.resumed.Settled))
	for seq := max(t.next, t.resumed.Low); seq < end; seq++ {
		for uint64(len(m.Settled)) < seq-m.Low {
			m.Settled = append(m.Settled, nil)
		}
		m.Settled = append(m.Settled, t.resumed.Settled[seq-t.resumed.Low])
	}
	return m
}
