package plugin_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/abi"
)

// siege are limits that a hostile module meets soon.
var siege = plugin.Limits{
	ModuleBytes: 1 << 20, Functions: 5000, Locals: 2000, Nesting: 300, BodyBytes: 128 << 10, TableEntries: 10_000, Complexity: 5_000_000,
	MemoryBytes: 8 << 20, CallDepth: 2000, OutputBytes: 1 << 20, LogBytes: 4 << 10, HostCalls: 500,
	EventFuel: 1_000_000, StartFuel: 5_000_000,
}

// An attack is a hostile module, and how it must end. Where it is refused or
// fails is told by the words; fault is empty where the module is refused.
type attack struct {
	name  string
	guest any // *wasm or []byte
	fault plugin.Fault
	words string
}

// Instructions for attacks.
var (
	trap     = []byte{0x00}
	drop     = []byte{0x1a}
	growMem  = []byte{0x40, 0}
	growTab  = []byte{0xfc, 15, 0}
	fillMem  = []byte{0xfc, 11, 0}
	copyMem  = []byte{0xfc, 10, 0, 0}
	fillTab  = []byte{0xfc, 17, 0}
	copyTab  = []byte{0xfc, 14, 0, 0}
	nullFunc = []byte{0xd0, 0x70}
)

// forever repeats instructions without end.
func forever(body ...[]byte) []byte {
	return slices.Concat([]byte{0x03, 0x40}, slices.Concat(body...), []byte{0x0c, 0, 0x0b})
}

// initially is a filter that attacks in _initialize.
func initially(body ...[]byte) *wasm {
	w := tiny()
	w.types = []string{">"}
	w.tables = []byte{1, 0x70, 0, 10}
	w.fn("_initialize", ">", body...)
	return w
}

// starting attacks in the start function, which runs before anything else.
func starting(body ...[]byte) *wasm {
	w := tiny()
	w.fn("", ">", body...)
	w.start = len(w.funcs) - 1
	return w
}

// filtering is a filter that attacks when it comes to an event whose data
// starts with a b. It imports begin as function 0, and then the others. Function 0
// of the module's own is empty, and in its table with begin.
func filtering(imports []wasmImport, body ...[]byte) *wasm {
	w := tiny().importing(abi.Module, abi.ImportBegin, "i>")
	w.imports = append(w.imports, imports...)
	w.types = []string{">", "i>"}
	w.tables = []byte{1, 0x70, 0, 10}
	w.elements = []byte{1, 0, 0x41, 0, 0x0b, 1, 0} // begin is element 0
	look := slices.Concat(get(5), call(0),
		get(1), get(3), i32c(-8), []byte{0x6a, 0x28, 2, 0, 0x6a, 0x2d, 0, 0}, i32c('b'), []byte{0x46, 0x04, 0x40},
		slices.Concat(body...), []byte{0x0b})
	w.with(abi.ExportFilter, "iii>i", passAll(look), i32c(0))
	w.funcs[len(w.funcs)-1].locals = 8
	return w
}

// imported is a function of WASI or the gateway.
func imported(module, name, typ string) []wasmImport {
	return []wasmImport{{module: module, name: name, typ: typ}}
}

func fromWASI(name, typ string) []wasmImport { return imported("wasi_snapshot_preview1", name, typ) }

// recursive adds a function that calls itself, and others, as the number of the
// function that body is given says.
func (w *wasm) recursive(typ string, locals int, body func(self byte) []byte) byte {
	self := byte(len(w.imports) + len(w.funcs))
	w.fn("", typ, body(self))
	w.funcs[len(w.funcs)-1].locals = locals
	return self
}

// tree calls each of so many functions twice by the one before.
func (w *wasm) tree(levels int) byte {
	first := byte(len(w.imports) + len(w.funcs))
	for k := range levels {
		next := first + byte(k) + 1
		if k == levels-1 {
			w.fn("", ">")
			break
		}
		w.fn("", ">", call(next), call(next))
	}
	return first
}

// answering is a transform that answers with these bytes, whatever comes in.
func answering(arena []byte) *wasm {
	const at = 1 << 12
	w := tiny().without(abi.ExportFilter).describes(`{"kinds":["transform"]}`)
	w.fn(abi.ExportTransform, "iii>l", i64c(int64(abi.Pack(at, uint32(len(arena))))))
	w.datas = [][]byte{segment(at, string(arena))}
	return w
}

