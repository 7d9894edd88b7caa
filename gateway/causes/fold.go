package causes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of texts, in bytes.
const (
	maxCause   = 300
	maxExample = 1000
)

// Fold takes out of a reason what differs from letter to letter: quoted texts
// become "…", ids and hex digits, and numbers with what belongs to them, become
// N. A status of HTTP stays, since it is the cause.
func Fold(reason string) string {
	var b strings.Builder
	for i := 0; i < len(reason) && b.Len() < maxCause; {
		c := reason[i]
		switch {
		case c == '"' || c == '`' || c == '\'' && !insideWord(reason, i):
			if end := strings.IndexByte(reason[i+1:], c); end >= 0 {
				b.WriteByte(c)
				b.WriteString("…")
				b.WriteByte(c)
				i += end + 2
				continue
			}
			b.WriteByte(c)
			i++
		case isWord(c):
			end := i
			for end < len(reason) && (isWord(reason[end]) || isJoint(reason, end)) {
				end++
			}
			foldWord(&b, reason, i, end)
			i = end
		default:
			r, size := utf8.DecodeRuneInString(reason[i:])
			if unicode.IsControl(r) || unicode.IsSpace(r) || r == utf8.RuneError {
				r = ' '
			}
			b.WriteRune(r)
			i += size
		}
	}
	folded := b.String()
	if len(folded) > maxCause {
		folded = strings.ToValidUTF8(folded[:maxCause], "") + "…"
	}
	return strings.TrimSpace(folded)
}

// foldWord writes the word reason[start:end].
func foldWord(b *strings.Builder, reason string, start, end int) {
	word := reason[start:end]
	if !strings.ContainsAny(word, "0123456789") || isStatus(reason, start, end) {
		b.WriteString(word)
		return
	}
	// Of a word that is a name with numbers in it, the name stays: room-7, tsi@3,
	// rooms/7. An id, in which they alternate, becomes one N.
	if isID(word) {
		b.WriteByte('N')
		return
	}
	for i := 0; i < len(word); {
		if !isDigit(word[i]) {
			b.WriteByte(word[i])
			i++
			continue
		}
		for i < len(word) && (isDigit(word[i]) || (word[i] == '.' || word[i] == ',') && i+1 < len(word) && isDigit(word[i+1])) {
			i++
		}
		b.WriteByte('N')
	}
}

// isStatus reports whether the word is a status of HTTP that says why: three
// digits from 400 to 599 that stand alone.
func isStatus(reason string, start, end int) bool {
	word := reason[start:end]
	if len(word) != 3 || word[0] != '4' && word[0] != '5' || !isDigit(word[1]) || !isDigit(word[2]) {
		return false
	}
	alone := func(i int) bool { return i < 0 || i >= len(reason) || strings.IndexByte(" ,;:()[]\"'", reason[i]) >= 0 }
	// A colon before is that of a port.
	return alone(start-1) && alone(end) && (start < 1 || reason[start-1] != ':')
}

// isID reports whether a word is made up: hex digits of some length, or letters
// and digits that change more often than in a name.
func isID(word string) bool {
	hex, changes, letters := 0, 0, 0
	for i := range len(word) {
		c := word[i]
		if isHex(c) {
			hex++
		}
		if !isDigit(c) && isWord(c) {
			letters++
		}
		if i > 0 && isWord(c) && isWord(word[i-1]) && isDigit(c) != isDigit(word[i-1]) {
			changes++
		}
	}
	bare := strings.Count(word, "-")
	return hex == len(word)-bare && hex >= 8 && letters > 0 || changes >= 4 || strings.HasPrefix(word, "0x")
}

// insideWord reports whether the apostrophe at i is one, as in "isn't".
func insideWord(s string, i int) bool {
	return i > 0 && i+1 < len(s) && isWord(s[i-1]) && isWord(s[i+1])
}

// isJoint reports whether the byte at i, between two parts of a word, keeps them
// together.
func isJoint(s string, i int) bool {
	if i == 0 || i+1 == len(s) {
		return false
	}
	switch s[i] {
	case '-', '.':
		return isWord(s[i-1]) && isWord(s[i+1])
	case ',':
		return isDigit(s[i-1]) && isDigit(s[i+1])
	}
	return false
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isWord(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// clip cuts an example to what is kept of it.
func clip(s string) string {
	if len(s) <= maxExample {
		return strings.Clone(s)
	}
	return strings.ToValidUTF8(s[:maxExample], "") + "…"
}
