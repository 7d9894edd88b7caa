package eventhubs

import (
	"slices"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// maxReaders is how many readers without an epoch a consumer group may have on
// a partition.
const maxReaders = 5

// reader is a client that reads a partition. It is guarded by the partition's mu.
type reader struct {
	l     *amqp.Link
	p     *partition
	group string
	name  string // that the client gave itself, for its peers to know
	epoch *int64 // nil for a reader that claims nothing
	next  int64  // the sequence number it gets next
	tells bool   // it wants to be told, with each event, of the newest
}

// consume lets a client read, from where its filter says, or else the oldest on.
func (p *partition) consume(l *amqp.Link, group string) error {
	r := &reader{l: l, p: p, group: group, tells: l.Desires("com.microsoft:enable-receiver-runtime-metric")}
	if v, ok := l.Properties().Get("com.microsoft:receiver-name"); ok {
		r.name, _ = v.(string)
	}
	if v, ok := l.Properties().Get("com.microsoft:epoch"); ok {
		epoch, ok := v.(int64)
		if !ok {
			return amqp.Errorf(amqp.InvalidField, "the epoch is a %T, want a long", v)
		}
		r.epoch = &epoch
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := l.FilterValue(selector); ok {
		text, _ := v.(string)
		from, ok := parsePosition(text)
		if !ok {
			return amqp.Errorf(amqp.InvalidField, "the filter %q does not compare an annotation with a position", text)
		}
		r.next = p.start(from)
	}
	if err := p.admit(r); err != nil {
		return err
	}
	p.readers = append(p.readers, r)
	l.OnCredit(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		r.pump()
	})
	l.OnDetach(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.leave(r)
	})
	return nil
}

// admit lets r take over from the readers of its group, or refuses it: a
// higher epoch, or the later of two that are equal, has the partition alone;
// without an epoch, five may share it.
func (p *partition) admit(r *reader) *amqp.Error {
	var rivals []*reader
	for _, other := range p.readers {
		if other.group != r.group {
			continue
		}
		if other.epoch != nil && (r.epoch == nil || *r.epoch < *other.epoch) {
			return amqp.Errorf(amqp.Stolen,
				"receiver %q has partition %s with epoch %d: %q needs that epoch or a higher one", other.name, p.id, *other.epoch, r.name)
		}
		rivals = append(rivals, other)
	}
	if r.epoch == nil {
		if len(rivals) >= maxReaders {
			return amqp.Errorf(amqp.ResourceLimitExceeded, "partition %s has %d receivers in the consumer group, as many as it may have", p.id, maxReaders)
		}
		return nil
	}
	for _, other := range rivals {
		other.l.Detach(amqp.Errorf(amqp.Stolen,
			"receiver %q with epoch %d took partition %s from %q", r.name, *r.epoch, p.id, other.name))
		p.leave(other)
	}
	return nil
}

func (p *partition) leave(r *reader) {
	p.readers = slices.DeleteFunc(p.readers, func(other *reader) bool { return other == r })
}

// pump sends what the client has credit for. Readers settle nothing: a position
// is what they keep, and to the Go client credit comes back only for what was
// sent as settled.
func (r *reader) pump() {
	for _, e := range r.p.from(r.next) {
		payload := e.payload
		if r.tells {
			payload = r.p.tell(payload)
		}
		if r.l.Send(amqp.Outgoing{Payload: payload, Settled: true}) != nil {
			return
		}
		r.next = e.sequence + 1
	}
}
