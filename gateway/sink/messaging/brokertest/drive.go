package brokertest

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// Deliveries returns n deliveries of each key, interleaved. Their ids are
// KEY-0, KEY-1, …, and so are their data, as JSON strings.
func Deliveries(n int, keys ...string) []delivery.Delivery {
	var all []delivery.Delivery
	for i := range n {
		for _, key := range keys {
			id := fmt.Sprintf("%s-%d", key, i)
			all = append(all, delivery.Delivery{
				Key: key, Endpoint: "endpoint", Route: "route", Position: event.Position{Seq: 1, Index: len(all)},
				Event: event.Event{
					ID: id, Source: "source", Type: event.TwinUpdate, Subject: key, DataContentType: "application/json",
					Extensions: []event.Extension{{Name: "idempotencykey", Value: "copy-of-" + id}},
					Data:       []byte(`"` + id + `"`),
				},
			})
		}
	}
	return all
}

// Drive sends deliveries until each is settled, as the engine does: by lanes,
// in batches, and again, in order, what was not delivered. It returns the first
// error of a try, and fails t for one that blames an event or when ctx ends.
func Drive(ctx context.Context, t testing.TB, s sinktest.Sink, all []delivery.Delivery) error {
	t.Helper()
	c := s.Capacity()
	lanes := make([][]delivery.Delivery, c.Lanes)
	for _, d := range all {
		h := fnv.New32a()
		h.Write([]byte(d.Key))
		at := h.Sum32() % uint32(c.Lanes)
		lanes[at] = append(lanes[at], d)
	}
	var first error
	var mu sync.Mutex
	var running sync.WaitGroup
	for _, lane := range lanes {
		running.Go(func() {
			for len(lane) > 0 && ctx.Err() == nil {
				batch := lane[:min(len(lane), c.Batch)]
				rest := lane[len(batch):]
				var again []delivery.Delivery
				for i, out := range s.Send(ctx, batch) {
					if out.Blame == delivery.Event {
						t.Errorf("blames event %s: %v", batch[i].Event.ID, out.Err)
					}
					mu.Lock()
					if first == nil {
						first = out.Err
					}
					mu.Unlock()
					if !out.Settled() {
						again = append(again, batch[i])
					}
				}
				lane = append(again, rest...)
			}
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		t.Errorf("not all was delivered: %v; the first error was %v", ctx.Err(), first)
	}
	return first
}

// CheckOrder demands that ids, those of what arrived, hold each of n of a key in
// order, and returns how many are there again. What is there again must follow
// what it repeats with nothing of the key skipped, as a transfer whose
// acknowledgement was lost and that was sent again does.
func CheckOrder(t testing.TB, key string, n int, ids []string) (again int) {
	t.Helper()
	next := 0
	for i, id := range ids {
		var at int
		if _, err := fmt.Sscanf(id, key+"-%d", &at); err != nil {
			t.Fatalf("key %s has %q: %v", key, id, err)
		}
		switch {
		case at == next:
			next++
		case at > next:
			t.Fatalf("of key %s came number %d, want %d: %v", key, at, next, ids[:i+1])
		default:
			again++
		}
	}
	if next != n {
		t.Errorf("of key %s came %d, want %d", key, next, n)
	}
	return again
}
