package catalog

import "time"

// State is how an endpoint, or the whole gateway, is doing.
type State string

// The states, from good to bad.
const (
	Idle       State = "idle"        // nothing to deliver, nothing delivered lately
	Healthy    State = "healthy"     // delivering, nothing waits longer than usual
	CatchingUp State = "catching up" // delivering, with a backlog
	Paused     State = "paused"      // held by an operator
	Failing    State = "failing"     // the last attempts failed
)

// Status is what an operator looks at first.
type Status struct {
	State     State            `json:"state"`  // the worst of its endpoints' and sources'
	Reason    string           `json:"reason"` // one sentence
	Version   string           `json:"version"`
	StartedAt time.Time        `json:"startedAt"`
	Revision  uint64           `json:"revision"` // of the catalog in force
	Routes    int              `json:"routes"`
	Plugins   int              `json:"plugins"`
	Journal   JournalStatus    `json:"journal"`
	Endpoints []EndpointStatus `json:"endpoints"`
	Sources   []SourceStatus   `json:"sources"`
	// Breakers are those that are open: plugins in use that are left alone.
	Breakers []BreakerStatus `json:"breakers,omitempty"`
	// Tail counts what followers of the live tail were too slow to be told.
	Tail TailStatus `json:"tail"`
}

// JournalStatus is how full the journal is.
type JournalStatus struct {
	First      uint64 `json:"first"` // sequence of the oldest chunk kept; 0 for none
	Last       uint64 `json:"last"`
	Bytes      uint64 `json:"bytes"`
	LimitBytes uint64 `json:"limitBytes,omitempty"` // 0 sets none
	Full       bool   `json:"full"`                 // senders get 503
	Reason     string `json:"reason,omitempty"`
}

// EndpointStatus is how the deliveries of one endpoint are doing.
type EndpointStatus struct {
	Name        string    `json:"name"`
	Kind        string    `json:"kind"`
	State       State     `json:"state"`
	Since       time.Time `json:"since,omitzero"` // when the state began
	Reason      string    `json:"reason,omitempty"`
	Backlog     uint64    `json:"backlog"`     // chunks of the journal that it has not taken yet
	Waiting     int       `json:"waiting"`     // deliveries that wait for their first attempt, or are in it
	Retrying    int       `json:"retrying"`    // deliveries that wait for their next attempt
	DeadLetters int       `json:"deadLetters"` // kept
	Delivered   uint64    `json:"delivered"`   // since the start
	Failed      uint64    `json:"failed"`      // attempts since the start
	NextAttempt time.Time `json:"nextAttempt,omitzero"`
	// LastRejection is why an event became a dead letter on its own account,
	// which leaves the state as it is: the latest since the endpoint was configured.
	LastRejection  string    `json:"lastRejection,omitempty"`
	LastRejectedAt time.Time `json:"lastRejectedAt,omitzero"`
	// DeadLetterError is why dead letters are not copied to the container that
	// the endpoint names.
	DeadLetterError string `json:"deadLetterError,omitempty"`
}

// BreakerStatus is a plugin, under one configuration, that kept trapping and is
// left alone for a while.
type BreakerStatus struct {
	Plugin string    `json:"plugin"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`  // when the next events are let through
	Reason string    `json:"reason"` // the trap that opened it
}

// TailStatus counts the followers of the live tail.
type TailStatus struct {
	Followers int    `json:"followers"`
	Dropped   uint64 `json:"dropped"`
}
