package meter

import "slices"

// module is the state of a rewrite.
type module struct {
	options Options
	out     []byte

	types    []signature
	start    int64    // the start function, or −1
	imports  []uint32 // the type of each imported function
	bodies   []uint32 // the type of each function of the module's own
	globals  uint32   // of the original
	entries  uint64   // of all tables
	begins   []uint32 // imports that are the marker
	turnType uint32   // type of the ledger's function
	locals   uint64   // declared so far, by all functions
	work     uint64   // for a compiler, so far: see function.weigh

	wrote [len(order)]bool
}

// signature is what the rewriter needs to know of a function type.
type signature struct {
	params, results uint32
	result          byte   // the only one
	block           uint32 // type of a block with these results, when there are several
	marker          bool   // (i32) → ()
	bare            bool   // () → ()
}

// functions is how many the original has.
func (m *module) functions() uint32 { return uint32(len(m.imports) + len(m.bodies)) }

// typeOf returns the number of the type of a function.
func (m *module) typeOf(function uint32) uint32 {
	if function >= m.functions() {
		panic(faultf("function %d of %d", function, m.functions()))
	}
	if i := int(function) - len(m.imports); i >= 0 {
		return m.bodies[i]
	}
	return m.imports[function]
}

// findStart looks for the start section in what is left of r, since exports
// come before it.
func (m *module) findStart(r reader) {
	m.start = -1
	for !r.done() {
		id := r.byte()
		if b := r.take(int(r.size())); id == sectionStart {
			m.start = int64((&reader{b: b}).u32())
		}
	}
}

// insertBefore writes the sections that the module lacks and the meter needs,
// once their place has come.
func (m *module) insertBefore(place int) {
	if n := m.helpers(); place > order[sectionFunction] && !m.wrote[sectionFunction] && n > 0 {
		m.emit(sectionFunction, m.appendHelperTypes([]byte{byte(n)}))
	}
	if place > order[sectionGlobal] && !m.wrote[sectionGlobal] {
		m.emit(sectionGlobal, m.appendGlobals([]byte{2}))
	}
	if place > order[sectionExport] && !m.wrote[sectionExport] {
		m.emit(sectionExport, m.appendExports(nil, 0))
	}
	if place > order[sectionCode] && !m.wrote[sectionCode] {
		if len(m.bodies) > 0 {
			panic(faultf("%d functions and no bodies", len(m.bodies)))
		}
		if n := m.helpers(); n > 0 {
			m.emit(sectionCode, m.appendHelpers([]byte{byte(n)}))
		}
	}
}

// emit writes a section.
func (m *module) emit(id byte, content []byte) {
	m.wrote[id] = true
	m.out = append(m.out, id)
	m.out = appendUnsigned(m.out, uint64(len(content)))
	m.out = append(m.out, content...)
}

func (m *module) section(id int, r *reader) {
	content := r.b
	switch id {
	case sectionType:
		content = m.typeSection(r)
	case sectionImport:
		content = m.importSection(r)
	case sectionFunction:
		content = m.functionSection(r)
	case sectionTable:
		content = m.tableSection(r)
	case sectionMemory:
		content = m.memorySection(r)
	case sectionGlobal:
		content = m.globalSection(r)
	case sectionExport:
		content = m.exportSection(r)
	case sectionStart: // it is exported instead
		if !m.types[m.typeOf(r.u32())].bare {
			panic(fault("the start function has parameters or results"))
		}
		if !r.done() {
			panic(fault("the start section has bytes after its end"))
		}
		return
	case sectionElement:
		m.elementSection(r)
		content = r.patched()
	case sectionCode:
		content = m.codeSection(r)
	case sectionData:
		m.dataSection(r)
	case sectionDataCount:
		r.u32()
	}
	if !r.done() {
		panic(faultf("section %d has bytes after its end", id))
	}
	m.emit(byte(id), content)
}

