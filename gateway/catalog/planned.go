package catalog

import (
	"github.com/headgate/headgate/gateway/event"
)

// Action is what becomes of a resource.
type Action string

// The actions of a plan.
const (
	ActionCreate  Action = "create"
	ActionReplace Action = "replace"
	ActionDelete  Action = "delete"
	ActionNone    Action = "none"
)

// Planned is what documents would make of the catalog, or have made of it.
type Planned struct {
	// Revision is the catalog's: of a plan the one that it was made at, of what
	// was applied the one that it became.
	Revision uint64          `json:"revision"`
	Changes  []PlannedChange `json:"changes"`
	// Traffic is what the change would do to events; nil when none were tried.
	Traffic *Traffic `json:"traffic,omitempty"`
}

// Changed reports whether p changes anything.
func (p Planned) Changed() bool {
	for _, c := range p.Changes {
		if c.Action != ActionNone {
			return true
		}
	}
	return false
}

// PlannedChange is what becomes of one resource.
type PlannedChange struct {
	Kind   string       `json:"kind"`
	Name   string       `json:"name"`
	Action Action       `json:"action"`
	Diff   []Difference `json:"diff"`
}

// Traffic is what a change of the catalog would do to the latest events.
type Traffic struct {
	Events  int            `json:"events"` // how many were tried
	Covered Covered        `json:"covered"`
	Routes  []RouteTraffic `json:"routes"` // sorted by id
}

// RouteTraffic is what it would do to one route. Gained, Lost, Changed and Same
// count each event once that the route matches before or after.
type RouteTraffic struct {
	Route string `json:"route"`
	// Before and After are the route's two states; nil where it takes no events,
	// because it is not there or disabled.
	Before *RouteSide `json:"before"`
	After  *RouteSide `json:"after"`
	// Gained are matched only after, Lost only before. Changed are matched by
	// both, and what comes of them differs; of Same nothing does.
	Gained  int `json:"gained"`
	Lost    int `json:"lost"`
	Changed int `json:"changed"`
	Same    int `json:"same"`
	// Trapped are those on which a plugin fails after the change, and did not
	// before.
	Trapped int `json:"trapped"`
	// Untouched says that the change is none to this route.
	Untouched bool `json:"untouched,omitempty"`
	// Error says why a side could not be run; the counts are of no use then.
	Error    string           `json:"error,omitempty"`
	Examples []TrafficExample `json:"examples"`
}

// RouteSide is what one state of a route does.
type RouteSide struct {
	Endpoint string `json:"endpoint"`
	// Matched are the events that the filter and all filter plugins let pass, or
	// on which one of those failed. Dropped are those that the filter lets pass and
	// a filter plugin does not.
	Matched int `json:"matched"`
	Dropped int `json:"dropped"`
}

// The kinds of an example.
const (
	ExampleGained  = "gained"
	ExampleLost    = "lost"
	ExampleChanged = "changed"
	ExampleTrapped = "trapped"
)

// TrafficExample is one of the events that a change would treat otherwise.
type TrafficExample struct {
	What    string         `json:"what"` // ExampleGained and so on
	ID      event.Position `json:"id"`
	EventID string         `json:"eventId"`
	Type    string         `json:"type"`
	Subject string         `json:"subject,omitempty"`
	// Before and After are what the route does to it; nil where it takes no events.
	Before *TestResult `json:"before,omitempty"`
	After  *TestResult `json:"after,omitempty"`
	// Diff is what differs between the outputs, where both made some. Paths begin
	// with the output's index.
	Diff []Difference `json:"diff,omitempty"`
}
