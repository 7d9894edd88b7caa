package event_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
)

// grid is a valid event in the Event Grid schema with more members.
func grid(members string) string {
	return `{"id":"1","subject":"s","eventType":"t","eventTime":"2024-05-01T12:30:00Z"` + members + `}`
}

func TestDecodeEventGrid(t *testing.T) {
	least := event.Event{ID: "1", Source: "/api/events", Type: "t", Subject: "s", Time: "2024-05-01T12:30:00Z"}
	but := func(change func(*event.Event)) event.Event {
		e := least
		change(&e)
		return e
	}
	withTime := func(s string) string { return strings.Replace(grid(``), "2024-05-01T12:30:00Z", s, 1) }
	tests := []struct {
		name, text string
		want       event.Event
	}{
		{"least", grid(``), least},
		{"topic", grid(`,"topic":"/subscriptions/x"`), but(func(e *event.Event) { e.Source = "/subscriptions/x" })},
		{"no topic after all", grid(`,"topic":null`), least},
		{"empty topic", grid(`,"topic":""`), least},
		{"versions", grid(`,"dataVersion":"2.0","metadataVersion":"1"`), but(func(e *event.Event) {
			e.Extensions = []event.Extension{{Name: "dataversion", Value: "2.0"}}
		})},
		{"no version after all", grid(`,"dataVersion":"","metadataVersion":null`), least},
		{"data's exact bytes", grid(`,"data": { "a" : 1.0 } `), but(func(e *event.Event) { e.Data = []byte(`{ "a" : 1.0 }`) })},
		{"data null", grid(`,"data":null`), least},
		{"data a string", grid(`,"data":"x"`), but(func(e *event.Event) { e.Data = []byte(`"x"`) })},
		{"unknown member", grid(`,"extendedLocation":{"a":1},"source":"x"`), least},
		{"empty subject", strings.Replace(grid(``), `"s"`, `""`, 1), but(func(e *event.Event) { e.Subject = "" })},
		{"year 1", withTime("0001-01-01T00:00:00Z"), but(func(e *event.Event) { e.Time = "" })},
		{"offset without colon", withTime("2024-05-01T12:30:00+0200"), but(func(e *event.Event) { e.Time = "2024-05-01T12:30:00+02:00" })},
		{"no offset", withTime("2024-05-01T12:30:00.5"), but(func(e *event.Event) { e.Time = "2024-05-01T12:30:00.5Z" })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := event.DecodeEventGrid([]byte("["+tt.text+"]"), "/api/events")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]event.Event{tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeEventGridRefuses(t *testing.T) {
	without := func(name string) string { return strings.Replace(grid(``), `"`+name+`"`, `"x`+name+`"`, 1) }
	tests := []struct {
		name, text string
		index      int
		field      string
	}{
		{"not JSON", `[`, -1, ""},
		{"alone", grid(``), -1, ""},
		{"no object", `[1]`, 0, ""},
		{"no id", `[` + without("id") + `]`, 0, "id"},
		{"no subject", `[` + without("subject") + `]`, 0, "subject"},
		{"no type", `[` + grid(``) + `,` + without("eventType") + `]`, 1, "eventType"},
		{"no time", `[` + without("eventTime") + `]`, 0, "eventTime"},
		{"null time", `[` + strings.Replace(grid(``), `"2024-05-01T12:30:00Z"`, `null`, 1) + `]`, 0, "eventTime"},
		{"empty id", `[` + strings.Replace(grid(``), `"1"`, `""`, 1) + `]`, 0, "id"},
		{"number as version", `[` + grid(`,"dataVersion":1`) + `]`, 0, "dataVersion"},
		{"twice", `[` + grid(`,"data":1,"data":2`) + `]`, 0, "data"},
		{"a CloudEvent", `[` + with(``) + `]`, 0, "specversion"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := event.DecodeEventGrid([]byte(tt.text), "/api/events")
			var fault *event.FieldError
			if !errors.As(err, &fault) || fault.Index != tt.index || fault.Field != tt.field {
				t.Errorf("error %v, want one of event %d, field %q", err, tt.index, tt.field)
			}
		})
	}
}

func TestUnwrapTwins(t *testing.T) {
	in := func(typ, data string) event.Event {
		return event.Event{ID: "1", Source: "/topics/t", Type: typ, Subject: "room-1", Data: []byte(data),
			Extensions: []event.Extension{{Name: "dataversion", Value: "1.0"}}}
	}
	trace := []event.Extension{{Name: "dataversion", Value: "1.0"}, {Name: "traceparent", Value: "00-1-2-01"}}
	update := in(event.TwinUpdate, `{"modelId": "dtmi:x;1"}`)
	update.DataContentType, update.Extensions = "application/json", trace
	telemetry := in(event.Telemetry, `{"a": 1}`)
	telemetry.DataContentType, telemetry.DataSchema, telemetry.Extensions = "application/json-patch+json; charset=utf-8", "dtmi:x;1", trace
	text := in(event.Telemetry, "21 °C")
	text.DataContentType = "text/plain"
	untyped, untraced := update, update
	untyped.DataContentType, untraced.Extensions = "", untyped.Extensions[:1]
	bare := untraced
	bare.DataContentType = ""
	tests := []struct {
		name     string
		in, want event.Event
	}{
		{"update", in(event.TwinUpdate, `{"data":{"modelId": "dtmi:x;1"},"contenttype":"application/json","traceparent":"00-1-2-01"}`), update},
		{"telemetry", in(event.Telemetry, `{"data":{"a": 1},"dataschema":"dtmi:x;1","contenttype":"application/json-patch+json; charset=utf-8","traceparent":"00-1-2-01"}`), telemetry},
		{"update without a content type", in(event.TwinUpdate, `{"data":{"modelId": "dtmi:x;1"},"traceparent":"00-1-2-01"}`), untyped},
		{"update with a null trace", in(event.TwinUpdate, `{"data":{"modelId": "dtmi:x;1"},"contenttype":"application/json","traceparent":null}`), untraced},
		{"update in data alone", in(event.TwinUpdate, `{"contenttype":null,"data":{"modelId": "dtmi:x;1"}}`), bare},
		{"text telemetry", in(event.Telemetry, `{"data":"21 \u00b0C","contenttype":"text/plain"}`), text},
	}
	for _, data := range []string{ // what is not that envelope is left alone
		`{"modelId":"dtmi:x;1","patch":[]}`, `{"data":{"a":1}}`, `{"contenttype":"application/json"}`, `[1]`, `{`,
		`{"data":1,"contenttype":7}`, `{"data":1,"contenttype":"application/json","depth":3}`,
		`{"data":1,"data":2,"contenttype":"application/json"}`, `{"data":1,"contenttype":"application/json","id":"x"}`,
		`{"data":1,"contenttype":"application/json","dataschema":"relative"}`,
	} {
		tests = append(tests, struct {
			name     string
			in, want event.Event
		}{data, in(event.Telemetry, data), in(event.Telemetry, data)})
	}
	for _, data := range []string{ // nor what has no content type, and could be a twin or a patch
		`{"data":1}`, `{"data":null}`, `{"data":{"a":1},"modelId":"dtmi:x;1"}`, `{"data":{"a":1},"patch":null}`,
		`{"$dtId":"room","data":{"a":1}}`, `{"$relationshipId":"r","data":{"a":1}}`, `{"data":{"a":1},"$metadata":{}}`,
	} {
		tests = append(tests, struct {
			name     string
			in, want event.Event
		}{data, in(event.TwinUpdate, data), in(event.TwinUpdate, data)})
	}
	other := in("my.type", `{"data":1,"contenttype":"application/json"}`)
	tests = append(tests, struct {
		name     string
		in, want event.Event
	}{"another type", other, other})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, event.UnwrapTwins(tt.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzDecodeEventGrid(f *testing.F) {
	f.Add([]byte("[" + grid(`,"data":{"data":1,"contenttype":"application/json"}`) + "]"))
	f.Add([]byte(strings.Replace("["+grid(`,"topic":"x","dataVersion":"1"`)+"]", `"t"`, `"microsoft.iot.telemetry"`, 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := event.DecodeEventGrid(text, "/api/events")
		if err != nil {
			return
		}
		for _, e := range events {
			requireRoundTrip(t, e)
			requireRoundTrip(t, event.UnwrapTwins(e))
		}
	})
}
