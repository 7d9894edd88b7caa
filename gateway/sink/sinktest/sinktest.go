// Package sinktest is the suite that every sink passes.
//
// The test of a sink provides the far side, an [Endpoint] that records what it
// takes and fails on demand, and says in [Features] what the sink's protocol
// cannot do. [Run] does the rest:
//
//	sinktest.Run(t, sinktest.Features{…}, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) { … })
package sinktest

import (
	"context"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Sink is what the engine needs of a sink.
type Sink interface {
	Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome
	Capacity() delivery.Capacity
	Close() error
}

// Endpoint is what a sink under test sends to. It is safe for concurrent use.
type Endpoint interface {
	// Received returns the events that were taken, in the order they were.
	Received() []event.Event
	// Tries counts what arrived, taken or not: requests, messages, whatever
	// carries events. It is -1 when that cannot be told.
	Tries() int
	// Fail makes every later try that carries an event with one of the ids fail
	// as fault says, and every try at all when no ids are given. It replaces
	// what an earlier call said; Take ends all failing.
	Fail(fault Fault, ids ...string)
}

// Fault is how an endpoint fails.
type Fault uint8

// The faults.
const (
	Take   Fault = iota // none
	Reject              // it will never take this event: too large, malformed
	Refuse              // it takes nothing in its present state: unauthorised, not found
	Busy                // it takes nothing for now
	Drop                // the connection ends without an answer
	Stall               // it does not answer until the sink hangs up
)

// String names the fault.
func (f Fault) String() string {
	return [...]string{"take", "reject", "refuse", "busy", "drop", "stall"}[f]
}

// blame is what a sink must make of the fault.
func (f Fault) blame() delivery.Blame {
	return [...]delivery.Blame{delivery.None, delivery.Event, delivery.Endpoint, delivery.Nobody, delivery.Nobody, delivery.Nobody}[f]
}

// Features says what can be asked of a sink and its endpoint. The zero value
// is a sink that loses nothing and an endpoint that never fails.
type Features struct {
	// Faults are those that the endpoint can be made to have.
	Faults []Fault
	// RetryAfter is the wait that a Busy endpoint asks for, which the outcome
	// must tell; zero when the protocol cannot ask.
	RetryAfter time.Duration
	// DataOnly: only data arrives, no attributes.
	DataOnly bool
	// TextExtensions: the kind of an extension is lost, its text is not.
	TextExtensions bool
	// EmptyIsNoData: empty data and no data look alike.
	EmptyIsNoData bool
	// LooseJSON: data that is JSON may arrive with other blanks between tokens.
	LooseJSON bool
}

// Run holds the sinks that open returns to the contract of sinks. Each call of
// open gives a new endpoint and a sink bound to it, which Run closes; the
// endpoint ends with t.
func Run(t *testing.T, f Features, open func(t *testing.T) (Sink, Endpoint)) {
	s := suite{f, open}
	t.Run("states its capacity", s.capacity)
	t.Run("carries every shape of event", s.shapes)
	t.Run("carries the largest event", s.largest)
	t.Run("answers for each delivery", s.outcomes)
	t.Run("keeps the order of a key over all lanes", s.order)
	t.Run("leaves its arguments alone", s.arguments)
	t.Run("sends nothing once its context has ended", s.ended)
	for _, fault := range f.Faults {
		t.Run("blames rightly when the endpoint would "+fault.String(), func(t *testing.T) { s.fault(t, fault) })
		t.Run("keeps order around a delivery that the endpoint would "+fault.String(), func(t *testing.T) { s.partial(t, fault) })
	}
	t.Run("hangs up when its context ends", s.stall)
	t.Run("closes more than once and leaves nothing running", s.close)
}

type suite struct {
	Features
	open func(t *testing.T) (Sink, Endpoint)
}

// start opens a sink that is closed with t.
func (s suite) start(t *testing.T) (Sink, Endpoint) {
	t.Helper()
	sink, endpoint := s.open(t)
	t.Cleanup(func() {
		if err := sink.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return sink, endpoint
}

// eventually waits for something that another goroutine brings about.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
