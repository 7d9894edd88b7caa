package abi_test

import (
	"encoding/binary"
	"testing"

	"github.com/headgate/headgate/sdk/abi"
)

// example writes the worked example of ABI.md.
func example() ([]byte, int) {
	text := len("1s11t12s22t2level7{}")
	b := make([]byte, abi.InputBytes(2, 1, text))
	w := abi.NewInputWriter(b, 2, 1)
	w.Next()
	w.Set(abi.ID, "1")
	w.Set(abi.Source, "s1")
	w.Set(abi.Type, "1t1")
	w.Next()
	w.Extension("level", "7", abi.Integer)
	w.Set(abi.ID, "2")
	w.Set(abi.Source, "s2")
	w.Set(abi.Type, "2t2")
	w.SetData([]byte("{}"))
	return b, text
}

func TestInputWorkedExample(t *testing.T) {
	b, _ := example()
	in := abi.Input(b)
	if err := in.Check(); err != nil {
		t.Fatal(err)
	}
	if in.Count() != 2 {
		t.Fatalf("count %d, want 2", in.Count())
	}
	list := in.Record(1).Slot(abi.Extensions)
	if want := (abi.Slot{Offset: 176, Length: 1}); list != want {
		t.Errorf("list slot %v, want %v", list, want)
	}
	if got := binary.LittleEndian.Uint32(b[152:]); got != 176 {
		t.Errorf("the list slot of record 1 is not at 152: %d", got)
	}
	p := in.Pair(list, 0)
	if n, v := string(in.Bytes(p.Name)), string(in.Bytes(p.Value)); n != "level" || v != "7" || p.Kind != abi.Integer {
		t.Errorf("pair %q=%q kind %d", n, v, p.Kind)
	}
	for _, tt := range []struct {
		name string
		rec  int
		a    abi.Attribute
		want string
		ok   bool
	}{
		{"id", 0, abi.ID, "1", true},
		{"source", 1, abi.Source, "s2", true},
		{"no data", 0, abi.Data, "", false},
		{"data", 1, abi.Data, "{}", true},
		{"no subject", 1, abi.Subject, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := in.Bytes(in.Record(tt.rec).Slot(tt.a))
			if string(got) != tt.want || (got != nil) != tt.ok {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if v := in.Record(0).Verdict(); v != abi.Unset {
		t.Errorf("verdict %d before the filter ran", v)
	}
	in.Record(1).SetVerdict(abi.Pass)
	if in.Record(0).Verdict() != abi.Unset || in.Record(1).Verdict() != abi.Pass {
		t.Error("a verdict went to the wrong record")
	}
}

func TestOutputRoundTrip(t *testing.T) {
	inBytes, _ := example()
	in := abi.Input(inBytes)
	var w abi.OutputWriter
	for range 2 { // the second round reuses the memory
		w.Reset()
		w.Next(1)
		w.Set(abi.ID, "odd") // leaves the arena unaligned for the list
		w.SetSlot(abi.Source, in.Record(1).Slot(abi.Source).FromInput())
		w.SetSlot(abi.Subject, in.Record(1).Slot(abi.Subject).FromInput())
		w.SetSlot(abi.Extensions, in.Record(1).Slot(abi.Extensions).FromInput())
		w.SetSlot(abi.Properties, w.AppendList([]abi.Pair{{Name: w.AppendString("k"), Value: in.Record(1).Slot(abi.Data).FromInput()}}))
		w.SetScheduled(-5)
		w.SetTimeToLive(1 << 40)
		w.Next(1)
		w.Undo()

		out, err := abi.NewOutput(in, w.Finish())
		if err != nil {
			t.Fatal(err)
		}
		if out.Count() != 1 {
			t.Fatalf("count %d, want 1", out.Count())
		}
		r := out.Record(0)
		if r.Input() != 1 || r.Reserved() != 0 || r.Scheduled() != -5 || r.TimeToLive() != 1<<40 {
			t.Errorf("fixed fields: %d %d %d %d", r.Input(), r.Reserved(), r.Scheduled(), r.TimeToLive())
		}
		if r.Slot(abi.Subject).Present() || r.Slot(abi.Data).Present() {
			t.Error("an absent value became present")
		}
		for a, want := range map[abi.Attribute]string{abi.ID: "odd", abi.Source: "s2"} {
			if got, ok := out.Bytes(r.Slot(a)); !ok || string(got) != want {
				t.Errorf("%v = %q, %v, want %q", a, got, ok, want)
			}
		}
		for a, want := range map[abi.Attribute][2]string{abi.Extensions: {"level", "7"}, abi.Properties: {"k", "{}"}} {
			l, ok := out.List(r.Slot(a))
			if !ok || l.Len() != 1 {
				t.Fatalf("%v: %v, %d pairs", a, ok, l.Len())
			}
			n, _ := out.Bytes(l.Pair(0).Name)
			v, _ := out.Bytes(l.Pair(0).Value)
			if string(n) != want[0] || string(v) != want[1] {
				t.Errorf("%v: %q=%q, want %q", a, n, v, want)
			}
		}
	}
}

// TestOutputNextFrom demands of an output that starts as its event what naming
// each slot of the event gives.
func TestOutputNextFrom(t *testing.T) {
	b, _ := example()
	in := abi.Input(b)
	for i := range in.Count() {
		var w abi.OutputWriter
		w.Reset()
		w.NextFrom(i, in.Record(i))
		out, err := abi.NewOutput(in, w.Finish())
		if err != nil {
			t.Fatal(err)
		}
		r := out.Record(0)
		if r.Input() != uint32(i) || r.Scheduled() != 0 || r.TimeToLive() != 0 {
			t.Errorf("event %d: input %d, scheduled %d, to live %d", i, r.Input(), r.Scheduled(), r.TimeToLive())
		}
		for a := range abi.Attributes {
			got, want := r.Slot(a), in.Record(i).Slot(a).FromInput()
			if got.Present() != want.Present() || want.Present() && got != want {
				t.Errorf("event %d: slot of %v is %v, want %v", i, a, got, want)
			}
		}
		for a := abi.Attributes; a <= abi.Properties; a++ {
			if r.Slot(a).Present() {
				t.Errorf("event %d: %v is present", i, a)
			}
		}
	}
}

func TestNewOutputRefuses(t *testing.T) {
	header := func(magic, count, table uint32, size int) []byte {
		b := make([]byte, max(size, abi.HeaderBytes))
		binary.LittleEndian.PutUint32(b, magic)
		binary.LittleEndian.PutUint32(b[4:], count)
		binary.LittleEndian.PutUint32(b[8:], table)
		return b[:size]
	}
	for _, tt := range []struct {
		name string
		out  []byte
		ok   bool
	}{
		{"no outputs", nil, true},
		{"a header alone", header(abi.OutputMagic, 0, 16, 16), true},
		{"exactly one record", header(abi.OutputMagic, 1, 16, 144), true},
		{"a byte short of one record", header(abi.OutputMagic, 1, 16, 143), false},
		{"a byte short of a header", header(abi.OutputMagic, 0, 16, 15), false},
		{"wrong magic", header(abi.InputMagic, 0, 16, 16), false},
		{"unaligned table", header(abi.OutputMagic, 1, 20, 256), false},
		{"count beyond 32 bits of bytes", header(abi.OutputMagic, 1<<31, 16, 4096), false},
		{"table beyond", header(abi.OutputMagic, 0, 0xFFFFFFF8, 16), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := abi.NewOutput(nil, tt.out); (err == nil) != tt.ok {
				t.Errorf("err = %v, want ok %v", err, tt.ok)
			}
		})
	}
}

func TestOutputBytesBounds(t *testing.T) {
	in := make([]byte, 100)
	out := make([]byte, 200)
	binary.LittleEndian.PutUint32(out, abi.OutputMagic)
	o, err := abi.NewOutput(in, out)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name        string
		slot        abi.Slot
		bytes, list bool
	}{
		{"all of output", abi.Slot{Offset: 0, Length: 200}, true, false},
		{"one beyond output", abi.Slot{Offset: 1, Length: 200}, false, false},
		{"empty at the end", abi.Slot{Offset: 200, Length: 0}, true, true},
		{"empty beyond", abi.Slot{Offset: 201, Length: 0}, false, false},
		{"all of input", abi.Slot{Offset: abi.InInput, Length: 100}, true, false},
		{"one beyond input", abi.Slot{Offset: abi.InInput | 1, Length: 100}, false, false},
		{"wraps around", abi.Slot{Offset: 8, Length: 0xFFFFFFF8}, false, false},
		{"list to the end", abi.Slot{Offset: 0, Length: 10}, true, true},
		{"list one byte beyond", abi.Slot{Offset: 184, Length: 1}, true, false},
		{"unaligned list", abi.Slot{Offset: 2, Length: 1}, true, false},
		{"list whose size wraps", abi.Slot{Offset: 0, Length: 0x0CCCCCCD}, false, false},
		{"list of input", abi.Slot{Offset: abi.InInput, Length: 5}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if b, ok := o.Bytes(tt.slot); ok != tt.bytes || ok && uint32(len(b)) != tt.slot.Length {
				t.Errorf("Bytes: %d bytes, %v, want %v", len(b), ok, tt.bytes)
			}
			if l, ok := o.List(tt.slot); ok != tt.list || ok && uint32(l.Len()) != tt.slot.Length {
				t.Errorf("List: %d pairs, %v, want %v", l.Len(), ok, tt.list)
			}
		})
	}
}

// FuzzOutput reads everything that a hostile arena names.
func FuzzOutput(f *testing.F) {
	var w abi.OutputWriter
	w.Reset()
	w.Next(0)
	w.Set(abi.ID, "x")
	w.SetSlot(abi.Extensions, w.AppendList([]abi.Pair{{Name: w.AppendString("a"), Value: w.AppendString("b")}}))
	in, _ := example()
	f.Add(in, append([]byte(nil), w.Finish()...))
	f.Fuzz(func(t *testing.T, in, arena []byte) {
		out, err := abi.NewOutput(in, arena)
		if err != nil {
			return
		}
		for i := range min(out.Count(), 64) {
			r := out.Record(i)
			for a := abi.ID; a <= abi.Properties; a++ {
				out.Bytes(r.Slot(a))
				list, _ := out.List(r.Slot(a))
				for j := range min(list.Len(), 64) {
					p := list.Pair(j)
					out.Bytes(p.Name)
					out.Bytes(p.Value)
				}
			}
		}
	})
}
