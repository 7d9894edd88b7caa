package servicebus

import (
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// FaultKind says what goes wrong.
type FaultKind string

// The kinds of faults. Those of the first group happen to the links of an
// entity, or of all, as often as the fault says; those of the second are done to
// one entity, at once, and last until another fault or [Server.ClearFaults] says
// otherwise.
const (
	// ServerBusy rejects messages: com.microsoft:server-busy.
	ServerBusy FaultKind = "server-busy"
	// RejectMessage rejects messages with the fault's condition.
	RejectMessage FaultKind = "reject"
	// RefuseLink refuses links with the fault's condition.
	RefuseLink FaultKind = "refuse"
	// DetachLink detaches a sender's link instead of taking its message.
	DetachLink FaultKind = "detach"
	// DropBefore cuts the connection when a message comes, which is lost.
	DropBefore FaultKind = "drop-before"
	// DropAfter cuts the connection when a message is accepted, before the
	// sender knows: it can but send again.
	DropAfter FaultKind = "drop-after"
	// DropBeforeSettle cuts the connection when a receiver settles, in vain.
	DropBeforeSettle FaultKind = "drop-before-settle"
	// DropAfterSettle cuts the connection when a receiver has settled, before it knows.
	DropAfterSettle FaultKind = "drop-after-settle"
	// SlowSettle delays the answer to each message sent, and to each settled.
	SlowSettle FaultKind = "slow"
	// Unauthorized answers 401 to tokens.
	Unauthorized FaultKind = "unauthorized"

	// LockLost ends every lock that there is, of messages and of sessions.
	LockLost FaultKind = "lock-lost"
	// SizeLimit makes Bytes the most that a transfer may hold.
	SizeLimit FaultKind = "size-limit"
	// QuotaLimit makes Bytes the most that the entity may hold.
	QuotaLimit FaultKind = "quota-limit"
	// DisableEntity sets the status disabled.
	DisableEntity FaultKind = "disable"
)

// Fault is something that goes wrong on demand.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Entity is the address of an entity; what lies beneath it is meant too.
	// "" is all of them, for kinds of the first group.
	Entity string `json:"entity,omitempty"`
	// Skip is how many times nothing happens first.
	Skip int `json:"skip,omitempty"`
	// Times is how often it happens; 0 is always.
	Times int `json:"times,omitempty"`
	// Delay is for SlowSettle.
	Delay broker.Duration `json:"delay,omitempty"`
	// Condition is what RejectMessage and RefuseLink say.
	Condition string `json:"condition,omitempty"`
	// Bytes is for SizeLimit and QuotaLimit.
	Bytes int64 `json:"bytes,omitempty"`
}

// Inject makes f happen from now on. Of several faults that fit, the first
// that was injected happens.
func (s *Server) Inject(f Fault) error {
	if f.Skip < 0 || f.Times < 0 || f.Delay < 0 || f.Bytes < 0 {
		return fmt.Errorf("fault %s: a number is negative", f.Kind)
	}
	if done, err := s.harm(f); done || err != nil {
		return err
	}
	points, fault, err := f.rule()
	if err != nil {
		return err
	}
	for _, p := range points {
		s.faults.Add(amqp.Rule{Name: string(f.Kind), Point: p, Address: f.Entity, Skip: f.Skip, Times: f.Times, Fault: fault})
	}
	return nil
}

// Faults are the rules that are left of what was injected, of the first group
// of kinds.
func (s *Server) Faults() []amqp.Rule { return s.faults.Rules() }

// ClearFaults lets nothing go wrong any more, and undoes what the second group
// of kinds has done.
func (s *Server) ClearFaults() {
	s.faults.Clear()
	s.mu.Lock()
	undo := s.undo
	s.undo = nil
	s.mu.Unlock()
	for _, e := range undo {
		e.Restore()
	}
}

// harm does what is done at once; false if f is not of that group.
func (s *Server) harm(f Fault) (bool, error) {
	switch f.Kind {
	case LockLost, SizeLimit, QuotaLimit, DisableEntity:
	default:
		return false, nil
	}
	e, err := s.broker.Entity(f.Entity)
	if err != nil {
		return false, fmt.Errorf("fault %s: %w", f.Kind, err)
	}
	switch f.Kind {
	case SizeLimit:
		err = e.SetLimits(f.Bytes, 0)
	case QuotaLimit:
		err = e.SetLimits(0, f.Bytes)
	case DisableEntity:
		err = e.SetStatus(broker.Disabled)
	default:
		e.BreakLocks()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undo = append(s.undo, e)
	return true, err
}

// rule is where f happens, and how.
func (f Fault) rule() ([]amqp.Point, amqp.Fault, error) {
	says := func(c amqp.Symbol) amqp.Fault {
		return amqp.Fault{Error: amqp.Errorf(c, "a fault that was asked for")}
	}
	if (f.Kind == RejectMessage || f.Kind == RefuseLink) && f.Condition == "" {
		return nil, amqp.Fault{}, fmt.Errorf("fault %s: needs a condition", f.Kind)
	}
	switch f.Kind {
	case ServerBusy:
		return []amqp.Point{amqp.Transfer}, says(serverBusy), nil
	case RejectMessage:
		return []amqp.Point{amqp.Transfer}, says(amqp.Symbol(f.Condition)), nil
	case RefuseLink:
		return []amqp.Point{amqp.Attach}, says(amqp.Symbol(f.Condition)), nil
	case DetachLink:
		return []amqp.Point{amqp.Transfer}, amqp.Fault{Detach: true}, nil
	case DropBefore:
		return []amqp.Point{amqp.Transfer}, amqp.Fault{Drop: true}, nil
	case DropAfter:
		return []amqp.Point{amqp.Settle}, amqp.Fault{Drop: true}, nil
	case DropBeforeSettle:
		return []amqp.Point{amqp.Respond}, amqp.Fault{Drop: true}, nil
	case DropAfterSettle:
		return []amqp.Point{amqp.Confirm}, amqp.Fault{Drop: true}, nil
	case SlowSettle:
		return []amqp.Point{amqp.Settle, amqp.Confirm}, amqp.Fault{Delay: time.Duration(f.Delay)}, nil
	case Unauthorized:
		return []amqp.Point{amqp.PutToken}, says(amqp.UnauthorizedAccess), nil
	}
	return nil, amqp.Fault{}, fmt.Errorf("fault %q: no such kind", f.Kind)
}
