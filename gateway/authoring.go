package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// boxes are the kinds of notifications, as Azure Digital Twins calls them.
var boxes = []catalog.FilterBox{
	{Kind: "twinUpdate", Label: "Digital twin change", Types: []string{event.TwinUpdate}},
	{Kind: "twinLifecycle", Label: "Digital twin lifecycle", Types: []string{event.TwinCreate, event.TwinDelete}},
	{Kind: "relationship", Label: "Digital twin relationship change", Types: []string{event.RelationshipCreate, event.RelationshipUpdate, event.RelationshipDelete}},
	{Kind: "telemetry", Label: "Telemetry", Types: []string{event.Telemetry}},
}

// ParseFilter reads a filter's text, or the one that check-boxes make, and says
// what is known of it; see [admin.Filters].
func (g *Gateway) ParseFilter(ctx context.Context, req catalog.FilterRequest) (catalog.FilterCheck, error) {
	known, err := g.seen.known(ctx, g.journal)
	if err != nil {
		return catalog.FilterCheck{}, err
	}
	return checkFilter(req, known)
}

// NewMatcher compiles a filter for one reader; see [admin.Filters].
func (g *Gateway) NewMatcher(ctx context.Context, text string) (admin.Matcher, error) {
	f, err := parseFilter(text)
	if err != nil {
		return nil, err
	}
	set, err := g.trial.filters.NewSet(ctx, []*filter.Filter{f}, nil)
	if err != nil {
		return nil, err
	}
	m, err := set.NewMatcher(ctx)
	if err != nil {
		set.Close()
		return nil, err
	}
	return &oneMatcher{set, m}, nil
}

// oneMatcher is a matcher of a set of its own, which has one filter.
type oneMatcher struct {
	set     *matcher.Set
	matcher *matcher.Matcher
}

func (m *oneMatcher) Matches(e *event.Event) bool {
	m.matcher.Load(e)
	return m.matcher.Match(0)
}

func (m *oneMatcher) Close() error {
	m.set.Close()
	return m.matcher.Close()
}

// CheckFilter is [Gateway.ParseFilter] without a gateway, and so without any
// events that it has seen. Its error is a [*catalog.FieldError].
func CheckFilter(req catalog.FilterRequest) (catalog.FilterCheck, error) {
	return checkFilter(req, filter.Known{})
}

func checkFilter(req catalog.FilterRequest, known filter.Known) (catalog.FilterCheck, error) {
	known = withTypes(known)
	check := catalog.FilterCheck{
		Text: req.Text, Types: []string{}, Fields: []catalog.FilterField{},
		Conditions: []catalog.FilterSpan{}, Hints: []catalog.FilterHint{},
	}
	if req.Boxes != nil {
		text, fault, err := boxText(*req.Boxes)
		if err != nil {
			return check, err
		}
		if check.Text, check.Error = text, fault; fault != nil {
			return check, nil
		}
	}
	if req.Position != nil {
		if err := checkPosition(check.Text, *req.Position); err != nil {
			return check, err
		}
		check.Completions = completions(filter.Complete(check.Text, *req.Position, known))
	}
	f, err := filter.Parse(check.Text)
	if err != nil {
		check.Error = filterError(check.Text, err)
		return check, nil
	}
	describeFilter(&check, f, known)
	return check, nil
}

func checkPosition(text string, position int) error {
	switch {
	case position > len(text):
		return &catalog.FieldError{Field: "position", Reason: fmt.Sprintf("is %d, and the text has %d bytes", position, len(text))}
	case position < len(text) && !utf8.RuneStart(text[position]):
		return &catalog.FieldError{Field: "position", Reason: "is within a character; positions count the bytes of the text in UTF-8"}
	}
	return nil
}

// describeFilter says what is known of a text that is a filter.
func describeFilter(check *catalog.FilterCheck, f *filter.Filter, known filter.Known) {
	check.Valid = true
	check.Canonical = f.String()
	tree := filterNode(f.Root())
	check.Tree = &tree
	types, ok := f.Types()
	check.AnyType = !ok
	for _, t := range types {
		if !slices.Contains(check.Types, t) {
			check.Types = append(check.Types, t)
		}
	}
	for _, field := range f.Fields() {
		seen, _ := known.Of(field)
		out := catalog.FilterField{Field: field.String(), From: sourceName(field.From), Events: seen.Events, Of: known.Events}
		if len(seen.Values) > 0 && seen.Values[0].Events > 0 {
			out.Example = valueJSON(seen.Values[0].Value)
		}
		check.Fields = append(check.Fields, out)
	}
	for _, c := range f.Conditions() {
		check.Conditions = append(check.Conditions, filterSpan(c))
	}
	for _, h := range f.Hints(known) {
		check.Hints = append(check.Hints, catalog.FilterHint(h))
	}
	kinds := boxesOf(f)
	check.Kinds = &kinds
}

func filterSpan(f *filter.Filter) catalog.FilterSpan {
	start, end := f.Span()
	return catalog.FilterSpan{Text: f.Text()[start:end], Start: start, End: end}
}

// boxesOf returns f as check-boxes.
func boxesOf(f *filter.Filter) catalog.FilterBoxes {
	out := catalog.FilterBoxes{Checked: []string{}, Boxes: boxes}
	types, rest := f.SplitTypes(func(types []string) bool { return boxesFor(types) != nil })
	if kinds := boxesFor(types); kinds != nil {
		out.Checked = kinds
	}
	out.Rest = strings.TrimSpace(rest)
	out.Exact = true
	if remainder, err := filter.Parse(out.Rest); err == nil {
		out.Exact = !slices.Contains(remainder.Fields(), filter.Field{From: filter.Attribute, Path: "type"})
	}
	return out
}

