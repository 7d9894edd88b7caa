package event_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
)

// required are the attributes without which there is no event.
var required = []event.Extension{
	{Name: "specversion", Value: "1.0"}, {Name: "id", Value: "1"}, {Name: "source", Value: "s"}, {Name: "type", Value: "t"},
}

func TestDecodeAttributes(t *testing.T) {
	attributes := append([]event.Extension{
		{Name: "time", Value: "2024-05-01T12:30:00.5+02:00"}, {Name: "subject", Value: "room"}, {Name: "dataschema", Value: "dtmi:room;1"},
		{Name: "ok", Value: "true", Kind: event.Boolean}, {Name: "n", Value: "-3", Kind: event.Integer}, {Name: "traceparent", Value: "00-x"},
	}, required...)
	got, err := event.DecodeAttributes(attributes, "text/plain", []byte("hi"))
	if err != nil {
		t.Fatal(err)
	}
	want := event.Event{
		ID: "1", Source: "s", Type: "t", Subject: "room", Time: "2024-05-01T12:30:00.5+02:00", DataContentType: "text/plain", DataSchema: "dtmi:room;1",
		Extensions: []event.Extension{
			{Name: "n", Value: "-3", Kind: event.Integer}, {Name: "ok", Value: "true", Kind: event.Boolean}, {Name: "traceparent", Value: "00-x"},
		},
		Data: []byte("hi"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestDecodeAttributesRefuses(t *testing.T) {
	with := func(more ...event.Extension) []event.Extension { return append(more, required...) }
	tests := []struct {
		name        string
		attributes  []event.Extension
		contentType string
		want        string
	}{
		{"nothing", nil, "", "specversion is required"},
		{"no id", required[:1], "", "id is required"},
		{"another version", []event.Extension{{Name: "specversion", Value: "0.3"}}, "", `specversion must be "1.0"`},
		{"an attribute twice", with(event.Extension{Name: "id", Value: "2"}), "", "id is given more than once"},
		{"an extension twice", with(event.Extension{Name: "x", Value: "2"}, event.Extension{Name: "x", Value: "2"}), "", "x is given more than once"},
		{"no name", with(event.Extension{Name: "Trace-Parent", Value: "2"}), "", "Trace-Parent is not an attribute name"},
		{"data as an extension", with(event.Extension{Name: "data", Value: "2"}), "", "data cannot be an extension"},
		{"the content type as an attribute", with(event.Extension{Name: "datacontenttype", Value: "text/plain"}), "", "content type"},
		{"no UTF-8", with(event.Extension{Name: "x", Value: "\xff"}), "", "x must be UTF-8"},
		{"no time", with(event.Extension{Name: "time", Value: "noon"}), "", "time must be an RFC 3339 time"},
		{"no content type", required, "a/b/c", "datacontenttype must be a media type"},
		{"too large", with(event.Extension{Name: "x", Value: strings.Repeat("x", event.MaxEventBytes)}), "", "more than the 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := event.DecodeAttributes(tt.attributes, tt.contentType, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("DecodeAttributes = %v, want %q", err, tt.want)
			}
		})
	}
}
