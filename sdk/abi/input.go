package abi

import (
	"encoding/binary"
	"errors"
)

// ErrArena is what the readers report for bytes that are not an arena.
var ErrArena = errors.New("not an arena of this ABI")

// Input is an input arena, read by a guest (and by tests of hosts). Its
// methods trust the offsets in it, as a guest may trust its host; they panic
// where those lead outside.
type Input []byte

// Check reports [ErrArena] unless the header is sound and the table lies within.
func (in Input) Check() error {
	if len(in) < HeaderBytes || binary.LittleEndian.Uint32(in) != InputMagic {
		return ErrArena
	}
	table := uint64(binary.LittleEndian.Uint32(in[8:]))
	if table%Alignment != 0 || table+uint64(in.Count())*InputRecordBytes > uint64(len(in)) {
		return ErrArena
	}
	return nil
}

// Count is the number of events.
func (in Input) Count() int { return int(binary.LittleEndian.Uint32(in[4:])) }

// Record returns the record of event i.
func (in Input) Record(i int) Record {
	at := int(binary.LittleEndian.Uint32(in[8:])) + i*InputRecordBytes
	return Record(in[at : at+InputRecordBytes : at+InputRecordBytes])
}

// Bytes returns what s names, sharing the arena's memory: nil when absent, and
// not nil otherwise. s is a slot of a record or of a pair, not a list.
func (in Input) Bytes(s Slot) []byte {
	if !s.Present() {
		return nil
	}
	at := s.Offset &^ InInput
	return in[at : at+s.Length : at+s.Length]
}

// Pair returns element i of the list that s names.
func (in Input) Pair(s Slot, i int) Pair { return readPair(in[int(s.Offset&^InInput)+i*PairBytes:]) }

// Record is one event in an input arena.
type Record []byte

// Slot returns the slot of a, one of the first nine attributes.
func (r Record) Slot(a Attribute) Slot { return getSlot(r[a*SlotBytes:]) }

// Verdict returns what a filter decided.
func (r Record) Verdict() Verdict { return Verdict(binary.LittleEndian.Uint32(r[VerdictOffset:])) }

// SetVerdict writes a filter's decision.
func (r Record) SetVerdict(v Verdict) {
	binary.LittleEndian.PutUint32(r[VerdictOffset:], uint32(v))
}

// Pair is one element of a list.
type Pair struct {
	Name, Value Slot
	Kind        ValueKind
}

func readPair(b []byte) Pair {
	_ = b[PairBytes-1]
	return Pair{getSlot(b), getSlot(b[8:]), ValueKind(binary.LittleEndian.Uint32(b[16:]))}
}

func putPair(b []byte, p Pair) {
	_ = b[PairBytes-1]
	putSlot(b, p.Name)
	putSlot(b[8:], p.Value)
	binary.LittleEndian.PutUint32(b[16:], uint32(p.Kind))
}

// InputBytes is the size of an input arena for count events that have pairs
// extensions in all, and text bytes of attributes, extensions and data.
// For the worked example of ABI.md: 16 + 2·80 + 20 + text.
func InputBytes(count, pairs, text int) int {
	return HeaderBytes + count*InputRecordBytes + pairs*PairBytes + text
}

// InputWriter lays out an input arena in memory of [InputBytes]. Each event is
// [InputWriter.Next], then its attributes in any order, then its extensions.
// It panics when the memory is too small.
type InputWriter struct {
	arena []byte
	rec   []byte // the current record
	next  int    // where the next record starts
	pair  int    // where the next pair goes
	text  int    // where the next text goes
}

// NewInputWriter starts an arena of count events and pairs extensions in b.
func NewInputWriter(b []byte, count, pairs int) InputWriter {
	binary.LittleEndian.PutUint32(b, InputMagic)
	binary.LittleEndian.PutUint32(b[4:], uint32(count))
	binary.LittleEndian.PutUint32(b[8:], HeaderBytes)
	binary.LittleEndian.PutUint32(b[12:], 0)
	pair := HeaderBytes + count*InputRecordBytes
	return InputWriter{arena: b, next: HeaderBytes, pair: pair, text: pair + pairs*PairBytes}
}

// Next starts the record of the next event: no attributes, no verdict.
func (w *InputWriter) Next() {
	w.rec = w.arena[w.next : w.next+InputRecordBytes]
	w.next += InputRecordBytes
	copy(w.rec, emptyInput[:])
	binary.LittleEndian.PutUint32(w.rec[Extensions*SlotBytes:], uint32(w.pair))
}

// emptyInput has every slot absent, but for an empty list of extensions, and no
// verdict. It is never written to.
var emptyInput = func() (r [InputRecordBytes]byte) {
	for a := range Attributes {
		putSlot(r[a*SlotBytes:], None)
	}
	putSlot(r[Extensions*SlotBytes:], Slot{})
	binary.LittleEndian.PutUint32(r[VerdictOffset:], uint32(Unset))
	return r
}()

// Set writes a, which is present even when s is empty.
func (w *InputWriter) Set(a Attribute, s string) {
	putSlot(w.rec[a*SlotBytes:], Slot{uint32(w.text), uint32(len(s))})
	w.text += copy(w.arena[w.text:w.text+len(s)], s)
}

// SetData writes the data, which is present even when b is empty.
func (w *InputWriter) SetData(b []byte) {
	putSlot(w.rec[Data*SlotBytes:], Slot{uint32(w.text), uint32(len(b))})
	w.text += copy(w.arena[w.text:w.text+len(b)], b)
}

// Extension adds one to the current event; they come sorted by name.
func (w *InputWriter) Extension(name, value string, kind ValueKind) {
	n := Slot{uint32(w.text), uint32(len(name))}
	w.text += copy(w.arena[w.text:w.text+len(name)], name)
	v := Slot{uint32(w.text), uint32(len(value))}
	w.text += copy(w.arena[w.text:w.text+len(value)], value)
	putPair(w.arena[w.pair:], Pair{n, v, kind})
	w.pair += PairBytes
	list := w.rec[Extensions*SlotBytes:]
	binary.LittleEndian.PutUint32(list[4:], binary.LittleEndian.Uint32(list[4:])+1)
}

// Slot returns the slot of a in the current record.
func (w *InputWriter) Slot(a Attribute) Slot { return getSlot(w.rec[a*SlotBytes:]) }
