package sinktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// requireAll demands n outcomes, each with the given blame.
func requireAll(t *testing.T, outcomes []delivery.Outcome, n int, want delivery.Blame) {
	t.Helper()
	if len(outcomes) != n {
		t.Fatalf("Send returned %d outcomes for %d deliveries", len(outcomes), n)
	}
	for i, out := range outcomes {
		if out.Blame != want {
			t.Fatalf("outcome %d = %v (%s), want %v", i, out.Blame, out.Reason(), want)
		}
	}
}

// requireSame demands that got is what the sink's protocol can carry of want.
func (s suite) requireSame(t *testing.T, got, want event.Event) {
	t.Helper()
	requireEqual(t, s.carried(got), s.carried(want))
}

// carried is e without what the features except.
func (s suite) carried(e event.Event) event.Event {
	if s.EmptyIsNoData && len(e.Data) == 0 {
		e.Data = nil
	}
	if s.LooseJSON && event.IsJSON(e.DataContentType) {
		var compact bytes.Buffer
		if json.Compact(&compact, e.Data) == nil {
			e.Data = compact.Bytes()
		}
	}
	if s.DataOnly {
		return event.Event{Data: e.Data}
	}
	if s.TextExtensions {
		e.Extensions = slices.Clone(e.Extensions)
		for i := range e.Extensions {
			e.Extensions[i].Kind = event.String
		}
	}
	return e
}

// requireEqual reports the attributes in which two events differ.
func requireEqual(t *testing.T, got, want event.Event) {
	t.Helper()
	if got.Data == nil != (want.Data == nil) || !bytes.Equal(got.Data, want.Data) {
		t.Errorf("event %q: data = %s, want %s", want.ID, excerpt(got.Data), excerpt(want.Data))
	}
	if len(got.Extensions) == 0 && len(want.Extensions) == 0 {
		got.Extensions, want.Extensions = nil, nil
	}
	got.Data, want.Data = nil, nil
	if g, w := fmt.Sprintf("%+q", got), fmt.Sprintf("%+q", want); g != w {
		t.Errorf("event %q:\n got %s\nwant %s", want.ID, g, w)
	}
}

func excerpt(data []byte) string {
	if data == nil {
		return "none"
	}
	if len(data) > 200 {
		return fmt.Sprintf("%q… (%d bytes)", data[:200], len(data))
	}
	return fmt.Sprintf("%q", data)
}
