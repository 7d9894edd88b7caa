// Package filter is the filter language of routes: text, to a typed tree, to
// a Wasm module.
//
// The language is that of event routes in Azure Digital Twins, with a few
// additions of Headgate's own: NOT, IN, IS_DEFINED, CHANGED and PATCH.
// docs/filters.md is its reference. [Parse] reads it, [Compile] makes the
// module. Nothing here evaluates a filter: the module does, in any Wasm
// runtime that gives it a memory laid out as [Program] says.
package filter

import (
	"slices"
	"strings"
)

// Limits of a filter's text. Beyond them [Parse] reports a [SyntaxError].
const (
	MaxBytes = 64 << 10 // of the whole text
	MaxDepth = 100      // of parentheses, NOT and functions within each other
)

// Filter is a parsed filter, or a part of one. It is immutable.
type Filter struct {
	text      string
	root      Expr
	canonical string
}

// Parse reads a filter. Every error is a *[SyntaxError].
func Parse(text string) (*Filter, error) {
	p := parser{lexer: lexer{text: text}}
	root, err := p.filter()
	if err != nil {
		return nil, err
	}
	return newFilter(text, root), nil
}

func newFilter(text string, root Expr) *Filter {
	var canonical strings.Builder
	root.write(&canonical)
	return &Filter{text: text, root: root, canonical: canonical.String()}
}

// Text is the text as it was given to [Parse], also for a part of a filter.
func (f *Filter) Text() string { return f.text }

// String is the canonical text: keywords in capitals, one blank around
// operators, single quotes, no needless parentheses. It parses to an equal
// tree, and filters with the same canonical text have the same verdicts.
func (f *Filter) String() string { return f.canonical }

// Root is the tree.
func (f *Filter) Root() Expr { return f.root }

// Span is where f stands in Text, as byte offsets.
func (f *Filter) Span() (start, end int) { return f.root.Span() }

// Fields lists the values of an event that f asks for, each once, in the order
// of the text.
func (f *Filter) Fields() []Field {
	var fields []Field
	for e := range Walk(f.root) {
		if ref, ok := e.(*Ref); ok && !slices.Contains(fields, ref.Field) {
			fields = append(fields, ref.Field)
		}
	}
	return fields
}

// Conditions splits f into the parts that must all be true for it to match, in
// the order of the text: the terms of its outermost ANDs.
func (f *Filter) Conditions() []*Filter {
	var parts []*Filter
	for _, e := range conjuncts(nil, f.root) {
		parts = append(parts, newFilter(f.text, e))
	}
	return parts
}

// Negated is NOT f: true where f is false, and undefined where f is.
func (f *Filter) Negated() *Filter {
	start, end := f.root.Span()
	return newFilter(f.text, &Not{X: f.root, span: span{start, end}})
}

// Types lists the event types that f can match, when it says so by comparing
// type with strings; ok is false when any type may match.
func (f *Filter) Types() (types []string, ok bool) { return typesOf(f.root) }

func typesOf(e Expr) (types []string, ok bool) {
	switch e := e.(type) {
	case *And:
		for _, term := range e.Terms {
			if types, ok := typesOf(term); ok {
				return types, true
			}
		}
	case *Or:
		for _, term := range e.Terms {
			more, ok := typesOf(term)
			if !ok {
				return nil, false
			}
			types = append(types, more...)
		}
		return types, true
	case *Compare:
		if e.Op == Equal && isType(e.Left) {
			return stringsOf(e.Right)
		}
		if e.Op == Equal && isType(e.Right) {
			return stringsOf(e.Left)
		}
	case *In:
		if isType(e.X) {
			return stringsOf(e.List...)
		}
	case *Literal:
		if e.Value.Kind == False {
			return nil, true
		}
	}
	return nil, false
}

func isType(e Expr) bool {
	ref, ok := e.(*Ref)
	return ok && ref.Field == Field{Attribute, "type"}
}

// stringsOf returns the strings among literals; a type equals nothing else.
func stringsOf(list ...Expr) (out []string, ok bool) {
	for _, e := range list {
		lit, ok := e.(*Literal)
		if !ok {
			return nil, false
		}
		if lit.Value.Kind == String {
			out = append(out, lit.Value.String)
		}
	}
	return out, true
}

func conjuncts(list []Expr, e Expr) []Expr {
	and, ok := e.(*And)
	if !ok {
		return append(list, e)
	}
	for _, term := range and.Terms {
		list = conjuncts(list, term)
	}
	return list
}
