package event

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// errHeaderUTF8 is returned by [DecodeHeader].
var errHeaderUTF8 = errors.New("is not UTF-8 after percent-decoding; encode each byte of the UTF-8 text as %XX")

const upperHex = "0123456789ABCDEF"

// EncodeHeader returns value as the CloudEvents HTTP binding (1.0.2, section
// 3.1.3.2) writes an attribute into a header: space, double quote, percent and
// everything outside printable ASCII percent-encoded, byte by byte of UTF-8.
func EncodeHeader(value string) string {
	for i := range len(value) {
		if mustEncode(value[i]) {
			return string(AppendHeader(make([]byte, 0, len(value)+16), value))
		}
	}
	return value
}

// AppendHeader appends what [EncodeHeader] returns to dst.
func AppendHeader(dst []byte, value string) []byte {
	for i := range len(value) {
		c := value[i]
		if mustEncode(c) {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func mustEncode(c byte) bool { return c <= ' ' || c == '"' || c == '%' || c > '~' }

// DecodeHeader is the inverse of [EncodeHeader], and takes what older senders
// write too: a value that is one quoted-string with backslash escapes is
// unquoted first, what need not have been encoded is decoded, and a quote or a
// percent sign that belongs to neither form stands for itself. A value that is
// not UTF-8 in the end is an error.
func DecodeHeader(value string) (string, error) {
	if value != "" && value[0] == '"' {
		value = unquote(value)
	}
	if strings.IndexByte(value, '%') >= 0 {
		value = percentDecode(value)
	}
	if !utf8.ValidString(value) {
		return "", errHeaderUTF8
	}
	return value, nil
}

// unquote returns the content of s if s is one quoted-string of RFC 7230,
// section 3.2.6, and else s.
func unquote(s string) string {
	b := make([]byte, 0, len(s))
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && i == len(s)-1:
			return string(b)
		case c == '"':
			return s
		case c == '\\' && i+1 < len(s):
			i++
			b = append(b, s[i])
		default:
			b = append(b, c)
		}
	}
	return s
}

func percentDecode(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi < 16 && lo < 16 {
				b = append(b, hi<<4|lo)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// unhex returns the value of a hexadecimal digit, and 16 or more for any other byte.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
