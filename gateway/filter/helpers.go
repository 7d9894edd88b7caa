package filter

// The helper functions of every module, by index. All but sameBytes take the
// addresses of slots and return a verdict: False, Undefined or True.
const (
	fnSameBytes = iota
	fnTruth
	fnEqual
	fnLess
	fnStartsWith
	fnEndsWith
	fnContains
)

// Offsets in a slot.
const (
	atKind   = 0
	atLength = 4
	atValue  = 8
)

func helpers() []function {
	return []function{
		fnSameBytes:  sameBytes(),
		fnTruth:      truth(),
		fnEqual:      equal(),
		fnLess:       less(),
		fnStartsWith: affix(false),
		fnEndsWith:   affix(true),
		fnContains:   contains(),
	}
}

// kindIs pushes whether the slot at the address in local holds kind k.
func (c *code) kindIs(local uint32, k Kind) {
	c.get(local)
	c.load(opI32Load, atKind)
	c.i32(int32(k))
	c.op(opI32Eq)
}

// returnUnless returns verdict k when the top of the stack is 0.
func (c *code) returnUnless(k Kind) {
	c.op(opI32Eqz)
	c.returnIf(k)
}

// returnIf returns verdict k when the top of the stack is not 0.
func (c *code) returnIf(k Kind) {
	c.when(typeVoid)
	c.i32(int32(k))
	c.op(opReturn)
	c.end()
}

// asVerdict turns a 0 or 1 on the stack into False or True.
func (c *code) asVerdict() {
	c.i32(1)
	c.op(opI32Shl)
}

// step adds n to local.
func (c *code) step(local uint32, n int32) {
	c.get(local)
	c.i32(n)
	c.op(opI32Add)
	c.set(local)
}

// sameBytes(p, q, n) is whether n bytes at p and q are the same: words first,
// then the bytes that are left.
func sameBytes() function {
	const p, q, n = 0, 1, 2
	c := &code{}
	for _, size := range []int32{8, 1} {
		load, differ := byte(opI64Load), byte(opI64Ne)
		if size == 1 {
			load, differ = opI32Load8U, opI32Ne
		}
		c.block(typeVoid)
		c.loop()
		c.get(n)
		c.i32(size)
		c.op(opI32LtU)
		c.brIf(1)
		c.get(p)
		c.load(load, 0)
		c.get(q)
		c.load(load, 0)
		c.op(differ)
		c.returnIf(0)
		c.step(p, size)
		c.step(q, size)
		c.step(n, -size)
		c.br(0)
		c.end()
		c.end()
	}
	c.i32(1)
	return newFunction(ternary, c)
}

// truth(a) is the value as a condition: itself if it is a boolean, else
// Undefined.
func truth() function {
	const a, kind = 0, 1
	c := &code{}
	c.get(a)
	c.load(opI32Load, atKind)
	c.tee(kind)
	c.i32(int32(Undefined))
	c.get(kind)
	c.i32(int32(True))
	c.op(opI32LeU, opSelect)
	return newFunction(unary, c, locals{1, typeI32})
}

