package event_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
)

func TestRecordKeepsDataPresence(t *testing.T) {
	for _, data := range [][]byte{nil, {}, {0}} {
		e := plain(func(e *event.Event) { e.Data = data })
		got := event.NewRecordReader(event.AppendRecord(nil, &e)).Event()
		if (got.Data == nil) != (data == nil) || !bytes.Equal(got.Data, data) {
			t.Errorf("data %#v came back as %#v", data, got.Data)
		}
	}
}

// TestRecordCutShort reads every prefix of a record.
func TestRecordCutShort(t *testing.T) {
	e, err := event.DecodeJSON([]byte(usual))
	if err != nil {
		t.Fatal(err)
	}
	whole := event.AppendRecord(nil, &e)
	for n := range whole {
		r := event.NewRecordReader(whole[:n])
		if got := r.Event(); !errors.Is(r.Err(), event.ErrRecord) || got.ID != "" {
			t.Fatalf("the first %d of %d bytes read as %+v, %v", n, len(whole), got, r.Err())
		}
	}
}

func FuzzRecordReader(f *testing.F) {
	for _, s := range structuredSeeds {
		if e, err := event.DecodeJSON([]byte(s)); err == nil {
			f.Add(event.AppendRecord(nil, &e))
		}
	}
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, record []byte) {
		r := event.NewRecordReader(record)
		var events []event.Event
		for r.Len() > 0 && r.Err() == nil {
			if e := r.Event(); r.Err() == nil {
				events = append(events, e)
			}
		}
		var again []byte
		for i := range events {
			again = event.AppendRecord(again, &events[i])
		}
		r = event.NewRecordReader(again)
		for i, want := range events {
			if diff := cmp.Diff(want, r.Event()); diff != "" || r.Err() != nil {
				t.Fatalf("event %d: %v (-want +got):\n%s", i, r.Err(), diff)
			}
		}
	})
}
