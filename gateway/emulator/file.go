package emulator

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// MaxFileBytes bounds a file that declares entities.
const MaxFileBytes = 1 << 20

// FileError is what is wrong with a file, and where.
type FileError struct {
	Line, Column int // 0 where it is not about one place
	Reason       string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Parse reads a file that declares entities, in YAML or JSON. It is strict:
// keys that are unknown or come twice, values that cannot be and entities that
// a service would refuse are errors, each a [*FileError] and all of them joined.
func Parse(text []byte) (Declared, error) {
	var d Declared
	if len(text) > MaxFileBytes {
		return d, &FileError{Reason: "is larger than 1 MiB: give a file that declares queues, topics and hubs"}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return d, syntaxError(err)
	}
	r := &reader{}
	for i, doc := range file.Docs {
		switch {
		case i > 0 && doc.Body != nil:
			r.fail(doc.Body, "holds several YAML documents: keep one")
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		default:
			r.read(doc.Body, reflect.ValueOf(&d).Elem())
		}
	}
	if len(r.errs) > 0 {
		return Declared{}, errors.Join(r.errs...)
	}
	return d, nil
}

func syntaxError(err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return &FileError{Reason: err.Error()}
	}
	at := syntax.GetToken().Position
	return &FileError{at.Line, at.Column, syntax.GetMessage()}
}

// reader reads values by their Go types and the JSON names of their fields.
type reader struct{ errs []error }

// mostErrors are told at once.
const mostErrors = 20

func (r *reader) fail(n ast.Node, format string, args ...any) {
	if len(r.errs) == mostErrors {
		return
	}
	e := &FileError{Reason: fmt.Sprintf(format, args...)}
	switch m := n.(type) { // a mapping is where its first key is
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			n = m.Values[0].Key
		}
	case *ast.MappingValueNode:
		n = m.Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	r.errs = append(r.errs, e)
}

// read reads n into v, which can be set.
func (r *reader) read(n ast.Node, v reflect.Value) {
	before := len(r.errs)
	switch {
	case n.Type() == ast.NullType:
		return // the key alone leaves the default
	case v.Kind() == reflect.Struct:
		r.object(n, v)
	case v.Kind() == reflect.Slice:
		r.list(n, v)
	case v.Kind() == reflect.Map:
		r.texts(n, v)
	default:
		r.scalar(n, v)
	}
	if len(r.errs) > before {
		return
	}
	if err := check(v.Interface()); err != nil {
		r.fail(n, "%v", err)
	}
}

// pairs are those of a mapping.
func (r *reader) pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	r.fail(n, "want keys and values")
	return nil
}

func (r *reader) object(n ast.Node, v reflect.Value) {
	fields := map[string]reflect.StructField{}
	var names []string
	for _, f := range reflect.VisibleFields(v.Type()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			fields[name] = f
			names = append(names, name)
		}
	}
	for _, pair := range r.pairs(n) {
		name := scalarText(pair.Key)
		if f, ok := fields[name]; ok {
			r.read(pair.Value, v.FieldByIndex(f.Index))
			continue
		}
		advice := "there is " + strings.Join(names, ", ")
		for _, known := range names {
			if strings.EqualFold(known, name) {
				advice = "write " + known
			}
		}
		r.fail(pair.Key, "%q is unknown here; %s", name, advice)
	}
}

// list reads a sequence. Elements that have a name may not share it.
func (r *reader) list(n ast.Node, v reflect.Value) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fail(n, `want a list: "- " before each element`)
		return
	}
	var names []string
	for _, item := range seq.Values {
		if item.Type() == ast.NullType {
			r.fail(item, "want an element: there is nothing here")
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		r.read(item, element)
		v.Set(reflect.Append(v, element))
		if element.Kind() != reflect.Struct {
			continue
		}
		name := strings.ToLower(element.FieldByName("Name").String())
		if name != "" && slices.Contains(names, name) {
			r.fail(item, "%s is declared twice", name)
		}
		names = append(names, name)
	}
}

// texts reads a mapping of texts.
func (r *reader) texts(n ast.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, pair := range r.pairs(n) {
		text := reflect.New(v.Type().Elem()).Elem()
		r.read(pair.Value, text)
		v.SetMapIndex(reflect.ValueOf(scalarText(pair.Key)), text)
	}
}

func (r *reader) scalar(n ast.Node, v reflect.Value) {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.LiteralNode, *ast.BoolNode:
	default:
		r.fail(n, "want one value")
		return
	}
	var err error
	switch into := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		err = into.UnmarshalText([]byte(scalarText(n)))
	case json.Unmarshaler:
		var quoted []byte
		if quoted, err = json.Marshal(scalarText(n)); err == nil {
			err = into.UnmarshalJSON(quoted)
		}
		if err != nil && v.Type() == reflect.TypeFor[broker.Duration]() {
			err = fmt.Errorf("%s: want a duration, such as 30s or 10m", scalarText(n))
		}
	default:
		err = r.plain(n, v)
	}
	if err != nil {
		r.fail(n, "%v", err)
	}
}

// plain reads a text, a number or a truth.
func (r *reader) plain(n ast.Node, v reflect.Value) error {
	if v.Kind() == reflect.String { // also one that looks like a number
		v.SetString(scalarText(n))
		return nil
	}
	want, fits := "a whole number", n.Type() == ast.IntegerType
	if v.Kind() == reflect.Bool {
		want, fits = "true or false", n.Type() == ast.BoolType
	} else if v.CanUint() {
		want = "a whole number that is not negative"
	}
	if !fits || yaml.NodeToValue(n, v.Addr().Interface()) != nil {
		return fmt.Errorf("%s: want %s", scalarText(n), want)
	}
	return nil
}

// scalarText is the text of a scalar as written, without its quotes.
func scalarText(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return n.GetToken().Value
}
