package eventhubs

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// Entity is a hub as it is at a moment.
type Entity struct {
	Name       string      `json:"name"`
	Created    time.Time   `json:"createdAt"`
	Partitions []Partition `json:"partitions"`
}

// Partition is a partition as it is at a moment.
type Partition struct {
	ID     string  `json:"id"`
	Begin  int64   `json:"beginSequenceNumber"`        // of the oldest event that is kept
	Last   int64   `json:"lastEnqueuedSequenceNumber"` // of the newest; -1 for none
	Count  int     `json:"count"`                      // of the events that are kept
	Bytes  int     `json:"bytes"`                      // of those
	Read   int     `json:"receivers"`                  // that are attached
	Events []Event `json:"events"`                     // the newest, oldest first
}

// Event is an event of a partition.
type Event struct {
	Sequence     int64          `json:"sequenceNumber"`
	Offset       string         `json:"offset"`
	Enqueued     time.Time      `json:"enqueuedTime"`
	PartitionKey *string        `json:"partitionKey,omitempty"`
	MessageID    any            `json:"messageId,omitempty"`
	ContentType  string         `json:"contentType,omitempty"`
	Properties   map[string]any `json:"properties,omitempty"` // as [amqp.Plain] has them
	Body         Body           `json:"body"`
}

// Body is the data of an event. In JSON it is itself if it is JSON, or else a
// string: of text, or in base64.
type Body []byte

// MarshalJSON implements [json.Marshaler].
func (b Body) MarshalJSON() ([]byte, error) {
	if json.Valid(b) {
		return b, nil
	}
	return json.Marshal(amqp.Plain([]byte(b)))
}

// Entities returns the hubs, by name, each partition with its newest events,
// of which there are at most last.
func (s *Server) Entities(last int) []Entity {
	s.mu.Lock()
	hubs := slices.Collect(maps.Values(s.hubs))
	s.mu.Unlock()
	slices.SortFunc(hubs, func(a, b *hub) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	entities := make([]Entity, len(hubs))
	for i, h := range hubs {
		entities[i] = Entity{Name: h.Name, Created: h.created, Partitions: make([]Partition, len(h.partitions))}
		for j, p := range h.partitions {
			entities[i].Partitions[j] = p.entity(last)
		}
	}
	return entities
}

func (p *partition) entity(last int) Partition {
	p.mu.Lock()
	out := Partition{ID: p.id, Begin: p.next, Last: p.next - 1, Count: len(p.events), Bytes: p.bytes, Read: len(p.readers)}
	if len(p.events) > 0 {
		out.Begin = p.events[0].sequence
	}
	newest := slices.Clone(p.events[max(len(p.events)-max(last, 0), 0):])
	p.mu.Unlock()
	out.Events = make([]Event, len(newest))
	for i, e := range newest {
		out.Events[i] = e.entity()
	}
	return out
}

func (e event) entity() Event {
	out := Event{Sequence: e.sequence, Offset: strconv.FormatInt(e.offset, 10), Enqueued: e.enqueued}
	m, err := amqp.DecodeMessage(e.payload)
	if err != nil { // it was encoded here
		return out
	}
	if key, ok := m.Annotations.Get(string(keyAnnotation)); ok {
		if text, ok := key.(string); ok {
			out.PartitionKey = &text
		}
	}
	if m.Properties != nil {
		out.MessageID = amqp.Plain(m.Properties.MessageID)
		if m.Properties.ContentType != nil {
			out.ContentType = string(*m.Properties.ContentType)
		}
	}
	if len(m.ApplicationProperties) > 0 {
		out.Properties, _ = amqp.Plain(m.ApplicationProperties).(map[string]any)
	}
	out.Body = slices.Concat(m.Data()...)
	return out
}
