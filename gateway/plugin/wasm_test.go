package plugin_test

import (
	"encoding/binary"
	"slices"

	"github.com/headgate/headgate/sdk/abi"
)

// wasm is a module under construction: a small encoder, so that tests can make
// guests that no toolchain would.
type wasm struct {
	types   []string // as in "ii>l": i is i32, l is i64, f is f32
	imports []wasmImport
	funcs   []wasmFunc
	memory  []byte // limits; nil for no memory
	data    string // at address 16
	start   int    // function, with imports counted; -1 for none

	// Contents of sections, as they are.
	tables, globals, elements []byte
	datas                     [][]byte // further segments
	extra                     []byte   // sections to append as they are
}

type wasmImport struct {
	module, name, typ string
	kind              byte
	desc              []byte // for kinds other than 0
}

type wasmFunc struct {
	export, typ string
	locals      int    // i32
	body        []byte // without the end
}

// Addresses in the tiny guest.
const (
	tinyText  = 16
	tinyArena = 1 << 16
)

// tiny is a valid filter, by hand: it passes every event.
func tiny() *wasm {
	description := `{"name":"tiny","kinds":["filter"]}`
	w := &wasm{memory: []byte{0, 64}, data: description, start: -1}
	w.fn(abi.ExportDescribe, ">l", i64c(int64(abi.Pack(tinyText, uint32(len(description))))))
	w.fn(abi.ExportAlloc, "i>i", i32c(tinyArena))
	w.fn(abi.ExportOpen, "iii>i", i32c(0))
	w.fn(abi.ExportClose, "i>")
	w.fn(abi.ExportFilter, "iii>i", passAll(nil), i32c(0))
	w.funcs[len(w.funcs)-1].locals = 3
	return w
}

// passAll is the body of a filter that writes the verdict pass for every
// event, after each, the instructions of each event. Locals 3, 4 and 5 are the address of
// the verdict, the end, and the number of the event.
func passAll(each []byte) []byte {
	return slices.Concat(
		get(1), i32c(abi.HeaderBytes+abi.VerdictOffset), []byte{0x6a, 0x21, 3},
		get(1), []byte{0x28, 2, 4}, i32c(abi.InputRecordBytes), []byte{0x6c}, get(3), []byte{0x6a, 0x21, 4},
		[]byte{0x03, 0x40},
		each,
		get(3), i32c(1), []byte{0x36, 2, 0},
		get(5), i32c(1), []byte{0x6a, 0x21, 5},
		get(3), i32c(abi.InputRecordBytes), []byte{0x6a, 0x22, 3}, get(4), []byte{0x49, 0x0d, 0},
		[]byte{0x0b},
	)
}

func (w *wasm) fn(export, typ string, body ...[]byte) {
	w.funcs = append(w.funcs, wasmFunc{export: export, typ: typ, body: slices.Concat(body...)})
}

// with changes the function of that export.
func (w *wasm) with(export, typ string, body ...[]byte) *wasm {
	i := slices.IndexFunc(w.funcs, func(f wasmFunc) bool { return f.export == export })
	w.funcs[i].typ, w.funcs[i].body = typ, slices.Concat(body...)
	return w
}

// without removes the function of that export.
func (w *wasm) without(export string) *wasm {
	w.funcs = slices.DeleteFunc(w.funcs, func(f wasmFunc) bool { return f.export == export })
	return w
}

// describes replaces the description.
func (w *wasm) describes(text string) *wasm {
	w.data = text
	return w.with(abi.ExportDescribe, ">l", i64c(int64(abi.Pack(tinyText, uint32(len(text))))))
}

func (w *wasm) importing(module, name, typ string) *wasm {
	w.imports = append(w.imports, wasmImport{module: module, name: name, typ: typ})
	return w
}

func (w *wasm) bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	typeOf := func(s string) byte {
		i := slices.Index(w.types, s)
		if i < 0 {
			w.types, i = append(w.types, s), len(w.types)
		}
		return byte(i)
	}
	imports, functions, exports, code := [][]byte{}, [][]byte{}, [][]byte{}, [][]byte{}
	for _, im := range w.imports {
		desc := im.desc
		if im.kind == 0 {
			desc = []byte{typeOf(im.typ)}
		}
		imports = append(imports, slices.Concat(text(im.module), text(im.name), []byte{im.kind}, desc))
	}
	for i, f := range w.funcs {
		functions = append(functions, []byte{typeOf(f.typ)})
		if f.export != "" {
			exports = append(exports, slices.Concat(text(f.export), []byte{0}, leb(uint64(i+len(w.imports)))))
		}
		body := []byte{0}
		if f.locals > 0 {
			body = slices.Concat([]byte{1}, leb(uint64(f.locals)), []byte{0x7f})
		}
		body = slices.Concat(body, f.body, []byte{0x0b})
		code = append(code, slices.Concat(leb(uint64(len(body))), body))
	}
	types := [][]byte{}
	for _, t := range w.types {
		types = append(types, signatureBytes(t))
	}
	b = sectionOf(b, 1, types)
	b = sectionOf(b, 2, imports)
	b = sectionOf(b, 3, functions)
	b = rawSection(b, 4, w.tables)
	if w.memory != nil {
		b = sectionOf(b, 5, [][]byte{w.memory})
		exports = append(exports, slices.Concat(text("memory"), []byte{2, 0}))
	}
	b = rawSection(b, 6, w.globals)
	b = sectionOf(b, 7, exports)
	if w.start >= 0 {
		b = append(b, 8, 1, byte(w.start))
	}
	b = rawSection(b, 9, w.elements)
	b = sectionOf(b, 10, code)
	datas := w.datas
	if w.data != "" {
		datas = append([][]byte{segment(tinyText, w.data)}, datas...)
	}
	b = sectionOf(b, 11, datas)
	return append(b, w.extra...)
}

func signatureBytes(s string) []byte {
	val := map[rune]byte{'i': 0x7f, 'l': 0x7e, 'f': 0x7d}
	out, part := []byte{0x60}, []byte{}
	for _, c := range s {
		if c == '>' {
			out, part = slices.Concat(out, leb(uint64(len(part))), part), nil
			continue
		}
		part = append(part, val[c])
	}
	return slices.Concat(out, leb(uint64(len(part))), part)
}

func sectionOf(b []byte, id byte, elements [][]byte) []byte {
	if len(elements) == 0 {
		return b
	}
	content := slices.Concat(leb(uint64(len(elements))), slices.Concat(elements...))
	return slices.Concat(b, []byte{id}, leb(uint64(len(content))), content)
}

func rawSection(b []byte, id byte, content []byte) []byte {
	if len(content) == 0 {
		return b
	}
	return slices.Concat(b, []byte{id}, leb(uint64(len(content))), content)
}

// segment is one of data, at an address.
func segment(at int32, data string) []byte {
	return slices.Concat([]byte{0}, i32c(at), []byte{0x0b}, text(data))
}

func leb(v uint64) []byte { return binary.AppendUvarint(nil, v) }

func text(s string) []byte { return append(leb(uint64(len(s))), s...) }

func get(local byte) []byte { return []byte{0x20, local} }

func call(f byte) []byte { return []byte{0x10, f} }

func i32c(v int32) []byte { return append([]byte{0x41}, signed(int64(v))...) }

func i64c(v int64) []byte { return append([]byte{0x42}, signed(v)...) }

func signed(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
