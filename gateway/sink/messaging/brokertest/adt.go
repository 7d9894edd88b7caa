package brokertest

import (
	"embed"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/event"
)

// adt holds messages as the documentation of Azure Digital Twins shows them
// for Event Hubs and Service Bus (concepts-event-notifications).
//
//go:embed testdata/*.json
var adt embed.FS

// Notification is an event, and the message that Azure Digital Twins makes of
// it.
type Notification struct {
	Name       string
	Event      event.Event
	Properties map[string]any // application properties, all of them
}

// Notifications are one of each shape.
func Notifications(t testing.TB) []Notification {
	t.Helper()
	names, err := fs.Glob(adt, "testdata/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no notifications: %v", err)
	}
	var all []Notification
	for _, name := range names {
		raw, err := adt.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Properties map[string]any  `json:"application-properties"`
			Data       json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(raw, &file); err != nil {
			t.Fatal(err)
		}
		text := func(attribute string) string { s, _ := file.Properties["cloudEvents:"+attribute].(string); return s }
		all = append(all, Notification{strings.TrimPrefix(name, "testdata/"), event.Event{
			ID: text("id"), Source: text("source"), Type: text("type"), Subject: text("subject"),
			Time: text("time"), DataSchema: text("dataschema"), DataContentType: "application/json",
			Extensions: []event.Extension{{Name: "traceparent", Value: text("traceparent")}},
			Data:       file.Data,
		}, file.Properties})
	}
	return all
}
