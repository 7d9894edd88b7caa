package filter

import "encoding/binary"

// inlineBytes bounds the strings that are compared in place.
const inlineBytes = 256

// compareTrue pushes 1 when x is True, else 0. A field against a constant, the
// usual comparison, is done in place; anything else takes the long way.
func (e *emitter) compareTrue(x *Compare) {
	ref, lit := sides(x)
	if ref == nil {
		e.verdictTrue(x)
		return
	}
	switch {
	case lit.Value.Kind == String && x.Op == Equal && len(lit.Value.String) <= inlineBytes:
		e.isString(ref, lit.Value.String)
	case lit.Value.Kind == Number && x.Op != NotEqual && x.Right == Expr(lit):
		e.isNumber(ref, x.Op, lit.Value.Number)
	default:
		e.verdictTrue(x)
	}
}

// callTrue is compareTrue for functions.
func (e *emitter) callTrue(x *Call) {
	if x.Func == StartsWith {
		ref, isRef := x.Args[0].(*Ref)
		lit, isLit := x.Args[1].(*Literal)
		if isRef && isLit && lit.Value.Kind == String && len(lit.Value.String) <= inlineBytes {
			e.hasPrefix(ref, lit.Value.String)
			return
		}
	}
	e.verdictTrue(x)
}

// sides returns the field and the constant that x compares, if it does.
func sides(x *Compare) (*Ref, *Literal) {
	if ref, ok := x.Left.(*Ref); ok {
		if lit, ok := x.Right.(*Literal); ok {
			return ref, lit
		}
	}
	if ref, ok := x.Right.(*Ref); ok {
		if lit, ok := x.Left.(*Literal); ok {
			return ref, lit
		}
	}
	return nil, nil
}

// isString compares kind and length, which are one word, and then the bytes.
func (e *emitter) isString(ref *Ref, s string) {
	e.block(typeI32)
	e.i32(0)
	e.field(ref)
	e.tee(localSlot)
	e.load(opI64Load, atKind)
	e.i64(uint64(len(s))<<32 | uint64(String))
	e.op(opI64Ne)
	e.brIf(0)
	e.op(opDrop)
	e.sameText(s)
	e.end()
}

func (e *emitter) hasPrefix(ref *Ref, s string) {
	e.block(typeI32)
	e.i32(0)
	e.field(ref)
	e.tee(localSlot)
	e.load(opI32Load, atKind)
	e.i32(int32(String))
	e.op(opI32Ne)
	e.get(localSlot)
	e.load(opI32Load, atLength)
	e.i32(int32(len(s)))
	e.op(opI32LtU, opI32Or)
	e.brIf(0)
	e.op(opDrop)
	e.sameText(s)
	e.end()
}

func (e *emitter) isNumber(ref *Ref, op Op, v float64) {
	e.block(typeI32)
	e.i32(0)
	e.field(ref)
	e.tee(localSlot)
	e.load(opI32Load, atKind)
	e.i32(int32(Number))
	e.op(opI32Ne)
	e.brIf(0)
	e.op(opDrop)
	e.get(localSlot)
	e.load(opF64Load, atValue)
	e.f64(v)
	e.op(opF64Eq + [...]byte{Equal: 0, Less: 2, Greater: 3, LessEqual: 4, GreaterEqual: 5}[op])
	e.end()
}

// sameText pushes whether the string in the slot, which has at least the
// length of s, begins with s. It compares words, the last of which may overlap
// the one before, and looks four at a time whether it can stop.
func (e *emitter) sameText(s string) {
	if s == "" {
		e.i32(1)
		return
	}
	e.get(localSlot)
	e.load(opI32Load, atValue)
	e.set(localSlot)
	e.block(typeI32)
	for n := 0; ; n += 32 {
		rest := len(s) - n
		if rest <= 32 {
			e.differs(s, n, len(s))
			break
		}
		e.i32(0)
		e.differs(s, n, n+32)
		e.op(opI64Eqz, opI32Eqz)
		e.brIf(0)
		e.op(opDrop)
	}
	e.op(opI64Eqz)
	e.end()
}

// differs pushes a word that is 0 when bytes start to end of the string are
// those of s.
func (e *emitter) differs(s string, start, end int) {
	first := true
	for at := start; at < end; {
		size := 8
		switch {
		case end-at >= 8:
		case len(s) >= 8:
			at = end - 8
		case end-at >= 4:
			size = 4
		case end-at >= 2:
			size = 2
		default:
			size = 1
		}
		e.get(localSlot)
		e.word(s, at, size)
		if !first {
			e.op(opI64Or)
		}
		first = false
		at += size
	}
}

// word pushes the bytes at an offset of the address on the stack, combined
// with those of s so that equal ones come to 0.
func (e *emitter) word(s string, at, size int) {
	var want [8]byte
	copy(want[:size], s[at:])
	switch size {
	case 8:
		e.load(opI64Load, uint32(at))
	case 4:
		e.load(opI64Load32U, uint32(at))
	case 2:
		e.load(opI32Load16U, uint32(at))
		e.op(opI64ExtendI)
	case 1:
		e.load(opI32Load8U, uint32(at))
		e.op(opI64ExtendI)
	}
	e.i64(binary.LittleEndian.Uint64(want[:]))
	e.op(opI64Xor)
}
