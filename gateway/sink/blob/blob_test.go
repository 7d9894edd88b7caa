package blob_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/blob"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

func TestConforms(t *testing.T) {
	useAzurite(t) // before the suite counts goroutines
	f := sinktest.Features{
		Faults:     []sinktest.Fault{sinktest.Refuse, sinktest.Busy, sinktest.Drop, sinktest.Stall},
		RetryAfter: 7 * time.Second, LooseJSON: true,
	}
	sinktest.Run(t, f, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		e := newEndpoint(t)
		return open(t, e.settings(`,"maxAge":"5ms"`), blob.Options{}), e
	})
}

// events makes n of them, with data of the given size.
func events(n, size int) []delivery.Delivery {
	batch := make([]delivery.Delivery, n)
	for i := range batch {
		batch[i].Event = event.Event{ID: fmt.Sprint(i), Source: "s", Type: "t", Data: []byte(`"` + strings.Repeat("x", size) + `"`)}
	}
	return batch
}

func requireDelivered(t testing.TB, outcomes []delivery.Outcome) {
	t.Helper()
	for i, out := range outcomes {
		if out.Blame != delivery.None {
			t.Fatalf("outcome %d = %v (%s)", i, out.Blame, out.Reason())
		}
	}
}

// TestSharedFile has Sends of several lanes share a file, which none of them
// returns without.
func TestSharedFile(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	s := open(t, e.settings(`,"maxAge":"1s","prefix":"lake/plant-1/"`), blob.Options{})
	var running sync.WaitGroup
	for range 5 {
		running.Go(func() {
			requireDelivered(t, s.Send(t.Context(), events(20, 1)))
			if len(e.files()) == 0 {
				t.Error("delivered, and no file is there")
			}
		})
	}
	running.Wait()
	files := e.files()
	if len(files) != 1 || !fileName.MatchString(strings.TrimPrefix(files[0], "lake/plant-1/")) || len(e.Received()) != 100 {
		t.Errorf("files %q with %d events, want one with 100", files, len(e.Received()))
	}
	got, err := e.owner.NewBlobClient(files[0]).GetProperties(t.Context(), nil)
	if err != nil || *got.ContentType != "application/x-ndjson" || *got.BlobType != "BlockBlob" {
		t.Errorf("%v %v, %v", *got.ContentType, *got.BlobType, err)
	}
}

// TestPartitions writes around midnight of the end of a year, by a clock that
// is then set back: names still are in the order of writing.
func TestPartitions(t *testing.T) {
	e := newEndpoint(t)
	var mu sync.Mutex // guards now
	now := time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", 3600))
	s := open(t, e.settings(`,"maxAge":"0s"`), blob.Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	for i, step := range []time.Duration{0, time.Hour, time.Nanosecond, -time.Hour} {
		mu.Lock()
		now = now.Add(step)
		mu.Unlock()
		batch := events(1, 1)
		batch[0].Event.ID = fmt.Sprint(i)
		requireDelivered(t, s.Send(t.Context(), batch))
	}
	var got []string
	for _, name := range e.files() {
		got = append(got, name[:strings.LastIndexByte(name, '-')])
	}
	want := []string{
		"date=2026-12-31/hour=22/20261231T225959.999999999Z", "date=2026-12-31/hour=23/20261231T235959.999999999Z",
		"date=2027-01-01/hour=00/20270101T000000.000000000Z", "date=2027-01-01/hour=00/20270101T000000.000000001Z",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("files %q, want %q", got, want)
	}
	for i, x := range e.Received() {
		if x.ID != fmt.Sprint(i) {
			t.Errorf("event %s is the %dth by name", x.ID, i)
		}
	}
}

// TestClosedEarly gives files reasons to be written long before their maxAge.
func TestClosedEarly(t *testing.T) {
	const hour = `,"maxAge":"30m"`
	t.Run("full batch", func(t *testing.T) {
		t.Parallel()
		e := newEndpoint(t)
		s := open(t, e.settings(hour), blob.Options{})
		requireDelivered(t, s.Send(t.Context(), events(s.Capacity().Batch, 1)))
	})
	t.Run("full by bytes", func(t *testing.T) {
		t.Parallel()
		e := newEndpoint(t)
		s := open(t, e.settings(hour), blob.Options{})
		requireDelivered(t, s.Send(t.Context(), events(2, 600<<10)))
	})
	t.Run("maxBytes", func(t *testing.T) {
		t.Parallel()
		e := newEndpoint(t)
		s := open(t, e.settings(`,"maxAge":"2s","maxBytes":1048576`), blob.Options{})
		var running sync.WaitGroup
		for range 4 { // of which two fit into a file
			running.Go(func() { requireDelivered(t, s.Send(t.Context(), events(1, 500<<10))) })
		}
		running.Wait()
		if files := e.files(); len(files) < 2 || len(e.Received()) != 4 {
			t.Errorf("%d events in %d files", len(e.Received()), len(files))
		}
		for _, name := range e.files() {
			if n := len(e.read(name)); n > 1<<20 {
				t.Errorf("a file of %d bytes", n)
			}
		}
	})
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		e := newEndpoint(t)
		s := open(t, e.settings(hour), blob.Options{})
		requireDelivered(t, s.Send(deadline(t, 6*time.Second), events(1, 1)))
	})
}