// claiming is a transform that answers with a place.
func claiming(ptr, length uint32) *wasm {
	w := answering(nil)
	return w.with(abi.ExportTransform, "iii>l", i64c(int64(abi.Pack(ptr, length))))
}

// arena is an output arena with one good output, spoiled.
func arena(spoil func(header, record []byte)) []byte {
	var w abi.OutputWriter
	w.Reset()
	w.Next(0)
	for a := abi.ID; a <= abi.Type; a++ {
		w.Set(a, "x")
	}
	b := slices.Clone(w.Finish())
	spoil(b, b[len(b)-abi.OutputRecordBytes:])
	return b
}

func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }

func slot(record []byte, a abi.Attribute, offset, length uint32) {
	put32(record[abi.OutputSlots+a*abi.SlotBytes:], offset)
	put32(record[abi.OutputSlots+a*abi.SlotBytes+4:], length)
}

func lying(spoil func(header, record []byte)) *wasm { return answering(arena(spoil)) }

func withFunc(w *wasm, typ string, locals int, body ...[]byte) *wasm {
	w.fn("", typ, body...)
	w.funcs[len(w.funcs)-1].locals = locals
	return w
}

func change[T any](v T, f func(T)) T {
	f(v)
	return v
}

// loadAttacks are refused or fail when the module is loaded.
func loadAttacks() []attack {
	const out, deep = plugin.OutOfFuel, plugin.TooDeep
	blocks := func(n int, op byte) []byte {
		return slices.Concat(bytes.Repeat([]byte{op, 0x40}, n), bytes.Repeat([]byte{0x0b}, n))
	}
	return []attack{
		{"loop in the start function", starting(spin), out, "in start: the limit of startFuel is 5000000"},
		{"recursion in the start function", change(starting(), func(w *wasm) { w.funcs[5].body = call(5) }), deep, "the limit of callDepth is 2000"},
		{"trap in the start function", starting(trap), plugin.Trapped, "in start: unreachable"},
		{"loop in _initialize", initially(spin), out, "in _initialize"},
		{"loop in _start", change(tiny(), func(w *wasm) { w.fn("_start", ">", spin) }), out, "in _start"},
		{"exit in _initialize", change(tiny().importing("wasi_snapshot_preview1", "proc_exit", "i>"), func(w *wasm) { w.fn("_initialize", ">", i32c(0), call(0)) }), plugin.Trapped, "exit with code 0"},
		{"exponential tree in _initialize", change(initially(), func(w *wasm) { w.funcs[5].body = call(w.tree(60)) }), out, ""},
		{"memory bomb in _initialize", initially(forever(i32c(1), growMem, drop)), out, ""},
		{"memory bomb at once", initially(forever(i32c(-1), growMem, drop)), out, ""},
		{"table bomb", initially(forever(nullFunc, i32c(1), growTab, drop)), out, ""},
		{"table bomb at once", initially(forever(nullFunc, i32c(-1), growTab, drop)), out, ""},
		{"fills", initially(forever(i32c(0), i32c(1), i32c(64<<16), fillMem)), out, ""},
		{"a fill of four gigabytes", initially(i32c(0), i32c(1), i32c(-1), fillMem), out, ""},
		{"copies", initially(forever(i32c(0), i32c(8), i32c(63<<16), copyMem)), out, ""},
		{"table fills", initially(forever(i32c(0), nullFunc, i32c(10), fillTab)), out, ""},
		{"table copies", initially(forever(i32c(0), i32c(0), i32c(10), copyTab)), out, ""},
		{"loop in describe", tiny().with(abi.ExportDescribe, ">l", spin, i64c(0)), out, "in headgate_describe"},
		{"host calls in _initialize", change(tiny().importing("wasi_snapshot_preview1", "sched_yield", ">i"), func(w *wasm) { w.fn("_initialize", ">", forever(call(0), drop)) }), plugin.OverLimit, "the limit of hostCalls is 500"},
		{"begin in _initialize", change(tiny().importing(abi.Module, abi.ImportBegin, "i>"), func(w *wasm) { w.fn("_initialize", ">", i32c(0), call(0)) }), plugin.Breach, "where there are no events"},

		{"memory of 4 GiB", change(tiny(), func(w *wasm) { w.memory = []byte{0, 0x80, 0x80, 4} }), "", "needs 65536 pages"},
		{"memory of more than there is", change(tiny(), func(w *wasm) { w.memory = []byte{0, 0xff, 0xff, 0xff, 0xff, 0x0f} }), "", "pages"},
		{"table of 4 billion", change(initially(), func(w *wasm) { w.tables = []byte{1, 0x70, 0, 0xff, 0xff, 0xff, 0xff, 0x0f} }), "", "the limit of tableEntries is 10000"},
		{"many tables", change(initially(), func(w *wasm) {
			w.tables = append(leb(20), bytes.Repeat([]byte{0x70, 0, 0xe8, 7}, 20)...)
		}), "", "the limit of tableEntries"},
		{"nested blocks", withFunc(tiny(), ">", 0, blocks(301, 0x02)), "", "the limit of nesting is 300"},
		{"nested loops", withFunc(tiny(), ">", 0, blocks(20_000, 0x03)), "", "the limit of nesting is 300"},
		{"four billion locals", withFunc(tiny(), ">", 1<<32-1), "", "the limit of locals is 2000"},
		{"many locals", withFunc(tiny(), ">", 2001), "", "the limit of locals is 2000"},
		{"many parameters", withFunc(tiny(), strings.Repeat("i", 2001)+">", 0), "", "the limit of locals is 2000"},
		{"many functions", change(tiny(), func(w *wasm) {
			for range 5001 {
				w.fn("", ">")
			}
		}), "", "the limit of functions is 5000"},
		{"a long function", withFunc(tiny(), ">", 0, bytes.Repeat([]byte{0x01}, 128<<10)), "", "the limit of bodyBytes is 131072"},
		{"a huge br_table", withFunc(tiny(), ">", 0, i32c(0), []byte{0x0e}, leb(130_000), make([]byte, 130_001)), "", "the limit of complexity is 5000000"},
		{"many branches", withFunc(tiny(), ">", 0, bytes.Repeat(concatBytes(i32c(0), []byte{0x04, 0x40, 0x0b}), 20_000)), "", "the limit of complexity"},
		{"many loops", withFunc(tiny(), ">", 0, bytes.Repeat([]byte{0x03, 0x40, 0x0b}, 5000)), "", "the limit of complexity"},
		{"branches among many locals", withFunc(tiny(), ">", 1900, bytes.Repeat(concatBytes(get(1), []byte{0x04, 0x40, 0x20, 2, 0x21, 3, 0x0b}), 1900)), "", "the limit of complexity"},
		{"a br_table that lies", withFunc(tiny(), ">", 0, i32c(0), []byte{0x0e}, leb(1<<31), make([]byte, 100)), "", "claims"},
		{"a br_table to nowhere", withFunc(tiny(), ">", 0, i32c(0), []byte{0x0e, 1, 0, 7}), "", "label 7 of 1"},
		{"a module of a megabyte and a byte", make([]byte, 1<<20+1), "", "the limit of moduleBytes is 1048576"},
		{"a lying name section", append(tiny().bytes(), 0, 13, 4, 'n', 'a', 'm', 'e', 1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0), "load", ""},

		{"the meter's fuel", tiny().with(abi.ExportClose, "i>", i64c(1<<40), []byte{0x24, 0}), "", "global 0 of 0"},
		{"the meter's depth", tiny().with(abi.ExportClose, "i>", i64c(1<<40), []byte{0x24, 1}), "", "global 1 of 0"},
		{"the meter's local", tiny().with(abi.ExportClose, "i>", i64c(1<<40), []byte{0x21, 1}), "", "local 1 of 1"},
		{"the meter's label", tiny().with(abi.ExportClose, "i>", call(3), []byte{0x0c, 1}), "", "label 1 of 1"},
		{"the meter's functions", tiny().with(abi.ExportClose, "i>", call(5)), "", "function 5 of 5"},
		{"the meter's export", change(tiny(), func(w *wasm) { w.fn("headgate_fuel", ">") }), "", "own name"},
		{"the meter's start", change(tiny(), func(w *wasm) { w.fn("headgate_start", ">") }), "", "own name"},
		{"the ledger", tiny().importing("headgate_meter", "turn", "il>l"), "", "gateway's own"},
		{"begin as the start function", change(tiny().importing(abi.Module, abi.ImportBegin, "i>"), func(w *wasm) { w.start = 0 }), "", "parameters or results"},
		{"begin of another type", tiny().importing(abi.Module, abi.ImportBegin, ">i"), "", `imports "begin" from "headgate_v1" as () → i32, want (i32)`},
		{"a file system", tiny().importing("wasi_unstable", "path_open", "iiiii>i"), "", "can be imported from"},
		{"a network", tiny().importing("env", "connect", "ii>i"), "", "can be imported from"},
		{"a global of the host", change(tiny(), func(w *wasm) {
			w.imports = []wasmImport{{module: "env", name: "g", kind: 3, desc: []byte{0x7e, 1}}}
		}), "", "imports a global"},
		{"a table of the host", change(tiny(), func(w *wasm) {
			w.imports = []wasmImport{{module: "env", name: "t", kind: 1, desc: []byte{0x70, 0, 1}}}
		}), "", "imports a table"},
		{"a second memory", withFunc(tiny(), ">", 0, []byte{0x3f, 1}, drop), "", "memory 1"},
		{"a shared memory", change(tiny(), func(w *wasm) { w.memory = []byte{3, 1, 2} }), "", "shared"},
		{"a 64-bit memory", change(tiny(), func(w *wasm) { w.memory = []byte{4, 1} }), "", "64-bit"},
		{"a tail call", withFunc(tiny(), ">", 0, []byte{0x12, 5}), "", "0x12"},
		{"an exception", withFunc(tiny(), ">", 0, []byte{0x06, 0x40, 0x0b}), "", "0x06"},
		{"an atomic instruction", withFunc(tiny(), ">", 0, []byte{0xfe, 0, 2, 0}), "", "0xfe"},
		{"a duplicate export", change(tiny(), func(w *wasm) { w.fn("memory", ">") }), "", "memory"},

		{"a description outside", tiny().with(abi.ExportDescribe, ">l", i64c(0x7fffffff_00000010)), "", "leads out of the memory"},
		{"a description that wraps", tiny().with(abi.ExportDescribe, ">l", i64c(-0x100_00000000|0x1000)), "", "leads out of the memory"},
		{"a description of gigabytes", tiny().with(abi.ExportDescribe, ">l", i64c(0x10_7fffffff)), "", "the limit is"},
		{"a description nested deeply", tiny().describes(`{"config":` + strings.Repeat("[", 60_000) + `}`), "", "not the JSON"},
		{"a description not of text", tiny().describes("\xff\xfe{}"), "", "not the JSON"},
	}
}

