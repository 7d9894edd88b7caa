package filter

import (
	"encoding/binary"
	"math"
)

// Instructions of WebAssembly 1.0, by the numbers of its binary format.
const (
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opElse        = 0x05
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opReturn      = 0x0f
	opCall        = 0x10
	opDrop        = 0x1a
	opSelect      = 0x1b
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opI32Load     = 0x28
	opI64Load     = 0x29
	opF64Load     = 0x2b
	opI32Load8U   = 0x2d
	opI32Load16U  = 0x2f
	opI64Load32U  = 0x35
	opI32Store    = 0x36
	opI32Const    = 0x41
	opI64Const    = 0x42
	opF64Const    = 0x44
	opI32Eqz      = 0x45
	opI32Eq       = 0x46
	opI32Ne       = 0x47
	opI32LtU      = 0x49
	opI32GtU      = 0x4b
	opI32LeU      = 0x4d
	opI32GeU      = 0x4f
	opI64Eqz      = 0x50
	opI64Ne       = 0x52
	opF64Eq       = 0x61
	opF64Lt       = 0x63
	opI32Add      = 0x6a
	opI32Sub      = 0x6b
	opI32And      = 0x71
	opI32Or       = 0x72
	opI32Shl      = 0x74
	opI64And      = 0x83
	opI64Or       = 0x84
	opI64Xor      = 0x85
	opI64Shl      = 0x86
	opI64ExtendI  = 0xad // i64.extend_i32_u
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeVoid      = 0x40
	sectionType   = 1
	sectionImport = 2
	sectionFunc   = 3
	sectionMemory = 5
	sectionExport = 7
	sectionCode   = 10
)

// code is the body of a function under construction.
type code struct{ b []byte }

func (c *code) op(ops ...byte)    { c.b = append(c.b, ops...) }
func (c *code) get(local uint32)  { c.index(opLocalGet, local) }
func (c *code) set(local uint32)  { c.index(opLocalSet, local) }
func (c *code) tee(local uint32)  { c.index(opLocalTee, local) }
func (c *code) call(f uint32)     { c.index(opCall, f) }
func (c *code) br(depth uint32)   { c.index(opBr, depth) }
func (c *code) brIf(depth uint32) { c.index(opBrIf, depth) }
func (c *code) block(result byte) { c.op(opBlock, result) }
func (c *code) loop()             { c.op(opLoop, typeVoid) }
func (c *code) when(result byte)  { c.op(opIf, result) }
func (c *code) end()              { c.op(opEnd) }
func (c *code) i32(v int32)       { c.b = appendSigned(append(c.b, opI32Const), int64(v)) }
func (c *code) i64(v uint64)      { c.b = appendSigned(append(c.b, opI64Const), int64(v)) }
func (c *code) index(op byte, i uint32) {
	c.b = binary.AppendUvarint(append(c.b, op), uint64(i))
}

func (c *code) f64(v float64) {
	c.b = binary.LittleEndian.AppendUint64(append(c.b, opF64Const), math.Float64bits(v))
}

// load reads memory at the address on the stack plus offset.
func (c *code) load(op byte, offset uint32) { c.access(op, offset) }

// store writes memory at the address on the stack plus offset.
func (c *code) store(offset uint32) { c.access(opI32Store, offset) }

// access claims no alignment: nothing here promises any.
func (c *code) access(op byte, offset uint32) {
	c.b = binary.AppendUvarint(append(c.b, op, 0), uint64(offset))
}

// function is a finished function: its type and body, locals included.
type function struct {
	kind uint32
	body []byte
}

// locals declares variables that are not parameters.
type locals struct {
	count uint32
	kind  byte
}

// newFunction frames a body, which this ends.
func newFunction(kind uint32, c *code, vars ...locals) function {
	b := binary.AppendUvarint(nil, uint64(len(vars)))
	for _, v := range vars {
		b = append(binary.AppendUvarint(b, uint64(v.count)), v.kind)
	}
	return function{kind, append(append(b, c.b...), opEnd)}
}

// The types of functions in a module.
const (
	unary   = iota // (i32) -> i32
	binaryF        // (i32, i32) -> i32
	ternary        // (i32, i32, i32) -> i32
	masked         // (i32, i64) -> i64
)

var functionTypes = [][]byte{
	{0x60, 1, typeI32, 1, typeI32},
	{0x60, 2, typeI32, typeI32, 1, typeI32},
	{0x60, 3, typeI32, typeI32, typeI32, 1, typeI32},
	{0x60, 2, typeI32, typeI64, 1, typeI64},
}

// encodeModule lays out a module that imports a memory and exports its last
// function.
func encodeModule(functions []function) []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")

	types := binary.AppendUvarint(nil, uint64(len(functionTypes)))
	for _, t := range functionTypes {
		types = append(types, t...)
	}
	b = appendSection(b, sectionType, types)

	imports := appendName(appendName([]byte{1}, ImportModule), ImportMemory)
	b = appendSection(b, sectionImport, append(imports, 2, 0, 1)) // a memory of at least one page

	kinds := binary.AppendUvarint(nil, uint64(len(functions)))
	bodies := binary.AppendUvarint(nil, uint64(len(functions)))
	for _, f := range functions {
		kinds = binary.AppendUvarint(kinds, uint64(f.kind))
		bodies = append(binary.AppendUvarint(bodies, uint64(len(f.body))), f.body...)
	}
	b = appendSection(b, sectionFunc, kinds)

	exports := append(appendName([]byte{1}, ExportMatch), 0)
	b = appendSection(b, sectionExport, binary.AppendUvarint(exports, uint64(len(functions)-1)))
	return appendSection(b, sectionCode, bodies)
}

func appendSection(b []byte, id byte, content []byte) []byte {
	b = binary.AppendUvarint(append(b, id), uint64(len(content)))
	return append(b, content...)
}

func appendName(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendSigned appends v in the signed LEB128 form of constants.
func appendSigned(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

// MemoryModule is a module that exports, as programs import it, a memory of
// one page, which can grow.
func MemoryModule() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = appendSection(b, sectionMemory, []byte{1, 0, 1})
	return appendSection(b, sectionExport, append(appendName([]byte{1}, ImportMemory), 2, 0))
}
