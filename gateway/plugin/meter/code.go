package meter

import "math"

// Instructions that the rewriter tells apart.
const (
	opUnreachable = 0x00
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opElse        = 0x05
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opBrTable     = 0x0e
	opReturn      = 0x0f
	opCall        = 0x10
	opCallInd     = 0x11
	opDrop        = 0x1a
	opSelect      = 0x1b
	opSelectType  = 0x1c
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opTableGet    = 0x25
	opTableSet    = 0x26
	opI32Load     = 0x28
	opI64Store32  = 0x3e
	opMemorySize  = 0x3f
	opMemoryGrow  = 0x40
	opI32Const    = 0x41
	opI64Const    = 0x42
	opF32Const    = 0x43
	opF64Const    = 0x44
	opI64LtS      = 0x53
	opI64Sub      = 0x7d
	opI64Shl      = 0x86
	opI64ShrU     = 0x88
	opI64ExtendU  = 0xad
	opExtend32S   = 0xc4
	opRefNull     = 0xd0
	opRefIsNull   = 0xd1
	opRefFunc     = 0xd2
	opMisc        = 0xfc
	opVector      = 0xfd

	vecConst   = 12
	vecShuffle = 13
)

// Bounds that keep compilation bounded too.
const (
	maxLocals      = 50_000    // of a function
	maxTotalLocals = 4_000_000 // of a module
	maxNesting     = 4_096
	maxBody        = 4 << 20 // bytes of a function
)

func (m *module) codeSection(r *reader) []byte {
	n := r.count()
	if int(n) != len(m.types) {
		panic(faultf("%d functions and %d bodies", len(m.types), n))
	}
	out := make([]byte, 0, len(r.b)+len(r.b)/8)
	out = appendUnsigned(out, uint64(n))
	f := function{module: m}
	for i := range n {
		size := r.size()
		if size > maxBody {
			panic(faultf("function %d has %d bytes, the limit is %d", i, size, maxBody))
		}
		if int(m.types[i]) >= len(m.params) {
			panic(faultf("function %d has type %d of %d", i, m.types[i], len(m.params)))
		}
		f.rewrite(&reader{b: r.take(int(size))}, m.params[m.types[i]])
		out = appendUnsigned(out, uint64(len(f.head)+len(f.out)))
		out = append(append(out, f.head...), f.out...)
	}
	return out
}

// function rewrites one body at a time; its memory is reused.
type function struct {
	module *module
	head   []byte // locals
	out    []byte // instructions

	// left and size are the numbers of the locals that the meter adds: the fuel
	// that is left, an i64; and the operand of a bulk instruction, an i32.
	left, size uint32
	charges    []charge
	blocks     []block
}

// charge is the cost of what a function entry or loop head opens, and where
// it is written.
type charge struct {
	at   int
	cost int64
}

// block is an open block: the charge that its instructions count for, and
// whether it is a loop, so that its charge ends with it.
type block struct{ charge int }

func (f *function) rewrite(r *reader, params uint32) {
	f.out, f.charges, f.blocks = f.out[:0], f.charges[:0], f.blocks[:0]
	f.locals(r, params)
	f.blocks = append(f.blocks, block{f.open()})
	for len(f.blocks) > 0 {
		f.instruction(r)
	}
	if !r.done() {
		panic(fault("a function has bytes after its end"))
	}
	for _, c := range f.charges {
		putPadded(f.out[c.at:], c.cost)
	}
}

// locals copies the declarations and adds the meter's own.
func (f *function) locals(r *reader, params uint32) {
	groups := r.count()
	start, total := r.pos, uint64(0)
	for range groups {
		total += uint64(r.u32())
		if t := r.byte(); t < 0x7b && t != 0x70 && t != 0x6f || t > 0x7f {
			panic(faultf("local of type 0x%02x is not of WebAssembly 2.0", t))
		}
	}
	if f.module.locals += total; total > maxLocals || f.module.locals > maxTotalLocals {
		panic(faultf("too many locals: the limit is %d in a function, %d in all", maxLocals, maxTotalLocals))
	}
	f.left = params + uint32(total)
	f.size = f.left + 1
	f.head = appendUnsigned(f.head[:0], uint64(groups)+2)
	f.head = append(f.head, r.b[start:r.pos]...)
	f.head = append(f.head, 1, 0x7e, 1, 0x7f)
}

