package amqp

import (
	"context"
	"math"
	"slices"
)

// window is how many transfers a client may send in a session before the
// server has told it of more room.
const window = 4096

// session is a client's session. Its channel number, and the handles of its
// links, are the client's in both directions: they are unique there, so they
// are here. All of it is guarded by the connection's mu.
type session struct {
	c       *Conn
	ctx     context.Context
	cancel  context.CancelFunc
	channel uint16
	links   map[uint32]*Link

	nextIncoming uint32 // the id of the client's next transfer
	room         uint32 // how many the client may send
	nextOutgoing uint32 // the id of our next transfer
	remoteRoom   uint32 // how many the client takes
	nextDelivery uint32

	pending   queue
	listed    bool // in c.ready
	unsettled map[uint32]*Settlement
	ended     bool // the server said end, or waits to
}

// begin answers a client's begin.
func (c *Conn) begin(ctx context.Context, channel uint16, p *begin) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case p.RemoteChannel != nil:
		return Errorf(NotAllowed, "a begin that answers none")
	case channel > channelMax:
		return Errorf(NotAllowed, "channel %d is above %d", channel, channelMax)
	case c.sessions[channel] != nil:
		return Errorf(NotAllowed, "channel %d has a session", channel)
	}
	s := &session{
		c: c, channel: channel,
		links: map[uint32]*Link{}, unsettled: map[uint32]*Settlement{},
		nextIncoming: p.NextOutgoingID, room: window,
		nextOutgoing: 1, remoteRoom: p.IncomingWindow,
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	c.sessions[channel] = s
	c.queue(channel, &begin{
		RemoteChannel: &channel, NextOutgoingID: s.nextOutgoing,
		IncomingWindow: window, OutgoingWindow: window, HandleMax: ref(uint32(handleMax)),
	})
	return nil
}

// take acts on a frame of the session. An *[Error] is for the connection.
func (s *session) take(f frame) error {
	if p, ok := f.body.(*end); ok {
		s.end(p)
		return nil
	}
	s.c.mu.Lock()
	ended := s.ended
	s.c.mu.Unlock()
	if ended {
		return nil // what the client sent before it read our end
	}
	var err *Error
	switch p := f.body.(type) {
	case *attach:
		err = s.attach(p)
	case *flow:
		err = s.flow(p)
	case *transfer:
		err = s.transfer(p, f.payload)
	case *disposition:
		err = s.disposition(p)
	case *detach:
		err = s.detach(p)
	}
	if err != nil {
		s.fail(err)
	}
	return nil
}

// end is the client's: every link is over before it is answered.
func (s *session) end(*end) {
	c := s.c
	c.mu.Lock()
	calls, waits := s.finish(), s.attaching()
	answered := s.ended
	s.ended = true
	c.mu.Unlock()
	last := func() {
		for _, call := range calls {
			call()
		}
		for _, done := range waits {
			<-done
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.sessions, s.channel)
		if !answered {
			c.queue(s.channel, &end{})
		}
	}
	if len(waits) > 0 {
		c.spawn(last)
	} else {
		last()
	}
}

// fail ends the session for a mistake of the client.
func (s *session) fail(e *Error) {
	c := s.c
	c.mu.Lock()
	calls := s.finish()
	s.ended = true
	c.mu.Unlock()
	for _, call := range calls {
		call()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue(s.channel, &end{e})
}

// finish makes every link over, and returns the callbacks that must hear of
// it. The caller holds c.mu, and releases it before it calls them.
func (s *session) finish() []func() {
	s.cancel()
	s.pending.clear()
	clear(s.unsettled)
	var calls []func()
	for _, l := range s.links {
		if call := l.finish(); call != nil {
			calls = append(calls, call)
		}
	}
	return calls
}

// attaching returns what ends when the broker has answered for each link that
// it has not answered for yet.
func (s *session) attaching() []chan struct{} {
	var waits []chan struct{}
	for _, l := range s.links {
		if !l.attached {
			waits = append(waits, l.answered)
		}
	}
	return waits
}

// flow takes what the client says of its window and of a link's credit.
func (s *session) flow(p *flow) *Error {
	c := s.c
	c.mu.Lock()
	s.remoteRoom = left(p.IncomingWindow, s.nextOutgoing-deref(p.NextIncomingID, 1))
	s.list()
	if p.Handle == nil {
		if p.Echo {
			s.queueFlow(nil, false)
		}
		c.mu.Unlock()
		return nil
	}
	l := s.links[*p.Handle]
	if l == nil {
		c.mu.Unlock()
		return Errorf(UnattachedHandle, "flow for handle %d", *p.Handle)
	}
	call := l.flow(p)
	c.mu.Unlock()
	if call != nil {
		call()
	}
	return nil
}

// left is what is left of a number that a client grants, once what is on its
// way is taken off, of which the client did not know.
func left(granted, underway uint32) uint32 {
	return uint32(min(max(int64(granted)-int64(int32(underway)), 0), math.MaxUint32))
}

// queueFlow says how much the session takes, and how the link l stands if it
// is not nil. It keeps its place among the transfers that are to be written,
// for it counts those of its link that were sent before.
func (s *session) queueFlow(l *Link, drained bool) {
	p := &flow{OutgoingWindow: window}
	if l != nil {
		p.Handle, p.DeliveryCount, p.LinkCredit = &l.handle, ref(l.count), ref(l.credit)
		p.Drain = drained
	}
	if s.pending.empty() || l == nil || l.sends {
		s.writeFlow(p)
		return
	}
	s.pending.push(&outgoing{flow: p})
	s.list()
}

// writeFlow completes p with the state of the session, and queues it.
func (s *session) writeFlow(p *flow) {
	s.room = window
	p.NextIncomingID, p.IncomingWindow = ref(s.nextIncoming), s.room
	p.NextOutgoingID = s.nextOutgoing
	s.c.queue(s.channel, p)
}

// disposition takes what the client says became of deliveries.
func (s *session) disposition(p *disposition) *Error {
	if !p.Receiver {
		return nil // it settles what it sent, which is settled here already
	}
	o, err := decodeOutcome(p.State)
	if err != nil {
		return Errorf(DecodeError, "%v", err)
	}
	first, last := p.First, deref(p.Last, p.First)
	s.c.mu.Lock()
	var settled []*Settlement
	add := func(t *Settlement) {
		if t != nil && !t.said && (o != nil || p.Settled) { // the state received is no outcome yet
			t.said = true
			settled = append(settled, t)
		}
	}
	if int64(last-first) < int64(len(s.unsettled)) {
		for id := first; id != last+1; id++ {
			add(s.unsettled[id])
		}
	} else { // however wide the range is, there are only so many
		for id, t := range s.unsettled {
			if id-first <= last-first {
				add(t)
			}
		}
		slices.SortFunc(settled, func(a, b *Settlement) int { return int(int32(a.id - b.id)) })
	}
	if p.Settled {
		for _, t := range settled {
			delete(s.unsettled, t.id)
			t.done = true
		}
	}
	s.c.mu.Unlock()
	for _, t := range settled {
		t.respond(o)
	}
	return nil
}

// list makes the writer look at the session; the caller holds c.mu.
func (s *session) list() {
	if !s.listed && !s.pending.empty() {
		s.listed = true
		s.c.ready = append(s.c.ready, s)
		s.c.signal()
	}
}
