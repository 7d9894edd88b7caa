package json

import (
	"iter"
)

// Get returns the member that keys lead to, each the name of a member in the
// object before. The last of several members of one name is the one meant.
// Without keys it returns v.
func (v Value) Get(keys ...string) (Value, bool) {
	for _, key := range keys {
		found, ok := v.member(key)
		if !ok {
			return nil, false
		}
		v = found
	}
	return v, len(v) > 0
}

// At is Get for chaining: the zero Value when there is no such member.
func (v Value) At(keys ...string) Value {
	found, _ := v.Get(keys...)
	return found
}

func (v Value) member(name string) (found Value, ok bool) {
	for at := v.open('{'); at > 0; {
		var key Key
		var value Value
		key, value, at = v.next(at)
		if key.Equal(name) {
			found, ok = value, true
		}
	}
	return found, ok
}

// Members yields the members of an object in order, and nothing of any other
// kind.
func (v Value) Members() iter.Seq2[Key, Value] {
	return func(yield func(Key, Value) bool) { v.eachMember(yield) }
}

func (v Value) eachMember(yield func(Key, Value) bool) {
	for at := v.open('{'); at > 0; {
		var key Key
		var value Value
		key, value, at = v.next(at)
		if !yield(key, value) {
			return
		}
	}
}

// Elements yields the elements of an array in order, counted from 0, and
// nothing of any other kind.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) { v.eachElement(yield) }
}

func (v Value) eachElement(yield func(int, Value) bool) {
	at := v.open('[')
	for i := 0; at > 0; i++ {
		end := skipValue(v, at)
		if !yield(i, v[at:end:end]) {
			return
		}
		at = v.after(end)
	}
}

// open returns the index of the first name or element in the container that
// begins with bracket, 0 when it has none or v begins otherwise.
func (v Value) open(bracket byte) int {
	if len(v) == 0 || v[0] != bracket {
		return 0
	}
	at := skipSpace(v, 1)
	if at >= len(v) || v[at] == bracket+2 {
		return 0
	}
	return at
}

// next reads the member whose name begins at the index at. It returns the
// index of the name after it, 0 when there is none.
func (v Value) next(at int) (Key, Value, int) {
	colon := skipString(v, at+1)
	key := Key(v[at:colon:colon])
	start := skipSpace(v, colon) + 1
	start = min(skipSpace(v, start), len(v))
	end := skipValue(v, start)
	return key, v[start:end:end], v.after(end)
}

// after returns the index of what follows the comma at or after end, 0 when
// the container closes there.
func (v Value) after(end int) int {
	end = skipSpace(v, end)
	if end >= len(v) || v[end] != ',' {
		return 0
	}
	if end = skipSpace(v, end+1); end >= len(v) {
		return 0
	}
	return end
}

// skipValue returns where the value ends that begins at i, in text that was
// checked.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return skipString(b, i+1)
	case '{', '[':
		return skipContainer(b, i)
	}
	for i < len(b) && !delimits[b[i]] {
		i++
	}
	return i
}

// skipContainer counts brackets outside of strings.
func skipContainer(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		c := b[i]
		i++
		switch structure[c] {
		case quotes:
			i = skipString(b, i)
		case opens:
			depth++
		case closes:
			if depth--; depth <= 0 {
				return i
			}
		}
	}
	return len(b)
}

// delimits marks the bytes that can follow a number or a literal.
var delimits = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, ',': true, ']': true, '}': true}

// structure tells the bytes that matter between the brackets of a container.
var structure = [256]uint8{'"': quotes, '{': opens, '[': opens, '}': closes, ']': closes}

const (
	quotes = iota + 1
	opens
	closes
)
