package eventhubs

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// partition is a log of events. Its newest ones are kept, up to a number of bytes.
type partition struct {
	id   string
	keep int

	mu      sync.Mutex
	events  []event
	next    int64 // the sequence number of the next event
	offset  int64 // and its offset
	bytes   int   // in events
	readers []*reader
}

// event is one in a partition, encoded as readers get it.
type event struct {
	sequence int64
	offset   int64
	enqueued time.Time
	payload  []byte
}

// append adds messages to the end, all or none, and hands them to who waits for them.
func (p *partition) append(messages []*amqp.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Millisecond)
	if len(p.events) > 0 { // time does not run backwards in a partition
		if last := p.events[len(p.events)-1].enqueued; now.Before(last) {
			now = last
		}
	}
	sequence, offset := p.next, p.offset
	added := make([]event, 0, len(messages))
	for _, m := range messages {
		m.Annotations.Set(sequenceAnnotation, sequence)
		m.Annotations.Set(offsetAnnotation, strconv.FormatInt(offset, 10))
		m.Annotations.Set(enqueuedAnnotation, now)
		payload, err := m.Append(nil)
		if err != nil {
			return err
		}
		added = append(added, event{sequence, offset, now, payload})
		sequence++
		offset += int64(len(payload))
	}
	p.events = append(p.events, added...)
	p.bytes += int(offset - p.offset)
	p.next, p.offset = sequence, offset
	p.trim()
	for _, r := range p.readers {
		r.pump()
	}
	return nil
}

// trim forgets the oldest events beyond what is kept; the newest always is. It
// waits until there are some more, to move the others less often.
func (p *partition) trim() {
	if p.bytes <= p.keep+p.keep/8 {
		return
	}
	n := 0
	for p.bytes > p.keep && n < len(p.events)-1 {
		p.bytes -= len(p.events[n].payload)
		n++
	}
	p.events = slices.Delete(p.events, 0, n)
}

// from returns the events that are kept from a sequence number on.
func (p *partition) from(sequence int64) []event {
	if len(p.events) == 0 {
		return nil
	}
	i := max(sequence-p.events[0].sequence, 0)
	return p.events[min(i, int64(len(p.events))):]
}

// lastEnqueued is when the newest event came; the first day of year 1 for none.
func (p *partition) lastEnqueued() time.Time {
	if len(p.events) == 0 {
		return time.Time{}
	}
	return p.events[len(p.events)-1].enqueued
}

// lastOffset is the offset of the newest event; -1 for none.
func (p *partition) lastOffset() string {
	if len(p.events) == 0 {
		return "-1"
	}
	return strconv.FormatInt(p.events[len(p.events)-1].offset, 10)
}

// tell returns an encoded event that also tells of the newest event.
func (p *partition) tell(payload []byte) []byte {
	m, err := amqp.DecodeMessage(payload)
	if err != nil {
		return payload // which cannot be: it was encoded here
	}
	m.DeliveryAnnotations.Set(amqp.Symbol("last_enqueued_sequence_number"), p.next-1)
	m.DeliveryAnnotations.Set(amqp.Symbol("last_enqueued_offset"), p.lastOffset())
	m.DeliveryAnnotations.Set(amqp.Symbol("last_enqueued_time_utc"), p.lastEnqueued())
	m.DeliveryAnnotations.Set(amqp.Symbol("runtime_info_retrieval_time_utc"), time.Now())
	if told, err := m.Append(nil); err == nil {
		return told
	}
	return payload
}
