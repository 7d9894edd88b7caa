package json

// Reader reads a text once, from front to back, and checks it as it goes: the
// fastest way through a text for who knows its shape. Where [Parse] and a walk
// pass over every byte several times, a Reader does once.
//
//	r := json.NewReader(text)
//	if r.Object() {
//		for r.Member() {
//			if r.Is("modelId") {
//				model = r.Value()
//			}
//		}
//	}
//	err := r.End()
//
// A value that was not asked for is passed over by the next call. After a fault
// everything reads as empty, and End returns it; only then is it known that what
// was read before belongs to sound text.
type Reader struct {
	b   []byte
	i   int
	why reason

	open  nesting
	key   int    // where the member's name is, which is
	name  []byte // this without quotes
	plain bool   // no escape is in name
	state state
}

// state is what comes next in the text.
type state uint8

const (
	atValue state = iota
	atFirst       // a container's first member or element, or its close
	atNext        // what follows a member or an element: a comma or a close
	atEnd         // nothing: the value ended, or has a fault
)

// NewReader returns a reader of b, which holds one JSON value.
func NewReader(b []byte) Reader { return Reader{b: b, i: skipSpace(b, 0)} }

// Reset makes r a reader of b, as NewReader returns it.
func (r *Reader) Reset(b []byte) {
	r.b, r.i, r.why = b, skipSpace(b, 0), 0
	r.open.depth, r.name, r.plain, r.state = 0, nil, false, atValue
}

// Kind is the type of the value that comes next, Invalid when none does.
func (r *Reader) Kind() Kind {
	if r.state != atValue || r.i >= len(r.b) {
		return Invalid
	}
	return Value(r.b[r.i:]).Kind()
}

// Value reads the value that comes next, whole. It is the zero Value when none
// comes, and after a fault.
func (r *Reader) Value() Value {
	if r.state != atValue {
		return nil
	}
	start := r.i
	var end int
	var why reason
	switch { // what most values are, without a call between
	case start < len(r.b) && r.b[start] == '"':
		end, _, why = scanString(r.b, start+1)
	case start < len(r.b) && isDigit(r.b[start]):
		end, why = scanNumber(r.b, start)
	default:
		end, why = scanValue(r.b, start, &r.open)
	}
	if why != 0 {
		r.fail(end, why)
		return nil
	}
	r.past(end)
	return Value(r.b[start:end:end])
}

// past goes behind a value.
func (r *Reader) past(end int) {
	r.i, r.state = end, atNext
	if r.open.depth == 0 {
		r.state = atEnd
	}
}

// Object enters the object that comes next, and reports whether one does; if
// not, nothing is read. Member goes through it.
func (r *Reader) Object() bool { return r.enter('{') }

// Array enters the array that comes next, and reports whether one does; if not,
// nothing is read. Element goes through it.
func (r *Reader) Array() bool { return r.enter('[') }

func (r *Reader) enter(bracket byte) bool {
	if r.state != atValue || r.i >= len(r.b) || r.b[r.i] != bracket {
		return false
	}
	if !r.open.push(bracket == '{') {
		r.fail(r.i, reasonDepth)
		return false
	}
	r.i++
	r.state = atFirst
	return true
}

// Member goes to the next member of the object that was entered last, whose
// name is then Key and whose value comes next. After the last it leaves the
// object and returns false.
func (r *Reader) Member() bool {
	b, i := r.b, r.i
	switch { // what most texts have, without a call
	case r.state == atNext && i+1 < len(b) && b[i] == ',' && b[i+1] == '"':
		i++
	case r.state == atFirst && i < len(b) && b[i] == '"':
	case !r.next('}', reasonObject):
		return false
	default:
		if i = r.i; i >= len(b) || b[i] != '"' {
			r.fail(i, reasonName)
			return false
		}
	}
	r.state = atValue
	end, plain, why := scanString(b, i+1)
	if why != 0 {
		r.fail(end, why)
		return false
	}
	r.key, r.name, r.plain = i, b[i+1:end-1], plain
	if i = skipSpace(b, end); i >= len(b) || b[i] != ':' {
		r.fail(i, reasonColon)
		return false
	}
	r.i = skipSpace(b, i+1)
	return true
}

// Key is the name of the member that Member went to.
func (r *Reader) Key() Key {
	if r.name == nil {
		return nil
	}
	end := r.key + len(r.name) + 2
	return Key(r.b[r.key:end:end])
}

// Is reports whether the member's name is name: Key().Equal(name), in less time.
func (r *Reader) Is(name string) bool {
	if r.plain {
		return string(r.name) == name
	}
	return r.equal(name)
}

func (r *Reader) equal(name string) bool { return equalString(r.Key(), name) }

// Element goes to the next element of the array that was entered last, which
// then comes next. After the last it leaves the array and returns false.
func (r *Reader) Element() bool { return r.next(']', reasonArray) }

// next goes to where a member or element begins, or past the close.
func (r *Reader) next(closing byte, why reason) bool {
	if r.state == atValue {
		r.Value()
	}
	if r.state == atEnd {
		return false
	}
	i := skipSpace(r.b, r.i)
	if i >= len(r.b) {
		r.fail(i, why)
		return false
	}
	switch c := r.b[i]; {
	case c == closing:
		r.open.depth--
		r.past(i + 1)
		return false
	case r.state == atFirst:
	case c == ',':
		i = skipSpace(r.b, i+1)
	default:
		r.fail(i, why)
		return false
	}
	r.i, r.state = i, atValue
	return true
}

// End reads what is left and returns the first fault of the text, a
// [*SyntaxError], or nil.
func (r *Reader) End() error {
	r.Value()
	for r.open.depth > 0 && r.why == 0 {
		if r.open.inObject() {
			r.Member()
		} else {
			r.Element()
		}
	}
	if r.why == 0 {
		if r.i = skipSpace(r.b, r.i); r.i < len(r.b) {
			r.fail(r.i, reasonTail)
		}
	}
	if r.why != 0 {
		return &SyntaxError{Offset: r.i, Reason: r.why.String()}
	}
	return nil
}

func (r *Reader) fail(at int, why reason) {
	if at >= len(r.b) {
		at, why = len(r.b), reasonEnd
	}
	r.i, r.why, r.state = at, why, atEnd
}
