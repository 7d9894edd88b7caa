package amqp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// ErrDecode is the reason of everything that cannot be decoded.
var ErrDecode = errors.New("amqp: malformed encoding")

// DecodeValue decodes the value at the start of b, and returns what follows
// it. The value shares no memory with b.
func DecodeValue(b []byte) (v any, rest []byte, err error) {
	d := decoder{b: b}
	v, err = d.value(0)
	return v, d.b, err
}

// decoder consumes b from its front.
type decoder struct {
	b []byte
	// hollow is how many array elements came that take no bytes: were there no
	// limit, ten bytes could ask for four billion of them.
	hollow int
	alias  bool // binary values are parts of b, not copies
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDecode}, args...)...)
}

func (d *decoder) take(n int) ([]byte, error) {
	if n < 0 || n > len(d.b) {
		return nil, malformed("%d bytes are needed, %d are left", uint(n), len(d.b))
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b, nil
}

// number is the big-endian number in the next n bytes, of which there are 1, 2, 4 or 8.
func (d *decoder) number(n int) (uint64, error) {
	b, err := d.take(n)
	if err != nil {
		return 0, err
	}
	switch n {
	case 1:
		return uint64(b[0]), nil
	case 2:
		return uint64(binary.BigEndian.Uint16(b)), nil
	case 4:
		return uint64(binary.BigEndian.Uint32(b)), nil
	}
	return binary.BigEndian.Uint64(b), nil
}

func (d *decoder) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, malformed("nested deeper than %d", maxDepth)
	}
	code, err := d.number(1)
	if err != nil {
		return nil, err
	}
	if code != codeDescribed {
		return d.body(byte(code), depth)
	}
	descriptor, err := d.value(depth + 1)
	if err != nil {
		return nil, err
	}
	v, err := d.value(depth + 1)
	return Described{descriptor, v}, err
}

// body decodes what follows code.
func (d *decoder) body(code byte, depth int) (any, error) {
	switch code >> 4 {
	case 0xa, 0xb:
		return d.variable(code)
	case 0xc, 0xd, 0xe, 0xf:
		return d.compound(code, depth)
	}
	switch code {
	case codeDecimal32, codeDecimal64, codeDecimal128:
		b, err := d.take(width(code))
		return Decimal(b), err
	case codeUUID:
		b, err := d.take(16)
		if err != nil {
			return nil, err
		}
		return UUID(b), nil
	}
	return d.fixed(code)
}

func (d *decoder) fixed(code byte) (any, error) {
	if !known(code) {
		return nil, malformed("unknown encoding %#02x", code)
	}
	var n uint64
	if w := width(code); w > 0 {
		var err error
		if n, err = d.number(w); err != nil {
			return nil, err
		}
	}
	switch code {
	case codeNull:
		return nil, nil
	case codeTrue, codeFalse:
		return code == codeTrue, nil
	case codeBool:
		if n > 1 {
			return nil, malformed("%d is no boolean", n)
		}
		return n == 1, nil
	case codeUbyte:
		return uint8(n), nil
	case codeUshort:
		return uint16(n), nil
	case codeUint, codeSmallUint, codeUint0:
		return uint32(n), nil
	case codeUlong, codeSmallUlong, codeUlong0:
		return n, nil
	case codeByte:
		return int8(n), nil
	case codeShort:
		return int16(n), nil
	case codeInt:
		return int32(n), nil
	case codeSmallInt:
		return int32(int8(n)), nil
	case codeLong:
		return int64(n), nil
	case codeSmallLong:
		return int64(int8(n)), nil
	case codeFloat:
		return math.Float32frombits(uint32(n)), nil
	case codeDouble:
		return math.Float64frombits(n), nil
	case codeChar:
		return Char(uint32(n)), nil
	case codeTimestamp:
		return time.UnixMilli(int64(n)).UTC(), nil
	}
	return List{}, nil // codeList0 is the last one that is known
}

func (d *decoder) variable(code byte) (any, error) {
	n, err := d.number(sizeWidth(code))
	if err != nil {
		return nil, err
	}
	b, err := d.take(int(n))
	if err != nil {
		return nil, err
	}
	switch code {
	case codeBin8, codeBin32:
		if d.alias {
			return b[:n:n], nil
		}
		return append([]byte{}, b...), nil
	case codeStr8, codeStr32:
		if !utf8.Valid(b) {
			return nil, malformed("a string is not UTF-8")
		}
		return string(b), nil
	case codeSym8, codeSym32:
		if !ascii(string(b)) {
			return nil, malformed("a symbol is not ASCII")
		}
		return Symbol(b), nil
	}
	return nil, malformed("unknown encoding %#02x", code)
}

