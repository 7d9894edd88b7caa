package amqp

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Request is one that a client put to a node, to be answered.
type Request struct {
	Link    *Link
	Message *Message
}

// Property returns an application property of the request.
func (r Request) Property(name string) any {
	v, _ := r.Message.ApplicationProperties.Get(name)
	return v
}

// Operation is what the client asks for.
func (r Request) Operation() string {
	s, _ := r.Property("operation").(string)
	return s
}

// Body is the value that the request carries; nil if it carries none.
func (r Request) Body() any {
	v, _ := r.Message.Value()
	return v
}

// Response answers a request.
type Response struct {
	Status      int    // as in HTTP
	Description string // for people
	Condition   Symbol // for programs; "" for none
	Body        any    // a value
}

// Requests is a node that answers requests. A client attaches a link to send
// them, and one from the node to receive the answers at the address that the
// requests ask to reply to: its own end's, or, where that has none, the
// link's name.
type Requests struct {
	answer func(context.Context, Request) Response

	mu      sync.Mutex
	replies map[replyTo]*reply
}

// replyTo is where answers go: an address that a client has for itself.
type replyTo struct {
	c       *Conn
	address string
}

// reply is the link there, and the answers that wait for its credit.
type reply struct {
	l       *Link
	waiting [][]byte
}

const (
	requestCredit = 100  // requests of a link that may be on their way
	replyBacklog  = 1000 // answers that may wait for a client
)

// NewRequests returns a node that answers by calling answer, in a goroutine for
// each request. Its context ends with the link that brought the request.
func NewRequests(answer func(context.Context, Request) Response) *Requests {
	return &Requests{answer: answer, replies: map[replyTo]*reply{}}
}

// Attach takes either of a client's links.
func (n *Requests) Attach(ctx context.Context, l *Link) error {
	if l.Sends() {
		l.OnTransfer(func(d *Delivery) { n.take(ctx, d) })
		l.Grant(requestCredit)
		return nil
	}
	to := replyTo{l.Conn(), cmp.Or(l.ClientAddress(), l.Name())}
	r := &reply{l: l}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.replies[to] != nil {
		return Errorf(NotAllowed, "answers go to %q already", to.address)
	}
	n.replies[to] = r
	l.OnCredit(func() { n.flush(r) })
	l.OnDetach(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.replies, to)
	})
	return nil
}

func (n *Requests) take(ctx context.Context, d *Delivery) {
	m, err := DecodeMessage(d.Payload)
	if err != nil {
		d.Settle(Reject(DecodeError, err.Error()))
		return
	}
	if m.Properties == nil || m.Properties.ReplyTo == nil {
		d.Settle(Reject(InvalidField, "a request says no reply-to"))
		return
	}
	d.Settle(Accepted{})
	to := replyTo{d.Link().Conn(), *m.Properties.ReplyTo}
	to.c.spawn(func() {
		r := n.answer(ctx, Request{d.Link(), m})
		if ctx.Err() == nil {
			n.send(to, r.encode(m.Properties.MessageID))
		}
	})
}

// send sends an answer, or keeps it until there is credit. Nobody is told of
// one whose link is gone.
func (n *Requests) send(to replyTo, answer []byte) {
	n.mu.Lock()
	r := n.replies[to]
	if r != nil {
		r.waiting = append(r.waiting, answer)
		if len(r.waiting) > replyBacklog {
			delete(n.replies, to)
			r.l.Detach(Errorf(ResourceLimitExceeded, "%d answers wait for credit", replyBacklog))
		}
	}
	n.mu.Unlock()
	if r != nil {
		n.flush(r)
	}
}

func (n *Requests) flush(r *reply) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(r.waiting) > 0 && r.l.Send(Outgoing{Payload: r.waiting[0]}) == nil {
		r.waiting = slices.Delete(r.waiting, 0, 1)
	}
}

// encode returns the response as the message that answers the request of id.
// Clients insist on the type of the status: an int.
func (r Response) encode(id any) []byte {
	m, err := NewValue(r.Body)
	if err != nil {
		return Response{Status: 500, Condition: InternalError, Description: err.Error()}.encode(id)
	}
	m.Properties = &Properties{CorrelationID: id}
	m.ApplicationProperties = Map{{"status-code", int32(r.Status)}}
	if r.Description != "" {
		m.ApplicationProperties.Set("status-description", r.Description)
	}
	if r.Condition != "" {
		m.ApplicationProperties.Set("error-condition", r.Condition)
	}
	b, err := m.Append(nil)
	if err != nil { // the description is not UTF-8, or the condition not ASCII
		return Response{Status: r.Status, Description: "the answer cannot be written"}.encode(id)
	}
	return b
}
