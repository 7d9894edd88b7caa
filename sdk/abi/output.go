package abi

import "encoding/binary"

// OutputWriter builds an output arena in a guest. Its memory is kept by
// [OutputWriter.Reset], so that a steady guest allocates nothing. The zero
// value is ready.
//
// Each output is [OutputWriter.Next], then its values in any order. What is
// not set is absent.
type OutputWriter struct {
	arena []byte // header, lists and text; Finish puts the table after them
	table []byte
	rec   []byte // the current record, within table
}

// Reset starts another arena. What Finish returned before is no longer valid.
func (w *OutputWriter) Reset() {
	w.arena = append(w.arena[:0], make([]byte, HeaderBytes)...)
	w.table = w.table[:0]
}

// Next starts an output made from event number input. Inputs ascend.
func (w *OutputWriter) Next(input int) {
	n := len(w.table)
	w.table = append(w.table, emptyRecord[:]...)
	w.rec = w.table[n:]
	binary.LittleEndian.PutUint32(w.rec, uint32(input))
}

// NextFrom is Next for an output that is event r as it came in, until something
// of it is set: its slots, named in the input arena.
func (w *OutputWriter) NextFrom(input int, r Record) {
	w.Next(input)
	slots := w.rec[OutputSlots : OutputSlots+int(Attributes)*SlotBytes]
	copy(slots, r)
	for i := SlotBytes/2 - 1; i < len(slots); i += SlotBytes {
		slots[i] |= InInput >> 24 // the top byte of an offset; absent values stay absent
	}
}

// emptyRecord has every slot absent. It is never written to.
var emptyRecord = func() (r [OutputRecordBytes]byte) {
	for a := range outputAttributes {
		putSlot(r[OutputSlots+a*SlotBytes:], None)
	}
	return r
}()

// Undo drops the current output, as if Next had not been called. Until the
// next Next nothing may be set.
func (w *OutputWriter) Undo() {
	w.table = w.table[:len(w.table)-OutputRecordBytes]
	w.rec = nil
}

// Count is the number of outputs since Reset.
func (w *OutputWriter) Count() int { return len(w.table) / OutputRecordBytes }

// SetSlot writes a slot: one of the input's after [Slot.FromInput], or what
// Append or AppendList returned.
func (w *OutputWriter) SetSlot(a Attribute, s Slot) { putSlot(w.rec[OutputSlots+a*SlotBytes:], s) }

// Slot returns the slot of a in the current output.
func (w *OutputWriter) Slot(a Attribute) Slot { return getSlot(w.rec[OutputSlots+a*SlotBytes:]) }

// Set copies s into the arena as the value of a.
func (w *OutputWriter) Set(a Attribute, s string) { w.SetSlot(a, w.AppendString(s)) }

// SetBytes copies b into the arena as the value of a.
func (w *OutputWriter) SetBytes(a Attribute, b []byte) { w.SetSlot(a, w.Append(b)) }

// SetScheduled sets the time before which the delivery is not to be made
// available, in milliseconds since 1970 in UTC.
func (w *OutputWriter) SetScheduled(unixMillis int64) {
	binary.LittleEndian.PutUint64(w.rec[OutputScheduled:], uint64(unixMillis))
}

// SetTimeToLive sets the delivery's time to live in milliseconds.
func (w *OutputWriter) SetTimeToLive(millis int64) {
	binary.LittleEndian.PutUint64(w.rec[OutputTimeToLive:], uint64(millis))
}

// Append copies b into the arena and returns its slot, for the members of a
// list or for several records.
func (w *OutputWriter) Append(b []byte) Slot {
	s := Slot{uint32(len(w.arena)), uint32(len(b))}
	w.arena = append(w.arena, b...)
	return s
}

// AppendString is Append for a string.
func (w *OutputWriter) AppendString(b string) Slot {
	s := Slot{uint32(len(w.arena)), uint32(len(b))}
	w.arena = append(w.arena, b...)
	return s
}

// AppendList writes a list and returns its slot. The slots in pairs are
// output slots: from Append, or from the input after [Slot.FromInput].
func (w *OutputWriter) AppendList(pairs []Pair) Slot {
	w.arena = pad(w.arena, 4)
	s := Slot{uint32(len(w.arena)), uint32(len(pairs))}
	for _, p := range pairs {
		var b [PairBytes]byte
		putPair(b[:], p)
		w.arena = append(w.arena, b[:]...)
	}
	return s
}

// Text is the arena so far. Appending to it by [OutputWriter.SetText] and
// naming the piece with a slot saves a copy: its offset is len(Text) before.
func (w *OutputWriter) Text() []byte { return w.arena }

// SetText puts back what Text returned, with bytes appended to it.
func (w *OutputWriter) SetText(b []byte) { w.arena = b }

// Finish returns the arena, which is valid until Reset, and which starts at a
// multiple of 8 as Go's allocator aligns it.
func (w *OutputWriter) Finish() []byte {
	w.arena = pad(w.arena, Alignment)
	binary.LittleEndian.PutUint32(w.arena, OutputMagic)
	binary.LittleEndian.PutUint32(w.arena[4:], uint32(w.Count()))
	binary.LittleEndian.PutUint32(w.arena[8:], uint32(len(w.arena)))
	w.arena = append(w.arena, w.table...)
	return w.arena
}

func pad(b []byte, to int) []byte {
	for len(b)%to != 0 {
		b = append(b, 0)
	}
	return b
}