// bindAttacks fail when the plugin is bound.
func bindAttacks() []attack {
	allocates := func(body ...[]byte) *wasm { return tiny().with(abi.ExportAlloc, "i>i", body...) }
	opens := func(body ...[]byte) *wasm { return tiny().with(abi.ExportOpen, "iii>i", body...) }
	return []attack{
		{"alloc of nothing", allocates(i32c(0)), plugin.Breach, "address 0x0"},
		{"alloc out of memory", allocates(i32c(-8)), plugin.Breach, "address 0xfffffff8"},
		{"alloc at the last byte", allocates(i32c(64<<16 - 8)), plugin.Breach, "within the memory"},
		{"alloc unaligned", allocates(i32c(4)), plugin.Breach, "a multiple of 8"},
		{"loop in alloc", allocates(spin, i32c(8)), plugin.OutOfFuel, "in headgate_alloc: the limit of startFuel is 5000000"},
		{"recursion in alloc", allocates(get(0), call(1)), plugin.TooDeep, "in headgate_alloc"},
		{"loop in open", opens(spin, i32c(0)), plugin.OutOfFuel, "in headgate_open: the limit of startFuel"},
		{"a handle out of range", opens(i32c(-2147483647)), plugin.Breach, "handle"},
		{"begin in open", change(tiny().importing(abi.Module, abi.ImportBegin, "i>"), func(w *wasm) { w.with(abi.ExportOpen, "iii>i", i32c(0), call(0), i32c(0)) }), plugin.Breach, "no events"},
		{"an event's failure in open", change(tiny().importing(abi.Module, abi.ImportFail, "iii>"), func(w *wasm) {
			w.with(abi.ExportOpen, "iii>i", i32c(0), i32c(16), i32c(1), call(0), i32c(0))
		}), plugin.Breach, "fail(0)"},
	}
}

