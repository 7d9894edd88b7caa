package amqp

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Reasons why [Link.Send] does not send.
var (
	ErrNoCredit = errors.New("amqp: the client gave no credit")
	ErrDetached = errors.New("amqp: the link is over")
)

// Link is a link between a client and the broker. Methods that set something
// are for [Handler.Attach], before it returns; the others are for any time and
// any goroutine.
type Link struct {
	s      *session
	handle uint32
	name   string
	sends  bool
	asked  attach
	source source
	target target

	onTransfer func(*Delivery)
	onCredit   func()
	onDetach   func()
	properties Map
	maxSize    uint64
	tolerance  uint64

	ctx      context.Context
	cancel   context.CancelFunc
	answered chan struct{} // closed when the broker's answer was sent

	// Guarded by the connection's mu.
	attached  bool   // the broker answered
	refused   *Error // by Detach, before the answer
	over      bool
	doomed    bool   // a fault is about to detach it: nothing is sent behind what it took
	silent    bool   // the broker knows that it is over
	count     uint32 // delivery-count
	credit    uint32
	drain     bool
	early     bool // a flow came before the answer
	echo      bool
	crediting sync.Mutex // held while the broker uses credit

	grant   uint32 // how many may be unsettled
	held    uint32 // how many are
	partial *Delivery
}

// Name is the link's name, which the client chose.
func (l *Link) Name() string { return l.name }

// Conn is the connection of the link.
func (l *Link) Conn() *Conn { return l.s.c }

// Sends tells whether the client sends on the link, and the broker takes.
func (l *Link) Sends() bool { return l.sends }

// Address is the address at the broker: of the target when the client sends,
// else of the source.
func (l *Link) Address() string { return l.address(l.sends) }

// ClientAddress is the address at the client's end of the link.
func (l *Link) ClientAddress() string { return l.address(!l.sends) }

func (l *Link) address(ofTarget bool) string {
	a := l.source.Address
	if ofTarget {
		a = l.target.Address
	}
	return text(a)
}

// Filter is the source's filter. A value of it is [Described], or, from
// clients that do not keep to the specification, not: [Link.FilterValue]
// makes no difference of that.
func (l *Link) Filter() Map { return l.source.Filter }

// FilterValue returns the value of the filter of that name, without its descriptor.
func (l *Link) FilterValue(name string) (any, bool) {
	v, ok := l.source.Filter.Get(name)
	if d, is := v.(Described); is {
		v = d.Value
	}
	return v, ok
}

// SetFilter answers the filter of that name with v, in the form in which the
// client wrote it: with the same descriptor, or with none.
func (l *Link) SetFilter(name string, v any) {
	for i, p := range l.source.Filter {
		if text(p.Key) != name {
			continue
		}
		if d, ok := p.Value.(Described); ok {
			v = Described{d.Descriptor, v}
		}
		l.source.Filter[i].Value = v
	}
}

// Properties is what the client says of the link.
func (l *Link) Properties() Map { return l.asked.Properties }

// Desires tells whether the client asks for a capability.
func (l *Link) Desires(capability Symbol) bool {
	switch v := l.asked.desired.(type) {
	case Symbol:
		return v == capability
	case Array:
		return slices.Contains(v.Elems, any(capability))
	}
	return false
}

// SetProperty makes the answer say something of the link.
func (l *Link) SetProperty(name string, v any) { l.properties.Set(Symbol(name), v) }

// SetMaxMessageSize makes the answer say how large a message may be.
func (l *Link) SetMaxMessageSize(n uint64) { l.maxSize = n }

// SetTolerance has the link take messages that are larger by up to n bytes than
// the answer says, for the broker to reject them: of that every client tells
// its caller, while some wait in vain after a link that ended in mid-message.
func (l *Link) SetTolerance(n uint64) { l.tolerance = n }

