package filter

import (
	"iter"
	"strconv"
	"strings"
)

// Expr is a node of the tree: [*And], [*Or], [*Not], [*Compare], [*In],
// [*Call], [*Literal] or [*Ref].
type Expr interface {
	// Span is where the node stands in the text, as byte offsets. The
	// parentheses around a node are not part of it.
	Span() (start, end int)

	write(b *strings.Builder)
	// level is how tightly the node binds; see levels.
	level() int
}

// Levels of binding, loosest first.
const (
	levelOr = iota
	levelAnd
	levelNot
	levelCompare
	levelOperand
)

// And is true when all terms are, false when any is false, else undefined.
type And struct {
	Terms []Expr
	span
}

// Or is true when any term is, false when all are false, else undefined.
type Or struct {
	Terms []Expr
	span
}

// Not turns true into false and back, and leaves undefined as it is.
type Not struct {
	X Expr
	span
}

// Compare is a comparison of two values.
type Compare struct {
	Op          Op
	Left, Right Expr
	span
}

// In is X = a OR X = b … over its list of literals, which is never empty. X is
// a literal or a reference.
type In struct {
	X    Expr
	List []Expr
	span
}

// Call is a function of values.
type Call struct {
	Func Func
	Args []Expr
	span
}

// Literal is a constant.
type Literal struct {
	Value Value
	span
}

// Ref is a value of the event.
type Ref struct {
	Field Field
	span
}

// Op is a comparison operator.
type Op uint8

// The comparison operators.
const (
	Equal Op = iota
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
)

// String is the operator as it is written.
func (o Op) String() string { return [...]string{"=", "!=", "<", "<=", ">", ">="}[o] }

// Func is a function.
type Func uint8

// The functions.
const (
	StartsWith Func = iota
	EndsWith
	Contains
	IsDefined
)

// String is the function's name as it is written.
func (f Func) String() string {
	return [...]string{"STARTS_WITH", "ENDS_WITH", "CONTAINS", "IS_DEFINED"}[f]
}

// arity is the number of arguments.
func (f Func) arity() int {
	if f == IsDefined {
		return 1
	}
	return 2
}

type span struct{ start, end int }

func (s span) Span() (start, end int) { return s.start, s.end }

func (*And) level() int     { return levelAnd }
func (*Or) level() int      { return levelOr }
func (*Not) level() int     { return levelNot }
func (*Compare) level() int { return levelCompare }
func (*In) level() int      { return levelCompare }
func (*Call) level() int    { return levelOperand }
func (*Literal) level() int { return levelOperand }
func (*Ref) level() int     { return levelOperand }

func (e *And) write(b *strings.Builder) { writeList(b, e.Terms, " AND ", levelNot) }
func (e *Or) write(b *strings.Builder)  { writeList(b, e.Terms, " OR ", levelAnd) }

func (e *Not) write(b *strings.Builder) {
	b.WriteString("NOT ")
	writeAt(b, e.X, levelNot)
}

func (e *Compare) write(b *strings.Builder) {
	writeAt(b, e.Left, levelOperand)
	b.WriteString(" " + e.Op.String() + " ")
	writeAt(b, e.Right, levelOperand)
}

func (e *In) write(b *strings.Builder) {
	writeAt(b, e.X, levelOperand)
	b.WriteString(" IN [")
	writeList(b, e.List, ", ", levelOperand)
	b.WriteString("]")
}

func (e *Call) write(b *strings.Builder) {
	b.WriteString(e.Func.String() + "(")
	writeList(b, e.Args, ", ", levelOperand)
	b.WriteString(")")
}

func (e *Literal) write(b *strings.Builder) { b.WriteString(e.Value.Text()) }
func (e *Ref) write(b *strings.Builder)     { b.WriteString(e.Field.String()) }

func writeList(b *strings.Builder, list []Expr, separator string, level int) {
	for i, e := range list {
		if i > 0 {
			b.WriteString(separator)
		}
		writeAt(b, e, level)
	}
}

// writeAt writes e where only what binds at least as tightly as level may
// stand without parentheses.
func writeAt(b *strings.Builder, e Expr, level int) {
	if e.level() >= level {
		e.write(b)
		return
	}
	b.WriteByte('(')
	e.write(b)
	b.WriteByte(')')
}

// Walk yields e and all nodes below it, in the order of the text.
func Walk(e Expr) iter.Seq[Expr] {
	return func(yield func(Expr) bool) { visit(e, yield) }
}

func visit(e Expr, yield func(Expr) bool) bool {
	if !yield(e) {
		return false
	}
	for _, child := range children(e) {
		if !visit(child, yield) {
			return false
		}
	}
	return true
}

func children(e Expr) []Expr {
	switch e := e.(type) {
	case *And:
		return e.Terms
	case *Or:
		return e.Terms
	case *Not:
		return []Expr{e.X}
	case *Compare:
		return []Expr{e.Left, e.Right}
	case *In:
		return append([]Expr{e.X}, e.List...)
	case *Call:
		return e.Args
	}
	return nil
}

// quote writes s as a string literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// formatNumber writes v as a number literal, without an exponent where that
// stays readable.
func formatNumber(v float64) string {
	if abs := max(v, -v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
