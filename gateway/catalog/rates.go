package catalog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// RatesQuery asks for what was counted over time.
type RatesQuery struct {
	// From and To bound the answer: an hour ago, and now, where they are zero.
	From, To time.Time
	// Step is the length of a step; 0 means the shortest that is kept so far back.
	Step      time.Duration
	Routes    []string // only these, unless nil
	Endpoints []string // only these, unless nil
	// Top is how many routes are told of without Routes, those that matched the
	// most events.
	Top int
}

// Rates are what was counted, in steps of one length.
type Rates struct {
	StartedAt   time.Time       `json:"startedAt"` // since when is counted
	From        time.Time       `json:"from"`      // when the first step begins
	To          time.Time       `json:"to"`        // the last step may be under way
	StepSeconds int             `json:"stepSeconds"`
	Gateway     GatewayRates    `json:"gateway"`
	Routes      []RouteRates    `json:"routes"` // those that matched the most first
	Endpoints   []EndpointRates `json:"endpoints"`
	Sources     []SourceRates   `json:"sources"`
}

// GatewayRates are those of the whole.
type GatewayRates struct {
	In        Series `json:"in"`
	Delivered Series `json:"delivered"`
	Failed    Series `json:"failed"` // attempts
	Dead      Series `json:"dead"`
	// Waiting is how many deliveries waited at the end of each step, as far as
	// they are known.
	Waiting Series `json:"waiting"`
}

// RouteRates are those of a route.
type RouteRates struct {
	ID        string `json:"id"`
	Evaluated Series `json:"evaluated"` // events that it was asked about
	Matched   Series `json:"matched"`   // by its filter
	Outputs   Series `json:"outputs"`
	Errors    Series `json:"errors"`
}

// EndpointRates are those of an endpoint.
type EndpointRates struct {
	Name      string `json:"name"`
	Delivered Series `json:"delivered"`
	Failed    Series `json:"failed"`
	Dead      Series `json:"dead"`
	Backlog   Series `json:"backlog"`  // chunks, at the end of each step
	Retrying  Series `json:"retrying"` // deliveries, at the end of each step
}

// SourceRates are those of a source.
type SourceRates struct {
	Name     string `json:"name"`
	Received Series `json:"received"`
}

// Series is a number for each step, the oldest first, less than 0 where nothing
// is known, which JSON writes as null.
type Series []int64

// MarshalJSON writes a compact array.
func (s Series) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 2+2*len(s)), '[')
	for i, n := range s {
		if i > 0 {
			b = append(b, ',')
		}
		if n < 0 {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendInt(b, n, 10)
		}
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Series) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*s = make(Series, len(list))
	for i, raw := range list {
		if bytes.Equal(raw, []byte("null")) {
			(*s)[i] = -1
		} else if err := json.Unmarshal(raw, &(*s)[i]); err != nil {
			return err
		}
	}
	return nil
}

// RatesTick is what was counted since the tick before.
type RatesTick struct {
	At      time.Time   `json:"at"`
	Seconds float64     `json:"seconds"` // since the tick before
	Gateway GatewayTick `json:"gateway"`
	// Routes hold what was evaluated, matched, made and failed, by id; of those
	// that matched something.
	Routes map[string][4]uint64 `json:"routes"`
	// Endpoints hold what was delivered, failed and dead, and the backlog and the
	// retries of now, by name.
	Endpoints map[string][5]uint64 `json:"endpoints"`
	Sources   map[string]uint64    `json:"sources"` // received, by name
}

// GatewayTick is what the whole counted since the tick before.
type GatewayTick struct {
	In        uint64 `json:"in"`
	Delivered uint64 `json:"delivered"`
	Failed    uint64 `json:"failed"`
	Dead      uint64 `json:"dead"`
	Waiting   uint64 `json:"waiting"` // now
}
