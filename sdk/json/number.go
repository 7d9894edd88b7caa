package json

import (
	"strconv"
	"unsafe"
)

// Float is the number that v says, to the nearest float64; ok is unset for any
// other kind and for a number beyond a float64's range.
func (v Value) Float() (f float64, ok bool) {
	if v.Kind() != Number {
		return 0, false
	}
	if f, ok := v.exactFloat(); ok {
		return f, true
	}
	// ParseFloat keeps nothing of the text, which saves a copy of a long one.
	f, err := strconv.ParseFloat(unsafe.String(&v[0], len(v)), 64)
	if err != nil {
		return 0, false
	}
	return f, true
}

// pow10 are the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// exactFloat reads numbers as sensors write them: no exponent, and few enough
// digits that both the digits and the power of ten that divides them are exact,
// so that one division rounds correctly.
func (v Value) exactFloat() (float64, bool) {
	i, negative := 0, v[0] == '-'
	if negative {
		i = 1
	}
	if len(v) > 15 {
		return 0, false
	}
	var digits uint64
	point := len(v)
	for ; i < len(v); i++ {
		switch c := v[i]; {
		case isDigit(c):
			digits = digits*10 + uint64(c-'0')
		case c == '.':
			point = i + 1
		default:
			return 0, false
		}
	}
	f := float64(digits) / pow10[len(v)-point]
	if negative {
		f = -f
	}
	return f, true
}

// Int is the integer that v says; ok is unset for any other kind, for a number
// with a fraction or an exponent, and for one beyond an int64's range.
func (v Value) Int() (n int64, ok bool) {
	if v.Kind() != Number {
		return 0, false
	}
	i, negative := 0, v[0] == '-'
	if negative {
		i = 1
	}
	if i == len(v) {
		return 0, false
	}
	for ; i < len(v); i++ {
		c := v[i]
		if !isDigit(c) || n < (-1<<63)/10 {
			return 0, false
		}
		d := int64(c - '0')
		if n *= 10; n < -1<<63+d {
			return 0, false
		}
		n -= d // downwards: the least int64 has no positive counterpart
	}
	if negative {
		return n, true
	}
	return -n, n != -1<<63
}
