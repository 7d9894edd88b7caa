package catalog

import (
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// TwinQuery asks for the events of one twin, the latest first.
type TwinQuery struct {
	Key string // as [event.Event.TwinKey] makes it
	// From and To bound the scan, both included. Without To it begins at the end
	// of the journal.
	From, To Bound
	// After continues a scan: the position that its Next named.
	After event.Position
	Limit int // of the items
}

// TwinPage is what a part of the journal holds of one twin.
type TwinPage struct {
	Key   string      `json:"key"`
	Items []TwinEvent `json:"items"` // the latest first
	// Next, unless empty, continues with what is older.
	Next    string       `json:"next,omitempty"`
	Covered Covered      `json:"covered"`
	Series  []TwinSeries `json:"series"` // of the items, by path
}

// TwinEvent is an event of a twin.
type TwinEvent struct {
	StoredEvent
	// Time is when it happened: the event's own time, else its acceptance.
	Time time.Time `json:"time"`
	// Deliveries are the attempts that are remembered, the oldest first.
	Deliveries []DeliveryReport `json:"deliveries"`
}

// TwinSeries is a numeric property over time.
type TwinSeries struct {
	Path   string      `json:"path"`   // a JSON Pointer
	Points []TwinPoint `json:"points"` // the oldest first
	// Truncated says that there are earlier points, which are not shown.
	Truncated bool `json:"truncated,omitempty"`
}

// TwinPoint is milliseconds since 1970 and a value.
type TwinPoint [2]float64
