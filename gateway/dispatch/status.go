package dispatch

import (
	"slices"
	"strings"
	"time"
)

// State is an endpoint's state in one word.
type State string

// The states of an endpoint.
const (
	Healthy    State = "healthy"
	CatchingUp State = "catching up" // it follows the journal by itself
	Paused     State = "paused"      // by a person
	Failing    State = "failing"
)

// Status is how an endpoint fares.
type Status struct {
	Endpoint string
	State    State
	// Since and Reason are of the failures, also of an endpoint that was paused
	// while it failed.
	Since  time.Time
	Reason string
	// RetryAt is when a refusing endpoint is asked again.
	RetryAt time.Time

	// Rejection is why the latest event that was itself to blame became a dead
	// letter, at RejectedAt, since the endpoint was configured; "" for none.
	Rejection  string
	RejectedAt time.Time

	Queued   int    // deliveries that wait for their first attempt
	Retrying int    // deliveries that failed, and those that wait behind them
	Next     uint64 // the chunk that the endpoint takes next
	Behind   uint64 // chunks of the journal that it has not taken

	Evaluated uint64 // events that its routes were asked about, since the start
}

// Status returns how each endpoint fares, in the order of their names.
func (d *Dispatcher) Status() []Status {
	runners := d.all()
	last := d.journal.Last()
	all := make([]Status, 0, len(runners))
	for _, r := range runners {
		all = append(all, r.status(last))
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return all
}

func (r *runner) status(last uint64) Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{
		Endpoint: r.name, State: Healthy,
		Queued: r.queued + r.crew.busy, Retrying: r.open,
		Next: r.track.next, Evaluated: r.evaluated,
		Rejection: r.health.rejection.reason, RejectedAt: r.health.rejection.at,
	}
	if last >= r.track.next {
		s.Behind = last - r.track.next + 1
	}
	if s.Behind > 0 && !r.attached {
		s.State = CatchingUp
	}
	switch {
	case r.stuck != nil:
		s.State, s.Reason = Failing, r.stuck.Error()
	case r.health.failing():
		s.State, s.Since, s.Reason = Failing, r.health.since, r.health.reason
		if r.health.paused {
			s.RetryAt = r.health.until
		}
	}
	if r.paused {
		s.State, s.RetryAt = Paused, time.Time{}
	}
	return s
}
