package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is the kind of a token. Punctuation and operators are one kind;
// their text tells them apart.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenPath
	tokenString
	tokenNumber
	tokenMark
)

// token is one token of a filter. Text is as written.
type token struct {
	kind       tokenKind
	text       string
	start, end int
}

// is reports whether t is the mark or the keyword s, whatever its case.
func (t token) is(s string) bool {
	return (t.kind == tokenMark || t.kind == tokenPath) && strings.EqualFold(t.text, s)
}

// lexer cuts a text into tokens, one at a time, so that the first fault in
// the order of the text is the one reported.
type lexer struct {
	text string
	pos  int
}

// next reads a token. Beyond the end it returns tokenEnd for ever.
func (l *lexer) next() (token, error) {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.pos]) >= 0 {
		l.pos++
	}
	start := l.pos
	if start == len(l.text) {
		return token{tokenEnd, "", start, start}, nil
	}
	kind := tokenMark
	switch c := l.text[start]; {
	case c == '\'' || c == '"':
		kind = tokenString
		if !l.quoted(c) {
			return token{}, errorAt(l.text, start, len(l.text), "Unterminated string")
		}
	case isDigit(c) || (c == '-' || c == '.') && isDigit(l.at(start+1)) || c == '-' && l.at(start+1) == '.':
		kind = tokenNumber
		l.number()
	case c == '<' || c == '>' || c == '!':
		l.pos++
		if l.at(l.pos) == '=' {
			l.pos++
		}
	default:
		r, size := utf8.DecodeRuneInString(l.text[start:])
		if isIdent(r) && !unicode.IsDigit(r) && r != '-' {
			kind = tokenPath
			l.path()
		} else {
			l.pos += size
		}
	}
	return token{kind, l.text[start:l.pos], start, l.pos}, nil
}

// quoted passes a string in quotes q, in which a doubled quote stands for one.
func (l *lexer) quoted(q byte) bool {
	for l.pos++; ; l.pos++ {
		i := strings.IndexByte(l.text[l.pos:], q)
		if i < 0 {
			return false
		}
		l.pos += i + 1
		if l.at(l.pos) != q {
			return true
		}
	}
}

// number passes a number, and whatever letters cling to it, which
// [strconv.ParseFloat] will refuse.
func (l *lexer) number() {
	for l.pos++; ; l.pos++ {
		c, before := l.at(l.pos), l.text[l.pos-1]|0x20
		sign := (c == '-' || c == '+') && before == 'e'
		if !isDigit(c) && !isLetter(c) && c != '.' && c != '_' && !sign {
			return
		}
	}
}

// path passes names joined by dots, each with any number of indexes.
func (l *lexer) path() {
	start := l.pos
	for {
		l.ident()
		if strings.EqualFold(l.text[start:l.pos], "IN") {
			return // IN[0] is a list, not an index
		}
		for l.index() {
		}
		r, _ := utf8.DecodeRuneInString(l.text[min(l.pos+1, len(l.text)):])
		if l.at(l.pos) != '.' || !isIdent(r) {
			return
		}
		l.pos++
	}
}

func (l *lexer) ident() {
	for l.pos < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.pos:])
		if !isIdent(r) {
			return
		}
		l.pos += size
	}
}

// index passes an index such as [0], if one stands here.
func (l *lexer) index() bool {
	if l.at(l.pos) != '[' {
		return false
	}
	end := l.pos + 1
	for isDigit(l.at(end)) {
		end++
	}
	if end == l.pos+1 || l.at(end) != ']' {
		return false
	}
	l.pos = end + 1
	return true
}

// at is the byte at i, or 0 beyond the end.
func (l *lexer) at(i int) byte {
	if i >= len(l.text) {
		return 0
	}
	return l.text[i]
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isIdent reports whether r may stand in a name.
func isIdent(r rune) bool {
	return r == '$' || r == '_' || r == '-' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
