package catalog

import (
	"bytes"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// CloudEvent is an event that JSON carries in the CloudEvents format.
type CloudEvent struct{ event.Event }

// MarshalJSON writes a structured CloudEvent.
func (e CloudEvent) MarshalJSON() ([]byte, error) { return event.AppendJSON(nil, &e.Event), nil }

// UnmarshalJSON reads a structured CloudEvent.
func (e *CloudEvent) UnmarshalJSON(b []byte) error {
	ev, err := event.DecodeJSON(bytes.Clone(b))
	if err == nil {
		e.Event = ev
	}
	return err
}

// StoredEvent is an accepted event in the journal.
type StoredEvent struct {
	ID         event.Position `json:"id"`
	AcceptedAt time.Time      `json:"acceptedAt"`
	Event      CloudEvent     `json:"event"`
}

// EventPage is what a scan of the journal found.
type EventPage struct {
	Items []StoredEvent `json:"items"`
	// Next, unless empty, continues the scan where this one stopped, whether it
	// had found enough or reached its bound.
	Next    string  `json:"next,omitempty"`
	Covered Covered `json:"covered"`
}

// Covered says which part of the journal a scan looked at. What lies outside
// it may match too.
type Covered struct {
	From     string    `json:"from,omitempty"` // position of the first event looked at
	To       string    `json:"to,omitempty"`   // and of the last
	FromTime time.Time `json:"fromTime,omitzero"`
	ToTime   time.Time `json:"toTime,omitzero"`
	Events   int       `json:"events"`   // how many were looked at
	Complete bool      `json:"complete"` // all that was asked for was looked at
}

// DeadLetter is a delivery that was given up, with all that is known of it.
type DeadLetter struct {
	ID       event.Position `json:"id"`
	Endpoint string         `json:"endpoint"`
	Route    string         `json:"route"`
	Reason   string         `json:"reason"`
	// Attempts counts all tries; History holds the latest of them.
	Attempts   int                `json:"attempts"`
	History    []delivery.Attempt `json:"history"`
	DeadAt     time.Time          `json:"deadAt"`
	AcceptedAt time.Time          `json:"acceptedAt"`
	// Position is that of the accepted event, and Output counts what the route
	// made of it.
	Position event.Position `json:"position"`
	Output   int            `json:"output"`
	Key      string         `json:"key,omitempty"`
	// Event is what the endpoint was to get; Unrendered says that a plugin
	// failed, so that it is still the accepted one.
	Event      CloudEvent  `json:"event"`
	Properties *Properties `json:"properties,omitempty"`
	Unrendered bool        `json:"unrendered,omitempty"`
	// Origin is the accepted event, where the route changed it.
	Origin *CloudEvent `json:"origin,omitempty"`
}

// NewDeadLetter returns the JSON form of k.
func NewDeadLetter(k delivery.Kept) DeadLetter {
	d := &k.Delivery
	letter := DeadLetter{
		ID: k.Ref, Endpoint: d.Endpoint, Route: d.Route, Reason: k.Reason,
		Attempts: d.AllAttempts(), History: d.History, DeadAt: k.DeadAt, AcceptedAt: d.Accepted,
		Position: d.Position, Output: d.Output, Key: d.Key,
		Event: CloudEvent{d.Event}, Properties: NewProperties(d.Properties), Unrendered: d.Unrendered,
	}
	if letter.History == nil {
		letter.History = []delivery.Attempt{}
	}
	if d.Origin != nil {
		letter.Origin = &CloudEvent{*d.Origin}
	}
	return letter
}

// Properties are [delivery.Properties] in JSON.
type Properties struct {
	SessionID    string              `json:"sessionId,omitempty"`
	PartitionKey string              `json:"partitionKey,omitempty"`
	MessageID    string              `json:"messageId,omitempty"`
	ScheduledAt  time.Time           `json:"scheduledAt,omitzero"`
	TimeToLive   Duration            `json:"timeToLive,omitzero"`
	Application  []delivery.Property `json:"application,omitempty"`
}

// NewProperties returns the JSON form of p, nil when it sets nothing.
func NewProperties(p delivery.Properties) *Properties {
	out := Properties{
		SessionID: p.SessionID, PartitionKey: p.PartitionKey, MessageID: p.MessageID,
		ScheduledAt: p.ScheduledAt, TimeToLive: Duration(p.TimeToLive), Application: p.Application,
	}
	if out.SessionID == "" && out.PartitionKey == "" && out.MessageID == "" &&
		out.ScheduledAt.IsZero() && out.TimeToLive == 0 && len(out.Application) == 0 {
		return nil
	}
	return &out
}

// DeliveryReport is one attempt of a delivery, as the tail tells it.
type DeliveryReport struct {
	ID       event.Position `json:"id"` // of the accepted event
	EventID  string         `json:"eventId"`
	Route    string         `json:"route"`
	Endpoint string         `json:"endpoint"`
	Output   int            `json:"output"`
	Attempt  int            `json:"attempt"`
	At       time.Time      `json:"at"`
	Took     Duration       `json:"took"`
	// Outcome is "delivered", or who is to blame: "event", "endpoint",
	// "transient".
	Outcome string `json:"outcome"`
	Error   string `json:"error,omitempty"`
	Dead    bool   `json:"dead,omitempty"` // it became a dead letter
}

// NewDeliveryReport returns the JSON form of t.
func NewDeliveryReport(t delivery.Try) DeliveryReport {
	d := t.Delivery
	r := DeliveryReport{
		ID: d.Position, EventID: d.Event.ID, Route: d.Route, Endpoint: d.Endpoint, Output: d.Output,
		Attempt: d.AllAttempts(), At: t.At, Took: Duration(t.Took), Outcome: t.Outcome.Blame.String(), Dead: t.Dead,
	}
	if t.Outcome.Err != nil {
		r.Error = t.Outcome.Err.Error()
	}
	return r
}

// TestResult is what a route that is tried out does to one event.
type TestResult struct {
	Matched bool `json:"matched"`
	// Why says, in words, what decided: the condition that failed, the plugin
	// that dropped the event.
	Why     string   `json:"why"`
	Outputs []Output `json:"outputs"`
	// Error is why a plugin failed; the event would be dead-lettered.
	Error string `json:"error,omitempty"`
	// Fuel is what the plugins used on the event, in instructions, roughly.
	Fuel uint64   `json:"fuel"`
	Logs []string `json:"logs,omitempty"` // what the plugins logged
	// Condition is the first that is not true, a part of the filter's text;
	// Verdict is "false" or "undefined", and Values are what the event holds for
	// its fields.
	Condition *FilterSpan   `json:"condition,omitempty"`
	Verdict   string        `json:"verdict,omitempty"`
	Values    []FilterValue `json:"values,omitempty"`
	// Plugins are those that the event came to, in order.
	Plugins []PluginVerdict `json:"plugins,omitempty"`
}

// Output is one event that a route made, as its endpoint would get it.
type Output struct {
	Event      CloudEvent  `json:"event"`
	Properties *Properties `json:"properties,omitempty"`
	// Diff is what the route changed of the accepted event.
	Diff []EventChange `json:"diff,omitempty"`
}

// AuditEntry says who changed what, and when.
type AuditEntry struct {
	Revision uint64    `json:"revision"` // of the catalog, after the change
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`
	Action   string    `json:"action"` // "create", "replace", "delete", "upload", "activate"
	Kind     string    `json:"kind"`   // "endpoint", "route", "plugin"
	Name     string    `json:"name"`
	Detail   string    `json:"detail,omitempty"`
}

// Revision is one state that a resource has had.
type Revision[T any] struct {
	Revision uint64    `json:"revision"`
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`
	Deleted  bool      `json:"deleted,omitempty"`
	State    *T        `json:"state,omitempty"` // nil when it was deleted
}

// Dropped tells a follower of the tail how much it was not told since it was
// last told of something left out.
type Dropped struct {
	// Dropped counts what it was too slow for, before any filter.
	Dropped uint64 `json:"dropped"`
	// Sampled counts matching events beyond those that it asked for a second.
	Sampled uint64 `json:"sampled,omitempty"`
	// Unmatched counts events that its filter does not match.
	Unmatched uint64 `json:"unmatched,omitempty"`
}