// runAttacks are filters that misbehave at one event of a batch.
func runAttacks() []attack {
	const out, deep, trapped, breach, over = plugin.OutOfFuel, plugin.TooDeep, plugin.Trapped, plugin.Breach, plugin.OverLimit
	fails := imported(abi.Module, abi.ImportFail, "iii>")
	logs := imported(abi.Module, abi.ImportLog, "iii>")
	indirect := func(element int32) []byte { return slices.Concat(i32c(element), []byte{0x11, 0, 0}) }
	recursing := func(typ string, locals int, args []byte, body func(self byte) []byte) *wasm {
		w := filtering(nil)
		self := w.recursive(typ, locals, body)
		rest := filtering(nil, args, call(self))
		rest.funcs = append(rest.funcs, w.funcs[len(w.funcs)-1])
		return rest
	}
	tree := filtering(nil, call(6))
	tree.tree(60)
	return []attack{
		{"an endless loop", filtering(nil, spin), out, "the limit of eventFuel is 1000000"},
		{"an endless loop of nops", filtering(nil, forever(bytes.Repeat([]byte{1}, 1000))), out, ""},
		{"endless recursion", recursing(">", 0, nil, func(self byte) []byte { return call(self) }), deep, "the limit of callDepth is 2000"},
		{"recursion with large frames", recursing(">", 2000, nil, func(self byte) []byte { return call(self) }), deep, "callDepth"},
		{"recursion in an argument", recursing("i>i", 0, concatBytes(i32c(1)), func(self byte) []byte {
			return slices.Concat(get(0), call(self), get(0), []byte{0x6a})
		}).with(abi.ExportFilter, "iii>i", i32c(1), call(6), drop, i32c(0)), deep, ""},
		{"an exponential call tree", tree, out, ""},
		{"a loop that branches out and in", filtering(nil, []byte{0x02, 0x40, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b}), out, ""},
		{"a memory bomb", filtering(nil, forever(i32c(1), growMem, drop)), out, ""},
		{"a table bomb", filtering(nil, forever(nullFunc, i32c(1), growTab, drop)), out, ""},
		{"a fill of all memory", filtering(nil, forever(i32c(0), i32c(0), i32c(64<<16), fillMem)), out, ""},
		{"a copy beyond memory", filtering(nil, i32c(0), i32c(0), i32c(64<<16), []byte{0x41, 1, 0x6a}, copyMem), trapped, "out of bounds"},
		{"unreachable", filtering(nil, trap), trapped, "unreachable"},
		{"a division by zero", filtering(nil, i32c(1), i32c(0), []byte{0x6d}, drop), trapped, "divide by zero"},
		{"an overflow", filtering(nil, i32c(-2147483648), i32c(-1), []byte{0x6d}, drop), trapped, "overflow"},
		{"a load out of memory", filtering(nil, i32c(-4), []byte{0x28, 2, 0}, drop), trapped, "out of bounds"},
		{"a store out of memory", filtering(nil, i32c(64<<16), i32c(1), []byte{0x36, 2, 0}), trapped, "out of bounds"},
		{"an indirect call of nothing", filtering(nil, indirect(5)), trapped, ""},
		{"an indirect call out of the table", filtering(nil, indirect(1000)), trapped, ""},
		{"an indirect call of another type", filtering(nil, indirect(0)), trapped, ""},
		{"begin of the same event", filtering(nil, get(5), call(0)), breach, "begin(0) where begin(1) of 1 is due"},
		{"begin of an event far away", filtering(nil, i32c(1000), call(0)), breach, "begin(1000)"},
		{"begin by the table", filtering(nil, get(5), i32c(0), []byte{0x11, 1, 0}), breach, "begin(0)"},
		{"begin for more fuel", filtering(nil, forever(get(5), i32c(1), []byte{0x6a, 0x22, 5}, call(0))), breach, "begin(1) where begin(1) of 1 is due"},
		{"a failure of another event", filtering(fails, i32c(7), i32c(16), i32c(1), call(1)), breach, "fail(7) in a call of"},
		{"a failure of the configuration", filtering(fails, i32c(-1), i32c(16), i32c(1), call(1)), breach, "fail(-1)"},
		{"a failure in words out of memory", filtering(fails, get(5), i32c(-16), i32c(32), call(1)), breach, "leads out of the memory"},
		{"failures without end", filtering(fails, forever(get(5), i32c(16), i32c(1), call(1))), over, "hostCalls"},
		{"a log out of memory", filtering(logs, i32c(1), i32c(16), i32c(-1), call(1)), breach, "leads out of the memory"},
		{"a log flood", filtering(logs, forever(i32c(1), i32c(16), i32c(10), call(1))), over, "too many calls of host functions for one event: the limit of hostCalls is 500"},
		{"a flood of long lines", filtering(logs, forever(i32c(1), i32c(16), i32c(4096), call(1))), out, ""},
		{"yields without end", filtering(fromWASI("sched_yield", ">i"), forever(call(1), drop)), over, "hostCalls"},
		{"looks at the clock without end", filtering(fromWASI("clock_time_get", "ili>i"), forever(i32c(0), i64c(0), i32c(8), call(1), drop)), over, "hostCalls"},
		{"random numbers without end", filtering(fromWASI("random_get", "ii>i"), forever(i32c(0), i32c(64<<16), call(1), drop)), out, ""},
		{"a write of four billion pieces", filtering(fromWASI("fd_write", "iiii>i"), forever(i32c(1), i32c(4096), i32c(-1), i32c(8), call(1), drop)), out, ""},
		{"a write of the memory, many times over", filtering(fromWASI("fd_write", "iiii>i"),
			i32c(4100), i32c(64<<16), []byte{0x36, 2, 0}, forever(i32c(2), i32c(4096), i32c(1), i32c(8), call(1), drop)), out, ""},
		{"a wait for four billion clocks", filtering(fromWASI("poll_oneoff", "iiii>i"), forever(i32c(4096), i32c(8192), i32c(-1), i32c(8), call(1), drop)), out, ""},
		{"an exit", filtering(fromWASI("proc_exit", "i>"), i32c(0), call(1)), trapped, "exit with code 0"},
		{"an exit with the code of a timeout", filtering(fromWASI("proc_exit", "i>"), i32c(-1), call(1)), trapped, "exit with code"},
	}
}

