package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// Fault is something that goes wrong on demand. Its kinds are those of
// [servicebus.Fault] and [eventhubs.Fault], for these services; Event Grid has
// server-busy, unauthorized, reject, drop-before, drop-after, slow and size-limit.
type Fault struct {
	Service Service `json:"service"`
	Kind    string  `json:"kind"`
	// Entity is a queue, a topic, a subscription, a hub or an Event Grid topic.
	// "" is all that the service has, except for what is done to one entity:
	// lock-lost, size-limit, quota-limit, disable. Of Event Grid it is the
	// topics that are there.
	Entity string `json:"entity,omitempty"`
	// At is set of those that are in force, where their kind has several
	// places, such as slow: which it is.
	At string `json:"at,omitempty"`
	// Skip is how many times nothing happens first; not of Event Grid.
	Skip int `json:"skip,omitempty"`
	// Times is how often it happens, or still will; 0 is always.
	Times int `json:"times,omitempty"`
	// Delay is for slow, such as "500ms".
	Delay Duration `json:"delay,omitempty"`
	// Condition is what reject and refuse say over AMQP.
	Condition string `json:"condition,omitempty"`
	// Status is what reject says over HTTP, and RetryAfter (in whole seconds)
	// what a refusal of Event Grid adds.
	Status     int      `json:"status,omitempty"`
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Bytes is for size-limit and quota-limit over AMQP.
	Bytes int64 `json:"bytes,omitempty"`
	// IDs confine a fault of Event Grid to requests with one of these events.
	IDs []string `json:"ids,omitempty"`
}

// Duration is a duration that is written like 1m30s.
type Duration = eventhubs.Duration

var errService = fmt.Errorf("service: want %s, %s or %s, and one that is served", ServiceBus, EventHubs, EventGrid)

// Inject makes f happen from now on. Of several that fit, the first that was
// injected happens; a topic of Event Grid has one at a time, the last.
func (e *Emulator) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	switch {
	case f.Service == ServiceBus && e.serviceBus != nil:
		return e.harm(f, e.serviceBus.Inject(servicebus.Fault{
			Kind: servicebus.FaultKind(f.Kind), Entity: f.Entity, Skip: f.Skip, Times: f.Times,
			Delay: broker.Duration(f.Delay), Condition: f.Condition, Bytes: f.Bytes,
		}))
	case f.Service == EventHubs && e.eventHubs != nil:
		return e.harm(f, e.eventHubs.Inject(eventhubs.Fault{
			Kind: eventhubs.FaultKind(f.Kind), Entity: f.Entity, Skip: f.Skip, Times: f.Times,
			Delay: f.Delay, Condition: f.Condition, Bytes: int(f.Bytes),
		}))
	case f.Service == EventGrid && e.eventGrid != nil:
		return e.failTopics(f)
	}
	return errService
}

// check refuses what the services would pass over: a member that means
// nothing for a kind is a mistake of who wrote it.
func (f Fault) check() error {
	http, amqp := f.Service == EventGrid, f.Service == ServiceBus || f.Service == EventHubs
	for _, m := range []struct {
		name    string
		is, may bool
	}{
		{"at", f.At != "", false},
		{"skip", f.Skip != 0, amqp},
		{"delay", f.Delay != 0, f.Kind == string(servicebus.SlowSettle)},
		{"condition", f.Condition != "", amqp && (f.Kind == string(servicebus.RejectMessage) || f.Kind == string(servicebus.RefuseLink))},
		{"bytes", f.Bytes != 0, amqp && f.state() && f.Kind != string(servicebus.DisableEntity)},
		{"status", f.Status != 0, http && f.Kind == string(servicebus.RejectMessage)},
		{"retryAfter", f.RetryAfter != 0, http},
		{"ids", len(f.IDs) > 0, http},
		{"times", f.Times != 0, !f.state() || http},
	} {
		if m.is && !m.may {
			return fmt.Errorf("%s: means nothing for the fault %s of %s", m.name, f.Kind, f.Service)
		}
	}
	if f.Kind == string(servicebus.SlowSettle) && f.Delay == 0 {
		return errors.New(`delay: the fault slow needs one, such as "2s"`)
	}
	if f.Bytes == 0 && f.state() && amqp && f.Kind != string(servicebus.DisableEntity) {
		return fmt.Errorf("bytes: the fault %s needs a number above 0", f.Kind)
	}
	return nil
}

// state tells whether f is done to an entity and lasts.
func (f Fault) state() bool {
	switch servicebus.FaultKind(f.Kind) {
	case servicebus.SizeLimit, servicebus.QuotaLimit, servicebus.DisableEntity:
		return true
	}
	return false
}