// open writes a charge whose cost is not known yet, and returns its number.
func (f *function) open() int {
	f.fuel(opGlobalGet)
	f.out = append(f.out, opI64Const)
	f.charges = append(f.charges, charge{at: len(f.out), cost: 1})
	f.out = append(f.out, 0, 0, 0, 0, 0)
	f.take()
	return len(f.charges) - 1
}

// take subtracts the top of the stack from the fuel that lies below it, and
// stops when none is left.
func (f *function) take() {
	f.out = append(f.out, opI64Sub)
	f.local(opLocalTee, f.left)
	f.fuel(opGlobalSet)
	f.local(opLocalGet, f.left)
	f.out = append(f.out, opI64Const, 0, opI64LtS, opIf, 0x40, opUnreachable, opEnd)
}

// bulk charges the operand on top of the stack, shifted: right by down bits or
// left by up bits. It leaves the stack as it is.
func (f *function) bulk(shift byte, bits byte) {
	f.local(opLocalTee, f.size)
	f.fuel(opGlobalGet)
	f.local(opLocalGet, f.size)
	f.out = append(f.out, opI64ExtendU, opI64Const, bits, shift)
	f.take()
}

func (f *function) fuel(op byte) {
	f.out = appendUnsigned(append(f.out, op), uint64(f.module.globals))
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
		blockType(r)
		f.out = append(f.out, r.b[start:r.pos]...)
		if op == opLoop {
			inside.charge = f.open()
		}
		if f.blocks = append(f.blocks, inside); len(f.blocks) > maxNesting {
			panic(faultf("blocks are nested deeper than %d", maxNesting))
		}
		return
	case opEnd:
		f.blocks = f.blocks[:len(f.blocks)-1]
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

func zero(r *reader) {
	if n := r.u32(); n != 0 {
		panic(faultf("an instruction uses memory %d: there is one", n))
	}
}

func blockType(r *reader) {
	switch t := r.byte(); {
	case t == 0x40 || t >= 0x7b && t <= 0x7f || t == 0x70 || t == 0x6f:
	case t < 0x40: // a type of one byte
	case t >= 0x80:
		r.pos--
		if n := r.u32(); n > math.MaxInt32 {
			panic(fault("a block's type is malformed"))
		}
	default:
		panic(faultf("block of type 0x%02x is not of WebAssembly 2.0", t))
	}
}

// vector reads the rest of an instruction with prefix 0xfd. The second byte
// decides, as in wazero: numbers from 128 take two bytes, of which the last
// is 1, a nop.
func vector(r *reader) {
	switch op := r.byte(); {
	case op == vecConst || op == vecShuffle:
		r.take(16)
	case op <= 11 || op == 92 || op == 93: // loads and stores
		r.u32()
		r.u32()
	case op >= 84 && op <= 91: // of a lane
		r.u32()
		r.u32()
		r.byte()
	case op >= 21 && op <= 34: // lanes
		r.byte()
	}
}

// immediates reads what follows op.
func immediates(r *reader, op byte) {
	switch {
	case op == opUnreachable, op == 0x01, op == opElse, op == opReturn, op == opDrop, op == opSelect, op == opRefIsNull:
	case op == opBr, op == opBrIf, op == opCall, op == opRefFunc,
		op == opTableGet, op == opTableSet:
		r.u32()
	case op == opCallInd, op >= opI32Load && op <= opI64Store32:
		r.u32()
		r.u32()
	case op == opBrTable:
		for range r.count() + 1 {
			r.u32()
		}
	case op == opSelectType:
		if r.u32() != 1 {
			panic(fault("select takes one type"))
		}
		r.byte()
	case op == opMemorySize:
		zero(r)
	case op == opI32Const:
		r.signed(5)
	case op == opI64Const:
		r.signed(10)
	case op == opF32Const:
		r.take(4)
	case op == opF64Const:
		r.take(8)
	case op > opF64Const && op <= opExtend32S: // numeric
	case op == opRefNull:
		r.reference()
	default:
		panic(faultf("instruction 0x%02x is not of WebAssembly 2.0", op))
	}
}
