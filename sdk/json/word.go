package json

import "math/bits"

// A word is eight bytes of text, compared at once.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// specials marks, by its high bit, the first byte in a word that needs a look in
// a string, and perhaps bytes above it, which a borrow can spoil.
func specials(w uint64) uint64 {
	return ((w - ' '*eachByte) | (w ^ '"'*eachByte - eachByte) | (w ^ '\\'*eachByte - eachByte) | w) & highBits
}

// plain is how many bytes of a word, from the first on, need no look in a string.
func plain(w uint64) int { return bits.TrailingZeros64(specials(w)) / 8 }

// skipPlain returns the index from i on of the first byte that needs a look in
// a string: a quote, a backslash, a control character or the lead of a longer
// UTF-8 sequence; len(b) if there is none.
func skipPlain(b []byte, i int) int {
	for i+8 <= len(b) {
		if found := specials(word(b, i)); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
	}
	for i < len(b) && b[i] >= ' ' && b[i] < 0x80 && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// skipString returns where the string ends whose content begins at i, in text
// that was checked.
func skipString(b []byte, i int) int {
	for i < len(b) {
		if i+8 <= len(b) {
			w := word(b, i)
			quote, slash := w^'"'*eachByte, w^'\\'*eachByte
			found := ((quote-eachByte)&^quote | (slash-eachByte)&^slash) & highBits
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
	return len(b)
}

// equal marks, by its high bit, each byte of w that is c, and no other.
func equal(w uint64, c byte) uint64 {
	w ^= uint64(c) * eachByte
	return ^((w&^uint64(highBits) + ^uint64(highBits)) | w | ^uint64(highBits))
}
