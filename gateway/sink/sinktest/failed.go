package sinktest

import (
	"context"
	"slices"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
)

// These are the parts of the suite in which the endpoint fails.

// fault has the endpoint fail one delivery, once, and then recover.
func (s suite) fault(t *testing.T, fault Fault) {
	if fault == Stall {
		return // see stall: it takes an end of the context
	}
	sink, endpoint := s.start(t)
	requireAll(t, sink.Send(t.Context(), numbered("before", 1)), 1, delivery.None)
	tries := endpoint.Tries()

	endpoint.Fail(fault)
	out := sink.Send(t.Context(), numbered("during", 1))
	requireAll(t, out, 1, fault.blame())
	if out[0].Err == nil || out[0].Err.Error() == "" {
		t.Errorf("outcome %v has no words", out[0].Blame)
	}
	if fault == Busy && out[0].RetryAfter != s.RetryAfter {
		t.Errorf("RetryAfter = %v, want %v", out[0].RetryAfter, s.RetryAfter)
	}
	if got := endpoint.Tries() - tries; tries >= 0 && got != 1 {
		t.Errorf("endpoint was tried %d times, want once", got)
	}

	endpoint.Fail(Take)
	requireAll(t, sink.Send(t.Context(), numbered("after", 1)), 1, delivery.None)
	if got := len(endpoint.Received()); got != 2 {
		t.Errorf("endpoint took %d events, want the one before and the one after", got)
	}
}

// partial has the endpoint fail the second delivery of a batch of two keys, so
// that the outcomes must say which of the others may be sent next.
func (s suite) partial(t *testing.T, fault Fault) {
	sink, endpoint := s.start(t)
	most := min(sink.Capacity().Batch, 16)
	if most < 4 || fault == Stall {
		return // nothing can be held back, or nothing follows
	}
	batch := append(numbered("red", most/2), numbered("blue", most-most/2)...)
	slices.SortStableFunc(batch, func(a, b delivery.Delivery) int { return a.Position.Index - b.Position.Index })
	bad := batch[1]
	endpoint.Fail(fault, bad.Event.ID)
	out := sink.Send(t.Context(), batch)
	if len(out) != len(batch) {
		t.Fatalf("Send returned %d outcomes, want %d", len(out), len(batch))
	}
	if out[1].Blame != fault.blame() {
		t.Errorf("outcome of the delivery at fault = %v (%s), want %v", out[1].Blame, out[1].Reason(), fault.blame())
	}
	failed := map[string]bool{}
	for i, o := range out {
		key := batch[i].Key
		switch {
		case o.Blame == delivery.Event && i != 1:
			t.Errorf("outcome %d blames an event that the endpoint would take: %s", i, o.Reason())
		case o.Blame == delivery.Held && !failed[key]:
			t.Errorf("outcome %d is held, but nothing of key %s failed before it", i, key)
		case o.Blame == delivery.None && failed[key]:
			t.Errorf("outcome %d is delivered, after an earlier delivery of key %s failed", i, key)
		}
		failed[key] = failed[key] || !o.Settled()
	}
}

// stall ends the context of a Send that waits for its answer.
func (s suite) stall(t *testing.T) {
	if !slices.Contains(s.Faults, Stall) {
		return
	}
	sink, endpoint := s.start(t)
	endpoint.Fail(Stall)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batch := deliveries(largest()) // so that part of it may still be on its way
	done := make(chan []delivery.Outcome, 1)
	go func() { done <- sink.Send(ctx, batch) }()
	eventually(t, "for the try to arrive", func() bool { return endpoint.Tries() > 0 })
	cancel()
	requireAll(t, <-done, 1, delivery.Nobody)
	scribble(batch)

	endpoint.Fail(Take)
	requireAll(t, sink.Send(t.Context(), numbered("after", 1)), 1, delivery.None)
}