// boxesFor returns the kinds whose types are exactly types; nil when there are
// none.
func boxesFor(types []string) []string {
	var kinds []string
	found := 0
	for _, b := range boxes {
		missing := slices.ContainsFunc(b.Types, func(t string) bool { return !slices.Contains(types, t) })
		if !missing {
			kinds = append(kinds, b.Kind)
			found += len(b.Types)
		}
	}
	if found != len(types) {
		return nil
	}
	return kinds
}

// boxText makes the text that b stands for, in the order of the boxes, whatever
// that of the clicks; fault is that of its remainder.
func boxText(b catalog.FilterBoxes) (text string, fault *catalog.FilterError, err error) {
	var known, types []string
	for _, box := range boxes {
		known = append(known, box.Kind)
		if slices.Contains(b.Checked, box.Kind) {
			types = append(types, box.Types...)
		}
	}
	for i, kind := range b.Checked {
		if !slices.Contains(known, kind) {
			return "", nil, &catalog.FieldError{Field: fmt.Sprintf("kinds.checked[%d]", i), Reason: fmt.Sprintf("%q is no kind; there are %s", kind, strings.Join(known, ", "))}
		}
	}
	var rest *filter.Filter
	if strings.TrimSpace(b.Rest) != "" {
		if rest, err = filter.Parse(b.Rest); err != nil {
			fault = filterError(b.Rest, err)
			fault.In = "rest"
			return "", fault, nil
		}
	}
	return filter.JoinTypes(types, rest), nil, nil
}

func filterError(text string, err error) *catalog.FilterError {
	var syntax *filter.SyntaxError
	if !errors.As(err, &syntax) {
		return &catalog.FilterError{Message: err.Error(), Line: 1, Column: 1}
	}
	out := &catalog.FilterError{
		Message: syntax.Message, Start: syntax.Start, End: syntax.End,
		Line: syntax.Line, Column: syntax.Position,
	}
	if h, ok := filter.Suggest(text, syntax); ok {
		hint := catalog.FilterHint(h)
		out.Suggestion = &hint
	}
	return out
}

func completions(c filter.Completions) *catalog.FilterCompletions {
	out := &catalog.FilterCompletions{From: c.From, To: c.To, Items: []catalog.FilterCompletion{}}
	for _, item := range c.Items {
		out.Items = append(out.Items, catalog.FilterCompletion(item))
	}
	return out
}

// filterNode returns the JSON form of e.
func filterNode(e filter.Expr) catalog.FilterNode {
	start, end := e.Span()
	n := catalog.FilterNode{Start: start, End: end}
	var children []filter.Expr
	switch e := e.(type) {
	case *filter.And:
		n.Op, children = "and", e.Terms
	case *filter.Or:
		n.Op, children = "or", e.Terms
	case *filter.Not:
		n.Op, children = "not", []filter.Expr{e.X}
	case *filter.Compare:
		n.Op, children = e.Op.String(), []filter.Expr{e.Left, e.Right}
	case *filter.In:
		n.Op, children = "in", append([]filter.Expr{e.X}, e.List...)
	case *filter.Call:
		n.Op, children = e.Func.String(), e.Args
	case *filter.Literal:
		n.Op, n.Value = "literal", valueJSON(e.Value)
	case *filter.Ref:
		n.Op, n.Field, n.From = "field", e.Field.String(), sourceName(e.Field.From)
	}
	for _, c := range children {
		n.Children = append(n.Children, filterNode(c))
	}
	return n
}

func sourceName(s filter.Source) string {
	return [...]string{
		filter.Attribute: "attribute", filter.Body: "body", filter.Patch: "patch",
		filter.Changed: "changed", filter.Nothing: "nothing",
	}[s]
}

// valueJSON returns v in JSON, nil for what is missing. Of an object or array
// it is only said which it is.
func valueJSON(v filter.Value) json.RawMessage {
	switch v.Kind {
	case filter.False:
		return json.RawMessage("false")
	case filter.True:
		return json.RawMessage("true")
	case filter.Null:
		return json.RawMessage("null")
	case filter.Object:
		return json.RawMessage("{}")
	case filter.Array:
		return json.RawMessage("[]")
	case filter.Undefined:
		return nil
	}
	var b []byte
	var err error
	if v.Kind == filter.Number {
		b, err = json.Marshal(v.Number)
	} else {
		b, err = json.Marshal(v.String)
	}
	if err != nil {
		return nil // no number of a filter or an event is infinite
	}
	return b
}

// withTypes returns known with the types of Azure Digital Twins, whether they
// were seen or not.
func withTypes(known filter.Known) filter.Known {
	field := filter.Field{From: filter.Attribute, Path: "type"}
	seen, ok := known.Of(field)
	seen.Field = field
	seen.Values = slices.Clone(seen.Values)
	for _, b := range boxes {
		for _, t := range b.Types {
			if !slices.ContainsFunc(seen.Values, func(v filter.SeenValue) bool { return v.Value.String == t }) {
				seen.Values = append(seen.Values, filter.SeenValue{Value: filter.Value{Kind: filter.String, String: t}})
			}
		}
	}
	if !ok {
		known.Seen = append([]filter.Seen{seen}, known.Seen...)
		return known
	}
	known.Seen = slices.Clone(known.Seen)
	known.Seen[slices.IndexFunc(known.Seen, func(s filter.Seen) bool { return s.Field == field })] = seen
	return known
}
