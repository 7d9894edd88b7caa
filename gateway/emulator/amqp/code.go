package amqp

import "time"

// The codes of encodings, from part 1 of the specification. The upper half of
// a code says how wide the value is.
const (
	codeDescribed  = 0x00
	codeNull       = 0x40
	codeTrue       = 0x41
	codeFalse      = 0x42
	codeUint0      = 0x43
	codeUlong0     = 0x44
	codeList0      = 0x45
	codeUbyte      = 0x50
	codeByte       = 0x51
	codeSmallUint  = 0x52
	codeSmallUlong = 0x53
	codeSmallInt   = 0x54
	codeSmallLong  = 0x55
	codeBool       = 0x56
	codeUshort     = 0x60
	codeShort      = 0x61
	codeUint       = 0x70
	codeInt        = 0x71
	codeFloat      = 0x72
	codeChar       = 0x73
	codeDecimal32  = 0x74
	codeUlong      = 0x80
	codeLong       = 0x81
	codeDouble     = 0x82
	codeTimestamp  = 0x83
	codeDecimal64  = 0x84
	codeDecimal128 = 0x94
	codeUUID       = 0x98
	codeBin8       = 0xa0
	codeStr8       = 0xa1
	codeSym8       = 0xa3
	codeBin32      = 0xb0
	codeStr32      = 0xb1
	codeSym32      = 0xb3
	codeList8      = 0xc0
	codeMap8       = 0xc1
	codeList32     = 0xd0
	codeMap32      = 0xd1
	codeArray8     = 0xe0
	codeArray32    = 0xf0
)

// maxDepth is how deep values may lie in each other. Neither the protocol nor
// any client needs half of it.
const maxDepth = 32

// maxHollow is how many elements of no bytes the arrays of a value may have.
const maxHollow = 4096

// widest is the code that holds every value of v's type, or 0 for a type that
// AMQP does not have. It is the code of an array's elements.
func widest(v any) byte {
	switch v := v.(type) {
	case nil:
		return codeNull
	case bool:
		return codeBool
	case uint8:
		return codeUbyte
	case uint16:
		return codeUshort
	case uint32:
		return codeUint
	case uint64:
		return codeUlong
	case int8:
		return codeByte
	case int16:
		return codeShort
	case int32:
		return codeInt
	case int64:
		return codeLong
	case float32:
		return codeFloat
	case float64:
		return codeDouble
	case Char:
		return codeChar
	case Decimal:
		switch len(v) {
		case 4:
			return codeDecimal32
		case 8:
			return codeDecimal64
		case 16:
			return codeDecimal128
		}
	case time.Time:
		return codeTimestamp
	case UUID:
		return codeUUID
	case []byte:
		return codeBin32
	case string:
		return codeStr32
	case Symbol:
		return codeSym32
	case List:
		return codeList32
	case Map:
		return codeMap32
	case Array:
		return codeArray32
	}
	return 0
}

// narrowest is the shortest code that holds v, where that is known before v
// is encoded; lists, maps and arrays are made narrow afterwards.
func narrowest(v any) byte {
	switch v := v.(type) {
	case bool:
		if v {
			return codeTrue
		}
		return codeFalse
	case uint32:
		switch {
		case v == 0:
			return codeUint0
		case v < 256:
			return codeSmallUint
		}
	case uint64:
		switch {
		case v == 0:
			return codeUlong0
		case v < 256:
			return codeSmallUlong
		}
	case int32:
		if v == int32(int8(v)) {
			return codeSmallInt
		}
	case int64:
		if v == int64(int8(v)) {
			return codeSmallLong
		}
	case []byte:
		if len(v) < 256 {
			return codeBin8
		}
	case string:
		if len(v) < 256 {
			return codeStr8
		}
	case Symbol:
		if len(v) < 256 {
			return codeSym8
		}
	case List:
		if len(v) == 0 {
			return codeList0
		}
	}
	return widest(v)
}
