package eventhubs

import (
	"cmp"
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// FaultKind says what goes wrong.
type FaultKind string

// The kinds of faults. They have the names that those of the Service Bus have.
const (
	// ServerBusy rejects batches: com.microsoft:server-busy.
	ServerBusy FaultKind = "server-busy"
	// RejectBatch rejects batches with the fault's condition.
	RejectBatch FaultKind = "reject"
	// RefuseLink refuses links with the fault's condition.
	RefuseLink FaultKind = "refuse"
	// DetachLink detaches a producer's link instead of taking its batch.
	DetachLink FaultKind = "detach"
	// DetachReader detaches a consumer's link instead of sending an event.
	DetachReader FaultKind = "detach-receiver"
	// DropBefore cuts the connection when a batch comes, which is lost.
	DropBefore FaultKind = "drop-before"
	// DropAfter cuts the connection when a batch is accepted, before the
	// producer knows: it can but send again.
	DropAfter FaultKind = "drop-after"
	// DropReader cuts a consumer's connection instead of sending an event.
	DropReader FaultKind = "drop-receiver"
	// SlowSettle delays the answer to each batch.
	SlowSettle FaultKind = "slow"
	// Unauthorized answers 401 to tokens.
	Unauthorized FaultKind = "unauthorized"
	// SizeLimit makes Bytes the most that a batch to the entity, a hub, may have.
	SizeLimit FaultKind = "size-limit"
)

// Fault is something that goes wrong on demand.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Entity is the address of a hub; what lies beneath it is meant too. "" is
	// all hubs, but not for SizeLimit.
	Entity string `json:"entity,omitempty"`
	// Skip is how many times nothing happens first.
	Skip int `json:"skip,omitempty"`
	// Times is how often it happens; 0 is always.
	Times int `json:"times,omitempty"`
	// Delay is for SlowSettle.
	Delay Duration `json:"delay,omitempty"`
	// Condition is what RejectBatch and RefuseLink say.
	Condition string `json:"condition,omitempty"`
	// Bytes is for SizeLimit.
	Bytes int `json:"bytes,omitempty"`
}

// Duration is a duration that is written like 1m30s.
type Duration time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Inject makes f happen from now on. Of several faults that fit, the first
// that was injected happens.
func (s *Server) Inject(f Fault) error {
	if f.Skip < 0 || f.Times < 0 || f.Delay < 0 || f.Bytes < 0 {
		return fmt.Errorf("fault %s: a number is negative", f.Kind)
	}
	if f.Kind == SizeLimit {
		h, err := s.hub(f.Entity)
		if err != nil {
			return fmt.Errorf("fault %s: %w", f.Kind, err)
		}
		h.setLimit(uint64(f.Bytes))
		return nil
	}
	p, fault, err := f.rule()
	if err == nil {
		s.o.AMQP.Faults.Add(amqp.Rule{Name: string(f.Kind), Point: p, Address: f.Entity, Skip: f.Skip, Times: f.Times, Fault: fault})
	}
	return err
}

// Faults are the rules that are left of what was injected; size limits are none.
func (s *Server) Faults() []amqp.Rule { return s.o.AMQP.Faults.Rules() }

// ClearFaults lets nothing go wrong any more.
func (s *Server) ClearFaults() {
	s.o.AMQP.Faults.Clear()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hubs {
		h.setLimit(0)
	}
}

// rule is where f happens, and how.
func (f Fault) rule() (amqp.Point, amqp.Fault, error) {
	says := func(c amqp.Symbol) amqp.Fault {
		return amqp.Fault{Error: amqp.Errorf(c, "a fault that was asked for")}
	}
	if (f.Kind == RejectBatch || f.Kind == RefuseLink) && f.Condition == "" {
		return "", amqp.Fault{}, fmt.Errorf("fault %s: needs a condition", f.Kind)
	}
	switch f.Kind {
	case ServerBusy:
		return amqp.Transfer, says("com.microsoft:server-busy"), nil
	case RejectBatch:
		return amqp.Transfer, says(amqp.Symbol(f.Condition)), nil
	case RefuseLink:
		return amqp.Attach, says(amqp.Symbol(f.Condition)), nil
	case DetachLink:
		return amqp.Transfer, amqp.Fault{Detach: true}, nil
	case DetachReader:
		return amqp.Deliver, amqp.Fault{Detach: true}, nil
	case DropBefore:
		return amqp.Transfer, amqp.Fault{Drop: true}, nil
	case DropAfter:
		return amqp.Settle, amqp.Fault{Drop: true}, nil
	case DropReader:
		return amqp.Deliver, amqp.Fault{Drop: true}, nil
	case SlowSettle:
		return amqp.Settle, amqp.Fault{Delay: time.Duration(f.Delay)}, nil
	case Unauthorized:
		return amqp.PutToken, says(amqp.UnauthorizedAccess), nil
	}
	return "", amqp.Fault{}, fmt.Errorf("fault %q: no such kind", f.Kind)
}

func (h *hub) setLimit(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.limit = n
}

func (h *hub) sizeLimit() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cmp.Or(h.limit, h.max)
}
