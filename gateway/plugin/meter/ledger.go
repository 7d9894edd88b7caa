package meter

import "encoding/binary"

// The function that a metered module calls in the place of its marker, and
// the module that it imports it from.
const (
	LedgerModule = "headgate_meter"
	LedgerTurn   = "turn" // (event i32, fuel i64) → i64: the fuel from here on
)

// LedgerEvents is how many events a ledger has room for.
const LedgerEvents = 4096

// Offsets in a ledger's memory, which the guest cannot reach.
const (
	ledgerNext   = 0  // u32: the event that is due, which is how many were begun
	ledgerCount  = 4  // u32
	ledgerBudget = 8  // i64
	ledgerWrong  = 16 // u32: the event that was begun out of turn
	ledgerBroken = 20 // u32: 1 when one was
	ledgerNotes  = 24 // i64 each: the fuel used before event 0, by event 0, …
)

// LedgerBytes is the part of a ledger's memory that a [Ledger] needs.
const LedgerBytes = ledgerNotes + 8*(LedgerEvents+1)

// Ledger is the memory of a ledger's instance: which event of a batch a guest
// is at, and the fuel that those before it used.
type Ledger []byte

// Start begins a batch of so many events, each of which gets that much fuel.
func (l Ledger) Start(events int, budget int64) {
	binary.LittleEndian.PutUint32(l[ledgerNext:], 0)
	binary.LittleEndian.PutUint32(l[ledgerCount:], uint32(events))
	binary.LittleEndian.PutUint64(l[ledgerBudget:], uint64(budget))
	binary.LittleEndian.PutUint32(l[ledgerBroken:], 0)
}

// Begun is how many events of the batch the guest has turned to.
func (l Ledger) Begun() int { return int(binary.LittleEndian.Uint32(l[ledgerNext:])) }

// Note is the fuel that was used between the turn to event i−1 (or the start
// of the batch, for 0) and the turn to event i, which was begun.
func (l Ledger) Note(i int) int64 {
	return int64(binary.LittleEndian.Uint64(l[ledgerNotes+8*i:]))
}

// Wrong returns the event that the guest turned to although another one, or
// none, was due. That is a trap.
func (l Ledger) Wrong() (event uint32, wrong bool) {
	return binary.LittleEndian.Uint32(l[ledgerWrong:]), binary.LittleEndian.Uint32(l[ledgerBroken:]) != 0
}

// NewLedger returns the module of a ledger. Its memory is exported as "memory".
func NewLedger() []byte {
	const (
		load, store     = 0x28, 0x36
		load64, store64 = 0x29, 0x37
	)
	at := func(op, offset byte) []byte {
		if op == load || op == store {
			return []byte{op, 2, offset}
		}
		return []byte{op, 3, offset}
	}
	zero := []byte{opI32Const, 0}
	event, fuel := []byte{opLocalGet, 0}, []byte{opLocalGet, 1}
	body := concat(
		[]byte{0},                                       // no locals
		event, zero, at(load, ledgerNext), []byte{0x47}, // ≠
		event, zero, at(load, ledgerCount), []byte{0x4f}, // ≥, unsigned
		[]byte{0x72, opIf, 0x40},
		zero, event, at(store, ledgerWrong),
		zero, []byte{opI32Const, 1}, at(store, ledgerBroken),
		[]byte{opUnreachable, opEnd},

		event, []byte{opI32Const, 3, 0x74}, // 8·event
		zero, at(load64, ledgerBudget), fuel, []byte{opI64Sub}, at(store64, ledgerNotes),
		zero, event, []byte{opI32Const, 1, 0x6a}, at(store, ledgerNext),
		zero, at(load64, ledgerBudget), []byte{opEnd},
	)
	section := func(id byte, content ...byte) []byte {
		return append([]byte{id, byte(len(content))}, content...)
	}
	return concat(
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(sectionType, 1, 0x60, 2, typeI32, typeI64, 1, typeI64),
		section(sectionFunction, 1, 0),
		section(sectionMemory, 1, 1, 1, 1),
		section(sectionExport, concat([]byte{2}, appendName(nil, LedgerTurn), []byte{0, 0}, appendName(nil, "memory"), []byte{2, 0})...),
		section(sectionCode, append([]byte{1, byte(len(body))}, body...)...),
	)
}

func concat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
