package json

// Op is what an operation of a JSON Patch does.
type Op uint8

// The operations that set or remove a value. An operation of any other name,
// or of none, is OpOther; NoOp is none at all.
const (
	NoOp Op = iota
	OpOther
	OpAdd
	OpReplace
	OpRemove
)

// Operation is an operation of a JSON Patch (RFC 6902): its members as they
// stand, each the zero Value where there is none.
type Operation struct {
	Op    Op
	Path  Value // a JSON Pointer in a string, such as "/Front/Temperature"
	Value Value
}

// Sets reports whether the operation gives something a value.
func (o *Operation) Sets() bool { return o.Op == OpAdd || o.Op == OpReplace }

// Members of an operation, and operations, as they are mostly written: words,
// with the length that counts.
const (
	valueWord   = '"' | 'v'<<8 | 'a'<<16 | 'l'<<24 | 'u'<<32 | 'e'<<40 | '"'<<48 | ':'<<56
	pathWord    = '"' | 'p'<<8 | 'a'<<16 | 't'<<24 | 'h'<<32 | '"'<<40 | ':'<<48
	opWord      = '"' | 'o'<<8 | 'p'<<16 | '"'<<24 | ':'<<32
	addWord     = '"' | 'a'<<8 | 'd'<<16 | 'd'<<24 | '"'<<32
	removeWord  = '"' | 'r'<<8 | 'e'<<16 | 'm'<<24 | 'o'<<32 | 'v'<<40 | 'e'<<48 | '"'<<56
	replaceWord = '"' | 'r'<<8 | 'e'<<16 | 'p'<<24 | 'l'<<32 | 'a'<<40 | 'c'<<48 | 'e'<<56

	first5 = 1<<40 - 1
	first7 = 1<<56 - 1
)

// Operation goes to the next element of the array that was entered last, and
// reads it into o: an Operation of NoOp where the element is not an object.
// After the last element it leaves the array and returns false, as it does at a
// fault.
func (r *Reader) Operation(o *Operation) bool {
	i := r.i
	if r.state == atNext && i < len(r.b) && r.b[i] == ',' {
		i++
	}
	if r.state == atValue || r.state == atEnd || i >= len(r.b) || r.b[i] != '{' || r.open.depth == MaxDepth {
		return r.operation(o)
	}
	depth := r.open.depth
	r.open.depth++
	end := o.scan(r.b, i+1, &r.open)
	r.open.depth = depth
	if end == 0 {
		return r.operation(o)
	}
	r.i, r.state = end, atNext
	return true
}

// scan reads the operation whose members begin at i, in the form in which
// programs write it, without blanks and escapes. It returns where it ends, 0
// for any other form and for any fault.
//
// It compares names by words, and makes no call for short plain values: most of
// what a twin sends are such operations.
func (o *Operation) scan(b []byte, i int, open *nesting) (end int) {
	op := OpOther
	var path, value Value
	var why reason
	for ; i+13 <= len(b); i++ { // the shortest last member is "op":"add"}]}
		switch w := word(b, i); {
		case w == valueWord:
			i += 8
			start := i
			switch c := b[i]; {
			case c == '"':
				i, _, why = scanString(b, i+1)
			case isDigit(c):
				i, why = scanNumber(b, i)
			default:
				i, why = scanValue(b, i, open)
			}
			value = Value(b[start:i:i])
		case w&first7 == pathWord && b[i+7] == '"':
			start := i + 7
			i, _, why = scanString(b, start+1)
			path = Value(b[start:i:i])
		case w&first5 == opWord:
			i += 5
			switch w := word(b, i); {
			case w == replaceWord && i+8 < len(b) && b[i+8] == '"':
				op, i = OpReplace, i+9
			case w&first5 == addWord:
				op, i = OpAdd, i+5
			case w == removeWord:
				op, i = OpRemove, i+8
			default:
				return 0
			}
		default:
			return 0
		}
		if why != 0 || i >= len(b) {
			return 0
		}
		if c := b[i]; c == '}' {
			o.Op, o.Path, o.Value = op, path, value
			return i + 1
		} else if c != ',' {
			return 0
		}
	}
	return 0
}

// operation is Operation for whatever form.
func (r *Reader) operation(o *Operation) bool {
	*o = Operation{}
	if !r.Element() {
		return false
	}
	if !r.Object() {
		return true
	}
	var op Value
	for r.Member() {
		switch {
		case r.Is("value"):
			o.Value = r.Value()
		case r.Is("path"):
			o.Path = r.Value()
		case r.Is("op"):
			op = r.Value()
		}
	}
	switch {
	case op.Is("replace"):
		o.Op = OpReplace
	case op.Is("add"):
		o.Op = OpAdd
	case op.Is("remove"):
		o.Op = OpRemove
	default:
		o.Op = OpOther
	}
	return r.why == 0
}

// AppendKey appends the path as the name of one member, a JSON string: its parts
// joined by the separator, a character like the dot, and their escapes decoded.
// So /Front/Temperature makes "Front.Temperature". Paths of the same parts make
// the same bytes, however they are written. Like AppendQuoted it may write behind
// the result.
func (o *Operation) AppendKey(dst []byte, separator byte) []byte {
	if len(o.Path) < 3 || o.Path[1] != '/' {
		return appendKey(dst, o.Path, separator)
	}
	start := len(dst)
	dst = append(dst, o.Path[1:]...)
	end := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // so that it ends in a whole word
	dst[start] = '"'
	escapes := uint64(0)
	for i := start; i < end; i += 8 {
		w := word(dst, i)
		escapes |= equal(w, '\\') | equal(w, '~')
		putWord(dst, i, w^equal(w, '/')>>7*uint64('/'^separator))
	}
	if escapes != 0 {
		return appendKey(dst[:start], o.Path, separator)
	}
	return dst[:end]
}

// appendKey is AppendKey for whatever path.
func appendKey(dst []byte, path Value, separator byte) []byte {
	start := len(dst)
	dst, _ = path.AppendString(dst)
	text := dst[start:]
	if len(text) > 0 && text[0] == '/' {
		text = text[1:]
	}
	n := start
	for i := 0; i < len(text); i, n = i+1, n+1 {
		c := text[i]
		switch {
		case c == '/':
			c = separator
		case c == '~' && i+1 < len(text) && text[i+1]-'0' <= 1:
			i++
			c = "~/"[text[i]-'0']
		}
		dst[n] = c
	}
	quoted := AppendQuoted(dst[:n], dst[start:n])
	return append(dst[:start], quoted[n:]...)
}
