// Command hostile is a guest that misbehaves as its configuration says, for
// the tests of the host: {"do":"…"}. Events whose data is "bad" are the ones
// that it misbehaves on; the others it treats well.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"time"
	"unsafe"

	"github.com/headgate/headgate/sdk/abi"
)

//go:wasmimport headgate_v1 begin
func begin(event uint32)

//go:wasmimport headgate_v1 fail
func fail(event, ptr, n uint32)

//go:wasmimport headgate_v1 log
func log(level, ptr, n uint32)

func main() {}

var (
	arena    []byte
	handles  []string
	closed   int
	seen     int
	w        abi.OutputWriter
	ballast  [][]byte
	describe = []byte(`{"name":"hostile","kinds":["filter","transform"],"capabilities":["clock","random"]}`)
)

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

func words(s string) (uint32, uint32) { return address([]byte(s)), uint32(len(s)) }

//go:wasmexport headgate_describe
func exportDescribe() uint64 { return abi.Pack(address(describe), uint32(len(describe))) }

//go:wasmexport headgate_alloc
func exportAlloc(n uint32) uint32 {
	if int(n) > len(arena) {
		arena = make([]byte, n+4096)
	}
	return address(arena)
}

//go:wasmexport headgate_open
func exportOpen(kind, ptr, n uint32) uint32 {
	var config struct{ Do string }
	if err := json.Unmarshal(arena[:n], &config); err != nil {
		panic(err)
	}
	switch config.Do {
	case "refuse":
		p, l := words("do is refused")
		fail(abi.NoEvent, p, l)
		return abi.InvalidHandle
	case "refuse silently":
		return abi.InvalidHandle
	case "open panics":
		panic("open")
	case "open loops":
		for {
		}
	case "wrong handle":
		return 0x80000001
	case "fail an event in open":
		p, l := words("x")
		fail(0, p, l)
	case "count closed":
		fmt.Printf("closed %d of %d\n", closed, len(handles))
	}
	handles = append(handles, config.Do)
	return uint32(len(handles) - 1)
}

//go:wasmexport headgate_close
func exportClose(handle uint32) { closed++ }

// common misbehaves in ways that filters and transforms share.
func common(do string, i uint32) {
	switch do {
	case "panic":
		panic("boom")
	case "index":
		_ = arena[len(arena)+seen]
	case "exit":
		os.Exit(3)
	case "loop":
		for {
		}
	case "recurse":
		recurse(1)
	case "grow":
		for {
			ballast = append(ballast, make([]byte, 1<<20))
		}
	case "fail":
		p, l := words("it is bad")
		fail(i, p, l)
		p, l = words("second words")
		fail(i, p, l)
	case "fail another":
		p, l := words("x")
		fail(i+1000, p, l)
	case "fail config":
		p, l := words("x")
		fail(abi.NoEvent, p, l)
	case "words out of memory":
		fail(i, 0xFFFFFF00, 0x1000)
	case "log out of memory":
		log(1, 0xFFFFFF00, 0x1000)
	case "begin again":
		begin(i)
	case "begin too far":
		begin(i + 2)
	case "tell":
		fmt.Println(world())
	case "world":
		panic(world())
	case "log":
		p, l := words("seen\x1b[1m")
		log(2, p, l)
		fmt.Fprint(os.Stderr, "one\ntwo")
	case "log flood":
		for range 10_000 {
			p, l := words("a line that takes its place in the log, and more")
			log(0, p, l)
		}
	}
}

// world is what the guest sees of time and chance.
func world() string {
	var b [8]byte
	rand.Read(b[:])
	return fmt.Sprintf("%s %x", time.Now().UTC().Format(time.RFC3339Nano), b)
}

func recurse(n int) int {
	if n == 0 {
		return 0
	}
	return recurse(n+1) + 1
}

//go:wasmexport headgate_filter
func exportFilter(handle, ptr, n uint32) uint32 {
	do := handles[handle]
	in := abi.Input(arena[:n])
	count := in.Count()
	for i := range count {
		begin(uint32(i))
		r := in.Record(i)
		r.SetVerdict(abi.Pass)
		if seen++; do == "depend on state" && seen == 3 {
			panic("third")
		}
		if string(in.Bytes(r.Slot(abi.Data))) != "bad" {
			continue
		}
		r.SetVerdict(abi.Drop)
		common(do, uint32(i))
		switch do {
		case "status":
			return 7
		case "no verdict":
			r.SetVerdict(abi.Unset)
		case "verdict":
			r.SetVerdict(9)
		case "overwrite":
			clear(in[:abi.HeaderBytes])
			for k := range in[:abi.HeaderBytes] {
				in[k] = 0xFF
			}
			return 0
		}
	}
	return 0
}

