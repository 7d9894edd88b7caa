package json

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendQuoted appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD; nothing is escaped that need not be. It may also write to what
// capacity dst has behind the result.
func AppendQuoted[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := len(dst)
	dst = append(dst, s...)
	end := len(dst)
	dst = append(dst, "        "...) // so that it ends in a whole word
	for i := start; i < end; i += 8 {
		if specials(word(dst, i)) != 0 {
			return append(appendEscaped(dst[:start], s), '"')
		}
	}
	dst[end] = '"'
	return dst[:end+1]
}

func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(append(dst, s[plain:i]...), "\uFFFD"...)
		} else {
			dst = appendEscape(append(dst, s[plain:i]...), c)
		}
		i++
		plain = i
	}
	return append(dst, s[plain:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// Writer appends one JSON value to a buffer. It writes the commas; that names
// and values alternate, and that what was begun is ended, is its user's care.
//
// The zero Writer is ready to use.
type Writer struct {
	buf   []byte
	start int
}

// NewWriter returns a writer that appends to dst.
func NewWriter(dst []byte) Writer { return Writer{buf: dst, start: len(dst)} }

// Bytes is the buffer: what it held at first, and what was written.
func (w *Writer) Bytes() []byte { return w.buf }

// Len is the number of bytes written.
func (w *Writer) Len() int { return len(w.buf) - w.start }

// Reset discards what was written and keeps the memory.
func (w *Writer) Reset() { w.buf = w.buf[:w.start] }

// BeginObject opens an object.
func (w *Writer) BeginObject() { w.comma(); w.buf = append(w.buf, '{') }

// EndObject closes the object that was opened last.
func (w *Writer) EndObject() { w.buf = append(w.buf, '}') }

// BeginArray opens an array.
func (w *Writer) BeginArray() { w.comma(); w.buf = append(w.buf, '[') }

// EndArray closes the array that was opened last.
func (w *Writer) EndArray() { w.buf = append(w.buf, ']') }

// Name writes a member's name; its value comes next.
func (w *Writer) Name(s string) {
	w.comma()
	w.buf = append(AppendQuoted(w.buf, s), ':')
}

// NameBytes is Name for bytes.
func (w *Writer) NameBytes(s []byte) {
	w.comma()
	w.buf = append(AppendQuoted(w.buf, s), ':')
}

// Key writes a member's name that was read elsewhere, as it stands.
func (w *Writer) Key(k Key) {
	w.comma()
	w.buf = append(append(w.buf, k...), ':')
}

// Value writes v as it stands, null for the zero Value.
func (w *Writer) Value(v Value) {
	w.comma()
	if len(v) == 0 {
		v = Value("null")
	}
	w.buf = append(w.buf, v...)
}

// String writes a string.
func (w *Writer) String(s string) { w.comma(); w.buf = AppendQuoted(w.buf, s) }

// StringBytes is String for bytes.
func (w *Writer) StringBytes(s []byte) { w.comma(); w.buf = AppendQuoted(w.buf, s) }

// Int writes a number.
func (w *Writer) Int(n int64) { w.comma(); w.buf = strconv.AppendInt(w.buf, n, 10) }

// Float writes the shortest number that reads back as f, and null for the
// infinities and for what is not a number, which JSON cannot say.
func (w *Writer) Float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.Null()
		return
	}
	w.comma()
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	w.buf = strconv.AppendFloat(w.buf, f, format, -1, 64)
}

// Bool writes true or false.
func (w *Writer) Bool(b bool) { w.comma(); w.buf = strconv.AppendBool(w.buf, b) }

// Null writes null.
func (w *Writer) Null() { w.comma(); w.buf = append(w.buf, "null"...) }

// comma writes the comma that parts what comes next from what was written: the
// last byte tells, since no value ends in an opening bracket, colon or comma.
func (w *Writer) comma() {
	if len(w.buf) == w.start {
		return
	}
	switch w.buf[len(w.buf)-1] {
	case '{', '[', ':':
	default:
		w.buf = append(w.buf, ',')
	}
}
