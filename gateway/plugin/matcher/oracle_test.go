package matcher_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
)

// oracle evaluates filters over one event in the plainest way there is, as
// docs/filters.md words it, and shares no code with the compiler or the
// matcher. It is what both are held against.
type oracle struct {
	event event.Event
	body  any                          // as encoding/json decodes it; absent{} when there is none
	known map[*filter.Ref]filter.Value // values found before, for benchmarks
}

type absent struct{}

func newOracle(e event.Event) oracle {
	o := oracle{event: e, body: absent{}}
	d := json.NewDecoder(bytes.NewReader(e.Data))
	d.UseNumber()
	var body any
	if utf8.Valid(e.Data) && json.Valid(e.Data) && d.Decode(&body) == nil {
		o.body = body
	}
	return o
}

func (o oracle) matches(f *filter.Filter) bool { return o.verdict(f.Root()) == filter.True }

// verdict is False, Undefined or True.
func (o oracle) verdict(e filter.Expr) filter.Kind {
	switch e := e.(type) {
	case *filter.And:
		least := filter.True
		for _, term := range e.Terms {
			least = min(least, o.verdict(term))
		}
		return least
	case *filter.Or:
		most := filter.False
		for _, term := range e.Terms {
			most = max(most, o.verdict(term))
		}
		return most
	case *filter.Not:
		return not(o.verdict(e.X))
	case *filter.Compare:
		return compare(e.Op, o.value(e.Left), o.value(e.Right))
	case *filter.In:
		most := filter.False
		for _, item := range e.List {
			most = max(most, compare(filter.Equal, o.value(e.X), o.value(item)))
		}
		return most
	case *filter.Call:
		return o.call(e)
	default:
		if v := o.value(e); v.Kind == filter.True || v.Kind == filter.False {
			return v.Kind
		}
		return filter.Undefined
	}
}

func (o oracle) call(e *filter.Call) filter.Kind {
	a := o.value(e.Args[0])
	if e.Func == filter.IsDefined {
		return truth(a.Kind != filter.Undefined)
	}
	b := o.value(e.Args[1])
	if a.Kind != filter.String || b.Kind != filter.String {
		return filter.Undefined
	}
	switch e.Func {
	case filter.StartsWith:
		return truth(strings.HasPrefix(a.String, b.String))
	case filter.EndsWith:
		return truth(strings.HasSuffix(a.String, b.String))
	default:
		return truth(strings.Contains(a.String, b.String))
	}
}

func compare(op filter.Op, a, b filter.Value) filter.Kind {
	for _, v := range []filter.Value{a, b} {
		if v.Kind == filter.Undefined || v.Kind == filter.Array {
			return filter.Undefined
		}
	}
	switch op {
	case filter.Equal:
		return equal(a, b)
	case filter.NotEqual:
		return not(equal(a, b))
	}
	var order int
	switch {
	case a.Kind == filter.Number && b.Kind == filter.Number:
		order = int(truth(a.Number > b.Number)) - int(truth(a.Number < b.Number))
	case a.Kind == filter.String && b.Kind == filter.String:
		order = strings.Compare(a.String, b.String)
	default:
		return filter.Undefined
	}
	switch op {
	case filter.Less:
		return truth(order < 0)
	case filter.LessEqual:
		return truth(order <= 0)
	case filter.Greater:
		return truth(order > 0)
	default:
		return truth(order >= 0)
	}
}

func equal(a, b filter.Value) filter.Kind {
	boolean := func(v filter.Value) bool { return v.Kind == filter.True || v.Kind == filter.False }
	switch {
	case a.Kind == filter.Null || b.Kind == filter.Null:
		return truth(a.Kind == b.Kind)
	case boolean(a) && boolean(b):
		return truth(a.Kind == b.Kind)
	case a.Kind == filter.Number && b.Kind == filter.Number:
		return truth(a.Number == b.Number)
	case a.Kind == filter.String && b.Kind == filter.String:
		return truth(a.String == b.String)
	}
	return filter.Undefined
}

func truth(b bool) filter.Kind {
	if b {
		return filter.True
	}
	return filter.False
}

func not(k filter.Kind) filter.Kind { return filter.True - k }

func (o oracle) value(e filter.Expr) filter.Value {
	switch e := e.(type) {
	case *filter.Literal:
		return e.Value
	case *filter.Ref:
		if v, ok := o.known[e]; ok {
			return v
		}
		return o.field(e.Field)
	default:
		return filter.Value{Kind: o.verdict(e)}
	}
}

func (o oracle) field(f filter.Field) filter.Value {
	switch f.From {
	case filter.Attribute:
		return o.attribute(f.Path)
	case filter.Body:
		return valueOf(descend(o.body, f.Steps()))
	case filter.Patch:
		return valueOf(o.patched(f.Steps()))
	case filter.Changed:
		return filter.Value{Kind: truth(o.changed(f.Steps()))}
	}
	return filter.Value{Kind: filter.Undefined}
}

func (o oracle) attribute(name string) filter.Value {
	e := o.event
	text := map[string]string{
		"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "time": e.Time,
		"datacontenttype": e.DataContentType, "dataschema": e.DataSchema, "specversion": "1.0",
	}[name]
	if x, ok := e.Extension(name); ok {
		text = x
	}
	if text == "" {
		return filter.Value{Kind: filter.Undefined}
	}
	return filter.Value{Kind: filter.String, String: text}
}

// operation is one that adds, replaces or removes.
type operation struct {
	steps []string
	value any
}

func (o oracle) operations() (list []operation) {
	patch, _ := descend(o.body, []string{"patch"}).([]any)
	for _, item := range patch {
		object, ok := item.(map[string]any)
		if !ok {
			continue
		}
		path, ok := object["path"].(string)
		if !ok || path != "" && path[0] != '/' {
			continue
		}
		value, ok := object["value"]
		if !ok {
			value = absent{}
		}
		switch object["op"] {
		case "remove":
			list = append(list, operation{split(path), absent{}})
		case "add", "replace":
			list = append(list, operation{split(path), value})
		}
	}
	return list
}

func (o oracle) patched(steps []string) any {
	for _, op := range slices.Backward(o.operations()) {
		if hasPrefix(steps, op.steps) {
			return descend(op.value, steps[len(op.steps):])
		}
	}
	return absent{}
}

func (o oracle) changed(steps []string) bool {
	return slices.ContainsFunc(o.operations(), func(op operation) bool {
		return hasPrefix(steps, op.steps) || hasPrefix(op.steps, steps)
	})
}

func split(pointer string) []string {
	if pointer == "" {
		return nil
	}
	steps := strings.Split(pointer[1:], "/")
	for i, s := range steps {
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	return steps
}

func hasPrefix(s, prefix []string) bool {
	return len(s) >= len(prefix) && slices.Equal(s[:len(prefix)], prefix)
}

func descend(v any, steps []string) any {
	for _, step := range steps {
		object, _ := v.(map[string]any)
		next, ok := object[step]
		if !ok {
			return absent{}
		}
		v = next
	}
	return v
}

func valueOf(v any) filter.Value {
	switch v := v.(type) {
	case nil:
		return filter.Value{Kind: filter.Null}
	case bool:
		return filter.Value{Kind: truth(v)}
	case string:
		return filter.Value{Kind: filter.String, String: v}
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err == nil {
			return filter.Value{Kind: filter.Number, Number: f}
		}
	case map[string]any:
		return filter.Value{Kind: filter.Object}
	case []any:
		return filter.Value{Kind: filter.Array}
	}
	return filter.Value{Kind: filter.Undefined}
}
