//go:build !wasm

package json

import "encoding/binary"

// word loads eight bytes, lowest first, which the compiler makes one load of
// where the machine allows it.
func word(b []byte, i int) uint64 {
	s := b[i : i+8 : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// putWord stores eight bytes, lowest first.
func putWord(b []byte, i int, w uint64) { binary.LittleEndian.PutUint64(b[i:], w) }
