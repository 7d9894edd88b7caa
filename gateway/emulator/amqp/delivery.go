package amqp

import (
	"bytes"
	"time"
)

// Delivery is a client's message that the broker has to settle.
type Delivery struct {
	Payload []byte // the encoded message; the broker's to keep
	Format  uint32
	Tag     []byte
	Settled bool // by the client, when it sent it: it does not wait for an outcome

	l    *Link
	id   uint32
	done bool
}

// Link is the link on which the client sent it.
func (d *Delivery) Link() *Link { return d.l }

// Messages decodes the message, or those of the batch.
func (d *Delivery) Messages() ([]*Message, error) { return DecodeMessages(d.Format, d.Payload) }

// Settle tells the client what became of its message. The first call counts.
func (d *Delivery) Settle(o Outcome) {
	c := d.l.s.c
	c.mu.Lock()
	done := d.done || d.l.over
	d.done = true
	c.mu.Unlock()
	if done {
		return
	}
	d.l.apply(Settle, func(f Fault) {
		if f.Error != nil {
			o = Rejected{f.Error}
		}
		d.settle(o)
	})
}

func (d *Delivery) settle(o Outcome) {
	l := d.l
	l.s.c.mu.Lock()
	defer l.s.c.mu.Unlock()
	if l.over {
		return
	}
	if !d.Settled {
		l.s.c.queue(l.s.channel, &disposition{Receiver: true, First: d.id, Settled: true, State: encodeComposite(o)})
	}
	l.held--
	l.topUp()
}

// apply lets a fault happen, if there is one at p for the link, else or
// afterwards calls f, unless the fault is a detached link or a cut connection.
func (l *Link) apply(p Point, f func(Fault)) {
	c := l.s.c
	fault := c.s.o.Faults.hit(p, l.Address())
	switch {
	case fault.Drop:
		c.Drop()
	case fault.Detach: // which may call OnDetach: not from within a broker's lock
		c.mu.Lock()
		l.doomed = true
		c.mu.Unlock()
		c.spawn(func() { l.detachFor(fault.reason()) })
	case fault.Delay > 0 && p != Deliver: // where it would change the order
		c.spawn(func() {
			select {
			case <-l.ctx.Done():
			case <-time.After(fault.Delay):
				f(fault)
			}
		})
	default:
		f(fault)
	}
}

func (l *Link) detachFor(reason *Error) {
	l.s.c.mu.Lock()
	call := l.force(reason)
	l.s.c.mu.Unlock()
	if call != nil {
		call()
	}
}

// transfer takes a frame of a client's message.
func (s *session) transfer(p *transfer, payload []byte) *Error {
	c := s.c
	c.mu.Lock()
	if s.room == 0 {
		c.mu.Unlock()
		return Errorf(WindowViolation, "more than %d transfers", window)
	}
	s.nextIncoming++
	if s.room--; s.room <= window/2 {
		s.queueFlow(nil, false)
	}
	l := s.links[p.Handle]
	if l == nil {
		c.mu.Unlock()
		return Errorf(UnattachedHandle, "transfer on handle %d", p.Handle)
	}
	if l.over {
		c.mu.Unlock()
		return nil // sent before the client knew
	}
	if !l.sends || !l.attached || l.partial == nil && p.DeliveryID == nil {
		c.mu.Unlock()
		return Errorf(NotAllowed, "this transfer on handle %d", p.Handle)
	}
	d, reason := l.collect(p, payload)
	var call func()
	if reason != nil {
		call = l.force(reason)
	}
	c.mu.Unlock()
	switch {
	case call != nil:
		call()
	case d != nil:
		l.receive(d)
	}
	return nil
}

// collect joins the frames of a delivery. It returns it when it is whole, or
// why the link must end.
func (l *Link) collect(p *transfer, payload []byte) (*Delivery, *Error) {
	d := l.partial
	if d == nil {
		if l.credit == 0 {
			return nil, Errorf(TransferLimitExceeded, "no credit was given for the delivery")
		}
		l.credit--
		l.count++
		l.held++
		d = &Delivery{l: l, id: *p.DeliveryID, Tag: bytes.Clone(p.Tag), Format: deref(p.Format, 0)}
		l.partial = d
	}
	d.Settled = d.Settled || p.Settled
	if uint64(len(d.Payload)+len(payload)) > l.maxSize+l.tolerance {
		return nil, Errorf(MessageSizeExceeded, "the message is larger than %d bytes", l.maxSize)
	}
	d.Payload = append(d.Payload, payload...)
	if p.More && !p.Aborted {
		return nil, nil
	}
	l.partial = nil
	if p.Aborted {
		l.held--
		l.topUp()
		return nil, nil
	}
	return d, nil
}

// receive hands a message to the broker.
func (l *Link) receive(d *Delivery) {
	fault := l.s.c.s.o.Faults.hit(Transfer, l.Address())
	switch {
	case fault.Drop:
		l.s.c.Drop()
	case fault.Detach:
		l.detachFor(fault.reason())
	case fault.Error != nil:
		d.settle(Rejected{fault.Error})
	case l.onTransfer == nil:
		d.settle(Reject(NotAllowed, "nobody takes messages here"))
	default:
		l.onTransfer(d)
	}
}
