package journal_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
)

// model is what a journal should hold.
type model struct {
	events  map[event.Position]string
	marks   []delivery.Mark
	floor   uint64 // what all marks have passed
	entries [2]map[delivery.Ref]journal.Entry
}

// TestModel does random things to a journal and to a model of it, and holds
// one against the other after each reopening and each crash, which is a copy
// of the directory opened elsewhere:
//
//  1. every event from First on is at its position; First never exceeds what
//     all marks have passed, nor Last;
//  2. the marks are those saved last;
//  3. the spools hold what was put and not removed, with their counts;
//  4. positions of new events ascend, also after a purge and a crash.
func TestModel(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runModel(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func runModel(t *testing.T, rng *rand.Rand) {
	opt := journal.Options{MaxBytes: 2 << 20, RetainBytes: 64 << 10, RetainAge: time.Hour}
	dir := t.TempDir()
	j := open(t, dir, opt)
	m := &model{events: map[event.Position]string{}, floor: 1}
	m.entries[0], m.entries[1] = map[delivery.Ref]journal.Entry{}, map[delivery.Ref]journal.Entry{}
	next, last := 1, event.Position{}
	if err := j.SaveMarks(t.Context(), []delivery.Mark{{Endpoint: "a", Low: 1}}); err != nil {
		t.Fatal(err)
	}
	m.marks = []delivery.Mark{{Endpoint: "a", Low: 1}}
	for range 300 {
		spools := [2]*journal.Spool{j.Retries(), j.DeadLetters()}
		k := rng.IntN(2)
		switch op := rng.IntN(100); {
		case op < 45:
			events := numbered(next, 1+rng.IntN(40), 200)
			p, err := j.Append(t.Context(), events)
			if err != nil {
				t.Fatal(err)
			}
			if p.Compare(last) <= 0 {
				t.Fatalf("Append = %v, after %v", p, last)
			}
			for i := range events {
				last = event.Position{Seq: p.Seq, Index: p.Index + i}
				m.events[last] = events[i].ID
			}
			next += len(events)
		case op < 60:
			low := m.floor + rng.Uint64N(j.Last()+2-min(m.floor, j.Last()+1))
			m.marks = []delivery.Mark{{Endpoint: "a", Low: low, Settled: [][]byte{{1}, {byte(op)}}}, {Endpoint: "b", Low: low + 1}}
			if err := j.SaveMarks(t.Context(), m.marks); err != nil {
				t.Fatal(err)
			}
			m.floor = low
		case op < 80:
			entries := letters(next, rng.IntN(12), fmt.Sprint("e", rng.IntN(3)))
			removes := pick(rng, m.entries[k], rng.IntN(12))
			refs, err := spools[k].Replace(t.Context(), removes, entries)
			if err != nil {
				t.Fatal(err)
			}
			for i, ref := range refs {
				m.entries[k][ref] = entries[i]
			}
			for _, ref := range removes {
				delete(m.entries[k], ref)
			}
		case op < 90:
			removes := pick(rng, m.entries[k], rng.IntN(30))
			if err := spools[k].Remove(t.Context(), removes); err != nil {
				t.Fatal(err)
			}
			for _, ref := range removes {
				delete(m.entries[k], ref)
			}
		case op < 95: // a crash: what is on disk now, without a word from this process
			copied, ok := copyStill(t, dir)
			if !ok {
				continue
			}
			shut(t, j)
			dir = copied
			j = open(t, dir, opt)
			m.compare(t, j)
		default:
			shut(t, j)
			j = open(t, dir, opt)
			m.compare(t, j)
		}
	}
	m.compare(t, j)
}

// copyStill copies dir, unless a file changes meanwhile, as it does in no crash.
func copyStill(t *testing.T, dir string) (string, bool) {
	look := func() string {
		var b strings.Builder
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil {
				if info, err := d.Info(); err == nil {
					fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano())
				}
			}
			return nil
		})
		return b.String()
	}
	before := look()
	copied := filepath.Join(t.TempDir(), "copy")
	err := os.CopyFS(copied, os.DirFS(dir))
	return copied, err == nil && look() == before
}

func pick(rng *rand.Rand, from map[delivery.Ref]journal.Entry, n int) []delivery.Ref {
	refs := slices.SortedFunc(maps.Keys(from), delivery.Ref.Compare)
	rng.Shuffle(len(refs), func(i, k int) { refs[i], refs[k] = refs[k], refs[i] })
	return refs[:min(n, len(refs))]
}

// compare holds j against m.
func (m *model) compare(t *testing.T, j *journal.Journal) {
	t.Helper()
	read := readUntil(t, j, j.First(), j.Last())
	first := j.First() // it may have purged meanwhile
	if first > m.floor || first > j.Last() {
		t.Errorf("First = %d, Last = %d, the marks have passed %d", first, j.Last(), m.floor)
	}
	want, got := map[event.Position]string{}, map[event.Position]string{}
	for p, id := range m.events {
		if p.Seq >= first {
			want[p] = id
		}
	}
	for _, c := range read {
		for i, e := range c.Events {
			if c.Seq >= first {
				got[event.Position{Seq: c.Seq, Index: i}] = e.ID
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("events (-want +got):\n%s", diff)
	}
	marks, err := j.LoadMarks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range m.marks {
		if end := j.Last() + 1; marks[i].Endpoint != w.Endpoint || marks[i].Low != min(w.Low, end) {
			t.Fatalf("mark %d is %+v, want %+v", i, marks[i], w)
		}
	}
	for k, s := range []*journal.Spool{j.Retries(), j.DeadLetters()} {
		if diff := cmp.Diff(m.entries[k], live(t, s)); diff != "" {
			t.Fatalf("spool %d (-want +got):\n%s", k, diff)
		}
		counts := map[string]int{}
		for _, e := range m.entries[k] {
			counts[e.Delivery.Endpoint]++
		}
		if diff := cmp.Diff(counts, s.Counts()); diff != "" {
			t.Fatalf("counts of spool %d (-want +got):\n%s", k, diff)
		}
	}
}
