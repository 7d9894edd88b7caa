package json

import (
	"math/bits"
	"unicode/utf8"
)

// reason is what was expected at the offset of a fault; 0 is none. A number,
// since a guest passes it through every call.
type reason uint8

const (
	reasonValue reason = iota + 1
	reasonEnd
	reasonTail
	reasonName
	reasonColon
	reasonObject
	reasonArray
	reasonLiteral
	reasonNumber
	reasonControl
	reasonEscape
	reasonHex
	reasonUTF8
	reasonDepth
)

func (r reason) String() string {
	return [...]string{
		"",
		"expected a value",
		"the text ends too early",
		"expected nothing after the value",
		"expected a name in quotes",
		"expected a colon",
		"expected a comma or }",
		"expected a comma or ]",
		"expected true, false or null",
		"expected a digit",
		"a control character in a string must be escaped",
		"no such escape in a string",
		"expected four hexadecimal digits after \\u",
		"not valid UTF-8",
		"nested deeper than 512",
	}[r]
}

// nesting remembers, one bit a level, which open containers are objects.
type nesting struct {
	objects [MaxDepth / 64]uint64
	depth   int
}

func (n *nesting) push(object bool) bool {
	if n.depth == MaxDepth {
		return false
	}
	bit := uint64(1) << (n.depth % 64)
	if object {
		n.objects[n.depth/64] |= bit
	} else {
		n.objects[n.depth/64] &^= bit
	}
	n.depth++
	return true
}

func (n *nesting) inObject() bool {
	top := n.depth - 1
	return n.objects[top/64]&(1<<(top%64)) != 0
}

// scanValue checks the value that begins at i, within the containers of open.
// It returns where the value ends; with a reason, where the fault is.
func scanValue(b []byte, i int, open *nesting) (end int, why reason) {
	around := open.depth
	for {
		// A value begins at i.
		if i >= len(b) {
			return i, reasonEnd
		}
		switch c := b[i]; c {
		case '{', '[':
			if !open.push(c == '{') {
				return i, reasonDepth
			}
			i = skipSpace(b, i+1)
			if i < len(b) && b[i] == c+2 { // { and }, [ and ] are two apart
				i++
				open.depth--
				break
			}
			if c == '{' {
				if i, why = scanName(b, i); why != 0 {
					return i, why
				}
			}
			continue
		case '"':
			i, _, why = scanString(b, i+1)
		case 't':
			i, why = scanLiteral(b, i, "true")
		case 'f':
			i, why = scanLiteral(b, i, "false")
		case 'n':
			i, why = scanLiteral(b, i, "null")
		default:
			i, why = scanNumber(b, i)
		}
		if why != 0 {
			return i, why
		}
		// A value ended at i: close what closes, up to the next value.
		var more bool
		for !more {
			if open.depth == around {
				return i, 0
			}
			if i, more, why = scanAfter(b, i, open); why != 0 {
				return i, why
			}
		}
	}
}

// scanAfter reads what follows a value in a container: its close, or a comma
// up to where the next value begins.
func scanAfter(b []byte, i int, open *nesting) (next int, more bool, why reason) {
	if i = skipSpace(b, i); i >= len(b) {
		return i, false, reasonEnd
	}
	object := open.inObject()
	switch c := b[i]; {
	case c == ',':
		i = skipSpace(b, i+1)
		if object {
			i, why = scanName(b, i)
		}
		return i, true, why
	case c == '}' && object, c == ']' && !object:
		open.depth--
		return i + 1, false, 0
	case object:
		return i, false, reasonObject
	}
	return i, false, reasonArray
}

// scanName checks a member's name and colon, up to where its value begins.
func scanName(b []byte, i int) (end int, why reason) {
	if i >= len(b) {
		return i, reasonEnd
	}
	if b[i] != '"' {
		return i, reasonName
	}
	if i, _, why = scanString(b, i+1); why != 0 {
		return i, why
	}
	if i = skipSpace(b, i); i >= len(b) {
		return i, reasonEnd
	}
	if b[i] != ':' {
		return i, reasonColon
	}
	return skipSpace(b, i+1), 0
}

// scanString checks a string's content from i, which is after the opening
// quote. It is plain when no escape is in it.
func scanString(b []byte, i int) (end int, plain bool, why reason) {
	for i+8 <= len(b) {
		found := specials(word(b, i))
		if found == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(found) / 8; b[i] == '"' {
			return i + 1, true, 0
		}
		break
	}
	return scanSpecials(b, i)
}

// scanSpecials is scanString where there is more than short plain text.
func scanSpecials(b []byte, i int) (end int, plain bool, why reason) {
	plain = true
	for {
		i = skipPlain(b, i)
		if i >= len(b) {
			return i, false, reasonEnd
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, plain, 0
		case c == '\\':
			plain = false
			if i, why = scanEscape(b, i); why != 0 {
				return i, false, why
			}
		case c < ' ':
			return i, false, reasonControl
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 {
				return i, false, reasonUTF8
			}
			i += n
		}
	}
}

// scanEscape checks the escape whose backslash is at i.
func scanEscape(b []byte, i int) (end int, why reason) {
	if i+1 >= len(b) {
		return len(b), reasonEnd
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, 0
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(b) {
				return k, reasonEnd
			}
			if _, ok := hexDigit(b[k]); !ok {
				return k, reasonHex
			}
		}
		return i + 6, 0
	}
	return i + 1, reasonEscape
}

func scanLiteral(b []byte, i int, word string) (end int, why reason) {
	for k := range len(word) {
		if i+k >= len(b) {
			return len(b), reasonEnd
		}
		if b[i+k] != word[k] {
			return i + k, reasonLiteral
		}
	}
	return i + len(word), 0
}

// scanNumber checks the number that begins at i.
func scanNumber(b []byte, i int) (end int, why reason) {
	if b[i] == '-' {
		i++
	} else if !isDigit(b[i]) {
		return i, reasonValue
	}
	start := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	if i == start {
		return noDigit(b, i)
	}
	if b[start] == '0' {
		i = start + 1
	}
	if i < len(b) && b[i] == '.' {
		i++
		start = i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		if i == start {
			return noDigit(b, i)
		}
	}
	if i >= len(b) || b[i]|0x20 != 'e' {
		return i, 0
	}
	i++
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		i++
	}
	start = i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	if i == start {
		return noDigit(b, i)
	}
	return i, 0
}

func noDigit(b []byte, i int) (int, reason) {
	if i >= len(b) {
		return i, reasonEnd
	}
	return i, reasonNumber
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// skipSpace returns the index from i on of the first byte that is not a blank.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
