package filter

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// parser reads a filter by recursive descent:
//
//	or      = and { OR and }
//	and     = not { AND not }
//	not     = { NOT } compare
//	compare = operand [ operator operand | IN "[" literal { "," literal } "]" ]
//	          where what stands before IN is a literal or a path, not a condition
//	operand = literal | path | function "(" arguments ")" | "(" or ")"
type parser struct {
	lexer
	tok   token // the next token
	end   int   // where the last token taken ends
	depth int
}

func (p *parser) filter() (Expr, error) {
	if len(p.text) > MaxBytes {
		return nil, errorAt(p.text, 0, len(p.text), "The filter is %d bytes long, more than %d", len(p.text), MaxBytes)
	}
	if i := invalidUTF8(p.text); i >= 0 {
		return nil, errorAt(p.text, i, i+1, "The text is not valid UTF-8")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		return nil, p.unexpected()
	}
	return e, nil
}

func (p *parser) or() (Expr, error) {
	start := p.tok.start
	terms, err := p.terms("OR", p.and)
	if err != nil || len(terms) == 1 {
		return first(terms), err
	}
	return &Or{Terms: terms, span: span{start, p.end}}, nil
}

func (p *parser) and() (Expr, error) {
	start := p.tok.start
	terms, err := p.terms("AND", p.not)
	if err != nil || len(terms) == 1 {
		return first(terms), err
	}
	return &And{Terms: terms, span: span{start, p.end}}, nil
}

// terms reads one or more terms joined by keyword.
func (p *parser) terms(keyword string, term func() (Expr, error)) ([]Expr, error) {
	var list []Expr
	for {
		e, err := term()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		if !p.tok.is(keyword) {
			return list, nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) not() (Expr, error) {
	if !p.tok.is("NOT") {
		return p.compare()
	}
	start := p.tok.start
	if err := p.enter(); err != nil {
		return nil, err
	}
	x, err := p.not()
	if err != nil {
		return nil, err
	}
	p.depth--
	return &Not{X: x, span: span{start, p.end}}, nil
}

func (p *parser) compare() (Expr, error) {
	start := p.tok.start
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.tok.is("IN") && len(children(left)) == 0 {
		list, err := p.list()
		if err != nil {
			return nil, err
		}
		return &In{X: left, List: list, span: span{start, p.end}}, nil
	}
	op, ok := operators[p.tok.text]
	if !ok || p.tok.kind != tokenMark {
		return left, nil
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	return &Compare{Op: op, Left: left, Right: right, span: span{start, p.end}}, nil
}

var operators = map[string]Op{
	"=": Equal, "!=": NotEqual, "<": Less, "<=": LessEqual, ">": Greater, ">=": GreaterEqual,
}

// list reads IN and the list after it.
func (p *parser) list() ([]Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("["); err != nil {
		return nil, err
	}
	list, err := p.terms(",", p.literal)
	if err != nil {
		return nil, err
	}
	return list, p.expect("]")
}

func (p *parser) operand() (Expr, error) {
	if p.tok.is("(") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		p.depth--
		return e, p.expect(")")
	}
	if p.tok.kind != tokenPath || isConstant(p.tok) {
		return p.literal()
	}
	if isKeyword(p.tok) {
		return nil, p.unexpected()
	}
	name := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.is("(") {
		return p.call(name)
	}
	return &Ref{Field: fieldOf(name.text), span: span{name.start, name.end}}, nil
}

// call reads the arguments of the function name.
func (p *parser) call(name token) (Expr, error) {
	for f := StartsWith; f <= IsDefined; f++ {
		if name.is(f.String()) {
			return p.function(name, f)
		}
	}
	switch {
	case name.is("PATCH"):
		return p.pointer(name, Patch)
	case name.is("CHANGED"):
		return p.pointer(name, Changed)
	}
	return nil, errorAt(p.text, name.start, name.end, "Unknown function '%s'", clip(name.text))
}

func (p *parser) function(name token, f Func) (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	args := make([]Expr, f.arity())
	for i := range args {
		if i > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		var err error
		if args[i], err = p.operand(); err != nil {
			return nil, err
		}
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	p.depth--
	return &Call{Func: f, Args: args, span: span{name.start, p.end}}, nil
}

// pointer reads the argument of PATCH or CHANGED.
func (p *parser) pointer(name token, from Source) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	arg := p.tok
	if arg.kind != tokenString {
		return nil, p.unexpected()
	}
	path := unquote(arg.text)
	if !isPointer(path) {
		return nil, errorAt(p.text, arg.start, arg.end, "%s needs a JSON Pointer such as '/Temperature', not %s", strings.ToUpper(name.text), clip(arg.text))
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	return &Ref{Field: Field{from, path}, span: span{name.start, p.end}}, nil
}

// literal reads a constant.
func (p *parser) literal() (Expr, error) {
	t := p.tok
	var v Value
	switch {
	case t.kind == tokenString:
		v = Value{Kind: String, String: unquote(t.text)}
	case t.kind == tokenNumber:
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil || strings.ContainsAny(t.text, "xX_pP") {
			return nil, errorAt(p.text, t.start, t.end, "'%s' is not a number, or too large for one", clip(t.text))
		}
		v = Value{Kind: Number, Number: n}
	case t.is("true"):
		v = Value{Kind: True}
	case t.is("false"):
		v = Value{Kind: False}
	case t.is("null"):
		v = Value{Kind: Null}
	default:
		return nil, p.unexpected()
	}
	return &Literal{Value: v, span: span{t.start, t.end}}, p.advance()
}

// enter takes a token that opens a level of nesting.
func (p *parser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return errorAt(p.text, p.tok.start, p.tok.end, "The filter is nested more than %d levels deep", MaxDepth)
	}
	return p.advance()
}

func (p *parser) expect(mark string) error {
	if !p.tok.is(mark) {
		return p.unexpected()
	}
	return p.advance()
}

func (p *parser) advance() (err error) {
	p.end = p.tok.end
	p.tok, err = p.next()
	return err
}

func (p *parser) unexpected() error {
	if p.tok.kind == tokenEnd {
		return errorAt(p.text, p.tok.start, p.tok.end, "Unexpected end of input")
	}
	return errorAt(p.text, p.tok.start, p.tok.end, "Unexpected input '%s'", clip(p.tok.text))
}

func isConstant(t token) bool { return t.is("true") || t.is("false") || t.is("null") }

func isKeyword(t token) bool { return t.is("AND") || t.is("OR") || t.is("NOT") || t.is("IN") }

// unquote returns what a string token stands for.
func unquote(s string) string {
	q := s[:1]
	return strings.ReplaceAll(s[1:len(s)-1], q+q, q)
}

// clip keeps error texts short.
func clip(s string) string {
	const most = 60
	for i, n := 0, 0; i < len(s); n++ {
		if n == most {
			return s[:i] + "…"
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return -1
}

func first(list []Expr) Expr {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
