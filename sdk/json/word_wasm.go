package json

import "unsafe"

// word loads eight bytes, lowest first. WebAssembly loads from any address in
// that order, but the compiler does not combine loads for it.
func word(b []byte, i int) uint64 {
	s := b[i : i+8 : i+8]
	return *(*uint64)(unsafe.Pointer(&s[0]))
}

// putWord stores eight bytes, lowest first.
func putWord(b []byte, i int, w uint64) {
	s := b[i : i+8 : i+8]
	*(*uint64)(unsafe.Pointer(&s[0])) = w
}
