package sinktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// These are the parts of the suite in which the endpoint takes everything.

func (s suite) capacity(t *testing.T) {
	sink, _ := s.start(t)
	if c := sink.Capacity(); c.Lanes < 1 || c.Batch < 1 || c.BatchBytes < 0 {
		t.Errorf("Capacity = %+v, want at least one lane and one delivery", c)
	}
}

func (s suite) shapes(t *testing.T) {
	sink, endpoint := s.start(t)
	want := Events()
	for _, batch := range cut(deliveries(want...), sink.Capacity()) {
		requireAll(t, sink.Send(t.Context(), batch), len(batch), delivery.None)
	}
	got := endpoint.Received()
	if len(got) != len(want) {
		t.Fatalf("endpoint took %d events, want %d", len(got), len(want))
	}
	for i := range want {
		s.requireSame(t, got[i], want[i])
	}
}

func (s suite) largest(t *testing.T) {
	sink, endpoint := s.start(t)
	want := largest()
	requireAll(t, sink.Send(t.Context(), deliveries(want)), 1, delivery.None)
	if got := endpoint.Received(); len(got) == 1 {
		s.requireSame(t, got[0], want)
	} else {
		t.Errorf("endpoint took %d events, want 1", len(got))
	}
}

func (s suite) outcomes(t *testing.T) {
	sink, endpoint := s.start(t)
	most := sink.Capacity().Batch
	total := 0
	for _, n := range slices.Compact([]int{0, 1, most/2 + 1, most}) {
		requireAll(t, sink.Send(t.Context(), numbered("key", n)), n, delivery.None)
		total += n
	}
	if got := len(endpoint.Received()); got != total {
		t.Errorf("endpoint took %d events, want %d", got, total)
	}
}

// order sends from as many goroutines as the sink has lanes, each with keys of
// its own, as the engine does.
func (s suite) order(t *testing.T) {
	const keys, each = 3, 40 // keys per lane, deliveries per key
	sink, endpoint := s.start(t)
	c := sink.Capacity()
	var running sync.WaitGroup
	for lane := range c.Lanes {
		var all []delivery.Delivery
		for k := range keys {
			all = append(all, numbered(fmt.Sprintf("lane%dkey%d", lane, k), each)...)
		}
		// Interleave the keys, so that a batch holds several.
		slices.SortStableFunc(all, func(a, b delivery.Delivery) int { return a.Position.Index - b.Position.Index })
		running.Go(func() {
			for _, batch := range cut(all, c) {
				for _, out := range sink.Send(t.Context(), batch) {
					if out.Blame != delivery.None {
						t.Errorf("lane %d: %v, want delivered", lane, out.Reason())
					}
				}
			}
		})
	}
	running.Wait()
	next := map[string]int{}
	for _, e := range endpoint.Received() {
		var id string
		if err := json.Unmarshal(e.Data, &id); err != nil {
			t.Fatalf("endpoint took data %q: %v", e.Data, err)
		}
		key, n, _ := strings.Cut(id, "-")
		if want := fmt.Sprint(next[key]); n != want {
			t.Fatalf("of key %s the endpoint took number %s, want %s", key, n, want)
		}
		next[key]++
	}
	if len(next) != c.Lanes*keys {
		t.Errorf("endpoint took %d keys, want %d", len(next), c.Lanes*keys)
	}
}

// arguments scribbles over everything it has passed, once Send is done with it.
func (s suite) arguments(t *testing.T) {
	sink, endpoint := s.start(t)
	for _, want := range Events() {
		batch, untouched := deliveries(clone(want)), deliveries(clone(want))
		requireAll(t, sink.Send(t.Context(), batch), 1, delivery.None)
		requireEqual(t, batch[0].Event, untouched[0].Event)
		scribble(batch)
	}
	want := Events()
	for i, got := range endpoint.Received() {
		s.requireSame(t, got, want[i])
	}
}

func (s suite) ended(t *testing.T) {
	sink, endpoint := s.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch := numbered("key", sink.Capacity().Batch)
	for i, out := range sink.Send(ctx, batch) {
		if out.Blame != delivery.Nobody && (out.Blame != delivery.Held || i == 0) {
			t.Fatalf("outcome %d = %v (%v), want transient", i, out.Blame, out.Reason())
		}
	}
	if got := len(endpoint.Received()); got != 0 {
		t.Errorf("endpoint took %d events, want none", got)
	}
}

// close counts goroutines, so nothing else may run beside it.
func (s suite) close(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("sink and endpoint", func(t *testing.T) {
		sink, _ := s.open(t)
		requireAll(t, sink.Send(t.Context(), numbered("key", 1)), 1, delivery.None)
		for range 2 {
			if err := sink.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		}
		unused, _ := s.open(t)
		if err := unused.Close(); err != nil {
			t.Errorf("Close of a sink that sent nothing = %v", err)
		}
	})
	eventually(t, "for goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}

func scribble(batch []delivery.Delivery) {
	for i := range batch {
		e := &batch[i].Event
		for j := range e.Data {
			e.Data[j] = '!'
		}
		for j := range e.Extensions {
			e.Extensions[j] = event.Extension{Name: "scribbled", Value: "over"}
		}
		*e = event.Event{ID: "scribbled over"}
	}
}

func clone(e event.Event) event.Event {
	e.Extensions = slices.Clone(e.Extensions)
	e.Data = bytes.Clone(e.Data)
	return e
}
