package pull_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
)

var usual = pull.Wrap{Type: "message", Source: "sb://n/q", Subject: "$sessionId|$partitionKey", ID: "$messageId|$sequenceNumber"}

// binary are the attributes without which there is no event, under a prefix.
func binary(prefix string, more map[string]any) map[string]any {
	all := map[string]any{prefix + "specversion": "1.0", prefix + "id": "1", prefix + "source": "s", prefix + "type": "t"}
	for name, value := range more {
		all[name] = value
	}
	return all
}

func TestEvents(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	tests := []struct {
		name string
		wrap pull.Wrap
		m    pull.Message
		want []event.Event
	}{
		{"as Azure Digital Twins sends it", usual, pull.Message{
			ContentType: "application/json", Body: []byte(`{"modelId":"dtmi:r;1"}`), ID: "other", Session: "other",
			Properties: binary("cloudEvents:", map[string]any{"cloudEvents:subject": "room", "cloudEvents:time": "2026-01-02T03:04:05.6Z", "cloudEvents:dataschema": "dtmi:r;1", "unrelated": 1}),
		}, []event.Event{{ID: "1", Source: "s", Type: "t", Subject: "room", Time: "2026-01-02T03:04:05.6Z", DataSchema: "dtmi:r;1", DataContentType: "application/json", Data: []byte(`{"modelId":"dtmi:r;1"}`)}}},
		{"the prefix that the binding recommends", usual, pull.Message{Properties: binary("cloudEvents_", map[string]any{"cloudEvents_x": "y"})},
			[]event.Event{{ID: "1", Source: "s", Type: "t", Extensions: []event.Extension{{Name: "x", Value: "y"}}}}},
		{"a content type said twice", usual, pull.Message{ContentType: "text/csv", Body: []byte("1"), Properties: binary("cloudEvents:", map[string]any{"cloudEvents:datacontenttype": "application/json"})},
			[]event.Event{{ID: "1", Source: "s", Type: "t", DataContentType: "text/csv", Data: []byte("1")}}},
		{"a content type in a property alone", usual, pull.Message{Body: []byte("1"), Properties: binary("cloudEvents_", map[string]any{"cloudEvents_datacontenttype": "text/csv"})},
			[]event.Event{{ID: "1", Source: "s", Type: "t", DataContentType: "text/csv", Data: []byte("1")}}},
		{"types of attributes", usual, pull.Message{Properties: binary("cloudEvents:", map[string]any{
			"cloudEvents:time": at, "cloudEvents:bool": true, "cloudEvents:int": int32(-7), "cloudEvents:long": int64(7), "cloudEvents:toolong": int64(1) << 40,
			"cloudEvents:uint": uint32(1<<32 - 1), "cloudEvents:byte": uint8(9), "cloudEvents:double": 1.5, "cloudEvents:bytes": []byte("hi"),
			"cloudEvents:symbol": amqp.Symbol("sym"), "cloudEvents:null": nil,
		})}, []event.Event{{ID: "1", Source: "s", Type: "t", Time: "2026-01-02T03:04:05.6Z", Extensions: []event.Extension{
			{Name: "bool", Value: "true", Kind: event.Boolean}, {Name: "byte", Value: "9", Kind: event.Integer}, {Name: "bytes", Value: "aGk="},
			{Name: "double", Value: "1.5"}, {Name: "int", Value: "-7", Kind: event.Integer}, {Name: "long", Value: "7", Kind: event.Integer},
			{Name: "symbol", Value: "sym"}, {Name: "toolong", Value: "1099511627776"}, {Name: "uint", Value: "4294967295"},
		}}}},
		{"structured", usual, pull.Message{ContentType: "Application/CloudEvents+JSON; charset=utf-8", Body: []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","n":3,"data":[1, 2]}`)},
			[]event.Event{{ID: "1", Source: "s", Type: "t", Extensions: []event.Extension{{Name: "n", Value: "3", Kind: event.Integer}}, Data: []byte(`[1, 2]`)}}},
		{"a batch", usual, pull.Message{ContentType: "application/cloudevents-batch+json", Body: []byte(`[{"specversion":"1.0","id":"1","source":"s","type":"t"},{"specversion":"1.0","id":"2","source":"s","type":"t"}]`)},
			[]event.Event{{ID: "1", Source: "s", Type: "t"}, {ID: "2", Source: "s", Type: "t"}}},
		{"a batch of none", usual, pull.Message{ContentType: "application/cloudevents-batch+json", Body: []byte(`[]`)}, []event.Event{}},
		{"wrapped", usual, pull.Message{Body: []byte(`{"t":21}`), ID: "m1", Session: "hall", PartitionKey: "p", Sequence: "17", Enqueued: at},
			[]event.Event{{ID: "m1", Source: "sb://n/q", Type: "message", Subject: "hall", Time: "2026-01-02T03:04:05.6Z", DataContentType: "application/json", Data: []byte(`{"t":21}`)}}},
		{"wrapped without names", usual, pull.Message{Body: []byte("21 °C"), Sequence: "17"},
			[]event.Event{{ID: "17", Source: "sb://n/q", Type: "message", DataContentType: "text/plain; charset=utf-8", Data: []byte("21 °C")}}},
		{"wrapped bytes", usual, pull.Message{Body: []byte{0xff, 0}, Sequence: "17", PartitionKey: "p"},
			[]event.Event{{ID: "17", Source: "sb://n/q", Type: "message", Subject: "p", DataContentType: "application/octet-stream", Data: []byte{0xff, 0}}}},
		{"wrapped with the content type that it has", usual, pull.Message{Body: []byte("a,b"), ContentType: "text/csv", Sequence: "17"},
			[]event.Event{{ID: "17", Source: "sb://n/q", Type: "message", DataContentType: "text/csv", Data: []byte("a,b")}}},
		{"wrapped with a content type that is none", usual, pull.Message{Body: []byte("{}"), ContentType: "a/b/c", Sequence: "17"},
			[]event.Event{{ID: "17", Source: "sb://n/q", Type: "message", DataContentType: "application/json", Data: []byte("{}")}}},
		{"nothing at all", usual, pull.Message{Sequence: "17"}, []event.Event{{ID: "17", Source: "sb://n/q", Type: "message"}}},
		{"wrapped by properties", pull.Wrap{Type: "$properties.kind|unknown", Source: "plant", Subject: "$properties.device|$subject", ID: "$correlationId"},
			pull.Message{CorrelationID: "c", Subject: "label", Properties: map[string]any{"kind": "alarm", "Device-Id": "d7", "type": int64(5), "DeviceId": "other", "list": []any{1}, "°": "x"}},
			[]event.Event{{ID: "c", Source: "plant", Type: "alarm", Subject: "label", Extensions: []event.Extension{
				{Name: "apptype", Value: "5", Kind: event.Integer}, {Name: "deviceid", Value: "d7"}, {Name: "kind", Value: "alarm"},
			}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.wrap.Events(&tt.m)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventsRefuses(t *testing.T) {
	tests := []struct {
		name string
		wrap pull.Wrap
		m    pull.Message
		want string
	}{
		{"half a CloudEvent", usual, pull.Message{Properties: map[string]any{"cloudEvents:id": "1"}}, "specversion is required"},
		{"a content type alone", usual, pull.Message{Properties: map[string]any{"cloudEvents:datacontenttype": "text/csv"}}, "specversion is required"},
		{"a content type that is none", usual, pull.Message{Properties: binary("cloudEvents:", map[string]any{"cloudEvents:datacontenttype": "a/b/c"})}, "datacontenttype"},
		{"another version", usual, pull.Message{Properties: binary("cloudEvents:", map[string]any{"cloudEvents:specversion": "0.3"})}, `specversion must be "1.0"`},
		{"both prefixes", usual, pull.Message{Properties: binary("cloudEvents:", map[string]any{"cloudEvents_id": "2"})}, "id is given more than once"},
		{"a type that CloudEvents has not", usual, pull.Message{Properties: binary("cloudEvents:", map[string]any{"cloudEvents:x": []any{1}})}, "cloudEvents:x is of a type"},
		{"another format", usual, pull.Message{ContentType: "application/cloudevents+avro"}, "in a format other than JSON"},
		{"no JSON", usual, pull.Message{ContentType: "application/cloudevents+json", Body: []byte(`{`)}, "is not JSON"},
		{"not wrapped", pull.Wrap{Off: true}, pull.Message{Body: []byte(`{}`)}, "setting wrap is false"},
		{"no id to wrap with", pull.Wrap{Type: "t", Source: "s", ID: "$correlationId"}, pull.Message{}, "wrap.id, $correlationId, yields nothing"},
		{"too large", usual, pull.Message{Sequence: "1", Body: bytes.Repeat([]byte{'x'}, event.MaxEventBytes)}, "more than the 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.wrap.Events(&tt.m)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Events = %v, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestBody(t *testing.T) {
	tests := []struct {
		name     string
		data     [][]byte
		value    any
		sequence [][]any
		want     string
		fault    string
	}{
		{"one section", [][]byte{[]byte("a")}, nil, nil, "a", ""},
		{"sections", [][]byte{[]byte("a"), []byte("b")}, nil, nil, "ab", ""},
		{"text", nil, "a", nil, "a", ""},
		{"binary", nil, []byte("a"), nil, "a", ""},
		{"none", nil, nil, nil, "", ""},
		{"a number", nil, int64(3), nil, "3", ""},
		{"a float", nil, 21.5, nil, "21.5", ""},
		{"a truth", nil, true, nil, "true", ""},
		{"a symbol", nil, amqp.Symbol("on"), nil, "on", ""},
		{"a time", nil, time.Unix(0, 0), nil, "1970-01-01T00:00:00Z", ""},
		{"a map", nil, map[string]any{"t": 21.5, "unit": "°C", "at": time.Unix(0, 0), "raw": []byte("hi"), "of": map[any]any{int32(1): nil, "x": uint64(1 << 63)}}, nil,
			`{"at":"1970-01-01T00:00:00Z","of":{"1":null,"x":9223372036854775808},"raw":"aGk=","t":21.5,"unit":"°C"}`, ""},
		{"a list", nil, []any{int8(1), "a", []any{}, amqp.UUID{15: 1}}, nil, `[1,"a",[],"00000000-0000-0000-0000-000000000001"]`, ""},
		{"an array", nil, []int32{1, 2}, nil, `[1,2]`, ""},
		{"sequences", nil, nil, [][]any{{int64(1)}, {"b", true}}, `[1,"b",true]`, ""},
		{"no number in a list", nil, []any{math.NaN()}, nil, "", "cannot be written as JSON (json: unsupported value: NaN)"},
		{"two keys of one text", nil, map[any]any{"1": 1.5, int64(1): 2.5}, nil, "", "two of the same text"},
		{"a map as a key", nil, map[any]any{[1]any{}: 1.5}, nil, "", "a key of the type [1]interface {}"},
		{"another type", nil, []any{struct{}{}}, nil, "", "a value of the type struct {}"},
		{"too deep", nil, nested(200), nil, "", "more than 100 deep"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pull.Body(tt.data, tt.value, tt.sequence)
			if string(got) != tt.want || (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("Body = %q, %v", got, err)
			}
		})
	}
}

// nested is a list in a list, n times.
func nested(n int) any {
	list := []any{}
	for range n {
		list = []any{list}
	}
	return list
}

// TestUndecodable holds that what stands for a message is an event that any
// journal takes, however large the message was.
func TestUndecodable(t *testing.T) {
	m := &pull.Message{Body: bytes.Repeat([]byte{'x'}, event.MaxEventBytes+1), Sequence: "3-17"}
	e := pull.Undecodable(m, "sb://n/hub", errors.New("too\nlarge \xff"))
	if e.Size() > event.MaxEventBytes || e.ID != "3-17" || e.Type != pull.UndecodableType {
		t.Errorf("event %s of type %s has %d bytes", e.ID, e.Type, e.Size())
	}
	want := []event.Extension{{Name: "reason", Value: "too large"}, {Name: "size", Value: "1048577"}}
	if diff := cmp.Diff(want, e.Extensions); diff != "" {
		t.Errorf("extensions (-want +got):\n%s", diff)
	}
	if again, err := event.DecodeJSON(event.AppendJSON(nil, &e)); err != nil || again.ID != e.ID {
		t.Errorf("as JSON it comes back as %v, %v", again.ID, err)
	}
}

// FuzzEvents decodes messages as a broker may hand them over: no panic, and what
// is an event can be written as JSON and read again.
func FuzzEvents(f *testing.F) {
	f.Add("application/json", []byte(`{"a":1}`), "cloudEvents:specversion", "1.0", "cloudEvents:id", "1", int64(3))
	f.Add("application/cloudevents+json", []byte(`{"specversion":"1.0","id":"1","source":"s","type":"t"}`), "", "", "", "", int64(0))
	f.Add("application/cloudevents-batch+json", []byte(`[{"specversion":"1.0","id":"1","source":"s","type":"t"}]`), "", "", "", "", int64(0))
	f.Add("", []byte("text"), "cloudEvents_type", "t", "Device-Id", "7", int64(1)<<40)
	f.Fuzz(func(t *testing.T, contentType string, body []byte, name1, value1, name2, value2 string, number int64) {
		properties := map[string]any{name1: value1, name2: value2, "cloudEvents:n": number}
		for _, m := range []pull.Message{
			{ContentType: contentType, Body: body, Sequence: "1", Session: value1, PartitionKey: value2},
			{ContentType: contentType, Body: body, Sequence: "1", Properties: properties},
			{ContentType: contentType, Body: body, Sequence: "1", Properties: binary("cloudEvents:", properties)},
			{ContentType: contentType, Body: body, Sequence: "1", Properties: map[string]any{name1: body, name2: number}},
		} {
			events, err := usual.Events(&m)
			if err != nil {
				stands := pull.Undecodable(&m, "s", err)
				events = []event.Event{stands}
			}
			for i := range events {
				again, err := event.DecodeJSON(event.AppendJSON(nil, &events[i]))
				if err != nil {
					t.Fatalf("%+v cannot be read again: %v", events[i], err)
				}
				if again.ID != events[i].ID || again.Subject != events[i].Subject || len(again.Extensions) != len(events[i].Extensions) {
					t.Fatalf("%+v comes back as %+v", events[i], again)
				}
			}
		}
	})
}

func BenchmarkEvents(b *testing.B) {
	m := &pull.Message{ContentType: "application/json", Body: bytes.Repeat([]byte("x"), 300), Properties: binary("cloudEvents:", map[string]any{
		"cloudEvents:subject": "room", "cloudEvents:time": "2026-01-02T03:04:05.6Z", "cloudEvents:traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	})}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := usual.Events(m); err != nil {
			b.Fatal(err)
		}
	}
}