//go:wasmexport headgate_transform
func exportTransform(handle, ptr, n uint32) uint64 {
	do, bad := handles[handle], false
	in := abi.Input(arena[:n])
	w.Reset()
	for i := range in.Count() {
		begin(uint32(i))
		w.Next(i)
		for a := range abi.Attributes {
			w.SetSlot(a, in.Record(i).Slot(a).FromInput())
		}
		if string(in.Bytes(in.Record(i).Slot(abi.Data))) != "bad" {
			continue
		}
		bad = true
		common(do, uint32(i))
		if done, answer := outputs(do, i, in); done {
			return answer
		}
	}
	b := w.Finish()
	if !bad {
		do = ""
	}
	switch do {
	case "magic":
		b[0]++
	case "count":
		b[6] = 1
	case "table":
		b[8], b[9], b[10], b[11] = 0xF8, 0xFF, 0xFF, 0xFF
	case "unaligned arena":
		return abi.Pack(address(b)+4, uint32(len(b)-4))
	case "arena out of memory":
		return abi.Pack(0xFFFFFF00, 0x1000)
	case "huge arena":
		return abi.Pack(8, 0x7FFFFFFF)
	}
	return abi.Pack(address(b), uint32(len(b)))
}

// outputs spoils the current output, or ends the call.
func outputs(do string, i int, in abi.Input) (bool, uint64) {
	far := abi.Slot{Offset: 0x7FFFFF00, Length: 0x10}
	switch do {
	case "nothing":
		return true, 0
	case "slot out of arena":
		w.SetSlot(abi.Subject, far)
	case "slot out of input":
		w.SetSlot(abi.Data, far.FromInput())
	case "slot wraps":
		w.SetSlot(abi.MessageID, abi.Slot{Offset: 0x10, Length: 0xFFFFFFF8})
	case "list out of arena":
		w.SetSlot(abi.Extensions, abi.Slot{Offset: 16, Length: 0x7FFFFFFF})
	case "unaligned list":
		w.SetSlot(abi.Properties, abi.Slot{Offset: 17, Length: 1})
	case "pair out of arena":
		w.SetSlot(abi.Extensions, w.AppendList([]abi.Pair{{Name: far, Value: far}}))
	case "absent pair":
		w.SetSlot(abi.Extensions, w.AppendList([]abi.Pair{{Name: abi.None, Value: abi.None}}))
	case "wrong input":
		w.Next(in.Count())
	case "descending":
		w.Next(i)
		w.Next(0)
		w.Next(i)
		w.Next(0)
	case "reserved":
		w.SetSlot(^abi.Attribute(0), abi.Slot{Offset: uint32(i), Length: 5}) // at 0: input and reserved
	case "many outputs":
		copyOf(1025, i, in)
	case "amplify":
		big := w.Append(make([]byte, 1<<20))
		for range 20 {
			w.Next(i)
			keep(i, in)
			w.SetSlot(abi.Data, big)
		}
	case "no id":
		w.SetSlot(abi.ID, abi.None)
	case "empty source":
		w.Set(abi.Source, "")
	case "control character":
		w.Set(abi.Subject, "a\r\nb")
	case "not UTF-8":
		w.Set(abi.Type, "a\xffb")
	case "not a time":
		w.Set(abi.Time, "yesterday")
	case "too large":
		w.SetBytes(abi.Data, make([]byte, 1<<20))
	case "extension name":
		list("Level", "1", 0)
	case "reserved extension":
		list("source", "1", 0)
	case "extension twice":
		p := abi.Pair{Name: w.AppendString("a"), Value: w.AppendString("1")}
		w.SetSlot(abi.Extensions, w.AppendList([]abi.Pair{p, p}))
	case "bad integer":
		list("level", "01", abi.Integer)
	case "bad boolean":
		list("level", "TRUE", abi.Boolean)
	case "bad kind":
		list("level", "1", 3)
	case "many extensions":
		w.SetSlot(abi.Extensions, w.AppendList(make([]abi.Pair, 257)))
	case "negative time to live":
		w.SetTimeToLive(-1)
	case "input overwritten":
		for k := range in[16:] {
			in[16+k] = 0xFF
		}
	case "undo":
		w.Undo()
	case "several":
		copyOf(2, i, in)
	case "everything":
		everything(in, i)
	}
	return false, 0
}

func keep(i int, in abi.Input) {
	for a := range abi.Attributes {
		w.SetSlot(a, in.Record(i).Slot(a).FromInput())
	}
}

func copyOf(n, i int, in abi.Input) {
	for range n {
		w.Next(i)
		keep(i, in)
	}
}

func list(name, value string, kind abi.ValueKind) {
	w.SetSlot(abi.Extensions, w.AppendList([]abi.Pair{{Name: w.AppendString(name), Value: w.AppendString(value), Kind: kind}}))
}

// everything sets all there is.
func everything(in abi.Input, i int) {
	w.Set(abi.ID, "new")
	w.SetSlot(abi.Subject, in.Record(i).Slot(abi.Source).FromInput()) // another attribute of the input
	w.Set(abi.Time, "2026-01-02T03:04:05.678Z")
	w.SetBytes(abi.Data, nil)
	w.SetSlot(abi.Extensions, w.AppendList([]abi.Pair{
		{Name: w.AppendString("zz"), Value: w.AppendString("-7"), Kind: abi.Integer},
		{Name: w.AppendString("aa"), Value: w.AppendString("true"), Kind: abi.Boolean},
	}))
	w.Set(abi.SessionID, "session")
	w.SetSlot(abi.PartitionKey, in.Record(i).Slot(abi.ID).FromInput())
	w.Set(abi.MessageID, "message")
	w.SetSlot(abi.Properties, w.AppendList([]abi.Pair{{Name: w.AppendString("Name"), Value: w.AppendString("wert ä")}}))
	w.SetScheduled(1_700_000_000_123)
	w.SetTimeToLive(60_000)
}