// Settled tells whether deliveries are settled when they are sent: the client
// will not say what became of them.
func (l *Link) Settled() bool { return deref(l.asked.SndSettleMode, 2) == 1 }

// Second tells whether the client settles only after the broker has, as in
// peek-lock mode.
func (l *Link) Second() bool { return deref(l.asked.RcvSettleMode, 0) == 1 }

// OnTransfer sets what takes the client's messages.
func (l *Link) OnTransfer(f func(*Delivery)) { l.onTransfer = f }

// OnCredit sets what hears that the client granted credit.
func (l *Link) OnCredit(f func()) { l.onCredit = f }

// OnDetach sets what hears that the link is over.
func (l *Link) OnDetach(f func()) { l.onDetach = f }

// Grant lets the client have n unsettled deliveries at a time. The server keeps
// it supplied with credit as deliveries are settled.
func (l *Link) Grant(n uint32) {
	l.s.c.mu.Lock()
	defer l.s.c.mu.Unlock()
	l.grant = n
	l.topUp()
}

// topUp tells the client of new credit once half of it is used up.
func (l *Link) topUp() {
	if free := int64(l.grant) - int64(l.held); l.attached && !l.over && free > int64(l.credit) && l.credit <= l.grant/2 {
		l.credit = uint32(free)
		l.s.queueFlow(l, false)
	}
}

// Credit is how many messages the client takes at the moment.
func (l *Link) Credit() uint32 {
	l.s.c.mu.Lock()
	defer l.s.c.mu.Unlock()
	if l.over || !l.attached {
		return 0
	}
	return l.credit
}

// Detach ends the link, for a reason if it is not nil. OnDetach is not called.
// A link that is still being attached is refused.
func (l *Link) Detach(reason *Error) {
	l.s.c.mu.Lock()
	defer l.s.c.mu.Unlock()
	l.silent = true
	if !l.attached {
		if reason == nil {
			reason = Errorf(DetachForced, "the link was detached")
		}
		l.refused = reason
		l.cancel()
		return
	}
	l.force(reason)
}

// force ends an attached link; the caller holds mu, and calls what it returns without.
func (l *Link) force(reason *Error) func() {
	if l.over {
		return nil
	}
	call := l.finish()
	l.s.c.queue(l.s.channel, &detach{Handle: l.handle, Closed: true, Error: reason})
	return call
}

// finish makes the link over, whoever ended it. It returns what must hear of
// it, or nil. The caller holds mu.
func (l *Link) finish() func() {
	if l.over {
		return nil
	}
	l.over = true
	l.cancel()
	l.s.pending.remove(l)
	for id, t := range l.s.unsettled {
		if t.l == l {
			delete(l.s.unsettled, id)
			t.done = true
		}
	}
	if l.attached && !l.silent && l.onDetach != nil {
		return l.onDetach
	}
	return nil
}

// flow takes the client's word on the link's credit; the caller holds mu, and
// calls what it returns without.
func (l *Link) flow(p *flow) func() {
	if l.over {
		return nil
	}
	if l.sends {
		if p.Echo && l.attached {
			l.s.queueFlow(l, false)
		}
		return nil
	}
	if p.LinkCredit != nil {
		l.credit = left(*p.LinkCredit, l.count-deref(p.DeliveryCount, 0))
	}
	l.drain, l.echo = p.Drain, p.Echo
	if !l.attached {
		l.early = true
		return nil
	}
	return l.credited
}

// credited lets the broker use new credit, then gives back what a drain leaves.
func (l *Link) credited() {
	l.crediting.Lock()
	defer l.crediting.Unlock()
	if l.onCredit != nil {
		l.onCredit()
	}
	l.s.c.mu.Lock()
	defer l.s.c.mu.Unlock()
	if l.over || !l.drain && !l.echo {
		return
	}
	if l.drain {
		l.count += l.credit
		l.credit = 0
	}
	l.s.queueFlow(l, l.drain)
	l.drain, l.echo = false, false
}