// typeSection appends the types of the ledger's function and of blocks with
// several results.
func (m *module) typeSection(r *reader) []byte {
	n := r.count()
	body := r.pos
	var added []byte
	next := n
	m.turnType, next = next, next+1
	added = append(added, 0x60, 2, typeI32, typeI64, 1, typeI64)
	for range n {
		if form := r.byte(); form != 0x60 {
			panic(faultf("type form 0x%02x is not of WebAssembly 2.0", form))
		}
		params := r.take(int(r.count()))
		start := r.pos
		results := r.take(int(r.count()))
		s := signature{params: uint32(len(params)), results: uint32(len(results))}
		s.bare = len(params)+len(results) == 0
		s.marker = len(params) == 1 && params[0] == typeI32 && len(results) == 0
		switch {
		case len(results) == 1:
			s.result = results[0]
		case len(results) > 1:
			s.block, next = next, next+1
			added = append(append(added, 0x60, 0), r.b[start:r.pos]...)
		}
		m.types = append(m.types, s)
	}
	out := appendUnsigned(nil, uint64(next))
	return append(append(out, r.b[body:]...), added...)
}

// typeIndex reads the number of a type that the original has.
func (m *module) typeIndex(r *reader) uint32 {
	n := r.u32()
	if int64(n) >= int64(len(m.types)) {
		panic(faultf("type %d of %d", n, len(m.types)))
	}
	return n
}

func (m *module) importSection(r *reader) []byte {
	for range r.count() {
		start := r.pos
		from, name := r.name(), r.name()
		kind := r.byte()
		if kind != 0 {
			what := "an unknown kind of thing"
			if int(kind) < len(importKinds) {
				what = importKinds[kind]
			}
			panic(faultf("imports %s, %q from %q: only functions can be imported", what, name, from))
		}
		if from == LedgerModule {
			panic(faultf("imports %q from %q, which is the gateway's own", name, from))
		}
		t := m.typeIndex(r)
		if (Import{from, name}) == m.options.Begin && m.types[t].marker {
			m.begins = append(m.begins, uint32(len(m.imports)))
			var b []byte
			b = appendName(appendName(b, LedgerModule), LedgerTurn)
			r.patch(start, appendUnsigned(append(b, 0), uint64(m.turnType)))
		}
		m.imports = append(m.imports, t)
	}
	return r.patched()
}

var importKinds = [...]string{"a function", "a table", "a memory", "a global", "a tag"}

func (m *module) functionSection(r *reader) []byte {
	n := r.count()
	if limit := m.options.Limits.Functions; int64(n) > int64(limit) {
		panic(exceeds("functions", uint64(n), uint64(limit), "functions"))
	}
	body := r.pos
	for range n {
		m.bodies = append(m.bodies, m.typeIndex(r))
	}
	out := appendUnsigned(nil, uint64(n)+uint64(m.helpers()))
	return m.appendHelperTypes(append(out, r.b[body:]...))
}

// helpers is how many functions the meter adds, after those of the original:
// the one that stands for the marker, and the one that calls the start function.
func (m *module) helpers() (n int) {
	if len(m.begins) > 0 {
		n++
	}
	if m.start >= 0 {
		n++
	}
	return n
}

// appendHelperTypes appends the types of the helpers, which are those of the
// functions that they stand for.
func (m *module) appendHelperTypes(b []byte) []byte {
	if len(m.begins) > 0 {
		b = appendUnsigned(b, uint64(m.imports[m.begins[0]]))
	}
	if m.start >= 0 {
		b = appendUnsigned(b, uint64(m.typeOf(uint32(m.start))))
	}
	return b
}

// function reads the number of a function that the original has, and puts the
// helper's in the place of the marker's.
func (m *module) function(r *reader) {
	start := r.pos
	n := r.u32()
	if to := m.callee(n); to != n {
		r.patch(start, appendUnsigned(nil, uint64(to)))
	}
}

// callee checks the number of a function, and replaces the marker's.
func (m *module) callee(n uint32) uint32 {
	m.typeOf(n)
	if n < uint32(len(m.imports)) && slices.Contains(m.begins, n) {
		return m.functions()
	}
	return n
}

// tableSection gives the tables their maximum.
func (m *module) tableSection(r *reader) []byte {
	n := r.count()
	out := appendUnsigned(nil, uint64(n))
	limit := uint64(m.options.Limits.TableEntries)
	for range n {
		r.reference()
		out = append(out, r.b[r.pos-1])
		least, declared, bounded := r.limits("table")
		if m.entries += uint64(least); m.entries > limit {
			panic(exceeds("tableEntries", m.entries, limit, "table entries"))
		}
		// What is left of the limit is the table's to grow into. When there are
		// several tables, none can take more than that.
		most := uint64(least) + (limit-m.entries)/uint64(n)
		if bounded {
			most = min(most, uint64(declared))
		}
		out = appendUnsigned(append(out, 1), uint64(least))
		out = appendUnsigned(out, max(most, uint64(least)))
	}
	return out
}

