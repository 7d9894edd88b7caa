package filter

import "fmt"

// What a compiled module imports and exports.
const (
	ImportModule = "headgate"
	ImportMemory = "memory"
	// ExportMatch takes the address of the program's table and, bit by bit from
	// the lowest, which filters are asked for, and returns which of them match.
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
	match := c.match(filters)
	c.functions = append(c.functions, newFunction(masked, match, locals{1, typeI64}))
	return &Program{Module: encodeModule(c.functions), Fields: c.program.Fields, Literals: c.program.Literals}
}

// stride is how many filters match passes over at once when none is asked for.
const stride = 8

// match returns the body of the exported function.
func (c *compiler) match(filters []*Filter) *code {
	const table, asked, verdicts = 0, 1, 2
	match := &code{}
	for start := 0; start < len(filters); start += stride {
		match.ifAny(asked, (1<<stride-1)<<start)
		for i := start; i < min(start+stride, len(filters)); i++ {
			match.ifAny(asked, 1<<i)
			match.get(verdicts)
			match.get(table)
			match.call(c.function(filters[i].root, (*emitter).isTrue))
			match.op(opI64ExtendI)
			match.i64(uint64(i))
			match.op(opI64Shl, opI64Or)
			match.set(verdicts)
			match.end()
		}
		match.end()
	}
	match.get(verdicts)
	return match
}

// ifAny begins what is done when local, an i64, has any of the bits.
func (c *code) ifAny(local uint32, bits uint64) {
	c.get(local)
	c.i64(bits)
	c.op(opI64And, opI64Eqz, opI32Eqz)
	c.when(typeVoid)
}

// compiler numbers the entries of a program's table and emits its functions.
type compiler struct {
	program   Program
	functions []function
	fields    map[Field]uint32 // indexes into program.Fields
	literals  map[Value]uint32 // indexes into program.Literals
	verdicts  uint32           // the index of the literals False, Undefined, True in a row
}
