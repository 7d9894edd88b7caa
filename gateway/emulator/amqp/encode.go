package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// ErrValue is the reason of every value that cannot be encoded.
var ErrValue = errors.New("amqp: value cannot be encoded")

// AppendValue appends the shortest encoding of v to dst. It fails, with
// [ErrValue], for a Go type that the package comment does not list, for text
// that is not UTF-8 (a symbol: ASCII), and for values nested too deep.
func AppendValue(dst []byte, v any) ([]byte, error) { return appendValue(dst, v, 0) }

func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrValue, maxDepth)
	}
	if d, ok := v.(Described); ok {
		dst, err := appendValue(append(dst, codeDescribed), d.Descriptor, depth+1)
		if err != nil {
			return nil, err
		}
		return appendValue(dst, d.Value, depth+1)
	}
	code := narrowest(v)
	if code == 0 {
		return nil, fmt.Errorf("%w: a %T", ErrValue, v)
	}
	start := len(dst)
	dst, err := appendBody(append(dst, code), code, v, depth)
	if err != nil {
		return nil, err
	}
	return shorten(dst, start), nil
}

// shorten gives the list, map or array at the end of dst its narrow encoding
// if it fits: the code's byte, then size and count of one byte, not four.
func shorten(dst []byte, start int) []byte {
	switch dst[start] {
	case codeList32, codeMap32, codeArray32:
	default:
		return dst
	}
	size := binary.BigEndian.Uint32(dst[start+1:]) - 3 // its count is three bytes shorter
	count := binary.BigEndian.Uint32(dst[start+5:])
	if size > 255 || count > 255 {
		return dst
	}
	dst[start] -= codeList32 - codeList8
	dst[start+1], dst[start+2] = byte(size), byte(count)
	return append(dst[:start+3], dst[start+9:]...)
}

// appendBody appends what follows code in the encoding of v.
func appendBody(dst []byte, code byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("%w: a string that is not UTF-8", ErrValue)
		}
		return appendVariable(dst, code, codeStr8, codeStr32, v)
	case Symbol:
		if !ascii(string(v)) {
			return nil, fmt.Errorf("%w: a symbol that is not ASCII", ErrValue)
		}
		return appendVariable(dst, code, codeSym8, codeSym32, v)
	case []byte:
		return appendVariable(dst, code, codeBin8, codeBin32, v)
	case List:
		if code == codeList0 && len(v) == 0 {
			return dst, nil
		}
		return appendCompound(dst, code, codeList8, codeList32, len(v), func(dst []byte) ([]byte, error) {
			return appendAll(dst, depth, v...)
		})
	case Map:
		return appendCompound(dst, code, codeMap8, codeMap32, 2*len(v), func(dst []byte) (_ []byte, err error) {
			for _, p := range v {
				if dst, err = appendAll(dst, depth, p.Key, p.Value); err != nil {
					return nil, err
				}
			}
			return dst, nil
		})
	case Array:
		return appendCompound(dst, code, codeArray8, codeArray32, len(v.Elems), func(dst []byte) ([]byte, error) {
			return appendElems(dst, v, depth+1)
		})
	default:
		return appendFixed(dst, code, v)
	}
}

