// Package amqp is the broker's side of AMQP 1.0: a codec of its types and a
// server that speaks the protocol, so that a broker has only to decide.
//
// It is written from the OASIS specification for the local emulators of Azure
// Service Bus and Event Hubs, and for the clients that speak to those: SASL
// ANONYMOUS, PLAIN and MSSBCBS, claims put to $cbs, requests and answers on
// $management, batches of message format 0x80013700. It has no transactions
// and does not resume links.
//
// # Broker
//
// A broker is a [Handler]. [Server.Serve] asks it about every link that a
// client attaches, except those to $cbs, which the server answers itself:
//
//	func (b *Broker) Attach(ctx context.Context, l *amqp.Link) error {
//		q, ok := b.queue(l.Address())
//		if !ok {
//			return amqp.Errorf(amqp.NotFound, "no entity %q", l.Address())
//		}
//		if l.Sends() { // the client sends, the broker takes
//			l.OnTransfer(func(d *amqp.Delivery) {
//				batch, err := d.Messages() // one, or those of a batch
//				if err != nil {
//					d.Settle(amqp.Reject(amqp.DecodeError, err.Error()))
//					return
//				}
//				q.put(batch)
//				d.Settle(amqp.Accepted{}) // now, or later, from any goroutine
//			})
//			l.Grant(100) // at most 100 unsettled deliveries at a time
//			return nil
//		}
//		sub := q.subscribe(l)
//		l.OnCredit(sub.pump) // the client's credit grew: send while l.Credit() > 0
//		l.OnDetach(sub.cancel)
//		return nil
//	}
//
// Attach runs in a goroutine of its own and may wait as long as it likes (for
// the next free session, say) until ctx ends, which it does when the client
// gives up or the link ends for any other reason. Before it returns it binds
// the callbacks and may change what the answer says: [Link.SetFilter],
// [Link.SetProperty], [Link.SetMaxMessageSize]. An error refuses the link: the
// client sees an empty attach and then a detach with the [Error], or
// amqp:internal-error when it is another error.
//
// # Callbacks
//
// OnTransfer is called for one message after the other, in the order in which
// the client sent them, and OnCredit never twice at a time. Both are called by the
// goroutine that reads the connection: they must not wait. No lock of this
// package that a broker could need is held, so a callback may take the broker's
// locks and call any method here, and a broker may call any method here while it
// holds its locks.
//
// OnCredit need not know of drain: what the client granted for a drain and the
// broker has not used when OnCredit returns is given back for it.
//
// OnDetach is called once, by any goroutine, when the link is over: by the client, with its
// session or connection, by a fault, or because the server closes. It is not
// called for a link that the broker itself ended with [Link.Detach]. The client
// hears of the end only when OnDetach has returned; what the link had unsettled
// is the broker's to take back there. No [Settlement] begins afterwards; one that
// was on its way in another goroutine may still arrive, and settling it does nothing.
//
// # Sending
//
// [Link.Send] never waits: it takes one credit and queues the message, or
// returns [ErrNoCredit] or [ErrDetached]. The bytes must not change afterwards. A
// broker that notes what it sent before it releases the lock that its OnDetach
// takes loses no message: that of a Send which succeeded is noted when OnDetach
// looks.
//
// [Outgoing].OnSettle is called when the client says what became of the message;
// a client in peek-lock mode waits until [Settlement.Settle] answers it:
//
//	err := l.Send(amqp.Outgoing{Payload: m.Append(nil), Tag: token[:], OnSettle: func(s *amqp.Settlement) {
//		switch o := s.Outcome().(type) {
//		case amqp.Accepted:
//			lock.complete()
//		case amqp.Modified:
//			lock.abandon(o.UndeliverableHere)
//		}
//		s.Settle(s.Outcome()) // or Reject("com.microsoft:message-lock-lost", "…")
//	}})
//
// # Requests
//
// [Requests] is a node such as $management: give it a function from [Request]
// to [Response] and hand links to its Attach.
//
// # Values
//
// A decoded value is nil, bool, uint8 to uint64, int8 to int64, float32,
// float64, string, []byte, time.Time (to the millisecond), or one of [Symbol],
// [UUID], [Char], [Decimal], [List], [Map], [Array], [Described]. The same types are
// what may be encoded, and each stands for exactly one AMQP type, so that a
// value comes back as what it was: an int64 is a long, an int32 an int.
// [NewArray] makes an array from a slice, [MapOf] a map from Go's, and [Plain]
// shows a value to people. Decoding never panics, and what it
// allocates is in proportion to its input.
//
// # Faults
//
// [Options].Faults holds rules for what shall go wrong: at which [Point], for
// which address, how many times, and whether it is a refusal, a detach, a cut
// connection or a delay. An emulator's fault interface is [Faults.Add],
// [Faults.Rules] and [Faults.Clear]; a broker needs nothing for it.
package amqp
