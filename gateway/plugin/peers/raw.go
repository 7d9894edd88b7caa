package main

import (
	"encoding/binary"
	"slices"
)

// raw is a WebAssembly module by hand, so that a guest can be made that does
// nothing at all. Its memory is of 64 pages, enough for any call here.
type raw struct {
	imports []rawFunc // module and name
	funcs   []rawFunc
	data    string // at address rawData
}

type rawFunc struct {
	module, name string
	typ          string // as in "ii>l": i is i32, l is i64
	locals       int    // i32, besides the parameters
	body         []byte // without the end
}

const (
	rawData  = 16
	rawRoom  = 1 << 16 // where a guest lets its host write
	rawPages = 64
)

// bytes encodes the module. It exports its functions and its memory.
func (r raw) bytes() []byte {
	var types, imports, funcs, exports, code [][]byte
	for _, f := range slices.Concat(r.imports, r.funcs) {
		types = append(types, signature(f.typ))
	}
	for i, f := range r.imports {
		imports = append(imports, slices.Concat(text(f.module), text(f.name), []byte{0, byte(i)}))
	}
	for i, f := range r.funcs {
		index := byte(len(r.imports) + i)
		funcs = append(funcs, []byte{index})
		exports = append(exports, slices.Concat(text(f.name), []byte{0, index}))
		body := slices.Concat([]byte{1, byte(f.locals), 0x7f}, f.body, []byte{0x0b})
		code = append(code, slices.Concat(uleb(len(body)), body))
	}
	exports = append(exports, slices.Concat(text("memory"), []byte{2, 0}))
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, types...),
		section(2, imports...),
		section(3, funcs...),
		section(5, []byte{0, rawPages}),
		section(7, exports...),
		section(10, code...),
		section(11, slices.Concat([]byte{0}, i32(rawData), []byte{0x0b}, text(r.data))))
}

func section(id byte, elements ...[]byte) []byte {
	content := slices.Concat(uleb(len(elements)), slices.Concat(elements...))
	return slices.Concat([]byte{id}, uleb(len(content)), content)
}

func signature(typ string) []byte {
	out, part := []byte{0x60}, []byte{}
	for _, c := range typ + ">" {
		switch c {
		case 'i':
			part = append(part, 0x7f)
		case 'l':
			part = append(part, 0x7e)
		default:
			out, part = slices.Concat(out, uleb(len(part)), part), nil
		}
	}
	return out
}

func text(s string) []byte { return append(uleb(len(s)), s...) }

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// Instructions.

func get(local byte) []byte { return []byte{0x20, local} }

func set(local byte) []byte { return []byte{0x21, local} }

func call(f byte) []byte { return []byte{0x10, f} }

func i32(v int64) []byte { return append([]byte{0x41}, sleb(v)...) }

func i64(v int64) []byte { return append([]byte{0x42}, sleb(v)...) }

// add is i32.add.
var add = []byte{0x6a}

func sleb(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
