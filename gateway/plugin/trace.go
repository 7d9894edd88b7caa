package plugin

import (
	"bytes"
	"debug/gosym"
	"fmt"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// symbolise makes a trace readable: a function to a line, innermost first, and
// the first of them that is not of a language's runtime. Names come from the
// module's name section, which wazero reads, and for Go programs built without
// one from the table that Go keeps in their memory for its own traces. imports
// is how many functions the module imports.
func symbolise(trace string, memory api.Memory, imports int) (readable, at string) {
	var b strings.Builder
	var table *gosym.Table
	looked := false
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		name, ok := strings.CutPrefix(line, ".")
		if !ok || strings.HasPrefix(line, "...") { // of a host function, or the end of what is kept
			b.WriteString(line + "\n")
			continue
		}
		if i := strings.LastIndexByte(name, '('); i > 0 {
			name = name[:i]
		}
		where := ""
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "$")); err == nil && name[0] == '$' {
			if !looked {
				table, looked = goTable(memory), true
			}
			if f, file, line := goFunc(table, n-imports); f != "" {
				name, where = f, fmt.Sprintf(" (%s:%d)", file, line)
			}
		}
		b.WriteString(name + where + "\n")
		if at == "" && name[0] != '$' && !ofRuntime(name) {
			at = name
		}
	}
	return strings.TrimSuffix(b.String(), "\n"), at
}

// ofRuntime reports whether a function is of a language's runtime, and so tells
// how a guest stops rather than where.
func ofRuntime(name string) bool {
	for _, start := range []string{"runtime.", "internal/runtime", "wasm_", "_rt0", "rust_", "core::panicking", "std::panicking", "syscall.", "os."} {
		if strings.HasPrefix(name, start) {
			return true
		}
	}
	return false
}

// goFuncs is the number that Go's table of functions gives to the first one in
// a module: the others follow in the order of the module, imports left out.
const goFuncs = 0x1000

// goTable finds the table of functions in the memory of a Go program.
func goTable(memory api.Memory) (t *gosym.Table) {
	defer func() {
		if recover() != nil {
			t = nil // it was something else, or the guest damaged it
		}
	}()
	b, ok := memory.Read(0, memory.Size())
	if !ok {
		return nil
	}
	// Magic of Go 1.20 and later, two zeros, instruction size 1, pointer size 8.
	magic := []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}
	for at := 0; ; at++ {
		n := bytes.Index(b[at:], magic)
		if n < 0 {
			return nil
		}
		at += n
		lines := gosym.NewLineTable(bytes.Clone(b[at:]), 0)
		if t, err := gosym.NewTable(nil, lines); err == nil && len(t.Funcs) > 0 {
			return t
		}
	}
}

// goFunc returns the name of function n of those that are not imported, with the base name of its file and
// its line; the name is empty when it is not known.
func goFunc(t *gosym.Table, n int) (name, file string, line int) {
	if t == nil {
		return "", "", 0
	}
	defer func() {
		if recover() != nil {
			name = ""
		}
	}()
	pc := uint64(goFuncs + n)
	f := t.PCToFunc(pc)
	if f == nil || f.Entry != pc {
		return "", "", 0
	}
	file, line, _ = t.PCToLine(pc)
	return f.Name, file[strings.LastIndexByte(file, '/')+1:], line
}
