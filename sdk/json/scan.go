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
//
// It is one loop, and looks at a word of each string itself: in a guest a call
// costs more than most of the strings, names and numbers between two of them.
func scanValue(b []byte, i int, open *nesting) (end int, why reason) {
	around := open.depth
	object := false // the innermost container that was entered here is one
	for {
		if object { // A name begins at i, and a colon follows.
			if i >= len(b) {
				return i, reasonEnd
			}
			if b[i] != '"' {
				return i, reasonName
			}
			if i++; i+8 <= len(b) {
				i += plain(word(b, i))
			}
			if i < len(b) && b[i] == '"' {
				i++
			} else if i, _, why = scanString(b, i); why != 0 {
				return i, why
			}
			if i = skipSpace(b, i); i >= len(b) {
				return i, reasonEnd
			}
			if b[i] != ':' {
				return i, reasonColon
			}
			i = skipSpace(b, i+1)
		}
		// A value begins at i.
		if i >= len(b) {
			return i, reasonEnd
		}
		switch c := b[i]; {
		case c == '"':
			if i++; i+8 <= len(b) {
				i += plain(word(b, i))
			}
			if i < len(b) && b[i] == '"' {
				i++
			} else {
				i, _, why = scanString(b, i)
			}
		case c <= '9':
			i, why = scanNumber(b, i)
		case c|0x20 == '{': // or [
			if !open.push(c == '{') {
				return i, reasonDepth
			}
			object = c == '{'
			i = skipSpace(b, i+1)
			if i >= len(b) || b[i] != c+2 { // { and }, [ and ] are two apart
				continue
			}
		default:
			i, why = scanLiteral(b, i)
		}
		if why != 0 {
			return i, why
		}
		// A value ended at i, or its container is empty: close what closes, up
		// to where the next name or value begins.
		for {
			if open.depth == around {
				return i, 0
			}
			if i = skipSpace(b, i); i >= len(b) {
				return i, reasonEnd
			}
			c := b[i]
			if c == ',' {
				i = skipSpace(b, i+1)
				break
			}
			if object && c != '}' {
				return i, reasonObject
			} else if !object && c != ']' {
				return i, reasonArray
			}
			i++
			if open.depth--; open.depth > around {
				object = open.inObject()
			}
		}
	}
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

// scanLiteral checks true, false or null, which is to begin at i.
func scanLiteral(b []byte, i int) (end int, why reason) {
	var literal string
	switch b[i] {
	case 't':
		literal = "true"
	case 'f':
		literal = "false"
	case 'n':
		literal = "null"
	default:
		return i, reasonValue
	}
	for k := range len(literal) {
		if i+k >= len(b) {
			return len(b), reasonEnd
		}
		if b[i+k] != literal[k] {
			return i + k, reasonLiteral
		}
	}
	return i + len(literal), 0
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

// skipSpace returns the index from i on of the first byte that is not a blank:
// mostly i, which costs no call.
func skipSpace(b []byte, i int) int {
	if i < len(b) && b[i] <= ' ' {
		return skipBlanks(b, i)
	}
	return i
}

//go:noinline
func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
