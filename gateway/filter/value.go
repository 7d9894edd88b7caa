package filter

import "strings"

// Kind is the kind of a value, in the numbering of compiled programs. The
// first three are also the verdicts of a condition: AND is their minimum, OR
// their maximum, NOT the distance from True.
type Kind uint8

// The kinds of values.
const (
	False Kind = iota
	Undefined
	True
	Null
	Number
	String
	Object
	Array
)

// Value is a constant, or what an event holds for a [Field].
type Value struct {
	Kind   Kind
	Number float64
	String string
}

// Text is the value as a filter would write it; what has no literal is
// described.
func (v Value) Text() string {
	switch v.Kind {
	case False:
		return "false"
	case True:
		return "true"
	case Null:
		return "null"
	case Number:
		return formatNumber(v.Number)
	case String:
		return quote(v.String)
	case Object:
		return "an object"
	case Array:
		return "an array"
	}
	return "missing"
}

// Source is the part of an event that a field is read from.
type Source uint8

// The sources of fields.
const (
	// Attribute: Path is the name of a CloudEvents attribute.
	Attribute Source = iota
	// Body: Path is the names, joined by dots, that lead from the data's root to
	// a value through objects; empty for the data itself.
	Body
	// Patch: Path is a JSON Pointer; the value is the new one that the
	// operations in the body's patch give it.
	Patch
	// Changed: Path is a JSON Pointer; the value is True when an operation in
	// the body's patch touches it, what contains it or what it contains, else False.
	Changed
	// Nothing: Path is a name that no event has a value for.
	Nothing
)

// Field names one value of an event.
type Field struct {
	From Source
	Path string
}

// String is the field as a filter writes it.
func (f Field) String() string {
	switch f.From {
	case Body:
		if f.Path == "" {
			return "$body"
		}
		return "$body." + f.Path
	case Patch:
		return "PATCH(" + quote(f.Path) + ")"
	case Changed:
		return "CHANGED(" + quote(f.Path) + ")"
	}
	return f.Path
}

// Steps are the names on the way from the root to the value of a Body, Patch
// or Changed field; other fields have none.
func (f Field) Steps() []string {
	if f.Path == "" || f.From == Attribute || f.From == Nothing {
		return nil
	}
	if f.From == Body {
		return strings.Split(f.Path, ".")
	}
	steps := strings.Split(f.Path[1:], "/")
	for i, s := range steps {
		steps[i] = unescapePointer.Replace(s)
	}
	return steps
}

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")

// isPointer reports whether s is a JSON Pointer (RFC 6901).
func isPointer(s string) bool {
	if s == "" {
		return true
	}
	rest := strings.NewReplacer("~0", "", "~1", "").Replace(s)
	return s[0] == '/' && !strings.Contains(rest, "~")
}

// fieldOf gives a path in a filter its meaning. What Azure Digital Twins
// accepts and never matches, such as $eventType or an index, is Nothing.
func fieldOf(path string) Field {
	if strings.Contains(path, "[") {
		return Field{Nothing, path}
	}
	if path == "$body" {
		return Field{Body, ""}
	}
	if rest, ok := strings.CutPrefix(path, "$body."); ok {
		return Field{Body, rest}
	}
	if isAttribute(path) {
		return Field{Attribute, path}
	}
	return Field{Nothing, path}
}

// isAttribute reports whether CloudEvents allows name for an attribute.
func isAttribute(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
