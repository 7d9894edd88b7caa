package journal_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/journal"
)

// TestReadWaits: readers that start anywhere see each later chunk once, in order.
func TestReadWaits(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	const chunks = 300
	var readers sync.WaitGroup
	for from := range uint64(8) {
		readers.Go(func() {
			want := max(from, 1)
			for c, err := range j.Read(t.Context(), from) {
				if err != nil || c.Seq != want || len(c.Events) == 0 {
					t.Errorf("reader from %d: chunk %d of %d events, %v; want %d", from, c.Seq, len(c.Events), err, want)
					return
				}
				if want++; want > chunks {
					return
				}
			}
			t.Errorf("reader from %d ended before chunk %d", from, want)
		})
	}
	for i := range chunks {
		if _, err := j.Append(t.Context(), numbered(i, 1, 10)); err != nil {
			t.Fatal(err)
		}
	}
	readers.Wait()
}

func TestReadEnds(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	read := func(ctx context.Context) {
		var last error
		for _, err := range j.Read(ctx, 1) {
			last = err
		}
		ended <- last
	}
	go read(ctx)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("a read whose context ended yields %v, want nothing", err)
	}
	go read(t.Context())
	shut(t, j)
	if err := <-ended; !errors.Is(err, journal.ErrClosed) {
		t.Errorf("a read of a closed journal yields %v, want ErrClosed", err)
	}
	if _, err := j.Append(t.Context(), numbered(0, 1, 0)); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Append to a closed journal = %v, want ErrClosed", err)
	}
	if err := j.SaveMarks(t.Context(), nil); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("SaveMarks of a closed journal = %v, want ErrClosed", err)
	}
	if _, err := j.Retries().Put(t.Context(), letters(0, 1, "e")); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Put to a closed journal = %v, want ErrClosed", err)
	}
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestSeqAt(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := &clock{now: start}
	j := open(t, t.TempDir(), journal.Options{Now: c.Now})
	if seq, err := j.SeqAt(t.Context(), start); seq != 1 || err != nil {
		t.Errorf("SeqAt of an empty journal = %d, %v, want 1", seq, err)
	}
	for i := range 20 {
		if i == 10 {
			c.add(-time.Hour) // a clock that is set back does not unsort the journal
		}
		if _, err := j.Append(t.Context(), numbered(i, 1, 0)); err != nil {
			t.Fatal(err)
		}
		c.add(time.Second)
	}
	tests := []struct {
		name string
		at   time.Time
		want uint64
	}{
		{"long before", start.Add(-time.Hour), 1},
		{"the first", start, 1},
		{"exactly", start.Add(4 * time.Second), 5},
		{"between", start.Add(4*time.Second + 1), 6},
		{"where the clock stood", start.Add(9 * time.Second), 10},
		{"after all", start.Add(9*time.Second + 1), 21},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if seq, err := j.SeqAt(t.Context(), tt.at); seq != tt.want || err != nil {
				t.Errorf("SeqAt = %d, %v, want %d", seq, err, tt.want)
			}
		})
	}
}

// TestFull: a journal of what is owed refuses; once the marks have passed, it
// purges and goes on.
func TestFull(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{MaxBytes: 4 << 20})
	if err := j.SaveMarks(t.Context(), []delivery.Mark{{Endpoint: "hub", Low: 1}}); err != nil {
		t.Fatal(err)
	}
	var accepted uint64
	fill := func() error {
		for {
			if _, err := j.Append(t.Context(), numbered(0, 100, 1000)); err != nil {
				return err
			}
			accepted += 100
		}
	}
	err := fill()
	var retry interface{ RetryAfter() time.Duration }
	if !errors.Is(err, journal.ErrFull) || !errors.As(err, &retry) || retry.RetryAfter() <= 0 {
		t.Fatalf("Append to a full journal = %v, want ErrFull with RetryAfter", err)
	}
	if err := j.Healthy(); !errors.Is(err, journal.ErrFull) {
		t.Errorf("Healthy = %v, want ErrFull", err)
	}
	if st := j.Stats(); j.First() != 1 || st.Accepted != accepted || st.Bytes < 3<<20 {
		t.Errorf("First = %d, want 1; Stats = %+v, want %d accepted", j.First(), st, accepted)
	}
	last := j.Last()
	if err := j.SaveMarks(t.Context(), []delivery.Mark{{Endpoint: "hub", Low: last - 3}}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return j.First() > 1 && j.Healthy() == nil }) // without another try
	if j.First() > last-3 {
		t.Errorf("First = %d, what is owed begins at %d", j.First(), last-3)
	}
	waitFor(t, func() bool { // the purge may still go on
		_, err := j.Append(t.Context(), numbered(0, 100, 1000))
		if err != nil && !errors.Is(err, journal.ErrFull) {
			t.Fatal(err)
		}
		return err == nil
	})
}

// TestRetention: what no endpoint owes is kept by age and by size.
func TestRetention(t *testing.T) {
	tests := []struct {
		name string
		opt  journal.Options
		want func(first, last uint64) bool
	}{
		{"keep nothing", journal.Options{RetainBytes: -1}, func(first, last uint64) bool { return first == last }},
		{"by age", journal.Options{RetainAge: 4 * time.Minute}, func(first, last uint64) bool { return first == 8 }},
		{"by size", journal.Options{RetainBytes: 100 << 10}, func(first, last uint64) bool { return last-first == 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			tt.opt.Now, tt.opt.MaxBytes = c.Now, 1<<20
			j := open(t, t.TempDir(), tt.opt)
			for i := range 12 { // 40 KiB each, of which MaxBytes allows for 26
				if _, err := j.Append(t.Context(), numbered(i*40, 40, 800)); err != nil {
					t.Fatal(err)
				}
				c.add(time.Minute)
			}
			before := readUntil(t, j, 1, 12)
			if err := j.SaveMarks(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			c.add(-time.Minute)
			if _, err := j.Append(t.Context(), numbered(480, 40, 800)); err != nil { // has it look
				t.Fatal(err)
			}
			waitFor(t, func() bool { return j.First() > 1 })
			if !tt.want(j.First(), j.Last()) {
				t.Errorf("kept %d to %d", j.First(), j.Last())
			}
			kept := readUntil(t, j, 0, j.Last())[:len(before)-int(j.First()-1)]
			if diff := cmp.Diff(before[j.First()-1:], kept); j.First() <= 12 && diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

// waitFor returns once what a goroutine of the journal brings about is so.
func waitFor(t testing.TB, so func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-deadline:
			t.Fatal("it did not happen within 30 s")
		case <-tick.C:
		}
	}
}