// harm remembers f, if it lasts and err is nil.
func (e *Emulator) harm(f Fault, err error) error {
	if err != nil || !f.state() {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states = append(slices.DeleteFunc(e.states, func(old Fault) bool {
		return old.Service == f.Service && old.Kind == f.Kind && strings.EqualFold(old.Entity, f.Entity)
	}), f)
	return nil
}

// failTopics makes f happen to topics of Event Grid.
func (e *Emulator) failTopics(f Fault) error {
	g := eventgrid.Fault{Times: f.Times, IDs: f.IDs, RetryAfterSeconds: int(time.Duration(f.RetryAfter).Seconds())}
	switch f.Kind {
	case "server-busy":
		g.Status = http.StatusServiceUnavailable
	case "unauthorized":
		g.Status = http.StatusUnauthorized
	case "size-limit":
		g.Status = http.StatusRequestEntityTooLarge
	case "reject":
		if g.Status = f.Status; g.Status == 0 {
			return errors.New("status: the fault reject needs one, such as 429")
		}
	case "drop-before":
		g.Drop = eventgrid.DropBefore
	case "drop-after":
		g.Drop = eventgrid.DropAfter
	case "slow":
		g.DelayMilliseconds = int(time.Duration(f.Delay).Milliseconds())
	default:
		return fmt.Errorf("fault %q: Event Grid has no such kind", f.Kind)
	}
	if f.Times < 0 || f.Delay < 0 || f.RetryAfter < 0 {
		return fmt.Errorf("fault %s: a number is negative", f.Kind)
	}
	if f.Entity != "" {
		return e.eventGrid.Fail(f.Entity, g)
	}
	topics := e.eventGrid.Snapshot().Topics
	if len(topics) == 0 {
		return errors.New("entity: there is no topic yet; declare one, or publish to it first")
	}
	for _, t := range topics {
		if err := e.eventGrid.Fail(t.Name, g); err != nil {
			return err
		}
	}
	return nil
}

// Faults are those that are in force, with what is left of them.
func (e *Emulator) Faults() []Fault {
	faults := []Fault{}
	if e.serviceBus != nil {
		faults = appendRules(faults, ServiceBus, e.serviceBus.Faults())
	}
	if e.eventHubs != nil {
		faults = appendRules(faults, EventHubs, e.eventHubs.Faults())
	}
	if e.eventGrid != nil {
		for _, t := range e.eventGrid.Snapshot().Topics {
			if g, ok := e.eventGrid.Fault(t.Name); ok {
				faults = append(faults, describeGrid(t.Name, g))
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return append(faults, e.states...)
}

func appendRules(faults []Fault, s Service, rules []amqp.Rule) []Fault {
	for _, r := range rules {
		f := Fault{Service: s, Kind: r.Name, Entity: r.Address, Skip: r.Skip, Times: r.Times, Delay: Duration(r.Fault.Delay)}
		if r.Fault.Error != nil && (f.Kind == "reject" || f.Kind == "refuse") {
			f.Condition = string(r.Fault.Error.Condition)
		}
		if f.Kind == "slow" {
			f.At = string(r.Point)
		}
		faults = append(faults, f)
	}
	return faults
}

func describeGrid(topic string, g eventgrid.Fault) Fault {
	f := Fault{
		Service: EventGrid, Entity: topic, Times: g.Times, IDs: g.IDs,
		Delay:      Duration(time.Duration(g.DelayMilliseconds) * time.Millisecond),
		RetryAfter: Duration(time.Duration(g.RetryAfterSeconds) * time.Second),
	}
	switch {
	case g.Drop != "":
		f.Kind = "drop-" + g.Drop
	case g.Status == http.StatusServiceUnavailable:
		f.Kind = "server-busy"
	case g.Status == http.StatusUnauthorized:
		f.Kind = "unauthorized"
	case g.Status == http.StatusRequestEntityTooLarge:
		f.Kind = "size-limit"
	case g.Status != 0:
		f.Kind, f.Status = "reject", g.Status
	default:
		f.Kind = "slow"
	}
	return f
}

// ClearFaults lets nothing go wrong any more, and undoes what lasts, in one
// service or, for "", in all.
func (e *Emulator) ClearFaults(s Service) error {
	if s != "" && e.addresses[s] == "" || s == Control {
		return errService
	}
	if e.serviceBus != nil && (s == "" || s == ServiceBus) {
		e.serviceBus.ClearFaults()
	}
	if e.eventHubs != nil && (s == "" || s == EventHubs) {
		e.eventHubs.ClearFaults()
	}
	if e.eventGrid != nil && (s == "" || s == EventGrid) {
		for _, t := range e.eventGrid.Snapshot().Topics {
			if err := e.eventGrid.Fail(t.Name, eventgrid.Fault{}); err != nil {
				return err
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states = slices.DeleteFunc(e.states, func(f Fault) bool { return s == "" || f.Service == s })
	return nil
}