// answerAttacks lie in the answer of a transform, or of a filter.
func answerAttacks() []attack {
	const breach, bad, failed = plugin.Breach, plugin.BadOutput, plugin.Failed
	type b = []byte
	filter := func(body ...[]byte) *wasm { return tiny().with(abi.ExportFilter, "iii>i", body...) }
	return []attack{
		{"a status", filter(passAll(nil), i32c(7)), breach, "status 7"},
		{"no verdict", filter(i32c(0)), failed, "gave no verdict"},
		{"another verdict", filter(get(1), i32c(9), []byte{0x36, 2}, leb(abi.HeaderBytes+abi.VerdictOffset), i32c(0)), failed, "verdict 9"},
		{"an arena out of memory", claiming(0xffffff00, 0x1000), breach, "leads out of the memory"},
		{"an arena that wraps", claiming(0xfffffff8, 16), breach, "leads out of the memory"},
		{"an arena of gigabytes", claiming(8, 0x7fffffff), breach, "the limit of outputBytes is 1048576"},
		{"an unaligned arena", claiming(4, 16), breach, "not aligned"},
		{"an arena of one byte", claiming(4096, 1), breach, ""},
		{"the input as the arena", claiming(tinyArena, 64), breach, "starts with"},
		{"another magic", lying(func(h, _ b) { h[0]++ }), breach, "starts with"},
		{"a count of four billion", lying(func(h, _ b) { put32(h[4:], 1<<32-1) }), breach, "leads out"},
		{"a count of one more", lying(func(h, _ b) { put32(h[4:], 2) }), breach, "leads out"},
		{"a table that wraps", lying(func(h, _ b) { put32(h[8:], 1<<32-8) }), breach, "leads out"},
		{"a table over the header", lying(func(h, _ b) { put32(h[8:], 0) }), breach, ""},
		{"an output of an event that is none", lying(func(_, r b) { put32(r, 99) }), breach, "of event 99"},
		{"a reserved field", lying(func(_, r b) { put32(r[4:], 1) }), breach, "reserved"},
		{"a slot out of the arena", lying(func(_, r b) { slot(r, abi.Subject, 0x7fffff00, 16) }), breach, "subject at"},
		{"a slot that wraps", lying(func(_, r b) { slot(r, abi.Subject, 16, 0xfffffff8) }), breach, "subject at"},
		{"a slot out of the input", lying(func(_, r b) { slot(r, abi.Data, 0xffffff00, 16) }), breach, "data at"},
		{"a list out of the arena", lying(func(_, r b) { slot(r, abi.Extensions, 16, 0x7fffffff) }), breach, "extensions at"},
		{"a list of the arena itself", lying(func(_, r b) { slot(r, abi.Properties, 0, 3) }), breach, "application properties"},
		{"an unaligned list", lying(func(_, r b) { slot(r, abi.Extensions, 2, 1) }), breach, "extensions at"},
		{"the header as the type", lying(func(_, r b) { slot(r, abi.Type, 4, 4) }), bad, "type"},
		{"no source", lying(func(_, r b) { slot(r, abi.Source, 0, abi.Absent) }), bad, "no source"},
		{"an empty id", lying(func(_, r b) { slot(r, abi.ID, 16, 0) }), bad, "id is empty"},
	}
}

