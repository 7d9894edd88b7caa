package amqp

import (
	"fmt"
	"slices"
)

// Outgoing is a message for a client.
type Outgoing struct {
	Payload []byte // the encoded message
	Format  uint32 // its message format; 0 for all but batches
	Tag     []byte // at most 32 bytes, unlike that of any other unsettled message of the link; nil for any
	// Settled sends the message as settled, for a client that will not say what
	// became of it though its link is not settled.
	Settled bool
	// OnSettle is called when the client says what became of the message,
	// unless it is sent as settled; see the package comment on callbacks.
	OnSettle func(*Settlement)
}

// outgoing is one that waits to be written, or a flow that waits behind others.
type outgoing struct {
	Outgoing
	l       *Link
	flow    *flow
	started bool
}

// Send queues a message. It does not wait: without credit it returns
// [ErrNoCredit], on a link that is over [ErrDetached].
func (l *Link) Send(o Outgoing) error {
	if len(o.Tag) > 32 {
		return fmt.Errorf("amqp: a delivery tag of %d bytes", len(o.Tag))
	}
	c := l.s.c
	c.mu.Lock()
	switch {
	case l.over || l.sends:
		c.mu.Unlock()
		return ErrDetached
	case !l.attached || l.credit == 0:
		c.mu.Unlock()
		return ErrNoCredit
	}
	l.credit--
	l.count++
	c.mu.Unlock()
	l.apply(Deliver, func(Fault) { l.push(o) })
	return nil
}

func (l *Link) push(o Outgoing) {
	l.s.c.mu.Lock()
	defer l.s.c.mu.Unlock()
	if !l.over && !l.doomed {
		l.s.pending.push(&outgoing{Outgoing: o, l: l})
		l.s.list()
	}
}

// writeOne queues a frame of the first that waits. It returns false when there
// is none, or when the client's window is closed.
func (s *session) writeOne() bool {
	if s.pending.empty() {
		return false
	}
	o := s.pending.first()
	if o.flow != nil {
		s.pending.pop()
		s.writeFlow(o.flow)
		return true
	}
	if s.remoteRoom == 0 {
		return false
	}
	s.remoteRoom--
	s.nextOutgoing++
	p := &transfer{Handle: o.l.handle}
	if !o.started {
		o.started = true
		s.start(o, p)
	}
	room := s.c.maxFrame - overhead - len(p.Tag)
	p.More = len(o.Payload) > room
	chunk := o.Payload[:min(room, len(o.Payload))]
	o.Payload = o.Payload[len(chunk):]
	if !p.More {
		s.pending.pop()
	}
	s.c.transfer(s.channel, p, chunk)
	return true
}

// overhead is more than what a transfer's frame holds besides tag and payload.
const overhead = 64

// start gives a delivery its number, and remembers it if the client must settle it.
func (s *session) start(o *outgoing, p *transfer) {
	id := s.nextDelivery
	s.nextDelivery++
	p.DeliveryID, p.Format, p.Tag = &id, &o.Format, o.Tag
	if p.Tag == nil {
		p.Tag = tag(o.l.count + id)
	}
	if p.Settled = o.Settled || o.l.Settled(); !p.Settled {
		s.unsettled[id] = &Settlement{l: o.l, id: id, onSettle: o.OnSettle}
	}
}

// transfer adds a transfer to what is to be written.
func (c *Conn) transfer(channel uint16, p *transfer, payload []byte) {
	if out, err := appendFrame(c.out, frameAMQP, channel, p, payload); err == nil { // numbers and bytes always encode
		c.out = out
	}
}

// Settlement is what a client says became of a message. A client that settles
// second waits for the broker's answer.
type Settlement struct {
	l        *Link
	id       uint32
	onSettle func(*Settlement)
	outcome  Outcome
	said     bool // the client has spoken; guarded, with done, by the connection's mu
	done     bool // both have settled it
}

// Outcome is what the client says. It is nil if the client settled without a word.
func (t *Settlement) Outcome() Outcome { return t.outcome }

// Link is the link on which the message was sent.
func (t *Settlement) Link() *Link { return t.l }

// Settle tells the client, if it waits, what in fact became of the message.
// The first call counts.
func (t *Settlement) Settle(o Outcome) {
	t.l.s.c.mu.Lock()
	done := t.done
	t.l.s.c.mu.Unlock()
	if done {
		return
	}
	t.l.apply(Confirm, func(f Fault) {
		if f.Error != nil {
			o = Rejected{f.Error}
		}
		t.settle(o)
	})
}

func (t *Settlement) settle(o Outcome) {
	s := t.l.s
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if t.done {
		return
	}
	t.done = true
	delete(s.unsettled, t.id)
	p := &disposition{First: t.id, Settled: true}
	if o != nil {
		p.State = encodeComposite(o)
	}
	s.c.queue(s.channel, p)
}

// respond hands the client's word to the broker.
func (t *Settlement) respond(o Outcome) {
	t.l.apply(Respond, func(f Fault) {
		t.outcome = o
		switch {
		case f.Error != nil:
			t.settle(Rejected{f.Error})
		case t.onSettle != nil:
			t.onSettle(t)
		default:
			t.settle(o)
		}
	})
}

// queue is what waits in a session, first in, first out.
type queue struct {
	items []*outgoing
	head  int
}

func (q *queue) empty() bool      { return q.head == len(q.items) }
func (q *queue) first() *outgoing { return q.items[q.head] }
func (q *queue) push(o *outgoing) { q.items = append(q.items, o) }
func (q *queue) clear()           { q.items, q.head = nil, 0 }

func (q *queue) pop() {
	q.items[q.head] = nil
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head > 1024 && q.head > len(q.items)/2 {
		q.items, q.head = slices.Delete(q.items, 0, q.head), 0
	}
}

// remove drops what waits for a link.
func (q *queue) remove(l *Link) {
	q.items = slices.DeleteFunc(q.items[q.head:], func(o *outgoing) bool { return o.l == l })
	q.head = 0
}
