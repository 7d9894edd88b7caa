package meter

// maxTotalLocals bounds the locals of a module together.
const maxTotalLocals = 4_000_000

func (m *module) codeSection(r *reader) []byte {
	n := r.count()
	if int(n) != len(m.bodies) {
		panic(faultf("%d functions and %d bodies", len(m.bodies), n))
	}
	out := make([]byte, 0, len(r.b)+len(r.b)/4)
	out = appendUnsigned(out, uint64(n)+uint64(m.helpers()))
	f := function{module: m}
	limit := m.options.Limits.BodyBytes
	for i := range n {
		size := r.size()
		if int64(size) > int64(limit) {
			panic(exceeds("bodyBytes", uint64(size), uint64(limit), "bytes in a function"))
		}
		f.rewrite(&reader{b: r.take(int(size))}, &m.types[m.bodies[i]])
		out = appendUnsigned(out, uint64(len(f.head)+len(f.out)))
		out = append(append(out, f.head...), f.out...)
	}
	return m.appendHelpers(out)
}

// appendHelpers appends the bodies of the helpers. They are not charged: the
// marker's can only be passed once for each event, and the other only calls.
func (m *module) appendHelpers(b []byte) []byte {
	if len(m.begins) > 0 {
		body := []byte{0, opLocalGet, 0}
		body = appendUnsigned(append(body, opGlobalGet), uint64(m.globals))
		body = appendUnsigned(append(body, opCall), uint64(m.begins[0]))
		body = appendUnsigned(append(body, opGlobalSet), uint64(m.globals))
		body = append(body, opEnd)
		b = append(appendUnsigned(b, uint64(len(body))), body...)
	}
	if m.start >= 0 {
		body := append(appendUnsigned([]byte{0, opCall}, uint64(m.start)), opEnd)
		b = append(appendUnsigned(b, uint64(len(body))), body...)
	}
	return b
}

// function rewrites one body at a time; its memory is reused.
type function struct {
	module *module
	head   []byte // locals
	out    []byte // instructions

	// calls says that the function calls others, so that it counts in the
	// depth. Its body is then wrapped in a block, to which a return branches,
	// and after which the depth is given back.
	calls bool
	own   *signature
	depth int64 // what its frame takes

	// left and size are the numbers of the locals that the meter adds: the fuel
	// that is left, an i64; and the operand of a bulk instruction, an i32.
	left, size uint32
	charges    []charge
	blocks     []block

	loops, branches int64 // seen so far: what makes a compiler slow
}

// charge is the cost of what a function entry or loop head opens, and where
// it is written.
type charge struct {
	at   int
	cost int64
}

// block is an open block: the charge that its instructions count for. A loop's
// ends with it.
type block struct{ charge int }

func (f *function) rewrite(r *reader, own *signature) {
	f.own = own
	f.locals(r, own.params)
	body := r.pos
	f.calls = false
	if f.body(r); f.calls {
		r.pos = body
		f.body(r)
	}
	if !r.done() {
		panic(fault("a function has bytes after its end"))
	}
	f.weigh()
	for _, c := range f.charges {
		putPadded(f.out[c.at:], c.cost)
	}
}

// weigh adds what compiling the function takes beyond its size: the time grows
// with the square of its branches, and of its loops, and with its branches times
// its locals. The weights are what was measured.
func (f *function) weigh() {
	const little = 1_000_000 // as all functions of honest size have it
	cost := f.branches*f.branches + 20*f.loops*f.loops + 250*f.branches*int64(f.left)
	if cost < little {
		return
	}
	limit := uint64(f.module.options.Limits.Complexity)
	if f.module.work += uint64(cost); f.module.work > limit {
		panic(exceeds("complexity", f.module.work, limit, "units of branches and locals in large functions"))
	}
}

// body copies the instructions. In a function that does not call it stops at
// the first call, and sets calls.
func (f *function) body(r *reader) {
	counts := f.calls
	f.out, f.charges, f.blocks = f.out[:0], f.charges[:0], f.blocks[:0]
	f.loops, f.branches = 0, 0
	f.blocks = append(f.blocks, block{f.enter()})
	for len(f.blocks) > 0 {
		f.instruction(r)
		if f.calls != counts {
			return
		}
	}
}

