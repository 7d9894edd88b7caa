package servicebus

import (
	"strconv"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
)

// decode returns the events that a message carries; an error is the reason to
// dead-letter it.
func (s *settings) decode(m *azservicebus.ReceivedMessage) ([]event.Event, error) {
	raw := m.RawAMQPMessage
	body, err := pull.Body(raw.Body.Data, raw.Body.Value, raw.Body.Sequence)
	if err != nil {
		return nil, err
	}
	message := pull.Message{
		ContentType: text(m.ContentType), Properties: m.ApplicationProperties, Body: body,
		ID: m.MessageID, Session: text(m.SessionID), PartitionKey: text(m.PartitionKey),
		Subject: text(m.Subject), CorrelationID: text(m.CorrelationID), Sequence: nameOf(m),
	}
	if m.EnqueuedTime != nil {
		message.Enqueued = *m.EnqueuedTime
	}
	return s.wrap.Events(&message)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// nameOf is the sequence number, by which a message is found in its entity.
func nameOf(m *azservicebus.ReceivedMessage) string {
	if m.SequenceNumber == nil {
		return ""
	}
	return strconv.FormatInt(*m.SequenceNumber, 10)
}

// handled remembers messages that were accepted and are not completed, so that
// they are not accepted once more when they come again: because the completion
// failed, or because it takes longer than the lock lasts. The zero value works.
type handled struct {
	mu     sync.Mutex
	keys   map[identity]struct{}
	failed []identity // of keys those that may stay, the oldest first
}

// identity tells a message from all others, those of an entity included that
// was deleted and made anew.
type identity struct {
	sequence, enqueued int64
	id                 string
}

// maxFailed bounds the memory of failures: more than can be locked at a time.
const maxFailed = 100_000

func identityOf(m *azservicebus.ReceivedMessage) identity {
	k := identity{id: m.MessageID}
	if m.SequenceNumber != nil {
		k.sequence = *m.SequenceNumber
	}
	if m.EnqueuedTime != nil {
		k.enqueued = m.EnqueuedTime.UnixNano()
	}
	return k
}

func (h *handled) has(k identity) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.keys[k]
	return ok
}

// accepted is called when a message's events are durable.
func (h *handled) accepted(k identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keys == nil {
		h.keys = map[identity]struct{}{}
	}
	h.keys[k] = struct{}{}
}

// completed is called when an accepted message will not come again.
func (h *handled) completed(k identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.keys, k)
}

// remains is called when an accepted message may come again.
func (h *handled) remains(k identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed = append(h.failed, k); len(h.failed) > maxFailed {
		delete(h.keys, h.failed[0])
		h.failed = h.failed[1:]
	}
}
