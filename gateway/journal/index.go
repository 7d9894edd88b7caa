package journal

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/gateway/delivery"
)

// index knows which entries of a spool are live, without their bodies. Its
// owner's lock guards it.
type index struct {
	messages  []*message // in order of sequence
	endpoints map[string]*tally
	live      int
	bytes     int64
	dead      int // messages that clean may look at
}

// message is what the index knows of one message.
type message struct {
	seq     uint64
	slots   []slot   // the entries it put
	live    int      // how many of them are
	targets []uint64 // the messages whose entries it removed, while they exist
	damaged bool     // nothing is known of it, so it is never dropped
}

// slot is one entry; nil of is one that was removed.
type slot struct {
	of    *tally
	bytes int32
}

// tally counts the live entries of one endpoint.
type tally struct {
	endpoint string
	live     int
	bytes    int64
}

// indexChange is what a message does to the index.
type indexChange struct {
	puts    []slotChange
	removes []delivery.Ref
}

type slotChange struct {
	endpoint string
	bytes    int
}

// change reads what the message b does.
func change(b []byte) (indexChange, error) {
	var c indexChange
	records, err := readRecords(b)
	if err != nil {
		return c, err
	}
	for _, r := range records {
		if r.put == nil {
			c.removes = append(c.removes, r.remove)
			continue
		}
		endpoint, err := entryEndpoint(r.put)
		if err != nil {
			return c, err
		}
		c.puts = append(c.puts, slotChange{endpoint, len(r.put)})
	}
	return c, nil
}

// apply adds the message seq.
func (x *index) apply(seq uint64, c indexChange) {
	m := &message{seq: seq, live: len(c.puts)}
	if len(c.puts) > 0 {
		m.slots = make([]slot, len(c.puts))
	}
	for i, p := range c.puts {
		t := x.endpoints[p.endpoint]
		if t == nil {
			t = &tally{endpoint: p.endpoint}
			x.endpoints[p.endpoint] = t
		}
		m.slots[i] = slot{of: t, bytes: int32(p.bytes)}
		t.live++
		t.bytes += int64(p.bytes)
		x.live++
		x.bytes += int64(p.bytes)
	}
	for _, ref := range c.removes {
		if target := x.find(ref.Seq); target != nil {
			if !slices.Contains(m.targets, ref.Seq) {
				m.targets = append(m.targets, ref.Seq)
			}
			x.remove(target, ref.Index)
		}
	}
	if m.live == 0 {
		x.dead++
	}
	x.messages = append(x.messages, m)
}

// remove marks the entry at i as gone.
func (x *index) remove(m *message, i int) {
	if i < 0 || i >= len(m.slots) || m.slots[i].of == nil {
		return
	}
	s := m.slots[i]
	m.slots[i] = slot{}
	s.of.live--
	s.of.bytes -= int64(s.bytes)
	if s.of.live == 0 {
		delete(x.endpoints, s.of.endpoint)
	}
	x.live--
	x.bytes -= int64(s.bytes)
	if m.live--; m.live == 0 {
		x.dead++
	}
}

// search is the place of the first message at or after seq.
func (x *index) search(seq uint64) int {
	i, _ := slices.BinarySearchFunc(x.messages, seq, func(m *message, seq uint64) int { return cmp.Compare(m.seq, seq) })
	return i
}

// find returns the message seq, nil if there is none.
func (x *index) find(seq uint64) *message {
	if i := x.search(seq); i < len(x.messages) && x.messages[i].seq == seq {
		return x.messages[i]
	}
	return nil
}

// has reports whether the entry ref is live.
func (x *index) has(ref delivery.Ref) bool {
	m := x.find(ref.Seq)
	return m != nil && ref.Index >= 0 && ref.Index < len(m.slots) && m.slots[ref.Index].of != nil
}

// after returns up to limit live entries behind ref, of the endpoint unless
// that is empty.
func (x *index) after(ref delivery.Ref, limit int, endpoint string) []delivery.Ref {
	var refs []delivery.Ref
	for i := x.search(ref.Seq); i < len(x.messages) && len(refs) < limit; i++ {
		m := x.messages[i]
		if m.live == 0 {
			continue
		}
		for k, s := range m.slots {
			at := delivery.Ref{Seq: m.seq, Index: k}
			if s.of == nil || at.Compare(ref) <= 0 && ref != (delivery.Ref{}) || endpoint != "" && s.of.endpoint != endpoint {
				continue
			}
			if refs = append(refs, at); len(refs) == limit {
				break
			}
		}
	}
	return refs
}

// deadPrefix is the first sequence to keep when all messages in front of it
// are dead. The last message is always kept, so that sequences go on from it.
func (x *index) deadPrefix() uint64 {
	for i, m := range x.messages {
		if m.live > 0 || m.damaged || i == len(x.messages)-1 {
			return m.seq
		}
	}
	return 0
}

// deadInside are the messages that can go although live ones lie in front of
// them: none of their entries is live, and neither exists what they removed.
func (x *index) deadInside() []uint64 {
	var seqs []uint64
	gone := map[uint64]bool{}
	for i, m := range x.messages {
		if m.live > 0 || m.damaged || i == len(x.messages)-1 {
			continue
		}
		m.targets = slices.DeleteFunc(m.targets, func(t uint64) bool { return !gone[t] && x.find(t) == nil })
		if !slices.ContainsFunc(m.targets, func(t uint64) bool { return !gone[t] }) {
			seqs = append(seqs, m.seq)
			gone[m.seq] = true
		}
	}
	return seqs
}

// drop forgets the messages that gone names.
func (x *index) drop(gone func(seq uint64) bool) {
	x.messages = slices.DeleteFunc(x.messages, func(m *message) bool {
		if !gone(m.seq) {
			return false
		}
		x.dead--
		return true
	})
}
