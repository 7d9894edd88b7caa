package matcher

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"

	"github.com/headgate/headgate/gateway/filter"
)

// Matches appends to dst the indexes of the filters that match the event, each
// once, in no particular order. What it costs depends on how many filters match
// and come close to it, not on how many there are.
func (m *Matcher) Matches(dst []int) []int {
	m.asked = m.asked[:0]
	m.visit(0)
	for _, i := range m.asked {
		in := &m.groups[i]
		for verdicts := m.verdicts(in, in.candidates); verdicts != 0; verdicts &= verdicts - 1 {
			place := i*filter.MaxFilters + uint32(bits.TrailingZeros64(verdicts))
			for _, use := range m.set.uses[m.set.firstUse[place]:m.set.firstUse[place+1]] {
				dst = append(dst, int(use))
			}
		}
	}
	return dst
}

// visit collects the candidates that branch n of the index leads to.
func (m *Matcher) visit(n uint32) {
	index := m.set.index
	at := &index.branches[n]
	m.collect(at.always)
	for _, f := range at.attributes {
		m.follow(n, f)
	}
	if len(at.data) == 0 || n == 0 && !index.parseEvery && !index.parse[m.event.Type] {
		return
	}
	m.parse()
	if len(at.data) <= len(m.found) {
		for _, f := range at.data {
			m.follow(n, f)
		}
		return
	}
	for _, f := range m.found {
		m.follow(n, f)
	}
}

// follow collects the candidates at branch n by what the event holds for a field.
func (m *Matcher) follow(n, field uint32) {
	hash, ok := m.hash(&m.keys[field])
	if !ok {
		return
	}
	e, ok := m.set.index.entries[step(n, hash)]
	if !ok {
		return
	}
	m.collect(e.members)
	if e.branch != 0 {
		m.visit(e.branch)
	}
}

// collect asks for the verdicts of s.
func (m *Matcher) collect(s span) {
	for _, p := range m.set.index.postings[s.start:s.end] {
		in := &m.groups[p.group]
		if in.wanted != m.serial {
			in.wanted, in.candidates = m.serial, 0
			m.asked = append(m.asked, p.group)
		}
		in.candidates |= p.mask
	}
}

// key is a field of the index.
type key struct {
	slot   uint32
	field  uint64 // hash of the field
	hash   uint64 // of field and value
	ok     bool   // whether the value can equal any
	serial uint64 // of the event that hash and ok are for
}

// hash returns that of what the event holds for k; ok is false when no filter
// can insist on that.
func (m *Matcher) hash(k *key) (hash uint64, ok bool) {
	if k.serial == m.serial {
		return k.hash, k.ok
	}
	k.serial, k.ok = m.serial, true
	word := binary.LittleEndian.Uint64(m.memory[k.slot:])
	content := binary.LittleEndian.Uint64(m.memory[k.slot+8:])
	switch kind := filter.Kind(word); kind {
	case filter.String:
		at := uint32(content)
		k.hash = k.field ^ maphash.Bytes(m.set.runtime.seed, m.memory[at:at+uint32(word>>32)])
	case filter.Number:
		k.hash = k.field ^ hashNumber(math.Float64frombits(content))
	case filter.False, filter.True, filter.Null:
		k.hash = k.field ^ hashKind(kind)
	default:
		k.ok = false
	}
	return k.hash, k.ok
}
