package matcher

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/sdk/json"
)

// Explainer says why events do not match filters. It serves one goroutine at a
// time.
//
// It compiles nothing, so that one for thousands of filters costs no more than
// reading their texts: the values of an event are found as a [Matcher] finds
// them, and conditions are evaluated over those. A fuzz test holds its verdicts
// to those of the compiled filters.
type Explainer struct {
	set     *Set
	matcher *Matcher
	filters [][]*filter.Filter // their conditions
	known   map[filter.Field]filter.Value
}

// Explanation is why an event does not match a filter.
type Explanation struct {
	// Matched is set when it does; the rest is empty then.
	Matched bool
	// Why names the first condition that is not true, what it is instead, and
	// what the event holds for the fields in it, such as
	// "type = 'b' is false: type is 'a'".
	Why string
	// Condition is the number of that condition, Text it in its one form, and
	// Start and End its place in the filter's text, as byte offsets.
	Condition  int
	Text       string
	Start, End int
	// Verdict is [filter.False] or [filter.Undefined].
	Verdict filter.Kind
	Values  []FieldValue
}

// FieldValue is what an event holds for a field.
type FieldValue struct {
	Field filter.Field
	Value filter.Value
}

// NewExplainer returns an explainer of filters, which the caller closes.
func (r *Runtime) NewExplainer(ctx context.Context, filters ...*filter.Filter) (*Explainer, error) {
	x := &Explainer{known: map[filter.Field]filter.Value{}}
	var err error
	if x.set, err = r.NewSet(ctx, nil, nil); err != nil {
		return nil, err
	}
	if x.matcher, err = x.set.NewMatcher(ctx); err != nil {
		x.set.Close()
		return nil, err
	}
	m := x.matcher
	for _, f := range filters {
		x.filters = append(x.filters, f.Conditions())
		for _, field := range f.Fields() {
			m.slotFor(field)
		}
	}
	m.align()
	m.first, m.lasting = m.top, m.longest
	return x, nil
}

// Load makes e the event that Explain and Failing speak of. The explainer reads
// e until the next Load.
func (x *Explainer) Load(e *event.Event) {
	clear(x.known)
	x.matcher.Load(e)
	x.matcher.parse()
}

// Failing is the number of the first condition of filter i that is not true for
// the loaded event, and what it is instead; -1 when all are.
func (x *Explainer) Failing(i int) (condition int, verdict filter.Kind) {
	for n, c := range x.filters[i] {
		if v := x.verdict(c.Root()); v != filter.True {
			return n, v
		}
	}
	return -1, filter.True
}

// Condition is condition n of filter i.
func (x *Explainer) Condition(i, n int) *filter.Filter { return x.filters[i][n] }

// Values is what the loaded event holds for the fields of f, a condition of one
// of the filters.
func (x *Explainer) Values(f *filter.Filter) []FieldValue {
	var values []FieldValue
	for _, field := range f.Fields() {
		values = append(values, FieldValue{field, x.value(field)})
	}
	return values
}

// Explain tries the loaded event on filter i.
func (x *Explainer) Explain(i int) Explanation {
	n, verdict := x.Failing(i)
	if n < 0 {
		return Explanation{Matched: true}
	}
	c := x.filters[i][n]
	out := Explanation{Condition: n, Text: c.String(), Verdict: verdict, Values: x.Values(c)}
	word := "undefined"
	if verdict == filter.False {
		word = "false"
	}
	out.Start, out.End = c.Span()
	out.Why = clip(c.String()) + " is " + word + x.because(out.Values)
	return out
}

// Close frees what the explainer holds.
func (x *Explainer) Close() error {
	x.set.Close()
	return x.matcher.Close()
}

// because lists what the event holds for the fields of a condition.
func (x *Explainer) because(values []FieldValue) string {
	if len(values) == 0 {
		return " for every event"
	}
	var seen []string
	reads := false
	for _, v := range values {
		seen = append(seen, describe(v))
		reads = reads || readsData(v.Field)
	}
	text := ": " + strings.Join(seen, ", ")
	if data := x.matcher.event.Data; len(data) > 0 && reads {
		if _, err := json.Parse(data); err != nil {
			text += fmt.Sprintf(" (the event's data is not JSON: %v)", err)
		}
	}
	return text
}

// describe says what an event holds for a field.
func describe(v FieldValue) string {
	f := v.Field
	name := clip(f.String())
	switch {
	case f.From == filter.Nothing:
		return name + " names nothing that events have"
	case f.From == filter.Changed && v.Value.Kind == filter.False:
		return "no operation in $body.patch touches " + clip(f.Path)
	case f.From == filter.Changed:
		return "an operation in $body.patch touches " + clip(f.Path)
	}
	v.Value.String = clip(v.Value.String)
	return name + " is " + v.Value.Text()
}

