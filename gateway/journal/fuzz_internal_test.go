package journal

// White-box: the codecs of what is on disk are not exported.

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

func FuzzChunk(f *testing.F) {
	b := make([]byte, chunkHeader)
	head{accepted: 1, events: 2, bytes: 3, count: 1}.put(b)
	f.Add(event.AppendRecord(b, &event.Event{ID: "1", Source: "s", Type: "t", Data: []byte("x")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeChunk(7, b)
		if err != nil {
			return
		}
		again := append([]byte(nil), b[:chunkHeader]...)
		for i := range c.Events {
			again = event.AppendRecord(again, &c.Events[i])
		}
		d, err := decodeChunk(7, again)
		if err != nil || !reflect.DeepEqual(c, d) {
			t.Fatalf("written again and read: %v\n%+v\n%+v", err, c, d)
		}
	})
}

func FuzzEntry(f *testing.F) {
	at := time.Unix(1, 2).UTC()
	f.Add(appendEntry(nil, &Entry{
		Delivery: delivery.Delivery{
			Event:      event.Event{ID: "1", Source: "s", Type: "t", Extensions: []event.Extension{{Name: "a", Value: "b"}}},
			Properties: delivery.Properties{SessionID: "s", ScheduledAt: at, Application: []delivery.Property{{Name: "n", Value: "v"}}},
			Endpoint:   "e", Route: "r", Key: "k", Position: event.Position{Seq: 1, Index: 2}, Output: 3,
			Accepted: at, Attempts: 4, History: []delivery.Attempt{{At: at, Error: "x"}},
		},
		Reason: "why", DeadAt: at,
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		again := appendEntry(nil, &e)
		d, err := decodeEntry(again)
		if err != nil || !reflect.DeepEqual(e, d) {
			t.Fatalf("written again and read: %v\n%+v\n%+v", err, e, d)
		}
		if name, err := entryEndpoint(again); err != nil || name != e.Delivery.Endpoint {
			t.Fatalf("entryEndpoint = %q, %v", name, err)
		}
	})
}

// TestEntryIsWhole sets every field, also those that are added one day.
func TestEntryIsWhole(t *testing.T) {
	var want Entry
	n := 0
	fillFields(reflect.ValueOf(&want).Elem(), &n)
	got, err := decodeEntry(appendEntry(nil, &want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decodeEntry = %v\n got %+v\nwant %+v", err, got, want)
	}
}

// fillFields gives all that v holds a value that is not zero.
func fillFields(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillFields(v.Elem(), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(*n), 5).UTC()))
			return
		}
		for i := range v.NumField() {
			fillFields(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillFields(v.Index(0), n)
		fillFields(v.Index(1), n)
	case reflect.String:
		v.SetString(string(rune('a' + *n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	default:
		v.SetInt(int64(*n))
	}
}

func FuzzSpoolMessage(f *testing.F) {
	f.Add([]byte{spoolVersion, opPut, 2, 1, 'e', opRemove, 5, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := change(b)
		if err != nil {
			return
		}
		x := index{endpoints: map[string]*tally{}}
		x.apply(5, c)
		x.apply(6, c)
		live := 0
		for _, m := range x.messages {
			live += m.live
		}
		if live != x.live || x.bytes < 0 || x.deadPrefix() == 0 {
			t.Fatalf("%d live entries in messages, %d in all, %d bytes", live, x.live, x.bytes)
		}
	})
}

func FuzzMarks(f *testing.F) {
	f.Add(encodeMarks([]delivery.Mark{{Endpoint: "e", Low: 3, Settled: [][]byte{{1}, {1}, {}, {2, 3}}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 100 {
			return // runs of a few bytes may claim a lot of memory
		}
		marks, err := decodeMarks(b)
		if err != nil {
			return
		}
		again, err := decodeMarks(encodeMarks(marks))
		if err != nil || !reflect.DeepEqual(marks, again) {
			t.Fatalf("written again and read: %v\n%+v\n%+v", err, marks, again)
		}
	})
}

func TestRecordBound(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 70_000} {
		text := string(bytes.Repeat([]byte("x"), n))
		e := event.Event{ID: text, Source: text, Type: text, Subject: text, Time: text, DataContentType: text, DataSchema: text, Data: []byte(text)}
		for range min(n, 500) {
			e.Extensions = append(e.Extensions, event.Extension{Name: text, Value: text})
		}
		if got, bound := len(event.AppendRecord(nil, &e)), recordBound(&e); got > bound {
			t.Errorf("a record of %d bytes is bounded by %d", got, bound)
		}
	}
}
