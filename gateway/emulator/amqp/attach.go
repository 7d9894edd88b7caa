package amqp

import (
	"context"
	"time"
)

// attach asks the broker about a link, in a goroutine of its own.
func (s *session) attach(p *attach) *Error {
	l := &Link{
		s: s, handle: p.Handle, name: p.Name, sends: !p.Receiver, asked: *p,
		maxSize: s.c.s.o.MaxMessageSize, answered: make(chan struct{}),
	}
	if p.Source != nil {
		l.source = *p.Source
	}
	l.ctx, l.cancel = context.WithCancel(s.ctx)
	refused := l.terminus()
	c := s.c
	c.mu.Lock()
	if p.Handle > handleMax || s.links[p.Handle] != nil {
		c.mu.Unlock()
		l.cancel()
		return Errorf(HandleInUse, "handle %d cannot be used", p.Handle)
	}
	if l.sends {
		l.count = deref(p.InitialCount, 0)
	}
	s.links[p.Handle] = l
	c.mu.Unlock()
	c.spawn(func() { l.attach(refused) })
	return nil
}

// terminus reads the link's ends. Its error refuses the link.
func (l *Link) terminus() *Error {
	end := l.asked.Target
	if l.sends && end == nil || !l.sends && l.asked.Source == nil {
		return Errorf(InvalidField, "the link has no end at this side")
	}
	if end != nil {
		d, _ := end.(Described)
		if code, _ := descriptor(d.Descriptor); code != descTarget {
			return Errorf(NotImplemented, "the only target here is a node: there are no transactions")
		}
		if err := decodeComposite(&l.target, end); err != nil {
			return Errorf(DecodeError, "%v", err)
		}
	}
	if l.sends && l.target.Dynamic || !l.sends && l.source.Dynamic {
		return Errorf(NotImplemented, "there are no dynamic nodes")
	}
	return nil
}

// attach answers for the link as the broker decides.
func (l *Link) attach(refused *Error) {
	defer close(l.answered)
	if refused == nil {
		if err := l.ask(); err != nil {
			refused = asError(err)
		}
	}
	c := l.s.c
	c.mu.Lock()
	if refused == nil {
		refused = l.refused
	}
	if refused != nil || l.over {
		var call func()
		if refused == nil && l.onDetach != nil && !l.silent { // the broker took a link that was over by then
			call = l.onDetach
		}
		c.mu.Unlock()
		if call != nil {
			call()
		}
		l.refuse(refused)
		return
	}
	l.attached = true
	c.queue(l.s.channel, l.answer())
	l.topUp()
	early := l.early
	c.mu.Unlock()
	if early {
		l.credited()
	}
}

// ask asks the faults, then the broker.
func (l *Link) ask() error {
	c := l.s.c
	f := c.s.o.Faults.hit(Attach, l.Address())
	if f.Drop {
		c.Drop()
		return errDropped
	}
	if f.Delay > 0 {
		select {
		case <-l.ctx.Done():
			return l.ctx.Err()
		case <-time.After(f.Delay):
		}
	}
	if f.Error != nil {
		return f.Error
	}
	if l.Address() == cbs {
		return c.cbs.Attach(l.ctx, l)
	}
	if err := c.authorized(l.Address()); err != nil {
		return err
	}
	return c.s.handler.Attach(l.ctx, l)
}

// refuse says attach without ends and then detach, for a link that the broker
// does not take, or that the client no longer wants.
func (l *Link) refuse(reason *Error) {
	c := l.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	l.attached, l.silent = true, true
	left := l.over // by the client, whose detach waits for this, or with its session
	l.finish()
	if l.s.ended {
		return
	}
	c.queue(l.s.channel, &attach{
		Name: l.name, Handle: l.handle, Receiver: l.sends,
		SndSettleMode: l.asked.SndSettleMode, RcvSettleMode: l.asked.RcvSettleMode,
		InitialCount: l.initial(),
	})
	c.queue(l.s.channel, &detach{Handle: l.handle, Closed: true, Error: reason})
	if left {
		delete(l.s.links, l.handle)
	}
}

// answer is the attach that the client waits for.
func (l *Link) answer() *attach {
	a := &attach{
		Name: l.name, Handle: l.handle, Receiver: l.sends,
		SndSettleMode: l.asked.SndSettleMode, RcvSettleMode: l.asked.RcvSettleMode,
		Source: &l.source, InitialCount: l.initial(),
		MaxMessageSize: l.maxSize, Properties: l.properties,
	}
	if l.asked.Source == nil {
		a.Source = nil
	}
	if l.asked.Target != nil {
		a.Target = encodeComposite(&l.target)
	}
	return a
}

// initial is the initial delivery count, which a sender must say.
func (l *Link) initial() *uint32 {
	if l.sends {
		return nil
	}
	return ref(uint32(0))
}

// detach is the client's: the broker hears of it before it is answered.
func (s *session) detach(p *detach) *Error {
	c := s.c
	c.mu.Lock()
	l := s.links[p.Handle]
	if l == nil {
		c.mu.Unlock()
		return Errorf(UnattachedHandle, "detach of handle %d", p.Handle)
	}
	if l.over && l.attached { // it answers ours
		delete(s.links, p.Handle)
		c.mu.Unlock()
		return nil
	}
	call := l.finish()
	attached := l.attached
	c.mu.Unlock()
	if call != nil {
		call()
	}
	if !attached {
		return nil // attach answers when the broker does
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(s.links, p.Handle)
	c.queue(s.channel, &detach{Handle: p.Handle, Closed: p.Closed})
	return nil
}
