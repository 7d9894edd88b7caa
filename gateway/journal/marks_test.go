package journal_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/journal"
)

func TestMarks(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	if marks, err := j.LoadMarks(t.Context()); err != nil || len(marks) != 0 {
		t.Fatalf("LoadMarks of a new journal = %v, %v", marks, err)
	}
	for range 3 {
		if _, err := j.Append(t.Context(), numbered(0, 300, 0)); err != nil {
			t.Fatal(err)
		}
	}
	last := j.Last()
	if last != 6 {
		t.Fatalf("Last = %d, want 6", last)
	}
	want := []delivery.Mark{
		{Endpoint: "hub", Low: 2, Settled: [][]byte{{0xff}, {0xff}, {}, {1, 2}}},
		{Endpoint: "file", Low: 7},
		{Endpoint: "", Low: 1},
	}
	for round := range 3 { // the last one saved counts
		want[0].Settled[3][0] = byte(round)
		if err := j.SaveMarks(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, j)
	j = open(t, dir, journal.Options{})
	got, err := j.LoadMarks(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("LoadMarks = %v (-want +got):\n%s", err, diff)
	}

	// Marks that are ahead of the journal are taken back to its end.
	ahead := []delivery.Mark{
		{Endpoint: "far", Low: 100, Settled: [][]byte{{1}}},
		{Endpoint: "part", Low: 5, Settled: [][]byte{{1}, {2}, {3}, {4}}},
	}
	if err := j.SaveMarks(t.Context(), ahead); err != nil {
		t.Fatal(err)
	}
	want = []delivery.Mark{{Endpoint: "far", Low: 7}, {Endpoint: "part", Low: 5, Settled: [][]byte{{1}, {2}}}}
	got, err = j.LoadMarks(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("LoadMarks = %v (-want +got):\n%s", err, diff)
	}
}

// TestMarksTooMany: bitmaps that do not fit are left out, positions never.
func TestMarksTooMany(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	if _, err := j.Append(t.Context(), numbered(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	var marks []delivery.Mark
	for i := range 40 {
		m := delivery.Mark{Endpoint: fmt.Sprint("e", i), Low: 1}
		m.Settled = [][]byte{bytes.Repeat([]byte{byte(i)}, 100_000)}
		marks = append(marks, m)
	}
	if err := j.SaveMarks(t.Context(), marks); err != nil {
		t.Fatal(err)
	}
	got, err := j.LoadMarks(t.Context())
	if err != nil || len(got) != len(marks) {
		t.Fatalf("LoadMarks = %d marks, %v", len(got), err)
	}
	kept := 0
	for i, m := range got {
		if m.Endpoint != marks[i].Endpoint || m.Low != 1 {
			t.Errorf("mark %d is %q at %d", i, m.Endpoint, m.Low)
		}
		kept += len(m.Settled)
	}
	if kept < 15 || kept > 21 {
		t.Errorf("%d bitmaps were kept, want about 20", kept)
	}
}
