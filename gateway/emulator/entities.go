package emulator

import (
	"strings"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// Entity is a queue, a topic, a subscription, a hub or an Event Grid topic as
// it is at a moment. Exactly one of its services' parts is there; in JSON the
// members of that part are the entity's own.
type Entity struct {
	Service Service `json:"service"`
	Name    string  `json:"name"`

	*Bus
	*eventhubs.Entity
	*eventgrid.TopicSnapshot
}

// Bus is an entity of the Service Bus, in numbers, and the first of the
// messages that lie in it and in its dead-letter queue.
type Bus struct {
	broker.Info
	Contents    []servicebus.Message `json:"contents"`
	DeadLetters []servicebus.Message `json:"deadLetterContents"`
}

// Entities lists the entities of one service or, for "", of all; those of a
// name or, for "", all. Of each entity, or partition, at most limit messages
// are shown: the first of the Service Bus, the newest of the others.
func (e *Emulator) Entities(s Service, name string, limit int) ([]Entity, error) {
	switch {
	case s == "", s == ServiceBus && e.serviceBus != nil, s == EventHubs && e.eventHubs != nil, s == EventGrid && e.eventGrid != nil:
	default:
		return nil, errService
	}
	want := func(of Service, entity string) bool {
		return (s == "" || s == of) && (name == "" || strings.EqualFold(name, entity))
	}
	all := []Entity{}
	if e.serviceBus != nil {
		for _, info := range e.serviceBus.Entities() {
			if !want(ServiceBus, info.Path) {
				continue
			}
			bus, err := e.bus(info, limit)
			if err != nil {
				return nil, err
			}
			all = append(all, Entity{Service: ServiceBus, Name: info.Path, Bus: bus})
		}
	}
	if e.eventHubs != nil {
		for _, hub := range e.eventHubs.Entities(limit) {
			if want(EventHubs, hub.Name) {
				all = append(all, Entity{Service: EventHubs, Name: hub.Name, Entity: &hub})
			}
		}
	}
	if e.eventGrid != nil {
		for _, t := range e.eventGrid.Snapshot().Topics {
			if !want(EventGrid, t.Name) {
				continue
			}
			t.Endpoint = e.TopicEndpoint(t.Name)
			t.Events = newest(t.Events, limit)
			for i := range t.Subscriptions {
				t.Subscriptions[i].DeadLetters = newest(t.Subscriptions[i].DeadLetters, limit)
			}
			all = append(all, Entity{Service: EventGrid, Name: t.Name, TopicSnapshot: &t})
		}
	}
	return all, nil
}

func (e *Emulator) bus(info broker.Info, limit int) (*Bus, error) {
	bus := &Bus{Info: info, Contents: []servicebus.Message{}, DeadLetters: []servicebus.Message{}}
	if info.Kind == "topic" { // what it took lies in its subscriptions
		return bus, nil
	}
	var err error
	if bus.Contents, err = e.messages(info.Path, limit); err != nil {
		return nil, err
	}
	bus.DeadLetters, err = e.messages(info.Path+"/$DeadLetterQueue", limit)
	return bus, err
}

// messages are the first that lie at an address.
func (e *Emulator) messages(address string, limit int) ([]servicebus.Message, error) {
	return e.serviceBus.Messages(address, 1, limit)
}

// Messages are up to n that lie in a queue or a subscription of the Service
// Bus, from a sequence number on. Nothing is locked by that.
func (e *Emulator) Messages(address string, from int64, n int) ([]servicebus.Message, error) {
	if e.serviceBus == nil {
		return nil, errService
	}
	return e.serviceBus.Messages(address, from, n)
}

// newest are the last n of list.
func newest[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }
