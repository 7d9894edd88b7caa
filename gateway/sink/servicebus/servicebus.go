// Package servicebus sends events to a queue or a topic of Azure Service Bus,
// through its official SDK.
//
// A message is an event in the binary mode of the CloudEvents AMQP binding, as
// Azure Digital Twins writes it: the body is the data, attributes are
// application properties named "cloudEvents:…", the content type is the
// message's own. The message id is the event's idempotencykey, so that an
// entity with duplicate detection drops what is sent twice because an
// acknowledgement was lost; the label (subject) is the event's subject. What a
// transform has set as the delivery's properties comes before that.
//
// The order of the deliveries of one key is that in which the entity takes
// them. No try is made twice: see [messaging.Sender]. Secrets of the settings
// never appear in an error.
package servicebus

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/messaging"
)

// Options are what a gateway may decide for all of its entities.
type Options = messaging.Options

// Sink sends to one queue or topic. It is safe for concurrent use.
type Sink struct{ *messaging.Sender[*client] }

// Kind describes queues and topics to a catalog.
func Kind() sink.Kind {
	return sink.Kind{
		Name:     "serviceBus",
		Validate: validate,
		Secrets:  []sink.Secret{{Field: "connectionString", Form: sink.ConnectionString}},
	}
}

// New returns a sink for an endpoint's settings; what is wrong with one of them
// is a [*sink.SettingError]. It does not connect.
func New(raw json.RawMessage, o Options) (*Sink, error) {
	target, err := parse(raw)
	if err != nil {
		return nil, err
	}
	s, err := messaging.NewSender(target, messaging.Service[*client]{
		New:        newClient(o.Name()),
		Ready:      ready,
		Pack:       pack,
		Place:      place,
		Code:       code,
		Role:       "Azure Service Bus Data Sender",
		NotAllowed: "an entity that requires sessions takes no message without one: let a transform set sessionId, as the plugin sessions does",
		Untried:    "the entity's rules on size, quota and sessions",
	}, o)
	if err != nil {
		return nil, err
	}
	return &Sink{s}, nil
}

func validate(raw json.RawMessage) error {
	target, err := parse(raw)
	if err != nil {
		return err
	}
	return target.Check()
}

func parse(raw json.RawMessage) (messaging.Target, error) {
	in := sink.ReadSettings(raw)
	t := messaging.ReadTarget(in)
	if strings.Contains(strings.ToLower(t.Entity), "/subscriptions/") {
		in.Refuse("entityPath", "is a subscription, which nothing can be sent to; name its topic")
	}
	return t, in.Err()
}

// client is a client of the SDK with its one sender.
type client struct {
	*azservicebus.Client
	sender *azservicebus.Sender
}

// newClient returns what makes clients.
func newClient(userAgent string) func(messaging.Access) (*client, error) {
	return func(a messaging.Access) (*client, error) {
		options := &azservicebus.ClientOptions{
			ApplicationID: userAgent,
			RetryOptions:  azservicebus.RetryOptions{MaxRetries: -1},
			// The hook for WebSockets takes any connection.
			NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
				return a.Dial(ctx)
			},
		}
		var c *azservicebus.Client
		var err error
		if a.Credential != nil {
			c, err = azservicebus.NewClient(a.Host, a.Credential, options)
		} else {
			c, err = azservicebus.NewClientFromConnectionString(a.Connection, options)
		}
		if err != nil {
			return nil, err
		}
		sender, err := c.NewSender(a.Entity, nil)
		return &client{c, sender}, err
	}
}

// ready opens the link, of which the limit of a batch is asked.
func ready(ctx context.Context, c *client) error {
	_, err := c.sender.NewMessageBatch(ctx, nil)
	return err
}

// code is that of an error behind which the SDK hides another.
func code(err error) string {
	if e := (*azservicebus.Error)(nil); errors.As(err, &e) {
		return string(e.Code)
	}
	return ""
}

// pack makes a transfer of as many deliveries as share a place and fit.
func pack(ctx context.Context, c *client, ds []*delivery.Delivery) (messaging.Transfer, error) {
	first, err := message(ds[0])
	if err != nil {
		return messaging.Transfer{}, err
	}
	if len(ds) == 1 || place(ds[0]) != place(ds[1]) {
		return alone(c, first), nil
	}
	batch, err := c.sender.NewMessageBatch(ctx, nil)
	if err != nil {
		return messaging.Transfer{}, err
	}
	n, err := fillBatch(batch, first, ds)
	if err != nil {
		return messaging.Transfer{}, err
	}
	if n <= 1 { // a message alone may be larger than in a batch
		return alone(c, first), nil
	}
	return messaging.Transfer{N: n, Send: func(ctx context.Context) error {
		return tooLarge(c.sender.SendMessageBatch(ctx, batch, nil))
	}}, nil
}

// fillBatch adds messages from the front of ds, whose first is made already,
// and returns how many there are.
func fillBatch(batch *azservicebus.MessageBatch, first *azservicebus.AMQPAnnotatedMessage, ds []*delivery.Delivery) (int, error) {
	at := place(ds[0])
	for i, d := range ds {
		m := first
		if i > 0 {
			var err error
			if m, err = message(d); err != nil || place(d) != at {
				return i, nil // the next transfer's
			}
		}
		err := batch.AddAMQPAnnotatedMessage(m, nil)
		if errors.Is(err, azservicebus.ErrMessageTooLarge) {
			return i, nil
		}
		if err != nil { // it cannot be encoded
			if i > 0 {
				return i, nil
			}
			return 0, messaging.Malformed("%w", err)
		}
	}
	return len(ds), nil
}

// alone is a transfer of one message.
func alone(c *client, m *azservicebus.AMQPAnnotatedMessage) messaging.Transfer {
	return messaging.Transfer{N: 1, Send: func(ctx context.Context) error {
		return tooLarge(c.sender.SendAMQPAnnotatedMessage(ctx, m, nil))
	}}
}

func tooLarge(err error) error {
	if errors.Is(err, azservicebus.ErrMessageTooLarge) {
		return messaging.ErrTooLarge
	}
	return err
}
