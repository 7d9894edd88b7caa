package servicebus

import (
	"fmt"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// senderCredit is how many messages a client may send before the first is answered.
const senderCredit = 1000

// tolerance is how many bytes over the limit are taken to reject them.
const tolerance = 16 << 20

// attachSender lets a client send to e. A transfer, and so a batch, is taken
// whole or rejected whole, and its place in the entity is that of its arrival.
func attachSender(e *broker.Entity, l *amqp.Link) error {
	if err := e.Sendable(); err != nil {
		return err
	}
	l.SetMaxMessageSize(uint64(e.MaxMessageBytes()))
	l.SetTolerance(tolerance)
	l.OnTransfer(func(d *amqp.Delivery) {
		messages, err := decode(d.Format, d.Payload)
		if limit := e.MaxMessageBytes(); int64(len(d.Payload)) > limit {
			err = fmt.Errorf("%w: %s: %d bytes: at most %d", broker.ErrTooLarge, e.Path(), len(d.Payload), limit)
		}
		if err == nil {
			err = e.Send(messages...)
		}
		if err != nil {
			reason, _ := told(err)
			d.Settle(amqp.Rejected{Error: reason})
			return
		}
		d.Settle(amqp.Accepted{})
	})
	l.Grant(senderCredit)
	return nil
}
