package eventgrid_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	emulator "github.com/headgate/headgate/gateway/emulator/eventgrid"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/eventgrid"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

var features = sinktest.Features{
	Faults:     []sinktest.Fault{sinktest.Reject, sinktest.Refuse, sinktest.Busy, sinktest.Drop, sinktest.Stall},
	RetryAfter: retryAfter * time.Second,
	LooseJSON:  true,
}

func TestCloudEventsConform(t *testing.T) {
	sinktest.Run(t, features, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		e := listen(t, emulator.CloudEventSchema)
		return open(t, e.settings(withKey("cloudEventSchemaV1_0")), eventgrid.Options{}), e
	})
}

func TestEventGridEventsConform(t *testing.T) {
	sinktest.Run(t, features, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		e := listen(t, emulator.EventGridSchema)
		e.unwrap = func(raw []byte) event.Event { return unwrap(t, raw) }
		return wrapping{open(t, e.settings(withKey("eventGridSchema")), eventgrid.Options{})}, e
	})
}

// TestMappedEvents sends what the mapping plugin makes, as its golden file has
// it, to a topic of the schema, and finds the very bytes there.
func TestMappedEvents(t *testing.T) {
	golden, err := os.ReadFile("../../../plugins/eventgrid/testdata/map.golden")
	if err != nil {
		t.Fatal(err)
	}
	e := listen(t, emulator.EventGridSchema)
	s := open(t, e.settings(withKey("")), eventgrid.Options{})
	var sent []string
	for line := range strings.Lines(string(golden)) {
		_, data, ok := strings.Cut(line, ": {")
		if data = "{" + strings.TrimSpace(data); !ok || !json.Valid([]byte(data)) {
			continue
		}
		added := event.Event{ID: "1", Source: "s", Type: "t", Data: []byte(data), DataContentType: "application/json",
			Extensions: []event.Extension{{Name: "idempotencykey", Value: "k"}, {Name: "producedby", Value: "p"}}}
		if out := send(t, s, added)[0]; out.Blame != delivery.None && !strings.Contains(data, `"topic"`) {
			t.Fatalf("%s: %v", data, out.Reason())
		} else if out.Blame == delivery.None {
			sent = append(sent, data)
		}
	}
	if len(sent) < 5 {
		t.Fatalf("sent %d events: the golden file is not read rightly", len(sent))
	}
	for i, p := range e.server.Topic("twins").Events {
		got := string(p.Event)
		if !strings.HasPrefix(got, sent[i][:len(sent[i])-1]) || strings.Contains(got, "idempotencykey") {
			t.Errorf("arrived %s,\nsent    %s", got, sent[i])
		}
	}
}

// TestNotMapped sends what no stage has made an event of the schema of: it
// fails alone, with advice, and the others of its batch go out.
func TestNotMapped(t *testing.T) {
	good := event.Event{ID: "good", Source: "s", Type: "t"}
	good.Data = wrap(&good)
	e := listen(t, emulator.EventGridSchema)
	s := open(t, e.settings(withKey("EVENTGRIDSCHEMA")), eventgrid.Options{})
	for _, tt := range []struct{ name, data, words string }{
		{"none", ``, "the data is not an event in the Event Grid schema;"},
		{"no JSON", `{"id":`, "the data is not an event in the Event Grid schema;"},
		{"an array", `[{"id":"1"}]`, "the data is not an event in the Event Grid schema;"},
		{"a twin's update", `{"modelId":"dtmi:x;1","patch":[]}`, "it has no id;"},
		{"empty type", `{"id":"1","subject":"s","eventType":"","eventTime":"2026-01-01T00:00:00Z","data":1}`, "it has no eventType;"},
		{"number for a time", `{"id":"1","subject":"s","eventType":"t","eventTime":1,"data":1}`, "it has no eventTime;"},
		{"no data", `{"id":"1","subject":"s","eventType":"t","eventTime":"2026-01-01T00:00:00Z"}`, "it has no data;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := event.Event{ID: "bad", Source: "s", Type: "t", Data: []byte(tt.data)}
			out := send(t, s, good, bad, good)
			if out[1].Blame != delivery.Event || !strings.Contains(out[1].Reason(), tt.words) || !strings.Contains(out[1].Reason(), "transform eventgrid") {
				t.Errorf("outcome = %v (%s), want the event's fault: %s", out[1].Blame, out[1].Reason(), tt.words)
			}
			if out[0].Blame != delivery.None || out[2].Blame != delivery.None {
				t.Errorf("the others: %v, %v", out[0].Reason(), out[2].Reason())
			}
		})
	}
}

// TestRequestBytes fills requests up to their bound, and looks at each.
func TestRequestBytes(t *testing.T) {
	url, seen := serve(t, accept)
	s := open(t, `{"topicEndpoint":"`+url+`","caFile":"`+trusted(t, url)+`","accessKey":"`+key+`","schema":"cloudEventSchemaV1_0"}`, eventgrid.Options{})
	for _, sizes := range [][]int{
		{1}, {400_000, 400_000, 400_000, 10, 10}, {600_000, 600_000}, {1_000_001, 5}, {5, 1_000_001, 5},
	} {
		var events []event.Event
		for i, n := range sizes {
			events = append(events, event.Event{ID: fmt.Sprint(i), Source: "s", Type: "t", Data: []byte(`"` + strings.Repeat("x", n) + `"`)})
		}
		for i, out := range send(t, s, events...) {
			if out.Blame != delivery.None {
				t.Fatalf("%v: outcome %d = %s", sizes, i, out.Reason())
			}
		}
		next := 0
		for len(seen) > 0 {
			r := <-seen
			var got []struct{ ID string }
			if err := json.Unmarshal([]byte(r.body), &got); err != nil {
				t.Fatal(err)
			}
			if len(r.body) > 1_000_000 && len(got) > 1 {
				t.Errorf("%v: a request of %d events has %d bytes", sizes, len(got), len(r.body))
			}
			for _, e := range got {
				if e.ID != fmt.Sprint(next) {
					t.Errorf("%v: event %s came where %d was due", sizes, e.ID, next)
				}
				next++
			}
		}
		if next != len(sizes) {
			t.Errorf("%v: %d events came", sizes, next)
		}
	}
}

// TestBatchFault looks for the one event that a topic will not take.
func TestBatchFault(t *testing.T) {
	e := listen(t, emulator.CloudEventSchema)
	s := open(t, e.settings(withKey("cloudEventSchemaV1_0")), eventgrid.Options{})
	e.Fail(sinktest.Reject, "37")
	events := make([]event.Event, 100)
	for i := range events {
		events[i] = event.Event{ID: fmt.Sprint(i), Source: "s", Type: "t"}
	}
	for i, out := range send(t, s, events...) {
		if want := map[bool]delivery.Blame{true: delivery.Event}[i == 37]; out.Blame != want {
			t.Errorf("outcome %d = %v (%s), want %v", i, out.Blame, out.Reason(), want)
		}
	}
	if got := len(e.Received()); got != 99 {
		t.Errorf("topic took %d events, want 99", got)
	}
}
