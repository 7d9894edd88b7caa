package meter

// Types of values.
const (
	typeI32 = 0x7f
	typeI64 = 0x7e
)

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
	opI64Add      = 0x7c
	opI64Sub      = 0x7d
	opI64Or       = 0x84
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

func zero(r *reader) {
	if n := r.u32(); n != 0 {
		panic(faultf("an instruction uses memory %d: there is one", n))
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
	case op == opTableGet, op == opTableSet:
		r.u32()
	case op >= opI32Load && op <= opI64Store32:
		r.u32()
		r.u32()
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
