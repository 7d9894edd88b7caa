package matcher

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/sdk/json"
)

// putText stores an attribute; an empty one is absent.
func (m *Matcher) putText(slot uint32, s string) {
	if s == "" {
		m.putKind(slot, filter.Undefined)
		return
	}
	m.putString(slot, s)
}

// putValue stores a literal.
func (m *Matcher) putValue(slot uint32, v filter.Value) {
	switch v.Kind {
	case filter.String:
		m.putString(slot, v.String)
	case filter.Number:
		m.putNumber(slot, v.Number)
	default:
		m.putKind(slot, v.Kind)
	}
}

// putJSON stores a value of the data. A number beyond the range of a float64
// is no value.
func (m *Matcher) putJSON(slot uint32, v json.Value) {
	switch v.Kind() {
	case json.String:
		at := m.reserve(len(v))
		text, _ := v.AppendString(m.memory[at : at : at+uint32(len(v))])
		m.top = at + uint32(len(text))
		m.putSpan(slot, at, len(text))
	case json.Number:
		if f, ok := v.Float(); ok {
			m.putNumber(slot, f)
		} else {
			m.putKind(slot, filter.Undefined)
		}
	case json.Bool:
		kind := filter.False
		if b, _ := v.Bool(); b {
			kind = filter.True
		}
		m.putKind(slot, kind)
	case json.Null:
		m.putKind(slot, filter.Null)
	case json.Array:
		m.putKind(slot, filter.Array)
	case json.Object:
		m.putKind(slot, filter.Object)
	}
}

func (m *Matcher) putString(slot uint32, s string) {
	at := m.reserve(len(s))
	copy(m.memory[at:], s)
	m.putSpan(slot, at, len(s))
}

// putSpan stores the string of n bytes at an address.
func (m *Matcher) putSpan(slot, at uint32, n int) {
	m.longest = max(m.longest, uint32(n))
	binary.LittleEndian.PutUint64(m.memory[slot:], uint64(n)<<32|uint64(filter.String))
	m.putWord(slot+8, at)
}

func (m *Matcher) putNumber(slot uint32, f float64) {
	m.putKind(slot, filter.Number)
	binary.LittleEndian.PutUint64(m.memory[slot+8:], math.Float64bits(f))
}

func (m *Matcher) putKind(slot uint32, k filter.Kind) { m.putWord(slot, uint32(k)) }

func (m *Matcher) putWord(at, v uint32) { binary.LittleEndian.PutUint32(m.memory[at:], v) }

// newSlot returns a slot that holds nothing.
func (m *Matcher) newSlot() uint32 {
	m.align()
	slot := m.reserve(filter.SlotBytes)
	m.putKind(slot, filter.Undefined)
	return slot
}

func (m *Matcher) align() { m.top = (m.top + 7) &^ 7 }

// setScratch gives programs the room that they are promised.
func (m *Matcher) setScratch() {
	m.align()
	top := m.top
	m.putWord(filter.ScratchAddress, m.reserve(int(4*m.longest)))
	m.top = top
}

// reserve takes n bytes of memory and returns their address.
func (m *Matcher) reserve(n int) uint32 {
	at := m.top
	if end := int(at) + n; end > len(m.memory) {
		m.grow(end - len(m.memory))
	}
	m.top += uint32(n)
	return at
}

func (m *Matcher) grow(n int) {
	const page = 64 << 10
	memory := m.module.Memory()
	if _, ok := memory.Grow(uint32((n + page - 1) / page)); !ok {
		panic(fmt.Sprintf("matcher: memory of %d bytes cannot grow by %d", len(m.memory), n))
	}
	m.memory = view(memory)
}

func view(memory api.Memory) []byte {
	b, _ := memory.Read(0, memory.Size())
	return b
}
