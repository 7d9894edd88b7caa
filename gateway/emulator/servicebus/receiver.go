package servicebus

import (
	"context"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// What the service calls a session in an attach.
const (
	sessionFilter      = "com.microsoft:session-filter"
	sessionTimeout     = "com.microsoft:timeout" // in the client's properties: uint, ms
	sessionLockedUntil = "com.microsoft:locked-until-utc"
)

// How long a client waits for the next session, if it does not say, and at most.
const (
	defaultSessionWait = time.Minute
	maxSessionWait     = 10 * time.Minute
)

// receiver feeds a client's link with the messages of a broker's receiver.
type receiver struct {
	l *amqp.Link
	r *broker.Receiver
}

// attachReceiver lets a client receive from e, or from one session of it.
func (s *Server) attachReceiver(ctx context.Context, e *broker.Entity, l *amqp.Link) error {
	r, err := accept(ctx, e, l)
	if err != nil {
		return err
	}
	if id, until, ok := r.Session(); ok {
		l.SetFilter(sessionFilter, id)
		l.SetProperty(sessionLockedUntil, ticks(until))
	}
	v := &receiver{l: l, r: r}
	l.OnCredit(func() { v.feed() })
	l.OnDetach(func() { r.Close(l.Conn().Gone()) })
	s.wg.Go(func() { v.run(ctx) })
	return nil
}

// accept opens the receiver that the link asks for. To wait for the next
// session that has messages is to wait with the answer.
func accept(ctx context.Context, e *broker.Entity, l *amqp.Link) (*broker.Receiver, error) {
	mode := broker.PeekLock
	if l.Settled() {
		mode = broker.ReceiveAndDelete
	}
	v, ok := l.FilterValue(sessionFilter)
	if !ok {
		return e.Receive(l.Conn(), mode)
	}
	var id *string
	switch v := v.(type) {
	case nil:
	case string:
		id = &v
	default:
		return nil, amqp.Errorf(amqp.InvalidField, "filter %s is a %T, want a string or null", sessionFilter, v)
	}
	ctx, cancel := context.WithTimeout(ctx, sessionWait(l))
	defer cancel()
	return e.AcceptSession(ctx, l.Conn(), id, mode)
}

func sessionWait(l *amqp.Link) time.Duration {
	v, _ := l.Properties().Get(sessionTimeout)
	ms, ok := v.(uint32)
	if !ok {
		return defaultSessionWait
	}
	return min(time.Duration(ms)*time.Millisecond, maxSessionWait)
}

// run feeds the link as messages arrive, until one of both ends. OnCredit
// feeds it as the client asks.
func (v *receiver) run(ctx context.Context) {
	for {
		arrived := v.feed()
		select {
		case <-arrived:
		case <-ctx.Done():
			return
		}
	}
}

// feed sends what is ready and the client has credit for. It returns what to
// wait for, which is nothing when the receiver is over: then so is the link.
func (v *receiver) feed() <-chan struct{} {
	var broken error
	arrived, err := v.r.Feed(func(m broker.Message) error {
		if v.l.Credit() == 0 {
			return amqp.ErrNoCredit
		}
		payload, err := encode(m)
		if err != nil {
			broken = err
			return err
		}
		return v.l.Send(amqp.Outgoing{
			Payload: payload, Tag: tag(m.LockToken),
			OnSettle: func(t *amqp.Settlement) { v.settle(m.LockToken, t) },
		})
	})
	if err == nil {
		err = broken
	}
	if err != nil {
		v.r.Close(false)
		reason, _ := told(err)
		v.l.Detach(reason)
		return nil
	}
	return arrived
}

// settle does what the client says of a message, and answers what came of it.
func (v *receiver) settle(token broker.Token, t *amqp.Settlement) {
	d, ok := disposition(t.Outcome())
	if !ok {
		return // settled without a word: the lock runs out
	}
	if err := v.r.Settle(token, d); err != nil {
		reason, _ := told(err)
		t.Settle(amqp.Rejected{Error: reason})
		return
	}
	if d.Verdict == broker.DeadLetter {
		t.Settle(amqp.Rejected{}) // with an error it would be a failure
		return
	}
	t.Settle(t.Outcome())
}

// disposition is what an outcome means to the service; false for none.
func disposition(o amqp.Outcome) (broker.Disposition, bool) {
	switch o := o.(type) {
	case amqp.Accepted:
		return broker.Disposition{Verdict: broker.Complete}, true
	case amqp.Released:
		return broker.Disposition{Verdict: broker.Release}, true
	case amqp.Modified:
		d := broker.Disposition{Verdict: broker.Abandon, Properties: properties(o.Annotations)}
		if o.UndeliverableHere {
			d.Verdict = broker.Defer
		}
		return d, true
	case amqp.Rejected:
		d := broker.Disposition{Verdict: broker.DeadLetter}
		if o.Error == nil {
			return d, true
		}
		d.Properties = properties(o.Error.Info)
		d.Reason = take(d.Properties, deadLetterReason, "")
		d.Description = take(d.Properties, deadLetterDescription, o.Error.Description)
		return d, true
	}
	return broker.Disposition{}, false
}

// The application properties of a dead letter, and how a client names them.
const (
	deadLetterReason      = "DeadLetterReason"
	deadLetterDescription = "DeadLetterErrorDescription"
)

// properties are the entries of m that have names.
func properties(m amqp.Map) map[string]any {
	if len(m) == 0 {
		return nil
	}
	named := make(map[string]any, len(m))
	for _, p := range m {
		switch k := p.Key.(type) {
		case string:
			named[k] = p.Value
		case amqp.Symbol:
			named[string(k)] = p.Value
		}
	}
	return named
}

// take removes a text from properties, and returns it, or another if it is not there.
func take(properties map[string]any, name, otherwise string) string {
	v, ok := properties[name].(string)
	delete(properties, name)
	if !ok {
		return otherwise
	}
	return v
}
