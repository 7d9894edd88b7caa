package servicebus

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// Message is a message as it lies in an entity, for people to read.
type Message struct {
	Sequence         int64     `json:"sequenceNumber"`
	EnqueuedSequence int64     `json:"enqueuedSequenceNumber"`
	EnqueuedAt       time.Time `json:"enqueuedTime"`
	// State is active, locked, deferred or scheduled.
	State         string    `json:"state"`
	DeliveryCount int       `json:"deliveryCount"` // of deliveries that failed
	LockedUntil   time.Time `json:"lockedUntil,omitzero"`
	ExpiresAt     time.Time `json:"expiresAt,omitzero"`
	ScheduledFor  time.Time `json:"scheduledEnqueueTime,omitzero"`
	Size          int64     `json:"sizeBytes"`

	MessageID     any     `json:"messageId"`
	SessionID     *string `json:"sessionId,omitempty"`
	PartitionKey  string  `json:"partitionKey,omitempty"`
	CorrelationID any     `json:"correlationId,omitempty"`
	Subject       *string `json:"subject,omitempty"`
	To            *string `json:"to,omitempty"`
	ReplyTo       *string `json:"replyTo,omitempty"`
	ContentType   string  `json:"contentType,omitempty"`

	DeadLetterSource string         `json:"deadLetterSource,omitempty"`
	Properties       map[string]any `json:"applicationProperties,omitempty"` // as [amqp.Plain] has them
	Body             Body           `json:"body"`
}

// Body is the data of a message. In JSON it is itself if it is JSON, or else a
// string: of text, or in base64.
type Body []byte

// MarshalJSON implements [json.Marshaler].
func (b Body) MarshalJSON() ([]byte, error) {
	if json.Valid(b) {
		return b, nil
	}
	return json.Marshal(amqp.Plain([]byte(b)))
}

// Entities says what each queue, topic and subscription is and holds, in numbers.
func (s *Server) Entities() []broker.Info {
	entities := s.broker.Entities()
	infos := make([]broker.Info, len(entities))
	for i, e := range entities {
		infos[i] = e.Info()
	}
	return infos
}

// Messages returns up to n messages of the entity at an address, which may be
// a dead-letter queue, from a sequence number on. Nothing is locked by that.
func (s *Server) Messages(address string, from int64, n int) ([]Message, error) {
	e, err := s.broker.Entity(address)
	if err != nil {
		return nil, err
	}
	found := e.Peek(from, n, nil)
	messages := make([]Message, len(found))
	for i, m := range found {
		messages[i] = describe(m)
	}
	return messages, nil
}

func describe(m broker.Message) Message {
	sent := m.Body.(*amqp.Message)
	p := sent.Properties
	out := Message{
		Sequence: m.Sequence, EnqueuedSequence: m.EnqueuedSequence, EnqueuedAt: m.EnqueuedAt,
		State: "active", DeliveryCount: m.Failures, LockedUntil: m.LockedUntil,
		Size:      m.Size,
		MessageID: amqp.Plain(p.MessageID), SessionID: p.GroupID, PartitionKey: m.PartitionKey,
		CorrelationID: amqp.Plain(p.CorrelationID), Subject: p.Subject, To: p.To, ReplyTo: p.ReplyTo,
		DeadLetterSource: m.DeadLetterSource,
	}
	switch {
	case m.LockToken != (broker.Token{}):
		out.State = "locked"
	case m.State == broker.StateDeferred:
		out.State = "deferred"
	case m.State == broker.StateScheduled:
		out.State, out.ScheduledFor = "scheduled", m.EnqueueAt
	}
	if m.TTL > 0 {
		out.ExpiresAt = m.EnqueuedAt.Add(m.TTL)
	}
	if p.ContentType != nil {
		out.ContentType = string(*p.ContentType)
	}
	if all := applicationProperties(m); len(all) > 0 {
		out.Properties, _ = amqp.Plain(all).(map[string]any)
	}
	if v, ok := sent.Value(); ok {
		out.Body, _ = json.Marshal(amqp.Plain(v)) // Plain makes what JSON can hold
	} else {
		out.Body = slices.Concat(sent.Data()...)
	}
	return out
}

// applicationProperties are the sender's, under those that were set since.
func applicationProperties(m broker.Message) amqp.Map {
	sent := m.Body.(*amqp.Message).ApplicationProperties
	if len(m.Properties) == 0 {
		return sent
	}
	all := slices.Clone(sent)
	for _, p := range amqp.MapOf(m.Properties) {
		all.Set(p.Key, p.Value)
	}
	return all
}
