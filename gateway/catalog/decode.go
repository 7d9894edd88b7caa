package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a document.
const maxDepth = 128

// CheckJSON returns a [*FieldError] unless b is one JSON value in UTF-8, no
// object of which names a member twice, nested at most 128 deep.
func CheckJSON(b []byte) error {
	if !utf8.Valid(b) {
		return refuse("", "the text is not UTF-8")
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return refuse("", "the body is empty; send a JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := checkValue(dec, "", 0); err != nil {
		return syntaxReason(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse("", "there is more after the JSON value, at byte %d", dec.InputOffset())
	}
	return nil
}

func checkValue(dec *json.Decoder, path string, depth int) error {
	if depth > maxDepth {
		return refuse(path, "is nested deeper than %d levels", maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	switch tok {
	case json.Delim('{'):
		names := map[string]bool{}
		for dec.More() {
			tok, err := dec.Token()
			if err != nil {
				return err
			}
			name := tok.(string) // the decoder allows nothing else here
			if names[name] {
				return refuse(join(path, name), "is given twice")
			}
			names[name] = true
			if err := checkValue(dec, join(path, name), depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; dec.More(); i++ {
			if err := checkValue(dec, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = dec.Token()
	return err
}

// syntaxReason makes the decoder's errors ours.
func syntaxReason(err error) error {
	var fe *FieldError
	var se *json.SyntaxError
	switch {
	case errors.As(err, &fe):
		return err
	case errors.As(err, &se):
		return refuse("", "the JSON is malformed at byte %d: %v", se.Offset, se)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return refuse("", "the JSON ends too early")
	}
	return refuse("", "the JSON is malformed: %v", err)
}

// Object is a JSON object whose members are taken out one by one; what is
// left when all known ones are taken is unknown. Every fault is kept, but of one
// member the first alone; a member with a fault yields a zero value.
type Object struct {
	members []member
	known   []string
	faults  FieldErrors
	broken  bool // it is no object at all
}

type member struct {
	name  string
	value json.RawMessage
}

// ReadObject returns the members of b, which must be a JSON object; it checks
// all of b as [CheckJSON] does. A member that is null counts as absent.
func ReadObject(b []byte) *Object {
	if err := CheckJSON(b); err != nil {
		return &Object{faults: FieldErrors{}.Add(err), broken: true}
	}
	return readObject(b)
}

// readObject is ReadObject for text that was checked.
func readObject(b []byte) *Object {
	members, err := readMembers(b)
	if err != nil {
		return &Object{faults: FieldErrors{}.Add(err), broken: true}
	}
	members = slices.DeleteFunc(members, func(m member) bool { return string(m.value) == "null" })
	return &Object{members: members}
}

func readMembers(b []byte) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, refuse("", "want a JSON object, have %s", typeName(b))
	}
	var members []member
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, syntaxReason(err)
		}
		name, _ := tok.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, syntaxReason(err)
		}
		members = append(members, member{name, value})
	}
	return members, nil
}

func appendMembers(dst []byte, members []member) []byte {
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, quote(m.name)...)
		dst = append(dst, ':')
		dst = append(dst, m.value...)
	}
	return append(dst, '}')
}

// Raw takes the member name, any JSON value; nil when it is absent.
func (o *Object) Raw(name string) json.RawMessage {
	o.Ignore(name)
	for _, m := range o.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// String takes the member name into dst, unless it is absent.
func (o *Object) String(name string, dst *string) {
	raw := o.Raw(name)
	if raw == nil {
		return
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		hint := ""
		if raw[0] != '{' && raw[0] != '[' {
			hint = "; put it in quotes" // which YAML needs only where a text looks like something else
		}
		o.Refuse(name, "want a string, have %s%s", typeName(raw), hint)
	}
}

// Bool takes the member name into dst, unless it is absent.
func (o *Object) Bool(name string, dst *bool) { take(o, name, "true or false", dst) }

// Int takes the member name into dst, unless it is absent.
func (o *Object) Int(name string, dst *int) { take(o, name, "a whole number", dst) }

func take[T any](o *Object, name, want string, dst *T) {
	raw := o.Raw(name)
	if raw == nil {
		return
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		o.Refuse(name, "want %s, have %s", want, typeName(raw))
	}
}

// Duration takes the member name into dst, unless it is absent.
func (o *Object) Duration(name string, dst *Duration) {
	raw := o.Raw(name)
	if raw == nil {
		return
	}
	if raw[0] != '"' {
		o.Refuse(name, "%s is not a duration; "+durationHint, raw)
		return
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		o.fail(In(name, err))
		return
	}
	o.fail(In(name, dst.UnmarshalText([]byte(text))))
}

// Array takes the elements of the member name, an array; nil when it is absent.
func (o *Object) Array(name string) []json.RawMessage {
	var list []json.RawMessage
	take(o, name, "an array", &list)
	return list
}

// Ignore allows the members that the server writes and a client may send back.
func (o *Object) Ignore(names ...string) {
	for _, name := range names {
		if !slices.Contains(o.known, name) { // a member may be taken twice
			o.known = append(o.known, name)
		}
	}
}

// Refuse reports a fault of the member name.
func (o *Object) Refuse(name, format string, args ...any) { o.fail(refuse(name, format, args...)) }

// fail keeps err, unless what it says follows from a fault that is kept already.
func (o *Object) fail(err error) {
	for _, fault := range (FieldErrors{}).Add(err) {
		known := o.broken || fault.Field == "" && len(o.faults) > 0 || slices.ContainsFunc(o.faults, func(have *FieldError) bool {
			return have.Field == fault.Field || strings.HasPrefix(have.Field, fault.Field+".") || strings.HasPrefix(have.Field, fault.Field+"[")
		})
		if !known {
			o.faults = append(o.faults, fault)
		}
	}
}

// Close returns the faults: nil, a [*FieldError], or [FieldErrors]. A member that
// nothing took is one.
func (o *Object) Close() error {
	for _, m := range o.members {
		if !slices.Contains(o.known, m.name) {
			o.Refuse(m.name, "is not known here; known are %s", strings.Join(o.known, ", "))
		}
	}
	return o.faults.Err()
}

// typeName says what kind of value b is, in a user's words.
func typeName(b []byte) string {
	switch b = bytes.TrimSpace(b); {
	case len(b) == 0:
		return "nothing"
	case b[0] == '{':
		return "an object"
	case b[0] == '[':
		return "an array"
	case b[0] == '"':
		return "a string"
	case b[0] == 't', b[0] == 'f':
		return "a boolean"
	case b[0] == 'n':
		return "null"
	}
	return "the number " + string(b[:min(len(b), 20)])
}

// quote writes s as a JSON string without escaping <, > and &.
func quote(s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// compact returns the JSON text b without blanks.
func compact(b json.RawMessage) json.RawMessage {
	var buf bytes.Buffer
	if err := json.Compact(&buf, b); err != nil {
		return b
	}
	return buf.Bytes()
}