func appendAll(dst []byte, depth int, values ...any) (_ []byte, err error) {
	for _, v := range values {
		if dst, err = appendValue(dst, v, depth+1); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendElems(dst []byte, a Array, depth int) (_ []byte, err error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrValue, maxDepth)
	}
	if a.Descriptor != nil {
		if dst, err = appendValue(append(dst, codeDescribed), a.Descriptor, depth); err != nil {
			return nil, err
		}
	}
	if !known(a.Code) {
		return nil, fmt.Errorf("%w: an array of encoding %#02x", ErrValue, a.Code)
	}
	dst = append(dst, a.Code)
	for _, e := range a.Elems {
		if dst, err = appendBody(dst, a.Code, e, depth); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendVariable[T string | Symbol | []byte](dst []byte, code, narrow, wide byte, v T) ([]byte, error) {
	switch {
	case code == narrow && len(v) < 256:
		return append(append(dst, byte(len(v))), v...), nil
	case code == wide && uint64(len(v)) <= math.MaxUint32:
		return append(binary.BigEndian.AppendUint32(dst, uint32(len(v))), v...), nil
	}
	return nil, unfit(code, v)
}

// appendCompound appends size, count and body; size and count take a byte each
// when code is narrow.
func appendCompound(dst []byte, code, narrow, wide byte, count int, body func([]byte) ([]byte, error)) ([]byte, error) {
	if code != narrow && code != wide {
		return nil, unfit(code, count)
	}
	start := len(dst)
	dst, err := body(append(dst, 0, 0, 0, 0, 0, 0, 0, 0))
	if err != nil {
		return nil, err
	}
	size := len(dst) - start - 8
	if code == narrow {
		if size+1 > 255 || count > 255 {
			return nil, unfit(code, count)
		}
		dst[start], dst[start+1] = byte(size+1), byte(count)
		return append(dst[:start+2], dst[start+8:]...), nil
	}
	if uint64(size)+4 > math.MaxUint32 {
		return nil, unfit(code, count)
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(size+4))
	binary.BigEndian.PutUint32(dst[start+4:], uint32(count))
	return dst, nil
}

func appendFixed(dst []byte, code byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		if code == codeNull {
			return dst, nil
		}
	case bool:
		switch {
		case code == codeBool && v:
			return append(dst, 1), nil
		case code == codeBool:
			return append(dst, 0), nil
		case code == codeTrue && v, code == codeFalse && !v:
			return dst, nil
		}
	case uint8:
		return appendUint(dst, code, uint64(v), codeUbyte, 0, 0)
	case uint16:
		return appendUint(dst, code, uint64(v), codeUshort, 0, 0)
	case uint32:
		return appendUint(dst, code, uint64(v), codeUint, codeSmallUint, codeUint0)
	case uint64:
		return appendUint(dst, code, v, codeUlong, codeSmallUlong, codeUlong0)
	case int8:
		return appendInt(dst, code, int64(v), codeByte, 0)
	case int16:
		return appendInt(dst, code, int64(v), codeShort, 0)
	case int32:
		return appendInt(dst, code, int64(v), codeInt, codeSmallInt)
	case int64:
		return appendInt(dst, code, v, codeLong, codeSmallLong)
	case float32:
		return appendUint(dst, code, uint64(math.Float32bits(v)), codeFloat, 0, 0)
	case float64:
		return appendUint(dst, code, math.Float64bits(v), codeDouble, 0, 0)
	case Char:
		return appendUint(dst, code, uint64(uint32(v)), codeChar, 0, 0)
	case time.Time:
		return appendUint(dst, code, uint64(v.UnixMilli()), codeTimestamp, 0, 0)
	case Decimal:
		if code != 0 && code == widest(v) {
			return append(dst, v...), nil
		}
	case UUID:
		if code == codeUUID {
			return append(dst, v[:]...), nil
		}
	}
	return nil, unfit(code, v)
}

// appendUint appends v in as many bytes as code has; 0 is no code.
func appendUint(dst []byte, code byte, v uint64, wide, small, zero byte) ([]byte, error) {
	switch {
	case code == wide:
		return appendWidth(dst, code, v), nil
	case code == small && v < 256:
		return append(dst, byte(v)), nil
	case code == zero && v == 0:
		return dst, nil
	}
	return nil, unfit(code, v)
}

func appendInt(dst []byte, code byte, v int64, wide, small byte) ([]byte, error) {
	switch {
	case code == wide:
		return appendWidth(dst, code, uint64(v)), nil
	case code == small && v == int64(int8(v)):
		return append(dst, byte(v)), nil
	}
	return nil, unfit(code, v)
}

func appendWidth(dst []byte, code byte, v uint64) []byte {
	switch width(code) {
	case 1:
		return append(dst, byte(v))
	case 2:
		return binary.BigEndian.AppendUint16(dst, uint16(v))
	case 4:
		return binary.BigEndian.AppendUint32(dst, uint32(v))
	}
	return binary.BigEndian.AppendUint64(dst, v)
}

func unfit(code byte, v any) error {
	return fmt.Errorf("%w: a %T in encoding %#02x", ErrValue, v, code)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] > 127 {
			return false
		}
	}
	return true
}
