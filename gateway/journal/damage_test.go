package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/journal"
)

// spoil changes the first text in a stream's only block file.
func spoil(t *testing.T, dir, stream, text string) {
	t.Helper()
	blocks, err := filepath.Glob(filepath.Join(dir, "store/jetstream/$G/streams", stream, "msgs/*.blk"))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("blocks are %v, %v", blocks, err)
	}
	b, err := os.ReadFile(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(text))
	if at < 0 {
		t.Fatalf("%q is not in %s", text, blocks[0])
	}
	b[at] ^= 0x55
	if err := os.WriteFile(blocks[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedChunk: a reader hears of what is lost, and gets everything else.
func TestDamagedChunk(t *testing.T) {
	for _, damaged := range []int{1, 10, 20} {
		t.Run(fmt.Sprint("chunk ", damaged), func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir, journal.Options{})
			var want []string
			for i := 1; i <= 20; i++ {
				if _, err := j.Append(t.Context(), numbered(i, 1, 300)); err != nil {
					t.Fatal(err)
				}
				want = append(want, fmt.Sprint(i))
			}
			shut(t, j)
			spoil(t, dir, "EVENTS", fmt.Sprintf("room-%d", damaged))
			want[damaged-1] = "damaged"

			j, err := journal.Open(t.Context(), dir, journal.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close(context.Background())
			if p, err := j.Append(t.Context(), numbered(21, 1, 300)); err != nil || p.Seq != 21 {
				t.Fatalf("Append = %v, %v, want chunk 21", p, err)
			}
			want = append(want, "21")
			var got []string
			for c, err := range j.Read(t.Context(), 1) {
				var d *journal.DamagedError
				switch {
				case err == nil:
					got = append(got, c.Events[0].ID)
				case errors.As(err, &d) && errors.Is(err, journal.ErrDamaged) && d.First == uint64(damaged) && d.Last == d.First:
					got = append(got, "damaged")
				default:
					t.Fatal(err)
				}
				if c.Seq == 21 {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			if err := j.Check(t.Context()); err == nil {
				t.Error("Check finds nothing")
			}
		})
	}
}

// TestDamagedSpool: the journal opens, keeps the other entries and says what is lost.
func TestDamagedSpool(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	for i := range 5 {
		if _, err := j.DeadLetters().Put(t.Context(), letters(i, 1, "hub")); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, j)
	spoil(t, dir, "DEADLETTERS", "room-3")
	j, err := journal.Open(t.Context(), dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(context.Background())
	if got := live(t, j.DeadLetters()); len(got) != 4 {
		t.Errorf("%d entries, want 4", len(got))
	}
	if st := j.Stats(); st.DeadLetters.Damaged != 1 || st.Retries.Damaged != 0 {
		t.Errorf("Stats = %+v, want one damaged message of dead letters", st)
	}
	if err := j.Check(t.Context()); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("Check = %v, want ErrDamaged", err)
	}
}

// TestLostMarks: a journal whose positions are gone does not pass for one of
// which nothing is owed.
func TestLostMarks(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	if err := j.SaveMarks(t.Context(), []delivery.Mark{{Endpoint: "hub", Low: 1}}); err != nil {
		t.Fatal(err)
	}
	shut(t, j)
	blocks, _ := filepath.Glob(filepath.Join(dir, "store/jetstream/$G/streams/MARKS/msgs/*.blk"))
	for _, path := range blocks {
		if err := os.WriteFile(path, bytes.Repeat([]byte("garbage "), 100), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(t.Context(), dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(context.Background())
	if marks, err := j.LoadMarks(t.Context()); !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("LoadMarks = %v, %v, want ErrDamaged and what to do", marks, err)
	}
}