// locals copies the declarations and adds the meter's own.
func (f *function) locals(r *reader, params uint32) {
	groups := r.count()
	start, total := r.pos, uint64(params)
	for range groups {
		total += uint64(r.u32())
		if t := r.byte(); t < 0x7b && t != 0x70 && t != 0x6f || t > 0x7f {
			panic(faultf("local of type 0x%02x is not of WebAssembly 2.0", t))
		}
	}
	limit := uint64(f.module.options.Limits.Locals)
	if total > limit {
		panic(exceeds("locals", total, limit, "locals in a function"))
	}
	if f.module.locals += total; f.module.locals > maxTotalLocals {
		panic(faultf("it has too many locals: the limit is %d in all functions", maxTotalLocals))
	}
	f.left = uint32(total)
	f.size = f.left + 1
	// A frame holds the locals, and what the instructions leave on the stack.
	f.depth = 1 + int64(total)/16 + int64(len(r.b))/1024
	f.head = appendUnsigned(f.head[:0], uint64(groups)+2)
	f.head = append(f.head, r.b[start:r.pos]...)
	f.head = append(f.head, 1, typeI64, 1, typeI32)
}

// enter writes the charge of the function, and returns its number.
func (f *function) enter() int {
	n := f.charge()
	f.fuel(opGlobalSet)
	f.local(opLocalGet, f.left)
	if f.calls {
		f.global(opGlobalGet, f.module.globals+1)
		f.out = appendSigned(append(f.out, opI64Const), f.depth)
		f.out = append(f.out, opI64Sub)
		f.global(opGlobalSet, f.module.globals+1)
		f.global(opGlobalGet, f.module.globals+1)
		f.out = append(f.out, opI64Or)
	}
	f.stop()
	if f.calls {
		f.out = append(f.out, opBlock)
		switch {
		case f.own.results == 0:
			f.out = append(f.out, 0x40)
		case f.own.results == 1:
			f.out = append(f.out, f.own.result)
		default:
			f.out = appendSigned(f.out, int64(f.own.block))
		}
	}
	return n
}

// leave ends the block of a function that calls, and gives the depth back.
func (f *function) leave() {
	f.out = append(f.out, opEnd)
	f.global(opGlobalGet, f.module.globals+1)
	f.out = appendSigned(append(f.out, opI64Const), f.depth)
	f.out = append(f.out, opI64Add)
	f.global(opGlobalSet, f.module.globals+1)
}

// open writes the charge of a loop, and returns its number.
func (f *function) open() int {
	n := f.charge()
	f.fuel(opGlobalSet)
	f.local(opLocalGet, f.left)
	f.stop()
	return n
}

// charge writes the subtraction of a cost that is not known yet: what is left
// is in the local and on the stack.
func (f *function) charge() int {
	f.fuel(opGlobalGet)
	f.out = append(f.out, opI64Const)
	f.charges = append(f.charges, charge{at: len(f.out), cost: 1})
	f.out = append(f.out, 0, 0, 0, 0, 0, opI64Sub)
	f.local(opLocalTee, f.left)
	return len(f.charges) - 1
}

// stop traps when the number on the stack is negative.
func (f *function) stop() {
	f.out = append(f.out, opI64Const, 0, opI64LtS, opIf, 0x40, opUnreachable, opEnd)
}

// bulk charges the operand on top of the stack, shifted: right by so many bits
// or left. It leaves the stack as it is.
func (f *function) bulk(shift byte, bits byte) {
	f.local(opLocalTee, f.size)
	f.fuel(opGlobalGet)
	f.local(opLocalGet, f.size)
	f.out = append(f.out, opI64ExtendU, opI64Const, bits, shift, opI64Sub)
	f.local(opLocalTee, f.left)
	f.fuel(opGlobalSet)
	f.local(opLocalGet, f.left)
	f.stop()
}

func (f *function) fuel(op byte) { f.global(op, f.module.globals) }

func (f *function) global(op byte, n uint32) {
	f.out = appendUnsigned(append(f.out, op), uint64(n))
}