// deadline is a context that ends after d, and with t.
func deadline(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, fmt.Errorf("no answer within %s", d))
	t.Cleanup(cancel)
	return ctx
}

// TestWithdrawn has one of two Sends give up while their file gathers: its
// events are not in it.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	s := open(t, e.settings(`,"maxAge":"30m"`), blob.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := make(chan []delivery.Outcome, 1)
	go func() { gone <- s.Send(ctx, events(3, 1)) }()
	kept := make(chan []delivery.Outcome, 1)
	go func() { kept <- s.Send(deadline(t, 6*time.Second), events(1, 1)) }()
	cancel(errors.New("not any more"))
	if out := (<-gone)[0]; out.Blame != delivery.Nobody || !strings.HasSuffix(out.Reason(), ": not any more") {
		t.Errorf("outcome = %v (%s)", out.Blame, out.Reason())
	}
	requireDelivered(t, <-kept)
	if got := len(e.Received()); got != 1 {
		t.Errorf("%d events are there, want 1", got)
	}
}

// TestAnswerLost breaks the connection after the service took the file and
// before it said so. The next try is another file: twice, but not lost.
func TestAnswerLost(t *testing.T) {
	e := newEndpoint(t)
	s := open(t, e.settings(`,"maxAge":"0s"`), blob.Options{})
	for _, unheard := range []bool{true, false} {
		e.mu.Lock()
		e.unheard = unheard
		e.mu.Unlock()
		want := map[bool]delivery.Blame{true: delivery.Nobody}[unheard]
		if out := s.Send(t.Context(), events(1, 1))[0]; out.Blame != want {
			t.Errorf("outcome = %v (%s), want %v", out.Blame, out.Reason(), want)
		}
	}
	if got := len(e.Received()); got != 2 {
		t.Errorf("%d events are there, want the same one twice", got)
	}
}

func TestProbe(t *testing.T) {
	e := newEndpoint(t)
	s := open(t, e.settings(``), blob.Options{})
	if found, err := s.Probe(t.Context()); err != nil || !strings.Contains(found, "takes blocks") {
		t.Errorf("Probe = %q, %v", found, err)
	}
	if files := e.files(); len(files) != 0 {
		t.Errorf("the probe left %q", files)
	}
	e.Fail(sinktest.Refuse)
	if _, err := s.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "403 AuthorizationPermissionMismatch") || strings.Contains(err.Error(), key) {
		t.Errorf("Probe = %v", err)
	}
}
