package filter

import "fmt"

// What a compiled module imports and exports.
const (
	ImportModule = "headgate"
	ImportMemory = "memory"
	// ExportMatch takes the address of the program's table and returns, bit by
	// bit from the lowest, which filters match.
	ExportMatch = "match"
)

// MaxFilters is how many filters fit in one program.
const MaxFilters = 64

// The layout of memory that a program reads. All numbers are little-endian.
//
// A slot is a value: its [Kind] as a uint32; for a string its length as a
// uint32; then, at offset 8, the float64 of a number or the uint32 address of
// a string's bytes.
//
// A program's table is an array of uint32 addresses of slots: one for each of
// Program.Fields, then one for each of Program.Literals.
//
// The uint32 at address [ScratchAddress] is itself the address of room that
// programs may write to: four bytes for each byte of the longest string in any
// slot. They write nowhere else.
const (
	SlotBytes      = 16
	ScratchAddress = 0
)

// Program is up to [MaxFilters] filters, compiled to one module. It depends on
// their texts alone, so one compiled module serves any number of memories.
type Program struct {
	Module   []byte
	Fields   []Field // what the host puts into slots for each event
	Literals []Value // what it puts into slots once
}

// Compile makes a program of filters, whose bits are in their order. More
// than [MaxFilters] are a mistake of the caller.
func Compile(filters []*Filter) *Program {
	if len(filters) > MaxFilters {
		panic(fmt.Sprintf("filter: Compile of %d filters, more than %d", len(filters), MaxFilters))
	}
	c := compiler{fields: make(map[Field]uint32), literals: make(map[Value]uint32)}
	c.verdicts = c.literal(Value{Kind: False})
	c.literal(Value{Kind: Undefined})
	c.literal(Value{Kind: True})
	for _, f := range filters {
		c.scan(f.root)
	}
	c.functions = helpers()
	match := &code{}
	match.i64(0)
	for i, f := range filters {
		match.get(0)
		match.call(c.function(f.root, (*emitter).isTrue))
		match.op(opI64ExtendI)
		match.i64(uint64(i))
		match.op(opI64Shl, opI64Or)
	}
	c.functions = append(c.functions, newFunction(masked, match))
	return &Program{Module: encodeModule(c.functions), Fields: c.program.Fields, Literals: c.program.Literals}
}

// compiler numbers the entries of a program's table and emits its functions.
type compiler struct {
	program   Program
	functions []function
	fields    map[Field]uint32 // indexes into program.Fields
	literals  map[Value]uint32 // indexes into program.Literals
	verdicts  uint32           // the index of the literals False, Undefined, True in a row
}
