package dispatch_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

// through delivers events by rules to one endpoint, ordered as said, and
// returns what the endpoint got.
func through(t *testing.T, orderBy string, rules []route.Rule, events ...event.Event) (got []delivery.Delivery) {
	synctest.Test(t, func(t *testing.T) {
		m, sink := newMemory(), newRecorder(nil)
		sink.capacity = delivery.Capacity{Lanes: 1, Batch: 100}
		p := policy()
		p.OrderBy = orderBy
		d := open(t, m, plan(t, rules, dispatch.Endpoint{Name: "hub", Policy: p, Sink: sink}))
		m.append(events...)
		synctest.Wait()
		closeNow(t, d)
		got = sink.deliveries()
	})
	return got
}

func TestKey(t *testing.T) {
	relation := event.Event{ID: "1", Source: "host", Type: event.RelationshipUpdate, Subject: "twin-1/relationships/r-1", Data: []byte(`{"a":{"b":"x","n":1.50,"t":true,"z":null,"o":{"k":[1]},"e":""},"esc":"\u0041"}`)}
	relation.Extensions = []event.Extension{{Name: "site", Value: "berlin"}}
	telemetry := event.Event{ID: "2", Source: "host/digitaltwins/twin-2", Type: event.Telemetry, Subject: "component", Data: []byte(`not JSON`)}
	shaped := setting(func(e *event.Event, p *delivery.Properties) {
		e.Data, e.Source = []byte(`{"a":{"b":"shaped"}}`), "other"
	})
	session := setting(func(_ *event.Event, p *delivery.Properties) { p.SessionID, p.PartitionKey = "s", "p" })
	partition := setting(func(_ *event.Event, p *delivery.Properties) { p.PartitionKey = "p" })
	tests := []struct {
		orderBy string
		event   event.Event
		stage   pipeline.Stage
		want    string
	}{
		{"", relation, nil, "twin-1"},
		{"subject", relation, nil, "twin-1"},
		{"subject", telemetry, nil, "twin-2"},
		{"subject", relation, session, "s"},
		{"subject", relation, partition, "p"},
		{"subject", relation, shaped, "twin-1"},
		{"none", relation, session, ""},
		{"id", relation, nil, "1"},
		{"source", relation, nil, "host"},
		{"source", relation, shaped, "other"}, // of what leaves
		{"type", relation, nil, event.RelationshipUpdate},
		{"time", relation, nil, ""},
		{"site", relation, session, "berlin"},
		{"site", telemetry, nil, ""},
		{"$body.a.b", relation, nil, "x"},
		{"$body.a.b", relation, shaped, "shaped"},
		{"$body.a.n", relation, nil, "1.50"},
		{"$body.a.t", relation, nil, "true"},
		{"$body.a.z", relation, nil, "null"},
		{"$body.a.e", relation, nil, ""},
		{"$body.a.o", relation, nil, `{"k":[1]}`},
		{"$body.esc", relation, nil, "A"},
		{"$body.a.missing", relation, nil, ""},
		{"$body.a.b.c", relation, nil, ""},
		{"$body.a", telemetry, nil, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s of %s", tt.orderBy, tt.event.ID), func(t *testing.T) {
			r := rule("r", 0)
			if tt.stage != nil {
				r.Pipeline = pipeline.New(tt.stage)
			}
			got := through(t, tt.orderBy, []route.Rule{r}, tt.event)
			if len(got) != 1 || got[0].Key != tt.want {
				t.Errorf("got %+v, want the key %q", got, tt.want)
			}
		})
	}
}

// setting is a stage that changes an event and its properties.
func setting(set func(*event.Event, *delivery.Properties)) pipeline.Stage {
	return stage(func(item pipeline.Item) pipeline.Item {
		e, p := *item.Event, delivery.Properties{}
		set(&e, &p)
		item.Event, item.Properties = &e, &p
		return item
	})
}

func TestIdempotencyKey(t *testing.T) {
	of := func(r route.Rule, e event.Event) (keys []string) {
		for _, d := range through(t, "", []route.Rule{r}, e) {
			k, _ := d.Event.Extension("idempotencykey")
			keys = append(keys, k)
		}
		return keys
	}
	e := twin("id", "k")
	base := of(rule("r", 0), e)[0]
	newer := rule("r", 0, setting(func(e *event.Event, _ *delivery.Properties) { e.ID, e.Data = "changed", []byte(`1`) }))
	newer.ProducedBy = "fedcba9876543210"
	if got := of(newer, e)[0]; got != base {
		t.Error("another version of the route's plugin made another key")
	}
	again := e
	again.Subject, again.Time = "elsewhere", "2026-01-01T00:00:00Z"
	if got := of(rule("r", 0), again)[0]; got != base {
		t.Error("the key depends on more than source, id, route and output")
	}
	seen := map[string]string{base: "the first"}
	other := func(what, key string) {
		if before, had := seen[key]; had {
			t.Errorf("%s has the key of %s", what, before)
		}
		seen[key] = what
	}
	renamed, moved, shifted := e, e, e
	renamed.ID, moved.Source = "id2", "host2"
	shifted.Source, shifted.ID = "hos", "tid"
	other("another id", of(rule("r", 0), renamed)[0])
	other("another source", of(rule("r", 0), moved)[0])
	other("a boundary moved", of(rule("r", 0), shifted)[0])
	other("another route", of(rule("r2", 0), e)[0])
	for i, key := range of(rule("r", 0, times(3)), e)[1:] {
		other(fmt.Sprint("output ", i+1), key)
	}
}
