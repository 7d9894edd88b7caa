package eventgrid

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is how a topic fails publishers until it is told otherwise. The zero
// Fault is none.
type Fault struct {
	// Status is answered instead of taking the events, with RetryAfterSeconds
	// unless that is 0.
	Status            int `json:"status,omitempty"`
	RetryAfterSeconds int `json:"retryAfterSeconds,omitempty"`
	// Drop ends the connection without an answer: DropBefore the events are
	// taken, or DropAfter.
	Drop string `json:"drop,omitempty"`
	// DelayMilliseconds pass first, in real time; not with DropAfter.
	DelayMilliseconds int `json:"delayMilliseconds,omitempty"`
	// Times bounds the requests that fail; 0 is all of them.
	Times int `json:"times,omitempty"`
	// IDs confine the fault to requests that carry one of these events.
	IDs []string `json:"ids,omitempty"`
}

// The values of Fault.Drop.
const (
	DropBefore = "before"
	DropAfter  = "after"
)

// fault is a Fault in force.
type fault struct {
	Fault
	gone  chan struct{} // closed when another is in force
	spent *int
}

// cutError means that the connection is to end without an answer.
type cutError struct{}

func (*cutError) Error() string { return "connection dropped" }

// Fail puts a fault of a topic in force, in place of the one before, and cuts
// the requests that wait for its delay.
func (s *Server) Fail(topic string, f Fault) error {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault: status %d is not one of HTTP", f.Status)
	case f.Drop != "" && f.Drop != DropBefore && f.Drop != DropAfter:
		return fmt.Errorf("fault: drop %q is neither %s nor %s", f.Drop, DropBefore, DropAfter)
	case f.Drop == DropAfter && f.DelayMilliseconds > 0:
		return errors.New("fault: a delay comes before the events are taken, and a drop after that")
	}
	f.IDs = slices.Clone(f.IDs)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.find(topic)
	if t == nil {
		return fmt.Errorf("fault: there is no topic %s", topic)
	}
	if t.fault.gone != nil {
		close(t.fault.gone)
	}
	t.fault = fault{Fault: f, gone: make(chan struct{}), spent: new(int)}
	return nil
}

// Fault returns the fault of a topic that is in force, with what is left of it.
func (s *Server) Fault(topic string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.find(topic)
	if t == nil || t.fault.gone == nil || t.fault.Status == 0 && t.fault.Drop == "" && t.fault.DelayMilliseconds == 0 {
		return Fault{}, false
	}
	left := t.fault.Fault
	if left.Times > 0 {
		if left.Times -= *t.fault.spent; left.Times <= 0 {
			return Fault{}, false
		}
	}
	left.IDs = slices.Clone(left.IDs)
	return left, true
}

// hits reports whether a request with events is one that f is about.
func (f fault) hits(events []accepted) bool {
	return f.gone != nil && (len(f.IDs) == 0 ||
		slices.ContainsFunc(events, func(e accepted) bool { return slices.Contains(f.IDs, e.id) }))
}

// spend counts a request against f's Times, and reports whether f still is in force.
func (s *Server) spend(t *topic, f fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.fault.gone != f.gone || f.Times > 0 && *f.spent >= f.Times {
		return false
	}
	*f.spent++
	return true
}

// strike lets f strike a request before its events are taken. It is called
// before anything of the request is read, with no events, and for a fault of
// certain events again once they are known.
func (s *Server) strike(t *topic, f fault, w http.ResponseWriter, r *http.Request, events []accepted) error {
	known := events != nil
	if known != (len(f.IDs) > 0) || f.Drop == DropAfter || !f.hits(events) || !s.spend(t, f) {
		return nil
	}
	if f.DelayMilliseconds > 0 {
		if err := s.stall(f, r); err != nil {
			return err
		}
	}
	switch {
	case f.Drop == DropBefore:
		return &cutError{}
	case f.Status != 0:
		if f.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfterSeconds))
		}
		return &refusal{f.Status, "Fault", "a fault that was asked for"}
	}
	return nil
}

// stall waits for f's delay, unless the client leaves or f is replaced.
func (s *Server) stall(f fault, r *http.Request) error {
	select {
	case <-time.After(time.Duration(f.DelayMilliseconds) * time.Millisecond):
		return nil
	case <-f.gone:
	case <-r.Context().Done():
	case <-s.background.Done():
	}
	return &cutError{}
}
