package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
)

// with is a valid event with more members.
func with(members string) string {
	return `{"specversion":"1.0","id":"1","source":"/a","type":"t"` + members + `}`
}

// plain is what an event with the required attributes alone decodes to.
func plain(change func(*event.Event)) event.Event {
	e := event.Event{ID: "1", Source: "/a", Type: "t"}
	change(&e)
	return e
}

func TestDecodeJSON(t *testing.T) {
	tests := []struct {
		name, text string
		want       event.Event
	}{
		{"least", with(``), plain(func(*event.Event) {})},
		{"blanks around", "\n\t " + with(``) + " \r\n", plain(func(*event.Event) {})},
		{"host name as source", strings.Replace(with(``), "/a", "plant.api.weu.digitaltwins.azure.net", 1),
			plain(func(e *event.Event) { e.Source = "plant.api.weu.digitaltwins.azure.net" })},
		{"source that is no URI", strings.Replace(with(``), "/a", "%zz :", 1), plain(func(e *event.Event) { e.Source = "%zz :" })},
		{"escapes in attributes", with(`,"subject":"a\u00e9\n\"\ud83d\ude00"`), plain(func(e *event.Event) { e.Subject = "aé\n\"😀" })},
		{"escapes in names", with(`,"su\u0062ject":"s","\u0066oo":"x"`), plain(func(e *event.Event) {
			e.Subject, e.Extensions = "s", []event.Extension{{Name: "foo", Value: "x"}}
		})},
		{"null is absent", with(`,"subject":null,"time":null,"datacontenttype":null,"dataschema":null,"foo":null`), plain(func(*event.Event) {})},
		{"empty is absent", with(`,"subject":"","time":"","datacontenttype":"","dataschema":""`), plain(func(*event.Event) {})},
		{"time as sent", with(`,"time":"2021-12-09T20:28:52.9795363+00:00"`), plain(func(e *event.Event) { e.Time = "2021-12-09T20:28:52.9795363+00:00" })},
		{"extensions in order and by kind", with(`,"z":"","n":-0,"b":true,"aa":2147483647`), plain(func(e *event.Event) {
			e.Extensions = []event.Extension{
				{Name: "aa", Value: "2147483647", Kind: event.Integer}, {Name: "b", Value: "true", Kind: event.Boolean},
				{Name: "n", Value: "0", Kind: event.Integer}, {Name: "z"},
			}
		})},
		{"long extension name", with(`,"anextensionnameoftwentysixx":"x"`), plain(func(e *event.Event) {
			e.Extensions = []event.Extension{{Name: "anextensionnameoftwentysixx", Value: "x"}}
		})},
		{"data's exact bytes", with(`,"data": { "b" : 1.0e1, "a":"\u0041" } `), plain(func(e *event.Event) { e.Data = []byte(`{ "b" : 1.0e1, "a":"\u0041" }`) })},
		{"data is a JSON string", with(`,"data":"x"`), plain(func(e *event.Event) { e.Data = []byte(`"x"`) })},
		{"data null", with(`,"data":null`), plain(func(e *event.Event) { e.Data = []byte(`null`) })},
		{"data of a JSON type", with(`,"datacontenttype":"application/json-patch+json; charset=utf-8","data":[1]`), plain(func(e *event.Event) {
			e.DataContentType, e.Data = "application/json-patch+json; charset=utf-8", []byte(`[1]`)
		})},
		{"text", with(`,"datacontenttype":"text/plain","data":"a\n\u00e9"`), plain(func(e *event.Event) { e.DataContentType, e.Data = "text/plain", []byte("a\né") })},
		{"text before its type", with(`,"data":"a","datacontenttype":"text/plain"`), plain(func(e *event.Event) { e.DataContentType, e.Data = "text/plain", []byte("a") })},
		{"empty text", with(`,"datacontenttype":"text/plain","data":""`), plain(func(e *event.Event) { e.DataContentType, e.Data = "text/plain", []byte{} })},
		{"base64", with(`,"data_base64":"AAEC/w=="`), plain(func(e *event.Event) { e.Data = []byte{0, 1, 2, 255} })},
		{"base64 with escapes", with(`,"data_base64":"AAEC\/w=="`), plain(func(e *event.Event) { e.Data = []byte{0, 1, 2, 255} })},
		{"base64 beside a null", with(`,"data":null,"data_base64":"AA=="`), plain(func(e *event.Event) { e.Data = []byte{0} })},
		{"null beside data", with(`,"data":1,"data_base64":null`), plain(func(e *event.Event) { e.Data = []byte("1") })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := event.DecodeJSON([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			requireRoundTrip(t, got)
		})
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	tests := []struct{ name, text, field, reason string }{
		{"nothing", "", "", "byte 0"},
		{"two values", with(``) + with(``), "", "nothing after"},
		{"not an object", `"x"`, "", "object"},
		{"no specversion", `{"id":"1","source":"/a","type":"t"}`, "specversion", "required"},
		{"null specversion", strings.Replace(with(``), `"1.0"`, "null", 1), "specversion", "1.0"},
		{"version 1.1", strings.Replace(with(``), "1.0", "1.1", 1), "specversion", "1.0"},
		{"number as version", strings.Replace(with(``), `"1.0"`, "1.0", 1), "specversion", "string"},
		{"no id", `{"specversion":"1.0","source":"/a","type":"t"}`, "id", "required"},
		{"null id", strings.Replace(with(``), `"1"`, "null", 1), "id", "required"},
		{"blank id", strings.Replace(with(``), `"1"`, `" "`, 1), "id", "empty"},
		{"number as id", strings.Replace(with(``), `"1"`, "1", 1), "id", "not a JSON number"},
		{"empty source", strings.Replace(with(``), "/a", "", 1), "source", "empty"},
		{"empty type", strings.Replace(with(``), `"t"`, `""`, 1), "type", "empty"},
		{"object as subject", with(`,"subject":{}`), "subject", "not a JSON object"},
		{"blank subject", with(`,"subject":" "`), "subject", "blank"},
		{"date as time", with(`,"time":"2024-05-01"`), "time", "RFC 3339"},
		{"relative schema", with(`,"dataschema":"room"`), "dataschema", "absolute"},
		{"malformed content type", with(`,"datacontenttype":"a/b;c"`), "datacontenttype", "media type"},
		{"upper-case name", with(`,"Foo":"x"`), "Foo", "a-z"},
		{"name with a hyphen", with(`,"a-b":"x"`), "a-b", "a-z"},
		{"empty name", with(`,"":"x"`), "", "a-z"},
		{"nested extension", with(`,"foo":{"a":1}`), "foo", "belong in data"},
		{"list as extension", with(`,"foo":[1]`), "foo", "belong in data"},
		{"fraction", with(`,"foo":1.5`), "foo", "string"},
		{"more than 32 bits", with(`,"foo":2147483648`), "foo", "32 bits"},
		{"twice", with(`,"id":"2"`), "id", "more than once"},
		{"twice, once escaped", with(`,"\u0069d":"2"`), "id", "more than once"},
		{"extension twice", with(`,"foo":"1","foo":"1"`), "foo", "more than once"},
		{"extension twice, once null", with(`,"foo":null,"foo":"1"`), "foo", "more than once"},
		{"data twice", with(`,"data":1,"data":1`), "data", "more than once"},
		{"both data", with(`,"data":1,"data_base64":"AA=="`), "data_base64", "together"},
		{"base64 without padding", with(`,"data_base64":"AA"`), "data_base64", "padding"},
		{"base64 for URLs", with(`,"data_base64":"_-A="`), "data_base64", "standard"},
		{"base64 as number", with(`,"data_base64":1`), "data_base64", "string"},
		{"object as text", with(`,"datacontenttype":"text/plain","data":{}`), "data", "data_base64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := event.DecodeJSON([]byte(tt.text))
			var fault *event.FieldError
			if !errors.As(err, &fault) || fault.Field != tt.field || fault.Index != -1 || !strings.Contains(fault.Reason, tt.reason) {
				t.Errorf("error %v, want one of field %q that says %q", err, tt.field, tt.reason)
			}
		})
	}
}

func TestDecodeBatch(t *testing.T) {
	got, err := event.DecodeBatch([]byte(" [ " + with(`,"n":1`) + " , " + with(``) + " ] "))
	if err != nil {
		t.Fatal(err)
	}
	want := []event.Event{plain(func(e *event.Event) { e.Extensions = []event.Extension{{Name: "n", Value: "1", Kind: event.Integer}} }), plain(func(*event.Event) {})}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := event.DecodeBatch([]byte("[]")); err != nil || len(got) != 0 {
		t.Errorf("an empty batch: %v, %v", got, err)
	}
	_, err = event.DecodeBatch([]byte("[" + with(``) + "," + with(`,"n":{}`) + "]"))
	if want := `event 1 of the batch: n must be`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestEventSizeLimit(t *testing.T) {
	base := plain(func(*event.Event) {})
	room := event.MaxEventBytes - base.Size() - len(`""`)
	for _, tt := range []struct {
		bytes int
		ok    bool
	}{{room, true}, {room + 1, false}} {
		text := with(`,"data":"` + strings.Repeat("x", tt.bytes) + `"`)
		_, err := event.DecodeBatch([]byte("[" + text + "]"))
		var large *event.TooLargeError
		if tt.ok && err != nil || !tt.ok && (!errors.As(err, &large) || large.Index != 0 || large.Bytes != event.MaxEventBytes+1) {
			t.Errorf("an event with %d bytes of data: %v", tt.bytes, err)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	tests := []struct {
		name string
		in   event.Event
		want string
	}{
		{"least", plain(func(*event.Event) {}), with(``)},
		{"everything", event.Event{
			ID: "1", Source: "/a", Type: "t", Subject: "s\n", Time: "2024-05-01T12:30:00Z", DataContentType: "application/json", DataSchema: "x:y",
			Extensions: []event.Extension{{Name: "b", Value: "true", Kind: event.Boolean}, {Name: "n", Value: "-7", Kind: event.Integer}, {Name: "s", Value: "7"}},
			Data:       []byte(" {\"a\": 1}"),
		}, with(`,"subject":"s\n","time":"2024-05-01T12:30:00Z","datacontenttype":"application/json","dataschema":"x:y","b":true,"n":-7,"s":"7","data": {"a": 1}`)},
		{"kinds that do not hold", plain(func(e *event.Event) {
			e.Extensions = []event.Extension{{Name: "b", Value: "yes", Kind: event.Boolean}, {Name: "n", Value: "1e3", Kind: event.Integer}}
		}), with(`,"b":"yes","n":"1e3"`)},
		{"text", plain(func(e *event.Event) { e.DataContentType, e.Data = "text/csv", []byte("a,\"b\"") }), with(`,"datacontenttype":"text/csv","data":"a,\"b\""`)},
		{"XML", plain(func(e *event.Event) { e.DataContentType, e.Data = "image/svg+xml", []byte("<a/>") }), with(`,"datacontenttype":"image/svg+xml","data":"<a/>"`)},
		{"text that is not UTF-8", plain(func(e *event.Event) { e.DataContentType, e.Data = "text/plain", []byte{255} }), with(`,"datacontenttype":"text/plain","data_base64":"/w=="`)},
		{"JSON that is not", plain(func(e *event.Event) { e.Data = []byte("{") }), with(`,"data_base64":"ew=="`)},
		{"two JSON values", plain(func(e *event.Event) { e.Data = []byte("1,\"x\":2") }), with(`,"data_base64":"MSwieCI6Mg=="`)},
		{"bytes", plain(func(e *event.Event) { e.DataContentType, e.Data = "application/cbor", []byte("{}") }), with(`,"datacontenttype":"application/cbor","data_base64":"e30="`)},
		{"empty data", plain(func(e *event.Event) { e.Data = []byte{} }), with(`,"data_base64":""`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(event.AppendJSON(nil, &tt.in)); got != tt.want {
				t.Errorf("AppendJSON\n got %s\nwant %s", got, tt.want)
			}
			if want := "[" + tt.want + "," + tt.want + "]"; string(event.AppendJSONBatch(nil, []event.Event{tt.in, tt.in})) != want {
				t.Errorf("AppendJSONBatch is not %s", want)
			}
		})
	}
}

// requireRoundTrip checks that e survives its JSON form and its record.
func requireRoundTrip(t *testing.T, e event.Event) {
	t.Helper()
	text := event.AppendJSON(nil, &e)
	if !json.Valid(text) {
		t.Fatalf("AppendJSON wrote what is not JSON: %s", text)
	}
	got, err := event.DecodeJSON(text)
	if err != nil {
		t.Fatalf("DecodeJSON of AppendJSON: %v: %s", err, text)
	}
	want := e
	if event.IsJSON(e.DataContentType) && json.Valid(e.Data) {
		want.Data = bytes.Trim(e.Data, " \t\r\n") // blanks around a JSON value are not part of it
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("through JSON (-want +got):\n%s\n%s", diff, text)
	}
	r := event.NewRecordReader(event.AppendRecord(nil, &e))
	if diff := cmp.Diff(e, r.Event()); diff != "" || r.Err() != nil || r.Len() != 0 {
		t.Errorf("through a record: %v, %d bytes left (-want +got):\n%s", r.Err(), r.Len(), diff)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range structuredSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, err := event.DecodeJSON(text); err == nil {
			requireRoundTrip(t, e)
		}
	})
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte("[" + with(``) + "," + with(`,"data":1`) + "]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := event.DecodeBatch(text)
		if err != nil {
			return
		}
		again, err := event.DecodeBatch(event.AppendJSONBatch(nil, events))
		if diff := cmp.Diff(events, again); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
