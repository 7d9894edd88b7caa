package matcher

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/sdk/json"
)

// Explainer says why events do not match a filter. It serves one goroutine at
// a time.
type Explainer struct {
	conditions []*filter.Filter
	set        *Set
	matcher    *Matcher
}

// Explanation is why an event does not match a filter.
type Explanation struct {
	// Matched is set when it does; the rest is empty then.
	Matched bool
	// Why names the first condition that is not true, what it is instead, and
	// what the event holds for the fields in it, such as
	// "type = 'b' is false: type is 'a'".
	Why string
	// Start and End are that condition's place in the filter's text, as byte
	// offsets.
	Start, End int
}

// NewExplainer compiles the conditions of f, each as a filter of its own. The
// caller closes the explainer.
func (r *Runtime) NewExplainer(ctx context.Context, f *filter.Filter) (*Explainer, error) {
	x := &Explainer{conditions: f.Conditions()}
	var parts []*filter.Filter
	for _, c := range x.conditions {
		parts = append(parts, c, c.Negated())
	}
	var err error
	if x.set, err = r.NewSet(ctx, parts, nil); err != nil {
		return nil, err
	}
	if x.matcher, err = x.set.NewMatcher(ctx); err != nil {
		x.set.Close()
		return nil, err
	}
	return x, nil
}

// Explain tries e on the filter.
func (x *Explainer) Explain(e *event.Event) Explanation {
	x.matcher.Load(e)
	for i, c := range x.conditions {
		if x.matcher.Match(2 * i) {
			continue
		}
		verdict := "undefined"
		if x.matcher.Match(2*i + 1) {
			verdict = "false"
		}
		start, end := c.Span()
		return Explanation{Why: clip(c.String()) + " is " + verdict + x.because(c), Start: start, End: end}
	}
	return Explanation{Matched: true}
}

// Close frees what the explainer holds.
func (x *Explainer) Close() error {
	x.set.Close()
	return x.matcher.Close()
}

// because lists what the event holds for the fields of c.
func (x *Explainer) because(c *filter.Filter) string {
	fields := c.Fields()
	if len(fields) == 0 {
		return " for every event"
	}
	var seen []string
	for _, f := range fields {
		seen = append(seen, x.matcher.describe(f))
	}
	text := ": " + strings.Join(seen, ", ")
	if data := x.matcher.event.Data; len(data) > 0 && slices.ContainsFunc(fields, readsData) {
		if _, err := json.Parse(data); err != nil {
			text += fmt.Sprintf(" (the event's data is not JSON: %v)", err)
		}
	}
	return text
}

// describe says what the loaded event holds for f.
func (m *Matcher) describe(f filter.Field) string {
	m.parse()
	v := m.value(m.slots[f])
	name := clip(f.String())
	switch {
	case f.From == filter.Nothing:
		return name + " names nothing that events have"
	case f.From == filter.Changed && v.Kind == filter.False:
		return "no operation in $body.patch touches " + clip(f.Path)
	case f.From == filter.Changed:
		return "an operation in $body.patch touches " + clip(f.Path)
	}
	v.String = clip(v.String)
	return name + " is " + v.Text()
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
