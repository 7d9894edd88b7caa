package abi

import (
	"encoding/binary"
	"fmt"
)

// Output is an output arena as a host reads it: hostile until proven. in and
// out are views of the two arenas; every access is checked against them.
type Output struct {
	in, out []byte
	table   int
	count   int
}

// NewOutput checks the header and the extent of the table. It does not look
// at the records. An empty out holds no outputs.
func NewOutput(in, out []byte) (Output, error) {
	o := Output{in: in, out: out}
	if len(out) == 0 {
		return o, nil
	}
	if len(out) < HeaderBytes {
		return o, fmt.Errorf("output arena of %d bytes, want at least %d", len(out), HeaderBytes)
	}
	if m := binary.LittleEndian.Uint32(out); m != OutputMagic {
		return o, fmt.Errorf("output arena starts with 0x%08x, want 0x%08x", m, OutputMagic)
	}
	count, table := binary.LittleEndian.Uint32(out[4:]), binary.LittleEndian.Uint32(out[8:])
	if table%Alignment != 0 {
		return o, fmt.Errorf("output table at offset %d, which is not a multiple of %d", table, Alignment)
	}
	if uint64(table)+uint64(count)*OutputRecordBytes > uint64(len(out)) {
		return o, fmt.Errorf("output table of %d records at offset %d leads out of an arena of %d bytes", count, table, len(out))
	}
	o.table, o.count = int(table), int(count)
	return o, nil
}

// Count is the number of outputs.
func (o *Output) Count() int { return o.count }

// Record returns output i, which is less than Count.
func (o *Output) Record(i int) OutputRecord {
	at := o.table + i*OutputRecordBytes
	return OutputRecord(o.out[at : at+OutputRecordBytes : at+OutputRecordBytes])
}

// Bytes returns what s names, sharing the arena's memory; s is present and
// is a slot of an output record or of a pair in the output arena. The second result is
// false when it leads out of its arena.
func (o *Output) Bytes(s Slot) ([]byte, bool) {
	arena := o.out
	if s.Offset&InInput != 0 {
		arena = o.in
	}
	at, end := uint64(s.Offset&^InInput), uint64(s.Offset&^InInput)+uint64(s.Length)
	if end > uint64(len(arena)) {
		return nil, false
	}
	return arena[at:end:end], true
}

// List returns the list that s names. The second result is false when it leads
// out of its arena or is not aligned.
func (o *Output) List(s Slot) (List, bool) {
	arena, base := o.out, uint32(0)
	if s.Offset&InInput != 0 {
		arena, base = o.in, InInput
	}
	at := uint64(s.Offset &^ InInput)
	end := at + uint64(s.Length)*PairBytes
	if at%4 != 0 || end > uint64(len(arena)) {
		return List{}, false
	}
	return List{pairs: arena[at:end:end], base: base}, true
}

// List is a list of pairs that lies within its arena.
type List struct {
	pairs []byte
	base  uint32 // InInput for a list in the input arena
}

// Len is the number of pairs.
func (l List) Len() int { return len(l.pairs) / PairBytes }

// Pair returns element i, whose slots [Output.Bytes] understands.
func (l List) Pair(i int) Pair {
	p := readPair(l.pairs[i*PairBytes:])
	p.Name.Offset |= l.base
	p.Value.Offset |= l.base
	return p
}

// OutputRecord is one output.
type OutputRecord []byte

// Input is the number of the event that the output was made from.
func (r OutputRecord) Input() uint32 { return binary.LittleEndian.Uint32(r) }

// Reserved is 0 in every record of this version.
func (r OutputRecord) Reserved() uint32 { return binary.LittleEndian.Uint32(r[4:]) }

// Slot returns the slot of a.
func (r OutputRecord) Slot(a Attribute) Slot { return getSlot(r[OutputSlots+a*SlotBytes:]) }

// Scheduled is the time before which the delivery is not to be made available,
// in milliseconds since 1970; 0 for none.
func (r OutputRecord) Scheduled() int64 {
	return int64(binary.LittleEndian.Uint64(r[OutputScheduled:]))
}

// TimeToLive is in milliseconds; 0 for none.
func (r OutputRecord) TimeToLive() int64 {
	return int64(binary.LittleEndian.Uint64(r[OutputTimeToLive:]))
}