// compound decodes a list, map or array: size, count, and that many items,
// which must fill the size exactly.
func (d *decoder) compound(code byte, depth int) (any, error) {
	if !known(code) {
		return nil, malformed("unknown encoding %#02x", code)
	}
	w := sizeWidth(code)
	size, err := d.number(w)
	if err != nil {
		return nil, err
	}
	b, err := d.take(int(size))
	if err != nil {
		return nil, err
	}
	in := decoder{b: b, hollow: d.hollow, alias: d.alias}
	count, err := in.number(w)
	if err != nil {
		return nil, err
	}
	if count > math.MaxInt32 {
		return nil, malformed("%d items", count)
	}
	var v any
	switch code {
	case codeList8, codeList32:
		v, err = in.list(int(count), depth)
	case codeMap8, codeMap32:
		v, err = in.pairs(int(count), depth)
	default:
		v, err = in.array(int(count), depth+1)
	}
	if err == nil && len(in.b) > 0 {
		err = malformed("%d bytes follow the last item", len(in.b))
	}
	d.hollow = in.hollow
	return v, err
}

func (d *decoder) list(count, depth int) (any, error) {
	if count > len(d.b) { // every item takes a byte at least
		return nil, malformed("%d items in %d bytes", count, len(d.b))
	}
	list := make(List, count)
	for i := range list {
		var err error
		if list[i], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (d *decoder) pairs(count, depth int) (any, error) {
	if count > len(d.b) || count%2 != 0 {
		return nil, malformed("a map of %d items in %d bytes", count, len(d.b))
	}
	m := make(Map, count/2)
	for i := range m {
		var err error
		if m[i].Key, err = d.value(depth + 1); err != nil {
			return nil, err
		}
		if m[i].Value, err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (d *decoder) array(count, depth int) (any, error) {
	if depth > maxDepth {
		return nil, malformed("nested deeper than %d", maxDepth)
	}
	var a Array
	code, err := d.number(1)
	if err == nil && code == codeDescribed {
		if a.Descriptor, err = d.value(depth); err == nil && a.Descriptor == nil {
			err = malformed("an array described by null")
		}
		if err == nil {
			code, err = d.number(1)
		}
	}
	if err != nil {
		return nil, err
	}
	a.Code = byte(code)
	if !known(a.Code) {
		return nil, malformed("an array of unknown encoding %#02x", code)
	}
	if err := d.afford(a.Code, count); err != nil {
		return nil, err
	}
	a.Elems = make([]any, count)
	for i := range a.Elems {
		if a.Elems[i], err = d.body(a.Code, depth); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// afford fails when count elements cannot be in what is left.
func (d *decoder) afford(code byte, count int) error {
	least := width(code)
	if code >= codeBin8 {
		least = sizeWidth(code)
	}
	if least == 0 {
		if d.hollow += count; d.hollow > maxHollow {
			return malformed("an array of %d elements of no bytes", count)
		}
		return nil
	}
	if count > len(d.b)/least {
		return malformed("%d elements in %d bytes", count, len(d.b))
	}
	return nil
}

// width is how many bytes follow a fixed-width code.
func width(code byte) int {
	if code < codeUbyte || code >= codeBin8 {
		return 0
	}
	return 1 << (code>>4 - 5)
}

// sizeWidth is how many bytes the size after a variable-width, compound or
// array code has.
func sizeWidth(code byte) int {
	if code>>4&1 == 0 { // 0xa, 0xc, 0xe
		return 1
	}
	return 4
}

// known tells whether code is one of the specification's, other than that of
// described values.
func known(code byte) bool { return bytes.IndexByte(codes, code) >= 0 }

var codes = []byte{
	codeNull, codeTrue, codeFalse, codeUint0, codeUlong0, codeList0,
	codeUbyte, codeByte, codeSmallUint, codeSmallUlong, codeSmallInt, codeSmallLong, codeBool,
	codeUshort, codeShort, codeUint, codeInt, codeFloat, codeChar, codeDecimal32,
	codeUlong, codeLong, codeDouble, codeTimestamp, codeDecimal64, codeDecimal128, codeUUID,
	codeBin8, codeStr8, codeSym8, codeBin32, codeStr32, codeSym32,
	codeList8, codeMap8, codeList32, codeMap32, codeArray8, codeArray32,
}
