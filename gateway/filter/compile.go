package filter

import "slices"

// Locals of a filter's function.
const (
	localTable = 0 // the parameter: the address of the program's table
	localTemp  = 1 // used and done with between two emissions
	localSlot  = 2 // likewise
	localDepth = 3 // the first of those that hold verdicts, one per depth of AND and OR
)

// scan gives every field and literal that e needs an entry in the table, in a
// first pass since literals come after all fields.
func (c *compiler) scan(root Expr) {
	for e := range Walk(root) {
		switch e := e.(type) {
		case *Ref:
			if _, ok := c.fields[e.Field]; !ok {
				c.fields[e.Field] = uint32(len(c.program.Fields))
				c.program.Fields = append(c.program.Fields, e.Field)
			}
		case *Literal:
			c.literal(e.Value)
		}
	}
}

func (c *compiler) literal(v Value) uint32 {
	i, ok := c.literals[v]
	if !ok {
		i = uint32(len(c.program.Literals))
		c.literals[v] = i
		c.program.Literals = append(c.program.Literals, v)
	}
	return i
}

// Bounds on one function of a module, since the time that a Wasm compiler
// takes grows faster than the function: beyond bodyBytes, what follows goes
// into functions of its own, and wide lists of terms are made into trees.
const (
	bodyBytes = 2 << 10
	termsEach = 16
)

// function adds the function that returns what emit pushes for x, and returns
// its index.
func (c *compiler) function(x Expr, emit func(*emitter, Expr)) uint32 {
	e := &emitter{compiler: c}
	emit(e, x)
	c.functions = append(c.functions, newFunction(unary, &e.code, locals{localDepth - 1 + e.deepest, typeI32}))
	return uint32(len(c.functions) - 1)
}

// emitter emits one function.
type emitter struct {
	code
	*compiler
	depth, deepest uint32
}

// isTrue pushes 1 when x is True, else 0. It is for the places where false and
// undefined come to the same: the root and, below it, terms of AND and OR. The
// comparisons that most filters are made of have shorter code here.
func (e *emitter) isTrue(x Expr) {
	if e.outlined(x, (*emitter).isTrue) {
		return
	}
	switch x := x.(type) {
	case *And:
		e.all(tree(x.Terms, joinAnd))
	case *Or:
		e.any(tree(x.Terms, joinOr))
	case *In:
		e.any(tree(x.comparisons(), joinOr))
	case *Compare:
		e.compareTrue(x)
	case *Call:
		e.callTrue(x)
	default:
		e.verdictTrue(x)
	}
}

// outlined emits x as a call of a function of its own, if the present one is
// full, and reports whether it did.
func (e *emitter) outlined(x Expr, emit func(*emitter, Expr)) bool {
	if len(e.b) < bodyBytes || len(children(x)) == 0 {
		return false
	}
	e.get(localTable)
	e.call(e.compiler.function(x, emit))
	return true
}

// tree joins runs of terms until at most termsEach are left.
func tree(terms []Expr, join func([]Expr) Expr) []Expr {
	for len(terms) > termsEach {
		var joined []Expr
		for run := range slices.Chunk(terms, termsEach) {
			joined = append(joined, join(run))
		}
		terms = joined
	}
	return terms
}

func joinAnd(terms []Expr) Expr { return &And{Terms: terms} }
func joinOr(terms []Expr) Expr  { return &Or{Terms: terms} }

func (e *emitter) verdictTrue(x Expr) {
	e.verdict(x)
	e.i32(int32(True))
	e.op(opI32Eq)
}

// all stops at the first term that is not true.
func (e *emitter) all(terms []Expr) {
	e.block(typeI32)
	for _, term := range terms[:len(terms)-1] {
		e.i32(0)
		e.isTrue(term)
		e.op(opI32Eqz)
		e.brIf(0)
		e.op(opDrop)
	}
	e.isTrue(terms[len(terms)-1])
	e.end()
}

