// Package abi is the contract between Headgate and a plugin as Go constants,
// and the readers and writers of the two arenas that cross between them.
//
// The text of the contract is ABI.md beside this package; this package and the
// text say the same. Host and guest both import it. It uses no reflection, and
// nothing in it allocates per event.
package abi

// Module is the name under which a guest imports host functions. It carries
// the major version: a breaking change is another name.
const Module = "headgate_v1"

// Host functions that a guest may import from [Module].
const (
	// ImportBegin is begin(event i32): the guest turns to that event of the
	// batch. Events are begun in order, from 0, each once; anything else traps.
	ImportBegin = "begin"
	// ImportFail is fail(event i32, ptr i32, len i32): that event fails with
	// these words. In open, event is [NoEvent].
	ImportFail = "fail"
	// ImportLog is log(level i32, ptr i32, len i32).
	ImportLog = "log"
)

// Exports of a guest, with their signatures.
const (
	ExportMemory    = "memory"
	ExportDescribe  = "headgate_describe"  // () → i64, packed
	ExportAlloc     = "headgate_alloc"     // (len i32) → i32, address
	ExportOpen      = "headgate_open"      // (kind i32, ptr i32, len i32) → i32, handle
	ExportClose     = "headgate_close"     // (handle i32)
	ExportFilter    = "headgate_filter"    // (handle i32, ptr i32, len i32) → i32, status
	ExportTransform = "headgate_transform" // (handle i32, ptr i32, len i32) → i64, packed

	// ExportInitialize is run once, where present; ExportStart is refused by
	// hosts when it ends the instance, as a command's does.
	ExportInitialize = "_initialize"
	ExportStart      = "_start"
)

// NoEvent is the event of a [ImportFail] in open: the configuration is at fault.
const NoEvent = 0xFFFFFFFF

// Kind is what a plugin does.
type Kind uint32

// The kinds of a plugin; one module may be both.
const (
	Filter    Kind = 1
	Transform Kind = 2
)

// String returns the kind's name in the description: "filter" or "transform".
func (k Kind) String() string {
	switch k {
	case Filter:
		return "filter"
	case Transform:
		return "transform"
	}
	return "unknown"
}

// Level is the severity of a log line.
type Level uint32

// The levels of a log line; a host takes any other for Info.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// String returns the level's name in lower case.
func (l Level) String() string {
	switch l {
	case Debug:
		return "debug"
	case Warn:
		return "warn"
	case Error:
		return "error"
	}
	return "info"
}

// Status is the answer of [ExportFilter].
type Status uint32

// OK says that the guest looked at the whole batch. Any other status is a
// breach, like a trap.
const OK Status = 0

// InvalidHandle is the answer of [ExportOpen] when the configuration is
// refused, −1 as an i32. Handles are 0 to 2³¹−1.
const InvalidHandle = 0xFFFFFFFF

// Pack makes the i64 in which a guest returns an address and a length:
// address 0x10020 and length 0x88 pack to 0x00010020_00000088.
func Pack(ptr, length uint32) uint64 { return uint64(ptr)<<32 | uint64(length) }

// Unpack takes apart what [Pack] made.
func Unpack(v uint64) (ptr, length uint32) { return uint32(v >> 32), uint32(v) }
