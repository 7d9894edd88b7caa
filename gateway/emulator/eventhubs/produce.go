package eventhubs

import (
	"fmt"
	"hash/fnv"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// producerCredit is how many batches a producer may have on their way.
const producerCredit = 300

// Annotations of an event, by which clients know what the hub made of it.
const (
	keyAnnotation      amqp.Symbol = "x-opt-partition-key"
	sequenceAnnotation amqp.Symbol = "x-opt-sequence-number"
	offsetAnnotation   amqp.Symbol = "x-opt-offset"
	enqueuedAnnotation amqp.Symbol = "x-opt-enqueued-time"
)

// produce takes batches for a partition, or for whichever suits if p is nil.
func (h *hub) produce(l *amqp.Link, p *partition) error {
	l.OnTransfer(func(d *amqp.Delivery) { d.Settle(h.accept(d, p)) })
	l.Grant(producerCredit)
	return nil
}

// accept stores what a delivery carries, all of it or nothing.
func (h *hub) accept(d *amqp.Delivery, p *partition) amqp.Outcome {
	if limit := h.sizeLimit(); uint64(len(d.Payload)) > limit {
		return amqp.Reject(amqp.MessageSizeExceeded, fmt.Sprintf("the batch has %d bytes, %d are allowed", len(d.Payload), limit))
	}
	envelope, err := amqp.DecodeMessage(d.Payload)
	if err != nil {
		return amqp.Reject(amqp.DecodeError, err.Error())
	}
	messages, err := d.Messages()
	if err != nil {
		return amqp.Reject(amqp.DecodeError, err.Error())
	}
	key, keyed := envelope.Annotations.Get(string(keyAnnotation))
	if !keyed {
		key, keyed = messages[0].Annotations.Get(string(keyAnnotation))
	}
	text, ok := key.(string)
	if keyed && !ok {
		return amqp.Reject(amqp.InvalidField, "the partition key is not a string")
	}
	if p == nil {
		p = h.choose(text, keyed)
	}
	for _, m := range messages {
		if keyed {
			m.Annotations.Set(keyAnnotation, text)
		}
	}
	if err := p.append(messages); err != nil {
		return amqp.Reject(amqp.DecodeError, err.Error())
	}
	return amqp.Accepted{}
}

// choose returns the partition of a key, or the next in turn.
func (h *hub) choose(key string, keyed bool) *partition {
	if keyed {
		hash := fnv.New32a()
		hash.Write([]byte(key))
		return h.partitions[hash.Sum32()%uint32(len(h.partitions))]
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.partitions[h.next]
	h.next = (h.next + 1) % len(h.partitions)
	return p
}
