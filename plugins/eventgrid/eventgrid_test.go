package main_test

import (
	stdjson "encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "github.com/headgate/headgate/plugins/eventgrid"
	"github.com/headgate/headgate/plugins/internal/golden"
	"github.com/headgate/headgate/sdk/plugintest"
)

func TestGolden(t *testing.T) { golden.Test(t) }

func TestNoGarbage(t *testing.T) {
	golden.NoGarbage(t, `{}`)
	golden.NoGarbage(t, `{"data":"plain","topic":"/topics/t"}`)
}

func BenchmarkTransform(b *testing.B) { golden.Benchmark(b, `{}`, `{"data":"plain"}`) }

func FuzzConfig(f *testing.F) {
	golden.FuzzConfig(f,
		`{"to":"cloudEvents","data":"plain","topic":"t","dataVersion":"2"}`,
		`{"to":"eventGrid","data":"wrapped","topic":""}`,
	)
}

func TestConfigRefused(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"unknown direction", `{"to":"json"}`, `config: "to" is "eventGrid" or "cloudEvents"`},
		{"unknown form of data", `{"data":true}`, `config: "data" is "wrapped" or "plain"`},
		{"empty topic", `{"topic":""}`, `config: "topic" is a text that is not empty`},
		{"version that is no text", `{"dataVersion":1.0}`, `config: "dataVersion" is a text that is not empty`},
		{"unknown member", `{"schema":"x"}`, `config: there is no "schema"; it has "to", "data", "topic" and "dataVersion"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { golden.Refused(t, tt.config, tt.want) })
	}
}

// TestFixtures maps documented events where they are at hand: to the documented
// Event Grid form, but for what that one delivery had of its own.
func TestFixtures(t *testing.T) {
	dir := "../../../shared/fixtures/adt/"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the fixtures of Azure Digital Twins are not beside the module")
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for in, out := range map[string]string{
		"twin-update-room.json":          "eventgrid/twin-update.json",
		"twin-create-room.json":          "eventgrid/twin-create.json",
		"relationship-update-prop1.json": "eventgrid/relationship-update.json",
		"telemetry-component1.json":      "eventgrid/telemetry.json",
	} {
		events := plugintest.ParseEvents(t, string(read(in)))
		r := plugintest.Registered(t).Transform(`{"topic":"/subscriptions/<sub>/resourceGroups/<rg>/providers/Microsoft.EventGrid/topics/<topic-name>"}`, events...)[0]
		if len(r.Outputs) != 1 {
			t.Fatalf("%s: %+v", in, r)
		}
		got, want := object(t, r.Outputs[0].Data), object(t, read(out))
		for _, o := range []map[string]any{got, want} {
			delete(o["data"].(map[string]any), "traceparent") // each delivery has a span of its own
			if out == "eventgrid/telemetry.json" {            // the two are of different twins
				delete(o, "id")
				delete(o, "subject")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", in, diff)
		}
	}
}

func object(t *testing.T, text []byte) (o map[string]any) {
	t.Helper()
	if err := stdjson.Unmarshal(text, &o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

// FuzzRoundTrip maps what events there may be to the Event Grid schema and back:
// what is not said to be lost must come through.
func FuzzRoundTrip(f *testing.F) {
	f.Add("Microsoft.DigitalTwins.Twin.Update", "host", "room-1", "2024-03-05T07:11:42Z", "application/json", "dtmi:x;1", "00-1-2-01", []byte(`{"a": 1}`))
	f.Add("microsoft.iot.telemetry", "host/digitaltwins/room-1", "", "", "application/json-patch+json; charset=utf-8", "", "", []byte(`[1]`))
	f.Add("t", "s", "", "", "text/plain", "", "\"\\", []byte("21 °C"))
	f.Add("t", "s", "x", "", "", "", "", []byte(`{"data":1,"contenttype":"application/json"}`))
	f.Fuzz(func(t *testing.T, typ, source, subject, time, contentType, schema, extension string, data []byte) {
		for _, s := range []string{typ, source, subject, time, contentType, schema, extension} {
			if !isText(s) {
				return
			}
		}
		if typ == "" || source == "" || time != "" && time != "2024-03-05T07:11:42Z" {
			return
		}
		e := plugintest.Event{
			ID: "1", Source: source, Type: typ, Subject: subject, Time: time,
			DataContentType: contentType, DataSchema: schema, Data: data,
		}
		if extension != "" {
			e.Extensions = []plugintest.Pair{{Name: "traceparent", Value: extension}}
		}
		there := plugintest.Registered(t).Transform(`{}`, e)[0]
		if len(there.Outputs) == 0 {
			if there.Err == "" {
				t.Fatal("neither an output nor an error")
			}
			return
		}
		grid := object(t, there.Outputs[0].Data)
		if grid["subject"] == "" || grid["eventTime"] == "" || grid["id"] != "1" || grid["eventType"] != typ {
			t.Fatalf("%s", there.Outputs[0].Data)
		}
		back := plugintest.Registered(t).Transform(`{"to":"cloudEvents"}`, plugintest.Event{
			ID: "carrier", Source: source, Type: "carrier", Data: there.Outputs[0].Data,
		})[0]
		if len(back.Outputs) != 1 {
			t.Fatalf("%s: %+v", there.Outputs[0].Data, back)
		}
		got := back.Outputs[0].Event
		if got.Type != typ || got.Time != time || got.DataSchema != schema {
			t.Errorf("%+v became %+v", e, got)
		}
		if v, ok := extensionOf(got, "traceparent"); ok != (extension != "") || v != extension {
			t.Errorf("extension %q became %q", extension, v)
		}
		if string(got.Data) != string(data) && !sameJSON(got.Data, data) {
			t.Errorf("data %q became %q", data, got.Data)
		}
	})
}

// isText reports whether s may be an attribute's value.
func isText(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\uFFFD' {
			return false
		}
	}
	return true
}

func extensionOf(e plugintest.Event, name string) (string, bool) {
	for _, p := range e.Extensions {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

func sameJSON(a, b []byte) bool {
	var x, y any
	if len(a) == 0 { // null, which became no data
		a = []byte("null")
	}
	return stdjson.Unmarshal(a, &x) == nil && stdjson.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// FuzzCloudEvents feeds what may come to the way back: no output that no event
// could be, and a state of none.
func FuzzCloudEvents(f *testing.F) {
	f.Add([]byte(`[{"id":"1","eventType":"t","subject":"s","eventTime":"2024-03-05T07:11:42","data":{"data":"x","contenttype":"text/plain"}}]`))
	f.Add([]byte(`{"id":"1","eventType":"microsoft.iot.telemetry","subject":"s","topic":"t","dataVersion":"1","data":[{}]}`))
	f.Add([]byte(`{"id":"1","eventType":"t","data":{"data":null,"contenttype":"a","x":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := plugintest.Registered(t).Transform(`{"to":"cloudEvents"}`, plugintest.Event{ID: "1", Source: "s", Type: "t", Data: data})[0]
		for _, o := range r.Outputs {
			if o.ID == "" || o.Source == "" || o.Type == "" {
				t.Errorf("%q: %+v", data, o)
			}
		}
	})
}
