package plugintest

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
)

// Event is an event of a test. An attribute that is empty is absent.
type Event struct {
	ID, Source, Type, Subject, Time string
	DataContentType, DataSchema     string

	Extensions []Pair // sorted by name
	Data       []byte // nil for none
}

// Pair is an extension attribute or an application property.
type Pair struct {
	Name, Value string
	Kind        abi.ValueKind // an extension's
}

// Output is what a transform made: an event, and how it is to be delivered.
type Output struct {
	Event
	SessionID, PartitionKey, MessageID string

	ScheduledTime time.Time // in UTC; zero for none
	TimeToLive    time.Duration
	Properties    []Pair
}

// ParseEvents reads a CloudEvent of the JSON format, or an array of them. It
// takes their attributes on trust; data keeps its exact bytes.
func ParseEvents(t testing.TB, text string) []Event {
	t.Helper()
	v, err := json.Parse([]byte(text))
	if err != nil {
		t.Fatalf("plugintest: events: %v", err)
	}
	if v.Kind() == json.Object {
		return []Event{parseEvent(t, v)}
	}
	var events []Event
	for _, e := range v.Elements() {
		events = append(events, parseEvent(t, e))
	}
	return events
}

func parseEvent(t testing.TB, v json.Value) Event {
	t.Helper()
	var e Event
	attributes := e.attributes()
	for k, m := range v.Members() {
		name := k.String()
		switch name {
		case "specversion":
			continue
		case "data":
			e.Data = m
			continue
		case "data_base64":
			s, _ := m.String()
			data, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				t.Fatalf("plugintest: data_base64: %v", err)
			}
			e.Data = data
			continue
		}
		p := Pair{Name: name, Value: string(m)}
		switch m.Kind() {
		case json.String:
			p.Value, _ = m.String()
		case json.Number:
			p.Kind = abi.Integer
		case json.Bool:
			p.Kind = abi.Boolean
		default:
			t.Fatalf("plugintest: attribute %s is %s", name, m)
		}
		if a, ok := attributeOf(name); ok {
			*attributes[a] = p.Value
			continue
		}
		e.Extensions = append(e.Extensions, p)
	}
	sortPairs(e.Extensions)
	return e
}
