package filter

import (
	"slices"
	"strings"
)

// SplitTypes takes the condition on the event's type off f: the first of its
// outermost terms that does nothing but compare type with strings, and with
// such as accept says. It returns those strings, each once, and the text of
// what else must be true, which is empty for nothing. When no term is such a
// condition, types is nil and rest is f.
//
// [JoinTypes] of both matches the same events as f.
func (f *Filter) SplitTypes(accept func(types []string) bool) (types []string, rest string) {
	terms := conjuncts(nil, f.root)
	at := slices.IndexFunc(terms, func(e Expr) bool {
		list, ok := onlyTypes(e)
		return ok && accept(list)
	})
	switch {
	case at < 0 && isTrue(f.root):
		return nil, ""
	case at < 0:
		return nil, f.text
	}
	types, _ = onlyTypes(terms[at])
	terms = slices.Delete(terms, at, at+1)
	if len(terms) == 1 {
		return types, f.source(terms[0])
	}
	var parts []string
	for _, e := range terms {
		text := f.source(e)
		if e.level() < levelNot {
			text = "(" + text + ")"
		}
		parts = append(parts, text)
	}
	return types, strings.Join(parts, " AND ")
}

// source is e as it was written.
func (f *Filter) source(e Expr) string {
	start, end := e.Span()
	return f.text[start:end]
}

// JoinTypes returns the text of the filter that matches events of the types, or
// of any type for none, that rest matches, which may be nil. The types are
// compared in the way that all clients of Azure Digital Twins understand.
func JoinTypes(types []string, rest *Filter) string {
	var parts []string
	for _, t := range types {
		parts = append(parts, "type = "+quote(t))
	}
	condition := strings.Join(parts, " OR ")
	switch {
	case rest == nil || isTrue(rest.root):
		if condition == "" {
			return "true"
		}
		return condition
	case condition == "":
		return rest.text
	}
	if len(parts) > 1 {
		condition = "(" + condition + ")"
	}
	if rest.root.level() < levelAnd {
		return condition + " AND (" + strings.TrimSpace(rest.text) + ")"
	}
	return condition + " AND " + strings.TrimSpace(rest.text)
}

// onlyTypes returns the strings that e compares type with, each once, when it
// does nothing else.
func onlyTypes(e Expr) (types []string, ok bool) {
	if or, isOr := e.(*Or); isOr {
		for _, term := range or.Terms {
			more, ok := onlyTypes(term)
			if !ok {
				return nil, false
			}
			for _, t := range more {
				if !slices.Contains(types, t) {
					types = append(types, t)
				}
			}
		}
		return types, true
	}
	var list []Expr
	switch e := e.(type) {
	case *Compare:
		switch {
		case e.Op != Equal:
		case isType(e.Left):
			list = []Expr{e.Right}
		case isType(e.Right):
			list = []Expr{e.Left}
		}
	case *In:
		if isType(e.X) {
			list = e.List
		}
	}
	for _, e := range list {
		lit, isLiteral := e.(*Literal)
		if !isLiteral || lit.Value.Kind != String {
			return nil, false
		}
		if !slices.Contains(types, lit.Value.String) {
			types = append(types, lit.Value.String)
		}
	}
	return types, len(types) > 0
}

func isTrue(e Expr) bool {
	lit, ok := e.(*Literal)
	return ok && lit.Value.Kind == True
}
