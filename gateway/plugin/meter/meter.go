// Package meter rewrites a WebAssembly module so that it counts its own fuel
// and the depth of its calls.
//
// The result has two more globals, exported as [Fuel] and [Depth]: what is
// left of each. Every function entry and every loop head takes from the fuel
// the number of instructions of the body that it opens, inner loops excluded;
// bulk memory and table instructions and grow take more by their size. A
// function that calls others takes from the depth while it runs, more when its
// frame is large. When either falls below zero the module traps at once, with
// that global negative. Both counts are the same on every machine for the same
// module and history of calls.
//
// Where a module imports the function by which a guest says which event it
// turns to, the meter puts a call of the [Ledger] in its place: the fuel that
// was used so far is noted, and the tank is full again.
//
// wazero's own way to stop a guest costs 10 to 25 times the run time of a tight
// loop, because it leaves compiled code at every loop head, and it does not
// stop trees of calls.
//
// The rewriter copies every byte that it need not change, inserts only code
// that leaves the stack as it was, and refuses what could fool it: a type,
// function, global, local or label that the module does not have (and would
// have afterwards), an instruction that it does not know, a table or memory
// that is not the module's own. Whether the module is valid otherwise is for
// the compiler that takes the result.
package meter

import (
	"cmp"
	"fmt"
)

// Version names what this package makes of a module. It changes whenever the
// result does.
const Version = "2"

// The exports of a metered module, mutable globals of type i64.
const (
	Fuel  = "headgate_fuel"
	Depth = "headgate_depth"
)

// Start is the export of what was the module's start function, where it had
// one: a function without parameters or results. It does not run by itself, so
// that whoever runs it can say how much it may use, and see how it ended.
const Start = "headgate_start"

// Options of [Instrument].
type Options struct {
	// Fuel and Depth are what the globals hold at first.
	Fuel, Depth int64
	// MemoryPages bounds the memory, which gets this maximum when it has none
	// or a higher one.
	MemoryPages uint32
	// Begin is the imported function, (i32) → (), that becomes a call of the
	// ledger. A module that does not import it is not given one.
	Begin Import
	// Limits bound what a compiler would have to do.
	Limits Limits
}

// Import names an imported function.
type Import struct{ Module, Name string }

// Limits bound a module. A zero field takes its value from [DefaultLimits].
type Limits struct {
	Functions    int // that the module defines
	Locals       int // of a function, parameters included
	Nesting      int // of blocks in a function
	BodyBytes    int // of a function
	TableEntries int // of all tables, at their largest
	// Complexity of all large functions together: of each, the square of its
	// branches, and its branches times its locals, about. A compiler's time
	// grows with it; the default is some seconds.
	Complexity int
}

// DefaultLimits are far above what compilers of languages make.
func DefaultLimits() Limits {
	return Limits{Functions: 100_000, Locals: 10_000, Nesting: 1_000, BodyBytes: 1 << 20, TableEntries: 1 << 20, Complexity: 500_000_000}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		Functions:    cmp.Or(l.Functions, d.Functions),
		Locals:       cmp.Or(l.Locals, d.Locals),
		Nesting:      cmp.Or(l.Nesting, d.Nesting),
		BodyBytes:    cmp.Or(l.BodyBytes, d.BodyBytes),
		TableEntries: cmp.Or(l.TableEntries, d.TableEntries),
		Complexity:   cmp.Or(l.Complexity, d.Complexity),
	}
}

// Sections of a module, by their numbers.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

// order is where each section has its place among the others.
var order = [...]int{
	sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4, sectionMemory: 5, sectionGlobal: 6,
	sectionExport: 7, sectionStart: 8, sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12,
}

// Instrument returns the metered form of a module. An error says what about
// the module cannot be accepted. wasm is not modified.
func Instrument(wasm []byte, o Options) (out []byte, err error) {
	defer func() {
		if f, ok := recover().(fault); ok {
			out, err = nil, f
		}
	}()
	o.Limits = o.Limits.withDefaults()
	m := module{options: o}
	m.out = make([]byte, 0, len(wasm)+len(wasm)/8+64)
	r := &reader{b: wasm}
	m.out = append(m.out, r.take(8)...)
	m.findStart(*r)
	last := 0
	for !r.done() {
		id := r.byte()
		content := &reader{b: r.take(int(r.size()))}
		if id == sectionCustom {
			m.custom(content)
			continue
		}
		if int(id) >= len(order) {
			return nil, fmt.Errorf("section %d is not of WebAssembly 2.0", id)
		}
		if order[id] <= last {
			return nil, fmt.Errorf("section %d is not in its place", id)
		}
		m.insertBefore(order[id])
		last = order[id]
		m.section(int(id), content)
	}
	m.insertBefore(len(order) + 1)
	return m.out, nil
}

// fault is what the reader panics with; Instrument recovers it.
type fault string

func (f fault) Error() string { return string(f) }

func faultf(format string, args ...any) fault { return fault(fmt.Sprintf(format, args...)) }

// exceeds is the fault of a module that is above a limit.
func exceeds(limit string, n, most uint64, what string) fault {
	return faultf("%s %d %s, the limit of %s is %d", "it has", n, what, limit, most)
}
