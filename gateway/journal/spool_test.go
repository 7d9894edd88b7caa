package journal_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
)

// letter is an entry with every field set.
func letter(id int, endpoint string) journal.Entry {
	at := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	return journal.Entry{
		Delivery: delivery.Delivery{
			Event: numbered(id, 1, 40)[0],
			Properties: delivery.Properties{
				SessionID: "s", PartitionKey: "p", MessageID: fmt.Sprint("m", id),
				ScheduledAt: at.Add(time.Hour), TimeToLive: time.Minute,
				Application: []delivery.Property{{Name: "a", Value: "1"}, {Name: "b"}},
			},
			Endpoint: endpoint, Route: "hot-rooms", Key: fmt.Sprint("room-", id%8),
			Position: event.Position{Seq: uint64(id) + 1, Index: 7}, Output: 2,
			Accepted: at, Attempts: 3,
			Origin: &numbered(id, 1, 30)[0], Unrendered: true,
			Redrive: &delivery.Redrive{Letter: delivery.Ref{Seq: 9, Index: id}, At: at.Add(-time.Hour), Attempts: 5},
			History: []delivery.Attempt{{At: at.Add(time.Second), Error: "503"}, {At: at.Add(time.Minute), Error: ""}},
		},
		Reason: "400 Bad Request", DeadAt: at.Add(2 * time.Hour),
	}
}

func letters(first, n int, endpoint string) []journal.Entry {
	entries := make([]journal.Entry, n)
	for i := range entries {
		entries[i] = letter(first+i, endpoint)
	}
	return entries
}

func live(t testing.TB, s *journal.Spool) map[delivery.Ref]journal.Entry {
	t.Helper()
	all := map[delivery.Ref]journal.Entry{}
	var before delivery.Ref
	for k, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatalf("All: %v", err)
		}
		if k.Ref.Compare(before) <= 0 {
			t.Fatalf("All yields %v after %v", k.Ref, before)
		}
		before, all[k.Ref] = k.Ref, k.DeadLetter
	}
	if s.Len() != len(all) {
		t.Errorf("Len = %d, All yields %d", s.Len(), len(all))
	}
	return all
}

func TestSpoolKeepsEntries(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	want := map[delivery.Ref]journal.Entry{}
	put := func(s *journal.Spool, entries ...journal.Entry) []delivery.Ref {
		t.Helper()
		refs, err := s.Put(t.Context(), entries)
		if err != nil || len(refs) != len(entries) {
			t.Fatalf("Put = %v, %v", refs, err)
		}
		for i, ref := range refs {
			want[ref] = entries[i]
		}
		return refs
	}
	s := j.DeadLetters()
	refs := put(s, letters(0, 600, "hub")...)
	refs = append(refs, put(s, letters(600, 3, "file")...)...)
	bare := journal.Entry{Delivery: delivery.Delivery{Event: event.Event{ID: "1", Source: "s", Type: "t"}, Endpoint: "x"}}
	refs = append(refs, put(s, bare)...)

	gone := append([]delivery.Ref{refs[0], refs[255]}, refs[300:500]...)
	if err := s.Remove(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	for _, ref := range gone {
		delete(want, ref)
	}
	again := letter(9000, "hub")
	renamed, err := s.Replace(t.Context(), []delivery.Ref{refs[1], gone[0]}, []journal.Entry{again})
	if err != nil {
		t.Fatal(err)
	}
	delete(want, refs[1])
	want[renamed[0]] = again

	for _, when := range []string{"before", "after"} {
		if diff := cmp.Diff(want, live(t, s)); diff != "" {
			t.Fatalf("entries %s reopening (-want +got):\n%s", when, diff)
		}
		if got := s.Counts(); !cmp.Equal(got, map[string]int{"hub": 398, "file": 3, "x": 1}) || s.Count("hub") != 398 {
			t.Errorf("Counts %s reopening = %v", when, got)
		}
		if _, err := s.Get(t.Context(), gone[1]); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("Get of a removed entry = %v, want ErrNotFound", err)
		}
		if j.Retries().Len() != 0 {
			t.Errorf("the other spool has %d entries", j.Retries().Len())
		}
		shut(t, j)
		j = open(t, dir, journal.Options{})
		s = j.DeadLetters()
	}
}

func TestSpoolPage(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	s := j.Retries()
	for i := range 20 {
		endpoint := []string{"hub", "file"}[i%2]
		if _, err := s.Put(t.Context(), letters(i, 1+i%3, endpoint)); err != nil {
			t.Fatal(err)
		}
	}
	for _, endpoint := range []string{"", "hub", "file", "none"} {
		var after delivery.Ref
		n := 0
		for {
			page, err := s.Page(t.Context(), after, 7, endpoint)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, k := range page {
				if k.Ref.Compare(after) <= 0 || endpoint != "" && k.Delivery.Endpoint != endpoint {
					t.Errorf("page of %q behind %v has %v of %q", endpoint, after, k.Ref, k.Delivery.Endpoint)
				}
				after = k.Ref
				n++
			}
		}
		want := s.Len()
		if endpoint != "" {
			want = s.Count(endpoint)
		}
		if n != want {
			t.Errorf("pages of %q have %d entries, want %d", endpoint, n, want)
		}
	}
}

func TestSpoolRefusesTooLarge(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	e := letter(0, "hub")
	e.Reason = strings.Repeat("x", 9<<20)
	if _, err := j.DeadLetters().Put(t.Context(), []journal.Entry{letter(1, "hub"), e}); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("Put = %v, want ErrTooLarge", err)
	}
	if n := j.DeadLetters().Len(); n != 0 {
		t.Errorf("%d entries after a refusal, want 0", n)
	}
}

// TestSpoolConcurrent: whatever concurrent callers put and did not remove is
// there, under the names that they were told.
func TestSpoolConcurrent(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	s := j.Retries()
	var mu sync.Mutex
	want := map[delivery.Ref]journal.Entry{}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for round := range 20 {
				entries := letters(w*1000+round*10, 1+round%10, fmt.Sprint("e", w))
				refs, err := s.Put(t.Context(), entries)
				if err != nil {
					t.Error(err)
					return
				}
				replaced, err := s.Replace(t.Context(), refs[:1], entries[:1])
				if err != nil {
					t.Error(err)
					return
				}
				refs[0] = replaced[0]
				keep := 0
				if round%4 == 0 {
					keep = len(refs)
				}
				if err := s.Remove(t.Context(), refs[keep:]); err != nil {
					t.Error(err)
				}
				mu.Lock()
				for i := range keep {
					want[refs[i]] = entries[i]
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	shut(t, j)
	j = open(t, dir, journal.Options{})
	if diff := cmp.Diff(want, live(t, j.Retries())); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}
