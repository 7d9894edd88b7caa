package json

import (
	"bytes"
	"unicode/utf8"
)

// Key is the name of an object's member: its raw text, with the quotes.
type Key []byte

// Equal reports whether the name is s, its escapes decoded.
func (k Key) Equal(s string) bool { return equalString(k, s) }

// String is the name, its escapes decoded.
func (k Key) String() string {
	s, _ := Value(k).String()
	return s
}

// AppendString appends the name, its escapes decoded.
func (k Key) AppendString(dst []byte) []byte {
	dst, _ = Value(k).AppendString(dst)
	return dst
}

// Is reports whether v is the string s, its escapes decoded. It is v.String()
// compared, without an allocation.
func (v Value) Is(s string) bool { return equalString(v, s) }

// String is the content of the string v, its escapes decoded; ok is unset for
// any other kind. An escape of a lone surrogate decodes to U+FFFD.
func (v Value) String() (s string, ok bool) {
	raw, ok := v.content()
	if !ok {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw), true
	}
	return string(appendDecoded(make([]byte, 0, len(raw)), raw)), true
}

// AppendString appends what String returns.
func (v Value) AppendString(dst []byte) ([]byte, bool) {
	raw, ok := v.content()
	if !ok {
		return dst, false
	}
	return appendDecoded(dst, raw), true
}

// content is what lies between the quotes of a string.
func (v Value) content() ([]byte, bool) {
	if len(v) < 2 || v[0] != '"' {
		return nil, false
	}
	return v[1 : len(v)-1], true
}

// equalString compares the decoded content of the string in text with s. Every
// escape is longer than what it stands for.
func equalString(text []byte, s string) bool {
	n := len(text) - 2
	if n < len(s) || text[0] != '"' {
		return false
	}
	if s != "" && text[1] != s[0] && text[1] != '\\' {
		return false // most strings that differ
	}
	raw := text[1 : 1+n]
	if n == len(s) {
		return string(raw) == s && bytes.IndexByte(raw, '\\') < 0
	}
	return bytes.IndexByte(raw, '\\') >= 0 && equalDecoded(raw, s)
}

func equalDecoded(raw []byte, s string) bool {
	var buf [utf8.UTFMax]byte
	for len(raw) > 0 {
		if raw[0] != '\\' {
			if s == "" || s[0] != raw[0] {
				return false
			}
			raw, s = raw[1:], s[1:]
			continue
		}
		part, rest := decodeEscape(buf[:0], raw)
		if len(s) < len(part) || s[:len(part)] != string(part) {
			return false
		}
		raw, s = rest, s[len(part):]
	}
	return s == ""
}

func appendDecoded(dst, raw []byte) []byte {
	for {
		plain := bytes.IndexByte(raw, '\\')
		if plain < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:plain]...)
		dst, raw = decodeEscape(dst, raw[plain:])
	}
}

// decodeEscape appends what the escape that raw begins with stands for, and
// returns the rest of raw.
func decodeEscape(dst, raw []byte) ([]byte, []byte) {
	if len(raw) < 2 {
		return dst, nil
	}
	c, rest := raw[1], raw[2:]
	switch c {
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, rest := hexRune(rest), rest[min(4, len(rest)):]
		if isHigh(r) && len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
			if low := hexRune(rest[2:]); isLow(low) {
				r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
				rest = rest[6:]
			}
		}
		return utf8.AppendRune(dst, r), rest // U+FFFD for a lone surrogate
	}
	return append(dst, c), rest
}

func isHigh(r rune) bool { return r >= 0xD800 && r < 0xDC00 }
func isLow(r rune) bool  { return r >= 0xDC00 && r < 0xE000 }

// hexRune reads four hexadecimal digits.
func hexRune(b []byte) rune {
	if len(b) < 4 {
		return utf8.RuneError
	}
	var r rune
	for _, c := range b[:4] {
		d, _ := hexDigit(c)
		r = r<<4 | rune(d)
	}
	return r
}

func hexDigit(c byte) (byte, bool) {
	if d := c - '0'; d <= 9 {
		return d, true
	}
	if d := c | 0x20 - 'a'; d <= 5 {
		return d + 10, true
	}
	return 0, false
}