// equal(a, b): null equals null and differs from every other value that can be
// compared; values of one scalar kind compare; all else is Undefined.
func equal() function {
	const a, b = 0, 1
	c := &code{}
	for _, k := range []Kind{Undefined, Array} {
		c.kindIs(a, k)
		c.kindIs(b, k)
		c.op(opI32Or)
		c.returnIf(Undefined)
	}
	c.kindIs(a, String)
	c.when(typeVoid)
	{
		c.kindIs(b, String)
		c.when(typeVoid)
		c.get(a)
		c.load(opI32Load, atLength)
		c.get(b)
		c.load(opI32Load, atLength)
		c.op(opI32Ne)
		c.returnIf(False)
		c.get(a)
		c.load(opI32Load, atValue)
		c.get(b)
		c.load(opI32Load, atValue)
		c.get(a)
		c.load(opI32Load, atLength)
		c.call(fnSameBytes)
		c.asVerdict()
		c.op(opReturn)
		c.end()
	}
	c.end()
	c.bothAre(Number)
	c.when(typeVoid)
	{
		c.get(a)
		c.load(opF64Load, atValue)
		c.get(b)
		c.load(opF64Load, atValue)
		c.op(opF64Eq)
		c.asVerdict()
		c.op(opReturn)
	}
	c.end()
	// What is left compares by kind alone, if both are booleans or any is null.
	c.kindIs(a, Null)
	c.kindIs(b, Null)
	c.op(opI32Or)
	for _, local := range []uint32{a, b} {
		c.get(local)
		c.load(opI32Load, atKind)
		c.i32(int32(True))
		c.op(opI32LeU)
	}
	c.op(opI32And, opI32Or)
	c.returnUnless(Undefined)
	c.get(a)
	c.load(opI32Load, atKind)
	c.get(b)
	c.load(opI32Load, atKind)
	c.op(opI32Eq)
	c.asVerdict()
	return newFunction(binaryF, c)
}

// bothAre pushes whether the slots of the first two parameters hold kind k.
func (c *code) bothAre(k Kind) {
	c.kindIs(0, k)
	c.kindIs(1, k)
	c.op(opI32And)
}

// less(a, b) orders numbers, and strings by their bytes, which is the order of
// their code points.
func less() function {
	const a, b, i, x, y, n = 0, 1, 2, 3, 4, 5
	c := &code{}
	c.bothAre(Number)
	c.when(typeVoid)
	c.get(a)
	c.load(opF64Load, atValue)
	c.get(b)
	c.load(opF64Load, atValue)
	c.op(opF64Lt)
	c.asVerdict()
	c.op(opReturn)
	c.end()
	c.bothAre(String)
	c.returnUnless(Undefined)
	c.minLength(n)
	c.block(typeVoid)
	c.loop()
	{
		c.get(i)
		c.get(n)
		c.op(opI32GeU)
		c.brIf(1)
		for _, side := range [][2]uint32{{a, x}, {b, y}} {
			c.get(side[0])
			c.load(opI32Load, atValue)
			c.get(i)
			c.op(opI32Add)
			c.load(opI32Load8U, 0)
			c.set(side[1])
		}
		c.get(x)
		c.get(y)
		c.op(opI32Ne)
		c.when(typeVoid)
		c.get(x)
		c.get(y)
		c.op(opI32LtU)
		c.asVerdict()
		c.op(opReturn)
		c.end()
		c.step(i, 1)
		c.br(0)
	}
	c.end()
	c.end()
	c.get(a)
	c.load(opI32Load, atLength)
	c.get(b)
	c.load(opI32Load, atLength)
	c.op(opI32LtU)
	c.asVerdict()
	return newFunction(binaryF, c, locals{4, typeI32})
}

// minLength sets local n to the smaller length of the strings in the first two
// parameters.
func (c *code) minLength(n uint32) {
	for range 2 { // once as the operands of select, once for its condition
		c.get(0)
		c.load(opI32Load, atLength)
		c.get(1)
		c.load(opI32Load, atLength)
	}
	c.op(opI32LtU, opSelect)
	c.set(n)
}

// affix(a, b) is whether the string a begins, or ends, with the string b.
func affix(atEnd bool) function {
	const a, b = 0, 1
	c := &code{}
	c.bothAre(String)
	c.returnUnless(Undefined)
	c.get(a)
	c.load(opI32Load, atLength)
	c.get(b)
	c.load(opI32Load, atLength)
	c.op(opI32LtU)
	c.returnIf(False)
	c.get(a)
	c.load(opI32Load, atValue)
	if atEnd {
		c.get(a)
		c.load(opI32Load, atLength)
		c.op(opI32Add)
		c.get(b)
		c.load(opI32Load, atLength)
		c.op(opI32Sub)
	}
	c.get(b)
	c.load(opI32Load, atValue)
	c.get(b)
	c.load(opI32Load, atLength)
	c.call(fnSameBytes)
	c.asVerdict()
	return newFunction(binaryF, c)
}