// any stops at the first term that is true.
func (e *emitter) any(terms []Expr) {
	e.block(typeI32)
	for _, term := range terms[:len(terms)-1] {
		e.i32(1)
		e.isTrue(term)
		e.brIf(0)
		e.op(opDrop)
	}
	e.isTrue(terms[len(terms)-1])
	e.end()
}

// verdict pushes the verdict of x: False, Undefined or True.
func (e *emitter) verdict(x Expr) {
	if e.outlined(x, (*emitter).verdict) {
		return
	}
	switch x := x.(type) {
	case *And:
		e.combine(tree(x.Terms, joinAnd), False, opI32LtU)
	case *Or:
		e.combine(tree(x.Terms, joinOr), True, opI32GtU)
	case *In:
		e.combine(tree(x.comparisons(), joinOr), True, opI32GtU)
	case *Not:
		e.i32(int32(True))
		e.verdict(x.X)
		e.op(opI32Sub)
	case *Compare:
		e.compare(x)
	case *Call:
		e.apply(x)
	default:
		e.slot(x)
		e.call(fnTruth)
	}
}

// combine pushes the least or the greatest verdict of terms, as better says,
// and stops at one that decides.
func (e *emitter) combine(terms []Expr, decides Kind, better byte) {
	best := localDepth + e.depth
	e.depth++
	e.deepest = max(e.deepest, e.depth)
	e.block(typeVoid)
	e.verdict(terms[0])
	e.set(best)
	for _, term := range terms[1:] {
		e.get(best)
		e.i32(int32(decides))
		e.op(opI32Eq)
		e.brIf(0)
		e.verdict(term)
		e.tee(localTemp)
		e.get(best)
		e.get(localTemp)
		e.get(best)
		e.op(better, opSelect)
		e.set(best)
	}
	e.end()
	e.get(best)
	e.depth--
}

func (e *emitter) compare(x *Compare) {
	left, right := x.Left, x.Right
	if x.Op == Greater || x.Op == LessEqual {
		left, right = right, left
	}
	// A total order: where less is defined, a <= b is NOT b < a.
	negate := x.Op == NotEqual || x.Op == LessEqual || x.Op == GreaterEqual
	if negate {
		e.i32(int32(True))
	}
	e.slot(left)
	e.slot(right)
	if x.Op == Equal || x.Op == NotEqual {
		e.call(fnEqual)
	} else {
		e.call(fnLess)
	}
	if negate {
		e.op(opI32Sub)
	}
}

func (e *emitter) apply(x *Call) {
	switch x.Func {
	case StartsWith:
		e.helper(fnStartsWith, x.Args)
	case EndsWith:
		e.helper(fnEndsWith, x.Args)
	case Contains:
		e.helper(fnContains, x.Args)
	case IsDefined:
		e.slot(x.Args[0])
		e.load(opI32Load, atKind)
		e.i32(int32(Undefined))
		e.op(opI32Ne)
		e.asVerdict()
	}
}

func (e *emitter) helper(index uint32, args []Expr) {
	for _, arg := range args {
		e.slot(arg)
	}
	e.call(index)
}

// slot pushes the address of the slot that holds the value of x.
func (e *emitter) slot(x Expr) {
	switch x := x.(type) {
	case *Ref:
		e.field(x)
	case *Literal:
		e.get(localTable)
		e.load(opI32Load, 4*(uint32(len(e.program.Fields))+e.literals[x.Value]))
	default: // a condition: one of the literals False, Undefined, True
		e.verdict(x)
		e.i32(2)
		e.op(opI32Shl)
		e.get(localTable)
		e.op(opI32Add)
		e.load(opI32Load, 4*(uint32(len(e.program.Fields))+e.verdicts))
	}
}

func (e *emitter) field(x *Ref) {
	e.get(localTable)
	e.load(opI32Load, 4*e.fields[x.Field])
}

// comparisons is the list of what x is the OR of.
func (x *In) comparisons() []Expr {
	list := make([]Expr, len(x.List))
	for i, item := range x.List {
		list[i] = &Compare{Op: Equal, Left: x.X, Right: item, span: x.span}
	}
	return list
}
