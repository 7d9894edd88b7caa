package catalog

import (
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// BlockedKey is a key of an endpoint whose first delivery failed, or waits for a
// plugin: what came behind it waits for it.
type BlockedKey struct {
	// Key is what orders the deliveries; "" for one that stands for itself.
	Key string `json:"key,omitempty"`
	// Behind counts the deliveries that wait for the first one. Those of events
	// that the endpoint has not come to yet are not among them.
	Behind int `json:"behind"`
	DeliveryName
	// UnderWay says that the first one is being tried at this moment.
	UnderWay bool      `json:"underWay,omitempty"`
	Tries    int       `json:"tries"`
	Error    string    `json:"error,omitempty"` // of the latest try
	TriedAt  time.Time `json:"triedAt,omitzero"`
	Next     time.Time `json:"next"` // when it is tried again
	Note     string    `json:"note,omitempty"`
}

// BlockedKeys are the keys of an endpoint that wait.
type BlockedKeys struct {
	Items []BlockedKey `json:"items"` // those first that hold up the most
	Keys  int          `json:"keys"`  // how many there are
}

// DeliveryName names a delivery among those of its endpoint: by its event, and
// what the route made of that.
type DeliveryName struct {
	Position event.Position `json:"position"`
	Route    string         `json:"route"`
	Output   int            `json:"output"` // counted from 0
}

// String returns "output 0 of event 42-0 by route hot".
func (n DeliveryName) String() string {
	return fmt.Sprintf("output %d of event %s by route %s", n.Output, n.Position, n.Route)
}

// DecodeDeliveryName reads {"position":"42-0","route":"hot","output":0}.
func DecodeDeliveryName(b []byte) (DeliveryName, error) {
	o := ReadObject(b)
	var n DeliveryName
	var position string
	o.String("position", &position)
	o.String("route", &n.Route)
	o.Int("output", &n.Output)
	p, err := event.ParsePosition(position)
	if err != nil {
		o.Refuse("position", "want that of an event, such as \"42-0\"")
	}
	n.Position = p
	if n.Route == "" {
		o.Refuse("route", "is required: the id of the route that made the delivery")
	}
	if n.Output < 0 {
		o.Refuse("output", "want a number from 0")
	}
	return n, o.Close()
}

// SkippedDelivery is one that is given up by hand: it will be a dead letter.
type SkippedDelivery struct {
	Endpoint string `json:"endpoint"`
	DeliveryName
	Reason string `json:"reason"` // that of the dead letter
}

// Retried tells what is tried at once.
type Retried struct {
	Endpoint string `json:"endpoint"`
	Retrying int    `json:"retrying"` // deliveries that failed, and those that wait behind them
}

// UnderWayError says that something cannot be done while it is under way.
type UnderWayError struct{ What string }

// Error says what is under way, and what to do.
func (e *UnderWayError) Error() string {
	return e.What + " is being tried at this moment: ask again when that try is over"
}

// Is answers to [ErrInUse].
func (e *UnderWayError) Is(target error) bool { return target == ErrInUse }
