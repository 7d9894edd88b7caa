package abi

import "unsafe"

// WebAssembly loads and stores from and to any address, lowest byte first, but
// the compiler makes eight of one where it is not told so.

func getSlot(b []byte) Slot {
	_ = b[SlotBytes-1]
	return *(*Slot)(unsafe.Pointer(&b[0]))
}

func putSlot(b []byte, s Slot) {
	_ = b[SlotBytes-1]
	*(*Slot)(unsafe.Pointer(&b[0])) = s
}
