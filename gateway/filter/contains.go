package filter

// contains(a, b) is whether the string b stands anywhere in the string a. Both
// may come from an event of a megabyte, so it takes linear time: the method of
// Knuth, Morris and Pratt, with its table of borders in the scratch room.
//
//	fail[0] = 0
//	for i, k := 1, 0; i < m; i++ {       // the table
//		for k > 0 && b[i] != b[k] { k = fail[k-1] }
//		if b[i] == b[k] { k++ }
//		fail[i] = k
//	}
//	for i, k := 0, 0; i < n; i++ {       // the search
//		for k > 0 && a[i] != b[k] { k = fail[k-1] }
//		if a[i] == b[k] { k++ }
//		if k == m { return true }
//	}
func contains() function {
	const a, b, text, m, i, k, fail, n, needle = 0, 1, 2, 3, 4, 5, 6, 7, 8
	c := &code{}
	c.bothAre(String)
	c.returnUnless(Undefined)
	c.get(b)
	c.load(opI32Load, atLength)
	c.tee(m)
	c.op(opI32Eqz)
	c.returnIf(True)
	c.get(a)
	c.load(opI32Load, atLength)
	c.tee(n)
	c.get(m)
	c.op(opI32LtU)
	c.returnIf(False)
	c.i32(ScratchAddress)
	c.load(opI32Load, 0)
	c.tee(fail)
	c.i32(0)
	c.store(0)
	c.get(b)
	c.load(opI32Load, atValue)
	c.tee(needle)
	c.set(text)

	match := border{text: text, needle: needle, i: i, k: k, fail: fail}
	c.i32(1)
	c.set(i)
	c.each(i, m, func() {
		c.extend(match)
		c.entry(fail, i, 0)
		c.get(k)
		c.store(0)
	})

	c.get(a)
	c.load(opI32Load, atValue)
	c.set(text)
	c.i32(0)
	c.set(i)
	c.i32(0)
	c.set(k)
	c.each(i, n, func() {
		c.extend(match)
		c.get(k)
		c.get(m)
		c.op(opI32Eq)
		c.returnIf(True)
	})
	c.i32(int32(False))
	return newFunction(binaryF, c, locals{7, typeI32})
}

// border names the locals of a search: k bytes of needle stand in text just
// before i, and fail is the address of the table.
type border struct{ text, needle, i, k, fail uint32 }

// extend makes k what it is after byte i of the text.
func (c *code) extend(m border) {
	c.block(typeVoid)
	c.loop()
	c.get(m.k)
	c.op(opI32Eqz)
	c.brIf(1)
	c.sameByte(m)
	c.brIf(1)
	c.entry(m.fail, m.k, -4)
	c.load(opI32Load, 0)
	c.set(m.k)
	c.br(0)
	c.end()
	c.end()
	c.sameByte(m)
	c.get(m.k)
	c.op(opI32Add)
	c.set(m.k)
}

// sameByte pushes whether text[i] is needle[k].
func (c *code) sameByte(m border) {
	c.get(m.text)
	c.get(m.i)
	c.op(opI32Add)
	c.load(opI32Load8U, 0)
	c.get(m.needle)
	c.get(m.k)
	c.op(opI32Add)
	c.load(opI32Load8U, 0)
	c.op(opI32Eq)
}

// entry pushes the address of the entry at index in a table of words, plus
// offset.
func (c *code) entry(table, index uint32, offset int32) {
	c.get(table)
	c.get(index)
	c.i32(2)
	c.op(opI32Shl, opI32Add)
	c.i32(offset)
	c.op(opI32Add)
}

// each runs body for i up to, not including, end.
func (c *code) each(i, end uint32, body func()) {
	c.block(typeVoid)
	c.loop()
	c.get(i)
	c.get(end)
	c.op(opI32GeU)
	c.brIf(1)
	body()
	c.step(i, 1)
	c.br(0)
	c.end()
	c.end()
}