// memorySection gives the memory its maximum.
func (m *module) memorySection(r *reader) []byte {
	n := r.count()
	out := appendUnsigned(nil, uint64(n))
	if n > 1 {
		panic(faultf("%d memories: one is allowed", n))
	}
	for range n {
		least, declared, bounded := r.limits("memory")
		most := m.options.MemoryPages
		if bounded {
			if declared > 1<<16 {
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
	r.mark = r.pos
	for range n {
		r.byte()
		if r.byte() > 1 {
			panic(fault("a global is neither mutable nor constant"))
		}
		m.constant(r)
	}
	m.globals = n
	out := appendUnsigned(nil, uint64(n)+2)
	return m.appendGlobals(append(out, r.patched()...))
}

func (m *module) appendGlobals(b []byte) []byte {
	for _, v := range [...]int64{m.options.Fuel, m.options.Depth} {
		b = append(b, typeI64, 1, opI64Const) // mutable
		b = append(appendSigned(b, v), opEnd)
	}
	return b
}

func (m *module) exportSection(r *reader) []byte {
	n := r.count()
	r.mark = r.pos
	for range n {
		name, kind := r.name(), r.byte()
		if name == Fuel || name == Depth || name == Start {
			panic(faultf("exports %q, which is the gateway's own name", name))
		}
		if kind == 0 {
			m.function(r)
			continue
		}
		if index := r.u32(); kind == 3 && index >= m.globals {
			panic(faultf("exports global %d of %d", index, m.globals))
		}
	}
	return m.appendExports(r.patched(), n)
}

// appendExports makes the section of n exports and the meter's own.
func (m *module) appendExports(exports []byte, n uint32) []byte {
	n += 2
	if m.start >= 0 {
		n++
	}
	b := append(appendUnsigned(nil, uint64(n)), exports...)
	for i, name := range [...]string{Fuel, Depth} {
		b = append(appendName(b, name), 3)
		b = appendUnsigned(b, uint64(m.globals)+uint64(i))
	}
	if m.start >= 0 {
		b = append(appendName(b, Start), 0)
		b = appendUnsigned(b, uint64(m.functions())+uint64(m.helpers())-1)
	}
	return b
}

// constant passes over a constant expression, which needs no fuel and cannot
// change a global.
func (m *module) constant(r *reader) {
	for {
		switch op := r.byte(); op {
		case opEnd:
			return
		case opI32Const:
			r.signed(5)
		case opI64Const:
			r.signed(10)
		case opF32Const:
			r.take(4)
		case opF64Const:
			r.take(8)
		case opGlobalGet:
			// Only imported globals may be read here, and none can be imported.
			panic(faultf("a constant expression reads global %d, which is not imported", r.u32()))
		case opRefNull:
			r.reference()
		case opRefFunc:
			m.function(r)
		case opVector:
			if r.byte() != vecConst {
				panic(fault("a constant expression with a vector instruction other than v128.const"))
			}
			r.take(16)
		default:
			panic(faultf("a constant expression with instruction 0x%02x", op))
		}
	}
}

// elementSection checks that counts hold, since a compiler trusts them.
func (m *module) elementSection(r *reader) {
	for range r.count() {
		form := r.u32()
		if form > 7 {
			panic(faultf("element segment of form %d", form))
		}
		active, explicit, expressions := form&1 == 0, form&2 != 0, form&4 != 0
		if active {
			if explicit {
				r.u32() // table
			}
			m.constant(r) // offset
		}
		if !active || explicit {
			r.byte() // kind or type
		}
		for range r.count() {
			if expressions {
				m.constant(r)
			} else {
				m.function(r)
			}
		}
	}
}

func (m *module) dataSection(r *reader) {
	for range r.count() {
		form := r.u32()
		if form > 2 {
			panic(faultf("data segment of form %d", form))
		}
		if form == 2 {
			r.u32() // memory
		}
		if form != 1 {
			m.constant(r) // offset
		}
		r.take(int(r.size()))
	}
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
