package filter

import "slices"

// Requirement is what an event must hold to match a filter, as far as that can
// be said by equalities: every event that matches meets it, though not every
// event that meets it matches.
type Requirement struct {
	Kind  RequirementKind
	Field Field         // of Equals
	Value Value         // of Equals: False, True, Null, a number or a string
	Parts []Requirement // of AllOf and AnyOf: two or more, of another kind
}

// RequirementKind says which members of a [Requirement] count.
type RequirementKind uint8

// The kinds of requirements.
const (
	// Anything: nothing is known, and any event may match.
	Anything RequirementKind = iota
	// Never: no event matches.
	Never
	// Equals: the event holds Value for Field, so that Field = Value is true.
	Equals
	// AllOf: each of Parts is met. None is Anything or Never.
	AllOf
	// AnyOf: at least one of Parts is met. None is Anything or Never.
	AnyOf
)

// Requirement derives what an event must hold to match f.
func (f *Filter) Requirement() Requirement { return require(f.root, True) }

// require derives what must hold for e to have the verdict, True or False.
func require(e Expr, verdict Kind) Requirement {
	switch e := e.(type) {
	case *And:
		return requireTerms(e.Terms, verdict, verdict == True)
	case *Or:
		return requireTerms(e.Terms, verdict, verdict == False)
	case *Not:
		return require(e.X, True-verdict)
	case *In:
		if verdict == True {
			return requireTerms(e.comparisons(), True, false)
		}
	case *Compare:
		return requireComparison(e, verdict)
	case *Literal:
		if e.Value.Kind != verdict {
			return Requirement{Kind: Never}
		}
	case *Ref:
		return equals(e, Value{Kind: verdict})
	case *Call:
		if e.Func != IsDefined && slices.ContainsFunc(e.Args, isNothing) {
			return Requirement{Kind: Never}
		}
	}
	return Requirement{Kind: Anything}
}

// requireTerms joins what terms require: all of it, or any.
func requireTerms(terms []Expr, verdict Kind, all bool) Requirement {
	kind, neutral, decisive := AnyOf, Never, Anything
	if all {
		kind, neutral, decisive = AllOf, Anything, Never
	}
	var parts []Requirement
	for _, term := range terms {
		switch r := require(term, verdict); r.Kind {
		case decisive:
			return Requirement{Kind: decisive}
		case neutral:
		case kind:
			parts = append(parts, r.Parts...)
		default:
			parts = append(parts, r)
		}
	}
	switch len(parts) {
	case 0:
		return Requirement{Kind: neutral}
	case 1:
		return parts[0]
	}
	return Requirement{Kind: kind, Parts: parts}
}

func requireComparison(e *Compare, verdict Kind) Requirement {
	if isNothing(e.Left) || isNothing(e.Right) {
		return Requirement{Kind: Never}
	}
	equal := e.Op == Equal && verdict == True || e.Op == NotEqual && verdict == False
	if ref, lit := sides(e); ref != nil {
		if equal {
			return equals(ref, lit.Value)
		}
		return Requirement{Kind: Anything}
	}
	if term, lit := termAndBool(e); term != nil && (e.Op == Equal || e.Op == NotEqual) {
		// The term is a condition, which is never null: it equals one boolean when
		// it differs from the other.
		want := lit
		if !equal {
			want = True - lit
		}
		return require(term, want)
	}
	return Requirement{Kind: Anything}
}

// termAndBool returns the condition and the boolean constant that e compares,
// if it does.
func termAndBool(e *Compare) (Expr, Kind) {
	for _, pair := range [][2]Expr{{e.Left, e.Right}, {e.Right, e.Left}} {
		lit, ok := pair[1].(*Literal)
		if !ok || lit.Value.Kind != True && lit.Value.Kind != False {
			continue
		}
		switch pair[0].(type) {
		case *And, *Or, *Not, *Compare, *In, *Call:
			return pair[0], lit.Value.Kind
		}
	}
	return nil, Undefined
}

// equals requires that ref holds v. A field that is always there when false says
// nothing that is worth looking for.
func equals(ref *Ref, v Value) Requirement {
	switch {
	case ref.Field.From == Nothing:
		return Requirement{Kind: Never}
	case ref.Field.From == Attribute && v.Kind != String:
		return Requirement{Kind: Never} // an attribute is text
	case ref.Field.From == Changed && v.Kind == False:
		return Requirement{Kind: Anything}
	case ref.Field.From == Changed && v.Kind != True:
		return Requirement{Kind: Never}
	}
	return Requirement{Kind: Equals, Field: ref.Field, Value: v}
}

func isNothing(e Expr) bool {
	ref, ok := e.(*Ref)
	return ok && ref.Field.From == Nothing
}
