package trail_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/trail"
)

func try(seq uint64, index, attempts int, out delivery.Outcome) delivery.Try {
	return delivery.Try{
		Delivery: &delivery.Delivery{
			Endpoint: "hub", Route: "r", Position: event.Position{Seq: seq, Index: index}, Output: 2, Attempts: attempts,
			Event: event.Event{Extensions: []event.Extension{{Name: "producedby", Value: "00ff"}}},
		},
		At: time.Unix(int64(seq), 0), Took: time.Millisecond, Outcome: out,
	}
}

func TestOf(t *testing.T) {
	tr := trail.New(trail.Options{})
	failed := delivery.Transient(errors.New("503 " + strings.Repeat("ü", 400)))
	tr.Record([]delivery.Try{try(7, 1, 1, failed), try(7, 2, 1, delivery.Delivered()), try(8, 1, 1, delivery.NotTried())})
	last := try(7, 1, 2, delivery.Permanent(errors.New("400")))
	last.Dead = true
	tr.Record([]delivery.Try{last})
	one := trail.Attempt{
		Endpoint: "hub", Route: "r", Output: 2, Number: 1, At: time.Unix(7, 0), Took: time.Millisecond,
		Blame: delivery.Nobody, ProducedBy: "00ff", Error: "503 " + strings.Repeat("ü", 148) + "…",
	}
	two := one
	two.Number, two.Blame, two.Error, two.Dead = 2, delivery.Event, "400", true
	if diff := cmp.Diff([]trail.Attempt{one, two}, tr.Of(event.Position{Seq: 7, Index: 1})); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if got := tr.Of(event.Position{Seq: 8, Index: 1}); got != nil {
		t.Errorf("what was held back is no attempt: %v", got)
	}
}

func TestForgets(t *testing.T) {
	tr := trail.New(trail.Options{Attempts: 10_000, Errors: 5})
	if at, forgotten := tr.Since(); !at.IsZero() || forgotten {
		t.Errorf("an empty trail begins at %v, %v", at, forgotten)
	}
	for seq := range uint64(10_010) {
		tr.Record([]delivery.Try{try(seq+1, 0, 1, delivery.Transient(fmt.Errorf("failure %d", seq+1)))})
	}
	if at, forgotten := tr.Since(); !at.Equal(time.Unix(11, 0)) || !forgotten {
		t.Errorf("a full trail begins at %v, %v", at, forgotten)
	}
	for seq, want := range map[uint64]string{10: "none", 11: "", 10_005: "", 10_006: "failure 10006", 10_010: "failure 10010"} {
		got := "none"
		if list := tr.Of(event.Position{Seq: seq}); len(list) == 1 {
			got = list[0].Error
		}
		if got != want {
			t.Errorf("event %d: %q, want %q", seq, got, want)
		}
	}
}

func TestLatest(t *testing.T) {
	tr := trail.New(trail.Options{Attempts: 10_000})
	other := try(1, 0, 1, delivery.Transient(errors.New("elsewhere")))
	other.Delivery.Endpoint = "other"
	for seq := range uint64(12_000) {
		out := delivery.Delivered()
		if seq%3000 == 0 {
			out = delivery.Transient(fmt.Errorf("failure %d", seq))
		}
		tr.Record([]delivery.Try{try(seq, 1, 1, out), other})
	}
	seqs := func(made []trail.Made) (out []uint64) {
		for _, m := range made {
			if m.Endpoint != "hub" || m.Event.Index != 1 {
				t.Errorf("%+v is not of the endpoint", m)
			}
			out = append(out, m.Event.Seq)
		}
		return out
	}
	tests := []struct {
		endpoint string
		failed   bool
		limit    int
		want     []uint64
	}{
		{"hub", false, 3, []uint64{11_999, 11_998, 11_997}},
		{"hub", true, 100, []uint64{9000}}, // the others are forgotten
		{"hub", true, 0, nil},
		{"none", false, 100, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, seqs(tr.Latest(tt.endpoint, tt.failed, tt.limit))); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt, diff)
		}
	}
	if all := seqs(tr.Latest("hub", false, 100_000)); len(all) != 5000 || all[4999] != 7000 {
		t.Errorf("%d attempts down to %d, want the 5,000 that are remembered down to 7000", len(all), all[len(all)-1])
	}
	if empty := trail.New(trail.Options{}).Latest("hub", false, 10); empty != nil {
		t.Errorf("an empty trail has %v", empty)
	}
}

// Recording allocates nothing.
func TestRecordAllocates(t *testing.T) {
	tr := trail.New(trail.Options{})
	tries := []delivery.Try{try(7, 1, 1, delivery.Delivered()), try(7, 2, 1, delivery.Delivered())}
	if n := testing.AllocsPerRun(100, func() { tr.Record(tries) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	tr := trail.New(trail.Options{})
	tries := make([]delivery.Try, 256)
	for i := range tries {
		tries[i] = try(7, i, 1, delivery.Delivered())
	}
	b.ReportAllocs()
	for b.Loop() {
		tr.Record(tries)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(tries)), "ns/try")
}
