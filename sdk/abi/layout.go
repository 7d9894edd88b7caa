package abi

// Both arenas are little-endian and start at an address that is a multiple
// of 8. An arena starts with a header of 16 bytes:
//
//	0  magic         u32  InputMagic or OutputMagic
//	4  count         u32  records in the table
//	8  table         u32  offset of the first record, a multiple of 8
//	12 reserved      u32  0
//
// Records follow each other without gaps. Everything that has no fixed size
// is named by a slot: offset u32, length u32.
const (
	InputMagic  = 0x31494748 // "HGI1" as bytes in memory
	OutputMagic = 0x314f4748 // "HGO1"

	HeaderBytes = 16
	SlotBytes   = 8

	// InputRecordBytes: nine slots 0–71, verdict u32 at 72, reserved u32 at 76.
	// Record i of an arena whose table is at 16 starts at 16 + 80·i.
	InputRecordBytes = 80
	VerdictOffset    = 72

	// OutputRecordBytes: input u32 at 0, reserved u32 at 4, nine slots 8–79,
	// the slots of session id, partition key and message id at 80, 88 and 96,
	// the list of application properties at 104, scheduled i64 at 112 and time
	// to live i64 at 120, both in milliseconds, 0 for none.
	OutputRecordBytes = 128
	OutputSlots       = 8
	OutputScheduled   = 112
	OutputTimeToLive  = 120

	// PairBytes is the size of one element of a list: name slot, value slot,
	// kind u32.
	PairBytes = 20

	// Alignment of arenas and tables; lists are aligned to 4.
	Alignment = 8
)

// Attribute numbers the slots of a record, in their order.
type Attribute uint32

// The slots of input and output records.
const (
	ID Attribute = iota
	Source
	Type
	Subject
	Time
	DataContentType
	DataSchema
	Extensions // a list: the length counts pairs, not bytes
	Data

	// Attributes is how many slots an input record has. An output record has
	// the ones below as well.
	Attributes
)

// The further slots of output records.
const (
	SessionID Attribute = iota + Attributes
	PartitionKey
	MessageID
	Properties // a list, kinds 0

	outputAttributes
)

// String returns the attribute's name, as CloudEvents writes it.
func (a Attribute) String() string {
	if a >= outputAttributes {
		return "unknown"
	}
	return [outputAttributes]string{
		"id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "extensions", "data",
		"session id", "partition key", "message id", "application properties",
	}[a]
}

// Verdict is what a filter writes at [VerdictOffset] of an input record.
type Verdict uint32

// The verdicts. A host fills in Unset; a record that keeps it fails its event.
const (
	Drop  Verdict = 0
	Pass  Verdict = 1
	Unset Verdict = 0xFFFFFFFF
)

// ValueKind is the CloudEvents type of an extension's value, which is always
// carried as its canonical text: "42", "true".
type ValueKind uint32

// The kinds of values in a list of extensions.
const (
	String ValueKind = iota
	Integer
	Boolean
)

// Slot names bytes, or the pairs of a list, in an arena.
type Slot struct{ Offset, Length uint32 }

const (
	// Absent as a length says that there is no value, which is not an empty one.
	Absent = 0xFFFFFFFF
	// InInput set in an offset in the output arena says that the rest of the
	// offset counts from the start of the input arena. An offset without it
	// counts from the start of the arena that holds the slot. So offset
	// 0x8000_0150 is byte 0x150 of the input arena.
	InInput = 1 << 31
)

// None is the slot of an absent value.
var None = Slot{Length: Absent}

// Present reports whether the slot has a value.
func (s Slot) Present() bool { return s.Length != Absent }

// FromInput returns s, a slot of an input record, as an output record must
// hold it so that the value need not be copied.
func (s Slot) FromInput() Slot {
	if s.Present() {
		s.Offset |= InInput
	}
	return s
}

func align(n, to int) int { return (n + to - 1) &^ (to - 1) }
