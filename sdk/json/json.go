// Package json reads JSON text in place and appends JSON text, without
// reflection and without allocating.
//
// [Parse] checks a text once, whole, and returns it as a [Value]: the bytes
// themselves, which the methods of Value then walk. Nothing is built, so
// looking for one member of an event costs one pass over its bytes. Host and
// guests share the package; it suits TinyGo.
//
// A Value must come from Parse, or from a walk over one that did: walks skip
// fast because they trust the text. Over other bytes they return something
// meaningless, but they return.
package json

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 512

// Value is the raw text of one JSON value, without blanks around it. It shares
// memory with the text that was parsed. The zero Value is Invalid and answers
// every question with no.
type Value []byte

// Kind is the type of a JSON value.
type Kind uint8

// The kinds of values. Invalid is the zero Value's.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind's name in JSON Schema, or "invalid".
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	}
	return "invalid"
}

// SyntaxError says why a text is not JSON.
type SyntaxError struct {
	Offset int    // of the byte that cannot be where it is; the text's length if it ends too early
	Reason string // what was expected there
}

func (e *SyntaxError) Error() string {
	return "offset " + itoa(e.Offset) + ": " + e.Reason
}

func itoa(n int) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

// Parse returns the value that b is the text of, without the blanks around it.
// The error is a [*SyntaxError].
//
// It accepts RFC 8259 in valid UTF-8, nested at most [MaxDepth] deep. As that
// grammar does, it lets escapes of lone surrogates and duplicate names pass.
func Parse(b []byte) (Value, error) {
	var open nesting
	start := skipSpace(b, 0)
	end, why := scanValue(b, start, &open)
	if why == 0 {
		if tail := skipSpace(b, end); tail != len(b) {
			end, why = tail, reasonTail
		}
	}
	if why != 0 {
		return nil, &SyntaxError{Offset: end, Reason: why.String()}
	}
	return Value(b[start:end:end]), nil
}

// Kind is the type of v.
func (v Value) Kind() Kind {
	if len(v) == 0 {
		return Invalid
	}
	switch v[0] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	}
	return Number
}

// Bool is the truth that v says; it is false with ok unset for any other kind.
func (v Value) Bool() (b, ok bool) {
	switch v.Kind() {
	case Bool:
		return v[0] == 't', true
	default:
		return false, false
	}
}
