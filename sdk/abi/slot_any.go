//go:build !wasm

package abi

import "encoding/binary"

func getSlot(b []byte) Slot {
	_ = b[7]
	return Slot{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

func putSlot(b []byte, s Slot) {
	_ = b[7]
	binary.LittleEndian.PutUint32(b, s.Offset)
	binary.LittleEndian.PutUint32(b[4:], s.Length)
}
