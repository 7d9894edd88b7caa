// Package meter rewrites a WebAssembly module so that it counts its own fuel.
//
// The result has one more global, exported as [Global]: the fuel that is left.
// Every function entry and every loop head takes from it the number of
// instructions of the body that it opens, inner loops excluded; bulk memory and
// table instructions and grow take more by their size. When the fuel falls below zero the module
// traps at once, with the global negative. The count is the same on every
// machine for the same module and history of calls.
//
// wazero's own way to stop a guest costs 10 to 25 times the run time of a tight
// loop, because it leaves compiled code at every loop head; this costs 1.2 to
// 1.7 times.
//
// The rewriter copies every byte that it need not change, inserts only code
// that leaves the stack as it was, and refuses what could fool it: an access to
// a global that the module does not have (and would have afterwards), an
// instruction that it does not know, a table or memory that is not the module's
// own. The same goes for locals.
// Whether the module is valid otherwise is for the compiler that takes the result.
package meter

import (
	"fmt"
)

// Global is the export of the fuel that is left, a mutable i64.
const Global = "headgate_fuel"

// Options of [Instrument].
type Options struct {
	// Fuel is what the global holds at first: what a start function may use
	// before anyone can set it.
	Fuel int64
	// MemoryPages bounds the memory, which gets this maximum when it has none
	// or a higher one.
	MemoryPages uint32
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
	m := module{options: o}
	m.out = make([]byte, 0, len(wasm)+len(wasm)/16+64)
	r := &reader{b: wasm}
	m.out = append(m.out, r.take(8)...)
	last := 0
	for !r.done() {
		id := r.byte()
		content := &reader{b: r.take(int(r.size())), base: r.base}
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

// module is the state of a rewrite.
type module struct {
	options Options
	out     []byte

	params  []uint32 // of each type: how many
	types   []uint32 // of each function of the module's own: its type
	globals uint32   // of the original

	wroteGlobal, wroteExport bool
	locals                   uint64 // declared so far, by all functions
}

// insertBefore writes the sections that the module lacks and the meter needs,
// once their place has come.
func (m *module) insertBefore(place int) {
	if place > order[sectionGlobal] && !m.wroteGlobal {
		m.emit(sectionGlobal, m.appendGlobal([]byte{1}))
	}
	if place > order[sectionExport] && !m.wroteExport {
		m.emit(sectionExport, m.appendExport([]byte{1}))
	}
}

func (m *module) appendGlobal(b []byte) []byte {
	m.wroteGlobal = true
	b = append(b, 0x7e, 1, opI64Const) // mutable i64
	return append(appendSigned(b, m.options.Fuel), opEnd)
}

func (m *module) appendExport(b []byte) []byte {
	m.wroteExport = true
	b = appendUnsigned(b, uint64(len(Global)))
	b = append(b, Global...)
	return appendUnsigned(append(b, 3), uint64(m.globals))
}

// emit writes a section.
func (m *module) emit(id byte, content []byte) {
	m.out = append(m.out, id)
	m.out = appendUnsigned(m.out, uint64(len(content)))
	m.out = append(m.out, content...)
}

func (m *module) section(id int, r *reader) {
	content := r.b
	switch id {
	case sectionType:
		m.typeSection(r)
	case sectionImport:
		m.importSection(r)
	case sectionFunction:
		for range r.count() {
			m.types = append(m.types, r.u32())
		}
	case sectionMemory:
		content = m.memorySection(r)
	case sectionGlobal:
		content = m.globalSection(r)
	case sectionExport:
		content = m.exportSection(r)
	case sectionElement:
		elementSection(r)
	case sectionCode:
		content = m.codeSection(r)
	case sectionData:
		dataSection(r)
	case sectionTable:
		r.count()
		r.pos = len(r.b)
	case sectionStart, sectionDataCount:
		r.u32()
	}
	if !r.done() {
		panic(faultf("section %d has bytes after its end", id))
	}
	m.emit(byte(id), content)
}

func (m *module) typeSection(r *reader) {
	for range r.count() {
		if form := r.byte(); form != 0x60 {
			panic(faultf("type form 0x%02x is not of WebAssembly 2.0", form))
		}
		params := r.count()
		r.take(int(params))
		r.take(int(r.count()))
		m.params = append(m.params, params)
	}
}

func (m *module) importSection(r *reader) {
	for range r.count() {
		from, name := r.name(), r.name()
		kind := r.byte()
		if kind != 0 {
			what := "an unknown kind of thing"
			if int(kind) < len(importKinds) {
				what = importKinds[kind]
			}
			panic(faultf("imports %s, %q from %q: only functions can be imported", what, name, from))
		}
		r.u32()
	}
}

var importKinds = [...]string{"a function", "a table", "a memory", "a global", "a tag"}

// memorySection gives the memory its maximum.
func (m *module) memorySection(r *reader) []byte {
	n := r.count()
	out := appendUnsigned(nil, uint64(n))
	if n > 1 {
		panic(faultf("%d memories: one is allowed", n))
	}
	for range n {
		flags := r.byte()
		if flags > 1 {
			panic(faultf("a shared or 64-bit memory is not of WebAssembly 2.0"))
		}
		least, most := r.u32(), m.options.MemoryPages
		if flags == 1 {
			declared := r.u32()
			if declared < least || declared > 1<<16 {
				panic(faultf("a memory of at least %d and at most %d pages", least, declared))
			}
			most = min(most, declared)
		}
		if least > m.options.MemoryPages {
			panic(faultf("it needs %d pages of memory (64 KiB each) to start, the limit is %d", least, m.options.MemoryPages))
		}
		out = appendUnsigned(append(out, 1), uint64(least))
		out = appendUnsigned(out, uint64(most))
	}
	return out
}

func (m *module) globalSection(r *reader) []byte {
	n := r.count()
	body := r.pos
	for range n {
		r.byte()
		if r.byte() > 1 {
			panic(fault("a global is neither mutable nor constant"))
		}
		r.constant()
	}
	m.globals = n
	out := appendUnsigned(nil, uint64(n)+1)
	return m.appendGlobal(append(out, r.b[body:]...))
}

func (m *module) exportSection(r *reader) []byte {
	n := r.count()
	body := r.pos
	for range n {
		name, kind, index := r.name(), r.byte(), r.u32()
		if name == Global {
			panic(faultf("exports %q, which is the gateway's own name", name))
		}
		if kind == 3 && index >= m.globals {
			panic(faultf("exports global %d of %d", index, m.globals))
		}
	}
	out := appendUnsigned(nil, uint64(n)+1)
	return m.appendExport(append(out, r.b[body:]...))
}

// custom copies a custom section. Names serve the traces of traps; one whose
// counts do not hold is left out, since a compiler would trust them.
func (m *module) custom(r *reader) {
	content := r.b
	if r.name() == "name" && !soundNames(r) {
		return
	}
	m.emit(sectionCustom, content)
}