// value is what the loaded event holds for f, a field of one of the filters.
func (x *Explainer) value(f filter.Field) filter.Value {
	v, ok := x.known[f]
	if !ok {
		v = x.matcher.value(x.matcher.slots[f])
		x.known[f] = v
	}
	return v
}

// verdict is what e is for the loaded event: False, Undefined or True.
func (x *Explainer) verdict(e filter.Expr) filter.Kind {
	switch e := e.(type) {
	case *filter.And:
		least := filter.True
		for _, term := range e.Terms {
			least = min(least, x.verdict(term))
		}
		return least
	case *filter.Or:
		most := filter.False
		for _, term := range e.Terms {
			most = max(most, x.verdict(term))
		}
		return most
	case *filter.Not:
		return filter.True - x.verdict(e.X)
	case *filter.Compare:
		return compared(e.Op, x.operand(e.Left), x.operand(e.Right))
	case *filter.In:
		most := filter.False
		for _, item := range e.List {
			most = max(most, compared(filter.Equal, x.operand(e.X), x.operand(item)))
		}
		return most
	case *filter.Call:
		return x.call(e)
	}
	if v := x.operand(e); v.Kind == filter.True || v.Kind == filter.False {
		return v.Kind
	}
	return filter.Undefined
}

// operand is the value of e; that of a condition is its verdict.
func (x *Explainer) operand(e filter.Expr) filter.Value {
	switch e := e.(type) {
	case *filter.Literal:
		return e.Value
	case *filter.Ref:
		return x.value(e.Field)
	}
	return filter.Value{Kind: x.verdict(e)}
}

func (x *Explainer) call(e *filter.Call) filter.Kind {
	a := x.operand(e.Args[0])
	if e.Func == filter.IsDefined {
		return truth(a.Kind != filter.Undefined)
	}
	b := x.operand(e.Args[1])
	switch {
	case a.Kind != filter.String || b.Kind != filter.String:
		return filter.Undefined
	case e.Func == filter.StartsWith:
		return truth(strings.HasPrefix(a.String, b.String))
	case e.Func == filter.EndsWith:
		return truth(strings.HasSuffix(a.String, b.String))
	}
	return truth(strings.Contains(a.String, b.String))
}

// compared is what a comparison of a and b is.
func compared(op filter.Op, a, b filter.Value) filter.Kind {
	if !compares(a) || !compares(b) {
		return filter.Undefined
	}
	if op == filter.NotEqual {
		return filter.True - compared(filter.Equal, a, b)
	}
	var order int
	switch {
	case a.Kind == filter.Number && b.Kind == filter.Number:
		order = sign(a.Number < b.Number, a.Number > b.Number)
	case a.Kind == filter.String && b.Kind == filter.String:
		order = strings.Compare(a.String, b.String)
	case op != filter.Equal:
		return filter.Undefined
	case a.Kind == filter.Null || b.Kind == filter.Null, boolean(a) && boolean(b):
		return truth(a.Kind == b.Kind)
	default:
		return filter.Undefined
	}
	switch op {
	case filter.Equal:
		return truth(order == 0)
	case filter.Less:
		return truth(order < 0)
	case filter.LessEqual:
		return truth(order <= 0)
	case filter.Greater:
		return truth(order > 0)
	}
	return truth(order >= 0)
}

func compares(v filter.Value) bool { return v.Kind != filter.Undefined && v.Kind != filter.Array }
func boolean(v filter.Value) bool  { return v.Kind == filter.True || v.Kind == filter.False }

func sign(less, greater bool) int {
	switch {
	case less:
		return -1
	case greater:
		return 1
	}
	return 0
}

func truth(b bool) filter.Kind {
	if b {
		return filter.True
	}
	return filter.False
}

// value reads a slot back.
func (m *Matcher) value(slot uint32) filter.Value {
	word := binary.LittleEndian.Uint64(m.memory[slot:])
	content := binary.LittleEndian.Uint64(m.memory[slot+8:])
	v := filter.Value{Kind: filter.Kind(word)}
	switch v.Kind {
	case filter.Number:
		v.Number = math.Float64frombits(content)
	case filter.String:
		at := uint32(content)
		v.String = string(m.memory[at : at+uint32(word>>32)])
	}
	return v
}

func readsData(f filter.Field) bool {
	return f.From == filter.Body || f.From == filter.Patch || f.From == filter.Changed
}

// clip keeps explanations readable.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
