package amqp

import (
	"encoding/hex"
	"maps"
	"slices"
	"time"
)

// Symbol is a symbolic value from a constrained domain, in ASCII.
type Symbol string

// Char is one Unicode character.
type Char rune

// UUID is a universally unique identifier, in network byte order.
type UUID [16]byte

// String is the usual form with four dashes.
func (u UUID) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Decimal is an IEEE 754 decimal, as its 4, 8 or 16 bytes; nobody counts with it here.
type Decimal string

// List is a sequence of values.
type List []any

// Pair is one entry of a [Map].
type Pair struct{ Key, Value any }

// Map is a map in the order in which it was written.
type Map []Pair

// MapOf returns a map with m's keys as strings, sorted.
func MapOf(m map[string]any) Map {
	out := make(Map, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, Pair{k, m[k]})
	}
	return out
}

// Get returns the value whose key is the string or symbol name.
func (m Map) Get(name string) (any, bool) {
	if i := m.find(name); i >= 0 {
		return m[i].Value, true
	}
	return nil, false
}

// Set gives key, a string or symbol, a value; it replaces that of an equal name.
func (m *Map) Set(key, value any) {
	if i := m.find(text(key)); i >= 0 {
		(*m)[i] = Pair{key, value}
		return
	}
	*m = append(*m, Pair{key, value})
}

// Delete removes the entry whose key is the string or symbol name.
func (m *Map) Delete(name string) {
	if i := m.find(name); i >= 0 {
		*m = slices.Delete(*m, i, i+1)
	}
}

func (m Map) find(name string) int {
	return slices.IndexFunc(m, func(p Pair) bool {
		switch k := p.Key.(type) {
		case string:
			return k == name
		case Symbol:
			return string(k) == name
		}
		return false
	})
}

// text is the name that a key says, or "".
func text(key any) string {
	switch k := key.(type) {
	case string:
		return k
	case Symbol:
		return string(k)
	}
	return ""
}

// Described is a value with a descriptor, which says what kind of thing it is.
type Described struct{ Descriptor, Value any }

// Array holds values of one type, all in one encoding. Make one with [NewArray].
type Array struct {
	Code       byte // the encoding that every element has
	Descriptor any  // what every element is described by; nil for none
	Elems      []any
}

// NewArray returns the array of items.
func NewArray[T bool | uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | string | Symbol | UUID | time.Time](items ...T) Array {
	a := Array{Elems: make([]any, len(items))}
	for i, item := range items {
		a.Elems[i] = item
	}
	var zero T
	a.Code = widest(zero)
	return a
}
