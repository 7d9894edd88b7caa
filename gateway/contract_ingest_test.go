package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/google/go-cmp/cmp"
)

// stored returns the accepted event with the CloudEvents id, as the API shows
// it, or nil when there is none.
func (s *server) stored(id string) map[string]any {
	s.t.Helper()
	list := s.api(http.MethodGet, "/events?id="+id, "").want(s.t, 200).object(s.t)
	e, _ := at(s.t, list, "items", 0, "event").(map[string]any)
	return e
}

func contractIngest(t *testing.T, s *server) {
	const structured, batch = "application/cloudevents+json", "application/cloudevents-batch+json"
	tests := []struct {
		name     string
		header   []string
		body     string
		accepted int
		id, want string // an event, and what is kept of it
	}{
		{
			"binary", []string{"ce-specversion", "1.0", "ce-id", "in1", "ce-source", "not a uri", "ce-type", "t", "Content-Type", "application/json"}, `{"a": 1}`, 1,
			"in1", `{"specversion":"1.0","id":"in1","source":"not a uri","type":"t","datacontenttype":"application/json","data":{"a":1}}`,
		},
		{
			"binary, percent-encoded", []string{"ce-specversion", "1.0", "ce-id", "in2", "ce-source", "/a%20b", "ce-type", "t", "ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80%22%25", "ce-ext", "100%", "Content-Type", "text/plain"}, "hi", 1,
			"in2", `{"specversion":"1.0","id":"in2","source":"/a b","type":"t","subject":"Euro € 😀\"%","ext":"100%","datacontenttype":"text/plain","data":"hi"}`,
		},
		{
			"binary, quoted", []string{"ce-specversion", "1.0", "ce-id", "in3", "ce-source", "/s", "ce-type", "t", "ce-subject", `"a \"b\" c"`}, "", 1,
			"in3", `{"specversion":"1.0","id":"in3","source":"/s","type":"t","subject":"a \"b\" c"}`,
		},
		{
			"binary, bytes", []string{"ce-specversion", "1.0", "ce-id", "in4", "ce-source", "/s", "ce-type", "t", "Content-Type", "application/octet-stream"}, "\x00\xff", 1,
			"in4", `{"specversion":"1.0","id":"in4","source":"/s","type":"t","datacontenttype":"application/octet-stream","data_base64":"AP8="}`,
		},
		{
			"structured", []string{"Content-Type", structured + "; charset=UTF-8"}, `{"specversion":"1.0","id":"in5","source":"/s","type":"t","n":7,"b":true,"data":{"x":[1,null]}}`, 1,
			"in5", `{"specversion":"1.0","id":"in5","source":"/s","type":"t","n":7,"b":true,"data":{"x":[1,null]}}`,
		},
		{
			"structured, base64", []string{"Content-Type", structured}, `{"specversion":"1.0","id":"in6","source":"/s","type":"t","datacontenttype":"application/octet-stream","data_base64":"AP8="}`, 1,
			"in6", `{"specversion":"1.0","id":"in6","source":"/s","type":"t","datacontenttype":"application/octet-stream","data_base64":"AP8="}`,
		},
		{
			"structured wins over ce- headers", []string{"Content-Type", structured, "ce-id", "other"}, `{"specversion":"1.0","id":"in7","source":"/s","type":"t"}`, 1,
			"in7", `{"specversion":"1.0","id":"in7","source":"/s","type":"t"}`,
		},
		{"batch", []string{"Content-Type", batch}, `[{"specversion":"1.0","id":"in8","source":"/s","type":"t"},{"specversion":"1.0","id":"in9","source":"/s","type":"t"}]`, 2,
			"in9", `{"specversion":"1.0","id":"in9","source":"/s","type":"t"}`},
		{"batch of none", []string{"Content-Type", batch}, `[]`, 0, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call(http.MethodPost, "/events", tt.body, tt.header...).want(t, http.StatusAccepted)
			if got := r.object(t); got["accepted"] != float64(tt.accepted) || len(got) != 1 {
				t.Errorf("answer %s, want %d accepted", r.body, tt.accepted)
			}
			if tt.id == "" {
				return
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.stored(tt.id)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("official client", func(t *testing.T) {
		client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(s.http.URL + "/events"))
		if err != nil {
			t.Fatal(err)
		}
		for i, ctx := range []func() error{
			func() error {
				return client.Send(cloudevents.WithEncodingBinary(t.Context()), sdkEvent(t, "sdk0"))
			},
			func() error {
				return client.Send(cloudevents.WithEncodingStructured(t.Context()), sdkEvent(t, "sdk1"))
			},
		} {
			if err := ctx(); !cloudevents.IsACK(err) {
				t.Errorf("send: %v", err)
			}
			if e := s.stored(fmt.Sprint("sdk", i)); at(t, e, "data", "hello") != "world" || e["twin"] != "room-1" {
				t.Errorf("kept %v", e)
			}
		}
	})
}

func sdkEvent(t *testing.T, id string) cloudevents.Event {
	e := cloudevents.NewEvent()
	e.SetID(id)
	e.SetSource("https://example.com/here")
	e.SetType("com.example.sdk")
	e.SetExtension("twin", "room-1")
	if err := e.SetData(cloudevents.ApplicationJSON, map[string]string{"hello": "world"}); err != nil {
		t.Fatal(err)
	}
	return e
}

func contractRefusals(t *testing.T, s *server) {
	const structured, batch = "application/cloudevents+json", "application/cloudevents-batch+json"
	event := func(id, more string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/s","type":"t"%s}`, id, more)
	}
	large := strings.Repeat("x", 1<<20)
	tests := []struct {
		name   string
		path   string
		header []string
		body   string
		status int
		index  any // nil for a fault that is of no event
		field  any
	}{
		{"no JSON", "/events", []string{"Content-Type", structured}, `{"id":`, 400, nil, nil},
		{"one bad event of three", "/events", []string{"Content-Type", batch}, "[" + event("no", "") + "," + event("no", `,"time":"today"`) + "," + event("no", "") + "]", 400, 1.0, "time"},
		{"one that is alone", "/events", []string{"Content-Type", structured}, `{"specversion":"1.0","id":"no","type":"t"}`, 400, 0.0, "source"},
		{"empty source", "/events", []string{"Content-Type", structured}, `{"specversion":"1.0","id":"no","source":"","type":"t"}`, 400, 0.0, "source"},
		{"binary without id", "/events", []string{"ce-specversion", "1.0", "ce-source", "/s", "ce-type", "t"}, "", 400, 0.0, "id"},
		{"old version", "/events", []string{"ce-specversion", "0.3", "ce-id", "no", "ce-source", "/s", "ce-type", "t"}, "", 400, 0.0, "specversion"},
		{"attribute in capitals", "/events", []string{"Content-Type", batch}, "[" + event("no", `,"Twin":"x"`) + "]", 400, 0.0, "Twin"},
		{"attribute twice", "/events", []string{"Content-Type", batch}, "[" + event("no", `,"subject":"a","subject":"b"`) + "]", 400, 0.0, "subject"},
		{"extension that is an object", "/events", []string{"Content-Type", batch}, "[" + event("no", `,"x":{}`) + "]", 400, 0.0, "x"},
		{"data twice", "/events", []string{"Content-Type", batch}, "[" + event("no", `,"data":1,"data_base64":"AA=="`) + "]", 400, 0.0, "data_base64"},
		{"no array in a batch", "/events", []string{"Content-Type", batch}, event("no", ""), 400, nil, nil},
		{"large event", "/events", []string{"Content-Type", batch}, "[" + event("no", "") + "," + event("no", `,"data":"`+large+`"`) + "]", 413, 1.0, nil},
		{"large request", "/events", []string{"Content-Type", structured}, strings.Repeat(" ", 16<<20) + event("no", ""), 413, nil, nil},
		{"neither mode", "/events", []string{"Content-Type", "application/json"}, event("no", ""), 415, nil, nil},
		{"another format", "/events", []string{"Content-Type", "application/cloudevents+xml"}, "<event/>", 415, nil, nil},
		{"topic of no version", "/api/events", []string{"Content-Type", "application/json"}, "[]", 400, nil, "api-version"},
		{"topic, no type", "/api/events?api-version=2018-01-01", []string{"Content-Type", "application/json"}, `[{"id":"no","subject":"s","eventTime":"2026-03-01T12:00:00Z","dataVersion":"1","data":{}}]`, 400, 0.0, "eventType"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.call(http.MethodPost, tt.path, tt.body, tt.header...).problem(t, tt.status)
			if p["index"] != tt.index || p["field"] != tt.field {
				t.Errorf("index %v, field %v, want %v, %v", p["index"], p["field"], tt.index, tt.field)
			}
		})
	}
	if e := s.stored("no"); e != nil {
		t.Errorf("of a refused request %v was kept", e)
	}
}

func contractEventGrid(t *testing.T, s *server) {
	const topic, hook = "/api/events?api-version=2018-01-01", "/webhooks/eventgrid"
	grid := func(id, more string) string {
		return fmt.Sprintf(`[{"id":%q,"subject":"room-1","eventType":"Microsoft.DigitalTwins.Twin.Update","eventTime":"2026-03-01T12:00:00Z","dataVersion":"1.0","metadataVersion":"1"%s}]`, id, more)
	}
	inner := `{"modelId":"dtmi:m;1","patch":[{"value":1,"path":"/x","op":"add"}]}`
	tests := []struct {
		name, path string
		header     []string
		body, id   string
		want       string
	}{
		{
			"topic", topic, []string{"Content-Type", "application/json; charset=utf-8"}, grid("eg1", `,"topic":"/subscriptions/x","data":{"a":1}`), "eg1",
			`{"specversion":"1.0","id":"eg1","source":"/subscriptions/x","type":"Microsoft.DigitalTwins.Twin.Update","subject":"room-1","time":"2026-03-01T12:00:00Z","dataversion":"1.0","data":{"a":1}}`,
		},
		{
			"no topic, no time", topic, []string{"Content-Type", "application/json"}, `[{"id":"eg2","subject":"s","eventType":"t","eventTime":"0001-01-01T00:00:00Z","dataVersion":"","data":{"a":1}}]`, "eg2",
			`{"specversion":"1.0","id":"eg2","source":"/api/events","type":"t","subject":"s","data":{"a":1}}`,
		},
		{
			"CloudEvents to the topic", topic, []string{"Content-Type", "application/cloudevents-batch+json; charset=utf-8"}, `[{"specversion":"1.0","id":"eg3","source":"/s","type":"t"}]`, "eg3",
			`{"specversion":"1.0","id":"eg3","source":"/s","type":"t"}`,
		},
		{
			"pushed, wrapped twice", hook, []string{"Content-Type", "application/json; charset=utf-8", "aeg-event-type", "Notification"},
			grid("eg4", `,"topic":"/subscriptions/x","data":{"data":`+inner+`,"contenttype":"application/json","traceparent":"00-1-2-01"}`), "eg4",
			`{"specversion":"1.0","id":"eg4","source":"/subscriptions/x","type":"Microsoft.DigitalTwins.Twin.Update","subject":"room-1","time":"2026-03-01T12:00:00Z","dataversion":"1.0","datacontenttype":"application/json","traceparent":"00-1-2-01","data":` + inner + `}`,
		},
		{
			"pushed, wrapped once", hook, []string{"Content-Type", "application/json", "aeg-event-type", "Notification"}, grid("eg5", `,"data":`+inner), "eg5",
			`{"specversion":"1.0","id":"eg5","source":"/webhooks/eventgrid","type":"Microsoft.DigitalTwins.Twin.Update","subject":"room-1","time":"2026-03-01T12:00:00Z","dataversion":"1.0","data":` + inner + `}`,
		},
		{
			"pushed CloudEvent", hook, []string{"Content-Type", "application/cloudevents+json; charset=utf-8", "WebHook-Request-Origin", "eventgrid.azure.net"}, `{"specversion":"1.0","id":"eg6","source":"/s","type":"t"}`, "eg6",
			`{"specversion":"1.0","id":"eg6","source":"/s","type":"t"}`,
		},
		{
			"pushed batch of CloudEvents", hook, []string{"Content-Type", "application/cloudevents-batch+json"}, `[{"specversion":"1.0","id":"eg7","source":"/s","type":"t"}]`, "eg7",
			`{"specversion":"1.0","id":"eg7","source":"/s","type":"t"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.call(http.MethodPost, tt.path, tt.body, tt.header...).want(t, http.StatusOK)
			var want map[string]any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.stored(tt.id)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("handshake of the Event Grid schema", func(t *testing.T) {
		r := s.call(http.MethodPost, hook, `[{"id":"v","topic":"/t","subject":"","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-03-01T12:00:00Z","dataVersion":"1","metadataVersion":"1","data":{"validationCode":"512d38b6","validationUrl":"https://example.com/"}}]`,
			"Content-Type", "application/json; charset=utf-8", "aeg-event-type", "SubscriptionValidation").want(t, http.StatusOK)
		if got := r.object(t); got["validationResponse"] != "512d38b6" {
			t.Errorf("answer %s", r.body)
		}
		if e := s.stored("v"); e != nil {
			t.Errorf("the handshake was kept as an event: %v", e)
		}
	})
	t.Run("handshake of CloudEvents", func(t *testing.T) {
		r := s.call(http.MethodOptions, hook, "", "WebHook-Request-Origin", "eventgrid.azure.net", "WebHook-Request-Rate", "120").want(t, http.StatusOK)
		if r.header.Get("WebHook-Allowed-Origin") != "eventgrid.azure.net" || r.header.Get("WebHook-Allowed-Rate") == "" || !strings.Contains(r.header.Get("Allow"), "POST") {
			t.Errorf("headers %v", r.header)
		}
	})
}
