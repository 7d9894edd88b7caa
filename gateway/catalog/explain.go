package catalog

import (
	"encoding/json"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// EventExplanation is an accepted event, what the routes now in force make of
// it, and where its deliveries are.
type EventExplanation struct {
	StoredEvent
	// Revision is that of the catalog by which Routes are.
	Revision uint64         `json:"revision"`
	Routes   []RouteVerdict `json:"routes"`
	// Next, unless empty, is the route behind which there are more.
	Next string `json:"next,omitempty"`
}

// EventExplainQuery asks what the routes make of an accepted event.
type EventExplainQuery struct {
	ID    event.Position
	Route string // one route alone, unless empty
	// After and Limit page through the routes, by their ids.
	After string
	Limit int
}

// RouteVerdict is what a route, as it is now, does to an event, and where the
// deliveries of the event by that route are.
type RouteVerdict struct {
	Route    string `json:"route"`
	Endpoint string `json:"endpoint"`
	Filter   string `json:"filter"` // of the route, into which Condition points
	Disabled bool   `json:"disabled,omitempty"`
	// Gone says that there is no such route any more; something is known of its
	// deliveries all the same.
	Gone bool `json:"gone,omitempty"`
	TestResult
	// ProducedBy is what the extension attribute producedby of its outputs is.
	ProducedBy string `json:"producedBy,omitempty"`
	// Note says what limits the verdict, such as that the route is newer than the
	// event.
	Note       string          `json:"note,omitempty"`
	Deliveries []DeliveryState `json:"deliveries"`
}

// FilterValue is what an event holds for a field that a condition asks for.
type FilterValue struct {
	Field string `json:"field"`
	// Text is the value as a filter would write it, "missing", "an object" or
	// "an array".
	Text string `json:"text"`
	// Value is the value, unless it is missing, an object, an array or long.
	Value json.RawMessage `json:"value,omitempty"`
}

// PluginVerdict is what a plugin of a route made of an event. Verdict is "pass"
// or "drop" of a filter, "outputs" or "nothing" of a transform, or "failed".
type PluginVerdict struct {
	Plugin  string `json:"plugin"`
	Kind    string `json:"kind"`
	Verdict string `json:"verdict"`
	Outputs int    `json:"outputs"`
	Fuel    uint64 `json:"fuel"`
	Error   string `json:"error,omitempty"`
}

// The states of a delivery.
const (
	StateDelivered = "delivered"
	StateWaiting   = "waiting"  // for its first attempt, or in it
	StateRetrying  = "retrying" // an attempt failed, and another will be made
	StateDead      = "dead"     // it is among the dead letters
	StateUnknown   = "unknown"  // nothing is owed any more, and nothing remembered
)

// DeliveryState is where one output of a route is now.
type DeliveryState struct {
	Endpoint string `json:"endpoint"`
	Output   int    `json:"output"`
	State    string `json:"state"`
	// Tries counts the attempts, of which Attempts are those that are remembered,
	// oldest first.
	Tries    int               `json:"tries"`
	Attempts []DeliveryAttempt `json:"attempts"`
	Next     time.Time         `json:"next,omitzero"` // when it is tried again
	// Letter is its dead letter, Reason why it was given up.
	Letter *event.Position `json:"letter,omitempty"`
	Reason string          `json:"reason,omitempty"`
	// ProducedBy names the state of the route that made it.
	ProducedBy string `json:"producedBy,omitempty"`
	Note       string `json:"note,omitempty"`
}

// DeliveryAttempt is one try. Outcome is "delivered" or who is to blame, as in
// [DeliveryReport].
type DeliveryAttempt struct {
	Attempt int       `json:"attempt,omitempty"`
	At      time.Time `json:"at"`
	Took    Duration  `json:"took,omitzero"`
	Outcome string    `json:"outcome,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// EndpointAttempt is one try of an endpoint, with what it was for.
type EndpointAttempt struct {
	Position event.Position `json:"position"`
	Route    string         `json:"route"`
	Output   int            `json:"output"`
	DeliveryAttempt
	Dead bool `json:"dead,omitempty"` // it became a dead letter
}

// MaxExplained bounds the events times the routes of one request.
const MaxExplained = 100_000

// ExplainRequest asks what the routes in force make of events that nobody sent.
type ExplainRequest struct {
	Route  string // one route alone, unless empty
	Events []json.RawMessage
}

// DecodeExplain reads {"events":[…],"route":"hot"}. Events are not looked into.
func DecodeExplain(b []byte) (ExplainRequest, error) {
	o, err := readOuter(b)
	if err != nil {
		return ExplainRequest{}, err
	}
	var req ExplainRequest
	o.String("route", &req.Route)
	req.Events = o.Array("events")
	if n := len(req.Events); n > MaxTestEvents {
		o.Refuse("events", "holds %d events; %d are allowed", n, MaxTestEvents)
	}
	return req, o.Close()
}

// Explained is what the routes make of one event.
type Explained struct {
	Routes []RouteVerdict `json:"routes"`
}

// ExplainQuery asks why the events of a part of the journal match a route or
// not.
type ExplainQuery struct {
	Route    string
	From, To Bound // both included; without From as far back as Limit reaches
	After    event.Position
	Limit    int // of the events that are looked at
}

// Bounds of the events that one [ExplainQuery] looks at.
const (
	DefaultExplainEvents = 10_000
	MaxExplainEvents     = 100_000
)

// RouteExplanation is a histogram of why events match a route or not.
type RouteExplanation struct {
	Route    string `json:"route"`
	Disabled bool   `json:"disabled,omitempty"`
	// Revision is that of the route, by which all of this is.
	Revision uint64 `json:"revision"`
	Filter   string `json:"filter"`
	Events   int    `json:"events"`
	// Matched counts the events that the filter and the filter plugins let pass.
	Matched int      `json:"matched"`
	Share   float64  `json:"share"`
	Example []string `json:"examples"`
	// Conditions are those that failed first, the most frequent first.
	Conditions []ConditionCount `json:"conditions"`
	Plugins    []PluginCount    `json:"plugins"`
	Covered    Covered          `json:"covered"`
	Next       string           `json:"next,omitempty"`
	Note       string           `json:"note,omitempty"`
}

// ConditionCount says how often a condition was the first that was not true.
type ConditionCount struct {
	Text      string       `json:"text"` // in its one form
	Start     int          `json:"start"`
	End       int          `json:"end"`
	Count     int          `json:"count"`
	Undefined int          `json:"undefined"` // of Count: neither true nor false
	Share     float64      `json:"share"`     // of all events
	Values    []ValueCount `json:"values"`    // the most frequent
	Examples  []string     `json:"examples"`  // ids of events
}

// ValueCount is what events held for the fields of a condition.
type ValueCount struct {
	Text  string `json:"text"`
	Count int    `json:"count"`
}

// PluginCount says what a plugin made of the events that came to it.
type PluginCount struct {
	Plugin   string   `json:"plugin"`
	Kind     string   `json:"kind"`
	Passed   int      `json:"passed"`
	Dropped  int      `json:"dropped"`
	Failed   int      `json:"failed"`
	Share    float64  `json:"share"` // of all events that it dropped or failed on
	Error    string   `json:"error,omitempty"`
	Examples []string `json:"examples"` // ids of events that it dropped or failed on
}