// TestAttacks lets every hostile module loose on one runtime, beside a plugin
// that must not notice: it runs before and after each, on the same fuel.
func TestAttacks(t *testing.T) {
	r := newRuntime(t, plugin.Options{Limits: siege})
	witness := bind(t, load(t, r, filtering(nil).bytes()), plugin.Filter, "")
	quiet := func(t *testing.T) int64 {
		t.Helper()
		out, err := witness.Run(t.Context(), updates(3), nil)
		if err != nil || origins(out) != "0 1 2" {
			t.Fatalf("another plugin: %q, %v", origins(out), err)
		}
		return out[0].Fuel + out[1].Fuel + out[2].Fuel
	}
	goroutines, fuel := runtime.NumGoroutine(), quiet(t)
	count := 0
	for group, attacks := range map[string][]attack{"load": loadAttacks(), "bind": bindAttacks(), "run": runAttacks(), "answer": answerAttacks()} {
		for _, a := range attacks {
			count++
			t.Run(group+"/"+a.name, func(t *testing.T) {
				wasm, ok := a.guest.([]byte)
				if !ok {
					wasm = a.guest.(interface{ bytes() []byte }).bytes()
				}
				err := assault(t, r, wasm, group)
				var g *plugin.GuestError
				var invalid *plugin.InvalidError
				switch {
				case a.fault == "load":
					if err != nil {
						t.Errorf("error %v, want it taken for what it is", err)
					}
				case err == nil:
					t.Fatal("nothing happened")
				case a.fault == "" && !errors.As(err, &invalid):
					t.Errorf("error %T: %v, want it refused", err, err)
				case a.fault != "" && (!errors.As(err, &g) || g.Fault != a.fault):
					t.Errorf("error %T: %v, want %q", err, err, a.fault)
				case !strings.Contains(err.Error(), a.words) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000:
					t.Errorf("error %q, want …%s… in a line", err, a.words)
				}
				if again := quiet(t); again != fuel {
					t.Errorf("another plugin took %d fuel, and before %d", again, fuel)
				}
			})
		}
	}
	if count < 60 {
		t.Errorf("%d attacks are too few", count)
	}
	t.Logf("%d attacks", count)
	if n := runtime.NumGoroutine(); n > goroutines+2 {
		t.Errorf("%d goroutines, and before %d", n, goroutines)
	}
}

// assault loads a hostile module, binds it and runs events through it, of which
// the second is the bad one, and returns how it ended.
func assault(t *testing.T, r *plugin.Runtime, wasm []byte, group string) error {
	t.Helper()
	m, err := r.Load(t.Context(), wasm)
	if err != nil {
		return err
	}
	defer m.Close()
	b, err := m.Bind(t.Context(), m.Info().Kinds[0], []byte(`{"a":1}`), "hostile@1")
	if err != nil {
		return err
	}
	defer b.Close()
	in := mixed(4, 1)
	if group == "answer" {
		in = in[:1]
	}
	out, err := b.Run(t.Context(), in, nil)
	if err != nil {
		return fmt.Errorf("the stage could not run: %w", err)
	}
	failed := slices.IndexFunc(out, func(it pipeline.Item) bool { return it.Err != nil })
	if failed < 0 {
		return nil
	}
	if group == "run" && origins(out) != "0 1! 2 3" && !strings.Contains(origins(out), "0!") {
		t.Errorf("came out %q", origins(out))
	}
	return out[failed].Err
}
