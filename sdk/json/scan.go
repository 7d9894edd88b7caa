package json

import (
	"math/bits"
	"unicode/utf8"
)

// What was expected at the offset of a fault.
const (
	reasonValue   = "expected a value"
	reasonEnd     = "the text ends too early"
	reasonTail    = "expected nothing after the value"
	reasonName    = "expected a name in quotes"
	reasonColon   = "expected a colon"
	reasonObject  = "expected a comma or }"
	reasonArray   = "expected a comma or ]"
	reasonLiteral = "expected true, false or null"
	reasonNumber  = "expected a digit"
	reasonControl = "a control character in a string must be escaped"
	reasonEscape  = "no such escape in a string"
	reasonHex     = "expected four hexadecimal digits after \\u"
	reasonUTF8    = "not valid UTF-8"
	reasonDepth   = "nested deeper than 512"
)

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
func scanValue(b []byte, i int, open *nesting) (end int, reason string) {
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
				if _, i, reason = scanName(b, i); reason != "" {
					return i, reason
				}
			}
			continue
		case '"':
			i, reason = scanString(b, i+1)
		case 't':
			i, reason = scanLiteral(b, i, "true")
		case 'f':
			i, reason = scanLiteral(b, i, "false")
		case 'n':
			i, reason = scanLiteral(b, i, "null")
		default:
			i, reason = scanNumber(b, i)
		}
		if reason != "" {
			return i, reason
		}
		// A value ended at i: close what closes, up to the next value.
		var more bool
		for !more {
			if open.depth == around {
				return i, ""
			}
			if i, more, reason = scanAfter(b, i, open); reason != "" {
				return i, reason
			}
		}
	}
}

// scanAfter reads what follows a value in a container: its close, or a comma
// up to where the next value begins.
func scanAfter(b []byte, i int, open *nesting) (next int, more bool, reason string) {
	if i = skipSpace(b, i); i >= len(b) {
		return i, false, reasonEnd
	}
	object := open.inObject()
	switch c := b[i]; {
	case c == ',':
		i = skipSpace(b, i+1)
		if object {
			_, i, reason = scanName(b, i)
		}
		return i, true, reason
	case c == '}' && object, c == ']' && !object:
		open.depth--
		return i + 1, false, ""
	case object:
		return i, false, reasonObject
	}
	return i, false, reasonArray
}

// scanName checks a member's name and colon. It returns where the name ends and
// where the value begins; with a reason, the latter is where the fault is.
func scanName(b []byte, i int) (end, value int, reason string) {
	if i >= len(b) {
		return i, i, reasonEnd
	}
	if b[i] != '"' {
		return i, i, reasonName
	}
	if end, reason = scanString(b, i+1); reason != "" {
		return end, end, reason
	}
	if i = skipSpace(b, end); i >= len(b) {
		return end, i, reasonEnd
	}
	if b[i] != ':' {
		return end, i, reasonColon
	}
	return end, skipSpace(b, i+1), ""
}

// scanString checks a string's content from i, which is after the opening quote.
func scanString(b []byte, i int) (end int, reason string) {
	for i+8 <= len(b) {
		found := specials(word(b, i))
		if found == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(found) / 8; b[i] == '"' {
			return i + 1, ""
		}
		break
	}
	return scanSpecials(b, i)
}

// scanSpecials is scanString where there is more to it than plain text.
func scanSpecials(b []byte, i int) (end int, reason string) {
	for {
		i = skipPlain(b, i)
		if i >= len(b) {
			return i, reasonEnd
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, ""
		case c == '\\':
			if i, reason = scanEscape(b, i); reason != "" {
				return i, reason
			}
		case c < ' ':
			return i, reasonControl
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 {
				return i, reasonUTF8
			}
			i += n
		}
	}
}

// scanEscape checks the escape whose backslash is at i.
func scanEscape(b []byte, i int) (end int, reason string) {
	if i+1 >= len(b) {
		return len(b), reasonEnd
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, ""
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(b) {
				return k, reasonEnd
			}
			if _, ok := hexDigit(b[k]); !ok {
				return k, reasonHex
			}
		}
		return i + 6, ""
	}
	return i + 1, reasonEscape
}

func scanLiteral(b []byte, i int, word string) (end int, reason string) {
	for k := range len(word) {
		if i+k >= len(b) {
			return len(b), reasonEnd
		}
		if b[i+k] != word[k] {
			return i + k, reasonLiteral
		}
	}
	return i + len(word), ""
}

// scanNumber checks the number that begins at i.
func scanNumber(b []byte, i int) (end int, reason string) {
	first := b[i]
	if first == '-' {
		i++
	} else if !isDigit(first) {
		return i, reasonValue
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i, reason = scanDigits(b, i); reason != "" {
		return i, reason
	}
	if i < len(b) && b[i] == '.' {
		if i, reason = scanDigits(b, i+1); reason != "" {
			return i, reason
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return scanDigits(b, i)
	}
	return i, ""
}

// scanDigits checks one digit or more.
func scanDigits(b []byte, i int) (end int, reason string) {
	if i >= len(b) {
		return i, reasonEnd
	}
	if !isDigit(b[i]) {
		return i, reasonNumber
	}
	for i++; i < len(b) && isDigit(b[i]); i++ {
	}
	return i, ""
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// skipSpace returns the index from i on of the first byte that is not a blank.
func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
