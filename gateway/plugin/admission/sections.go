package admission

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/headgate/headgate/sdk/abi"
)

// anatomy is what the sections of a module tell, without running it.
type anatomy struct {
	imports, exports []string // "module.name (i32) → i64"
	functions        int      // its own, without those imported
	minPages         uint64   // of its memory, 64 KiB each
	maxPages         uint64   // 0 for no bound of its own
	starts           bool     // it exports _start, and not _initialize
	names            int      // bytes of the section of names
	debug            int      // bytes of debug information
}

// errSections is a module whose sections cannot be read.
var errSections = errors.New("its sections cannot be read")

// dissect reads the sections of a module. Of one that is damaged it returns
// what it could read, and an error.
func dissect(wasm []byte) (a anatomy, err error) {
	if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) {
		return a, errSections
	}
	r := &sections{rest: wasm[8:]}
	exported := map[string]bool{}
	for len(r.rest) > 0 && !r.bad {
		id := r.byte()
		s := &sections{rest: r.take(r.u32()), types: r.types, funcs: r.funcs}
		switch id {
		case 0:
			name := s.name()
			if name == "name" {
				a.names += len(s.rest)
			} else if strings.HasPrefix(name, ".debug_") {
				a.debug += len(s.rest)
			}
		case 1:
			s.each(func() { s.types = append(s.types, s.funcType()) })
		case 2:
			s.each(func() { a.imports = append(a.imports, s.imported(&a)) })
		case 3:
			s.each(func() { s.funcs = append(s.funcs, s.typeOf(s.u32())); a.functions++ })
		case 5:
			s.each(func() { a.minPages, a.maxPages = s.limits() })
		case 7:
			s.each(func() {
				name, text := s.exported()
				exported[name] = true
				a.exports = append(a.exports, text)
			})
		}
		r.types, r.funcs, r.bad = s.types, s.funcs, r.bad || s.bad
	}
	a.starts = exported[abi.ExportStart] && !exported[abi.ExportInitialize]
	if r.bad {
		return a, errSections
	}
	return a, nil
}

// sections reads a module from rest on. Once bad it yields zeros.
type sections struct {
	rest  []byte
	bad   bool
	types []string // of functions, as text
	funcs []string // the type of each function, those imported first
}

func (s *sections) byte() byte {
	b := s.take(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (s *sections) take(n uint64) []byte {
	if s.bad || n > uint64(len(s.rest)) {
		s.bad, s.rest = true, nil
		return nil
	}
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b
}

func (s *sections) u32() uint64 {
	v, n := binary.Uvarint(s.rest)
	if n <= 0 {
		s.take(uint64(len(s.rest)) + 1)
		return 0
	}
	s.take(uint64(n))
	return v
}

func (s *sections) name() string { return strings.ToValidUTF8(string(s.take(s.u32())), "\uFFFD") }

// each reads the items of a vector.
func (s *sections) each(read func()) {
	for range s.u32() {
		if s.bad || len(s.rest) == 0 {
			s.bad = true
			return
		}
		read()
	}
}

func (s *sections) funcType() string {
	if s.byte() != 0x60 {
		s.bad = true
		return ""
	}
	params, results := s.valueTypes(), s.valueTypes()
	if results == "" {
		return "(" + params + ")"
	}
	return "(" + params + ") → " + results
}

var valueTypes = map[byte]string{0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref"}

func (s *sections) valueTypes() string {
	var names []string
	s.each(func() { names = append(names, valueTypes[s.byte()]) })
	return strings.Join(names, ", ")
}

func (s *sections) typeOf(i uint64) string {
	if i >= uint64(len(s.types)) {
		s.bad = true
		return ""
	}
	return s.types[i]
}

func (s *sections) limits() (low, high uint64) {
	flags := s.byte()
	low = s.u32()
	if flags&1 != 0 {
		high = s.u32()
	}
	return low, high
}

func (s *sections) imported(a *anatomy) string {
	name := s.name() + "." + s.name()
	switch s.byte() {
	case 0:
		typ := s.typeOf(s.u32())
		s.funcs = append(s.funcs, typ)
		return name + " " + typ
	case 1:
		s.byte()
		s.limits()
		return name + " (table)"
	case 2:
		a.minPages, a.maxPages = s.limits()
		return name + " (memory)"
	case 3:
		s.take(2)
		return name + " (global)"
	}
	s.bad = true
	return name
}

func (s *sections) exported() (name, text string) {
	name = s.name()
	kind, i := s.byte(), s.u32()
	switch kind {
	case 0:
		if i >= uint64(len(s.funcs)) {
			s.bad = true
			return name, name
		}
		return name, name + " " + s.funcs[i]
	case 1, 2, 3:
		return name, name + " (" + [...]string{"", "table", "memory", "global"}[kind] + ")"
	}
	return name, fmt.Sprintf("%s (kind %d)", name, kind)
}
