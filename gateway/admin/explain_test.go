package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// plain is an event that JSON carries unchanged.
func plain() catalog.CloudEvent {
	e := sample("1", "room")
	e.Data = []byte(`{"a":1}`)
	return catalog.CloudEvent{Event: e}
}

// verdict is a route's with all that there can be.
func verdict(route string) catalog.RouteVerdict {
	at := time.Unix(9, 0).UTC()
	letter := event.Position{Seq: 7}
	return catalog.RouteVerdict{
		Route: route, Endpoint: "hub", Filter: "true", Disabled: true, Gone: true, ProducedBy: "00ff", Note: "newer",
		TestResult: catalog.TestResult{
			Why: "type is 'a'", Error: "trapped", Fuel: 5, Logs: []string{"hello"},
			Condition: &catalog.FilterSpan{Text: "type = 'b'", End: 10}, Verdict: "false",
			Values:  []catalog.FilterValue{{Field: "type", Text: "'a'", Value: json.RawMessage(`"a"`)}, {Field: "x", Text: "missing"}},
			Plugins: []catalog.PluginVerdict{{Plugin: "tsi@1", Kind: "transform", Verdict: "failed", Fuel: 5, Error: "trapped"}},
			Outputs: []catalog.Output{{Event: plain(), Diff: []catalog.EventChange{
				{Part: "data", Op: "replace", Path: "/a", Before: json.RawMessage("1"), After: json.RawMessage("null")}, {Part: "attribute", Op: "add", Path: "subject", After: json.RawMessage(`"s"`)},
			}}},
		},
		Deliveries: []catalog.DeliveryState{{
			Endpoint: "hub", State: catalog.StateDead, Tries: 2, Next: at, Letter: &letter, Reason: "400", ProducedBy: "00ff", Note: "n",
			Attempts: []catalog.DeliveryAttempt{{Attempt: 2, At: at, Took: catalog.Duration(time.Second), Outcome: "event", Error: "400"}},
		}},
	}
}

func (g *gateway) ExplainEvent(ctx context.Context, q catalog.EventExplainQuery) (catalog.EventExplanation, error) {
	stored, err := g.Event(ctx, q.ID)
	out := catalog.EventExplanation{StoredEvent: stored, Revision: 3, Routes: []catalog.RouteVerdict{}}
	if q.Route != "" {
		out.Routes = append(out.Routes, verdict(q.Route))
	}
	if q.Limit == 1 {
		out.Next = "behind " + q.After
	}
	return out, err
}

func (g *gateway) ExplainEvents(_ context.Context, route string, events []event.Event) ([]catalog.Explained, error) {
	if route == "none" {
		return nil, &catalog.NotFoundError{Kind: "route", Name: route}
	}
	out := make([]catalog.Explained, len(events))
	for i, e := range events {
		out[i].Routes = []catalog.RouteVerdict{verdict(e.Subject)}
	}
	return out, nil
}

func (g *gateway) ExplainRoute(_ context.Context, q catalog.ExplainQuery) (catalog.RouteExplanation, error) {
	return catalog.RouteExplanation{
		Route: q.Route, Disabled: true, Revision: 4, Filter: "true", Events: q.Limit, Matched: 1, Share: 0.5, Example: []string{"7-0"},
		Conditions: []catalog.ConditionCount{{Text: "x", End: 1, Count: 1, Undefined: 1, Share: 0.5, Values: []catalog.ValueCount{{Text: "x is missing", Count: 1}}, Examples: []string{"8-0"}}},
		Plugins:    []catalog.PluginCount{{Plugin: "p@1", Kind: "filter", Passed: 1, Dropped: 2, Failed: 3, Share: 0.1, Error: "e", Examples: []string{"9-0"}}},
		Covered:    catalog.Covered{From: q.From.String(), To: q.To.String(), Complete: true}, Next: q.After.String(), Note: "n",
	}, nil
}

func TestExplain(t *testing.T) {
	s := serve(t)
	stored := catalog.StoredEvent{ID: event.Position{Seq: 42}, AcceptedAt: time.Unix(1, 0).UTC(), Event: plain()}
	s.events = append(s.events, stored)
	ctx := t.Context()

	got, err := s.api.ExplainEvent(ctx, catalog.EventExplainQuery{ID: stored.ID, Route: "a/b", Limit: 1, After: "a"})
	want := catalog.EventExplanation{StoredEvent: stored, Revision: 3, Routes: []catalog.RouteVerdict{verdict("a/b")}, Next: "behind a"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ExplainEvent: %v (-want +got):\n%s", err, diff)
	}
	if _, err := s.api.ExplainEvent(ctx, catalog.EventExplainQuery{ID: event.Position{Seq: 1}}); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("an event that never was: %v", err)
	}
	one, err := s.api.Event(ctx, stored.ID)
	if diff := cmp.Diff(stored, one); err != nil || diff != "" {
		t.Errorf("Event: %v (-want +got):\n%s", err, diff)
	}

	raw := json.RawMessage(`{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"hot"}`)
	results, err := s.api.ExplainEvents(ctx, "", []json.RawMessage{raw, raw})
	if diff := cmp.Diff([]catalog.Explained{{Routes: []catalog.RouteVerdict{verdict("hot")}}, {Routes: []catalog.RouteVerdict{verdict("hot")}}}, results); err != nil || diff != "" {
		t.Errorf("ExplainEvents: %v (-want +got):\n%s", err, diff)
	}
	if _, err := s.api.ExplainEvents(ctx, "none", nil); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("a route that is not: %v", err)
	}
	s.want(t, 400, "POST", "/events:explain", `{"events":[{"specversion":"1.0"}]}`)
	s.want(t, 400, "POST", "/events:explain", `{"events":{}}`)
	s.want(t, 400, "POST", "/events:explain", `{"events":[],"other":1}`)

	q := catalog.ExplainQuery{Route: "a/b", From: catalog.Bound{Position: event.Position{Seq: 5}}, To: catalog.Bound{Time: time.Unix(7, 0).UTC()}, After: event.Position{Seq: 6}, Limit: 9}
	h, err := s.api.ExplainRoute(ctx, q)
	wantH, _ := s.ExplainRoute(ctx, q)
	if diff := cmp.Diff(wantH, h); err != nil || diff != "" {
		t.Errorf("ExplainRoute: %v (-want +got):\n%s", err, diff)
	}
	if h, err := s.api.ExplainRoute(ctx, catalog.ExplainQuery{Route: "r"}); err != nil || h.Events != catalog.DefaultExplainEvents {
		t.Errorf("without a limit: %d events, %v", h.Events, err)
	}
	for _, bad := range []string{"limit=0", "limit=100001", "limit=x", "from=soon", "to=1", "after=x"} {
		s.want(t, 400, "GET", "/routes/r/explain?"+bad, "")
	}
	s.want(t, 400, "GET", "/events/42-0?limit=0", "")
}