func (f *function) local(op byte, n uint32) {
	f.out = appendUnsigned(append(f.out, op), uint64(n))
}

// instruction copies one, with what the meter puts before or after it.
func (f *function) instruction(r *reader) {
	start := r.pos
	inside := f.blocks[len(f.blocks)-1]
	f.charges[inside.charge].cost++
	op := r.byte()
	switch op {
	case opBlock, opLoop, opIf:
		f.blockType(r)
		f.branches++
		f.out = append(f.out, r.b[start:r.pos]...)
		if op == opLoop {
			f.loops++
			inside.charge = f.open()
		}
		f.blocks = append(f.blocks, inside)
		if limit := f.module.options.Limits.Nesting; len(f.blocks) > limit+1 {
			panic(exceeds("nesting", uint64(len(f.blocks)-1), uint64(limit), "blocks within each other"))
		}
		return
	case opEnd:
		if f.blocks = f.blocks[:len(f.blocks)-1]; len(f.blocks) == 0 && f.calls {
			f.leave()
		}
	case opReturn:
		if f.calls {
			f.out = appendUnsigned(append(f.out, opBr), uint64(len(f.blocks)-1))
			return
		}
	case opCall, opRefFunc:
		f.calls = f.calls || op == opCall
		f.out = appendUnsigned(append(f.out, op), uint64(f.module.callee(r.u32())))
		return
	case opCallInd:
		f.calls = true
		f.module.typeIndex(r)
		r.u32()
	case opBr, opBrIf:
		f.label(r)
	case opBrTable:
		for range r.count() + 1 {
			f.label(r)
		}
	case opGlobalGet, opGlobalSet:
		if n := r.u32(); n >= f.module.globals {
			panic(faultf("an instruction uses global %d of %d", n, f.module.globals))
		}
	case opLocalGet, opLocalSet, opLocalTee:
		if n := r.u32(); n >= f.left {
			panic(faultf("an instruction uses local %d of %d", n, f.left))
		}
	case opMemoryGrow:
		f.bulk(opI64Shl, 13) // a page as 8 bytes for an instruction
		zero(r)
	case opMisc:
		f.misc(r)
	case opVector:
		vector(r)
	default:
		immediates(r, op)
	}
	f.out = append(f.out, r.b[start:r.pos]...)
}

// label reads the number of an enclosing block, or of the function.
func (f *function) label(r *reader) {
	f.branches++
	if n := r.u32(); int64(n) >= int64(len(f.blocks)) {
		panic(faultf("a branch to label %d of %d", n, len(f.blocks)))
	}
}

// blockType reads it; one that is a number must be of a type that the original has.
func (f *function) blockType(r *reader) {
	switch t := r.byte(); {
	case t == 0x40 || t >= 0x7b && t <= 0x7f || t == 0x70 || t == 0x6f:
		return
	case t >= 0x40 && t < 0x80:
		panic(faultf("block of type 0x%02x is not of WebAssembly 2.0", t))
	}
	r.pos--
	start := r.pos
	r.signed(5)
	n, at := uint64(0), 0
	for _, c := range r.b[start:r.pos] {
		n |= uint64(c&0x7f) << at
		at += 7
	}
	if n >= uint64(len(f.module.types)) {
		panic(faultf("block of type %d of %d", n, len(f.module.types)))
	}
}

// misc reads the rest of an instruction with prefix 0xfc.
func (f *function) misc(r *reader) {
	switch op := r.u32(); op {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
	case 8, 10, 11: // memory.init, copy, fill
		f.bulk(opI64ShrU, 3)
		if op == 8 {
			r.u32()
		}
		zero(r)
		if op == 10 {
			zero(r)
		}
	case 9, 13, 16: // data.drop, elem.drop, table.size
		r.u32()
	case 12, 14: // table.init, copy
		f.bulk(opI64ShrU, 0)
		r.u32()
		r.u32()
	case 15, 17: // table.grow, fill
		f.bulk(opI64ShrU, 0)
		r.u32()
	default:
		panic(faultf("instruction 0xfc %d is not of WebAssembly 2.0", op))
	}
}
