// Package eventhubs sends events to an event hub, through its official SDK.
//
// An event of the hub is an event in the binary mode of the CloudEvents AMQP
// binding, as Azure Digital Twins writes it: the body is the data, attributes
// are application properties named "cloudEvents:…", the content type is its
// own. The message id is the event's idempotencykey, by which a consumer may
// drop what was sent twice because an acknowledgement was lost: the hub itself
// does not.
//
// The partition key is what a transform has set, else the key that orders the
// delivery, by default the twin's. With the setting partitionId all events go
// to that partition, without a key. No try is made twice: see
// [messaging.Sender]. Secrets of the settings never appear in an error.
package eventhubs

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/messaging"
)

// Options are what a gateway may decide for all of its event hubs.
type Options = messaging.Options

// Sink sends to one event hub. It is safe for concurrent use.
type Sink struct {
	*messaging.Sender[*azeventhubs.ProducerClient]
}

// Kind describes event hubs to a catalog.
func Kind() sink.Kind {
	return sink.Kind{
		Name:     "eventHub",
		Validate: validate,
		Secrets:  []sink.Secret{{Field: "connectionString", Form: sink.ConnectionString}},
	}
}

// New returns a sink for an endpoint's settings; what is wrong with one of them
// is a [*sink.SettingError]. It does not connect.
func New(raw json.RawMessage, o Options) (*Sink, error) {
	target, p, err := parse(raw)
	if err != nil {
		return nil, err
	}
	s, err := messaging.NewSender(target, messaging.Service[*azeventhubs.ProducerClient]{
		New:     newClient(o.Name()),
		Ready:   p.ready,
		Pack:    p.pack,
		Place:   p.place,
		Code:    code,
		Role:    "Azure Event Hubs Data Sender",
		Untried: "the hub's rules on size and quota",
	}, o)
	if err != nil {
		return nil, err
	}
	return &Sink{s}, nil
}

// partition is the one to which all events go; empty for that of their keys.
type partition string

func validate(raw json.RawMessage) error {
	target, _, err := parse(raw)
	if err != nil {
		return err
	}
	return target.Check()
}

func parse(raw json.RawMessage) (messaging.Target, partition, error) {
	in := sink.ReadSettings(raw)
	t := messaging.ReadTarget(in)
	if strings.Contains(t.Entity, "/") {
		in.Refuse("entityPath", "is not the name of an event hub, which has no slash; for one partition, set partitionId")
	}
	id := in.Text("partitionId")
	if len(id) > 4 || strings.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' }) {
		in.Refuse("partitionId", "is not a number, as those of partitions are; leave it out to have the partition key decide")
	}
	return t, partition(id), in.Err()
}

// newClient returns what makes clients.
func newClient(userAgent string) func(messaging.Access) (*azeventhubs.ProducerClient, error) {
	return func(a messaging.Access) (*azeventhubs.ProducerClient, error) {
		options := &azeventhubs.ProducerClientOptions{
			ApplicationID: userAgent,
			RetryOptions:  azeventhubs.RetryOptions{MaxRetries: -1},
			// The hook for WebSockets takes any connection.
			NewWebSocketConn: func(ctx context.Context, _ azeventhubs.WebSocketConnParams) (net.Conn, error) {
				return a.Dial(ctx)
			},
		}
		if a.Credential != nil {
			return azeventhubs.NewProducerClient(a.Host, a.Entity, a.Credential, options)
		}
		return azeventhubs.NewProducerClientFromConnectionString(a.Connection, a.Entity, options)
	}
}

// ready opens the link, of which the limit of a batch is asked.
func (p partition) ready(ctx context.Context, c *azeventhubs.ProducerClient) error {
	_, err := c.NewEventDataBatch(ctx, p.options(""))
	return err
}

// code is that of an error behind which the SDK hides another.
func code(err error) string {
	if e := (*azeventhubs.Error)(nil); errors.As(err, &e) {
		return string(e.Code)
	}
	return ""
}

// options are those of a batch for a partition key, or for p.
func (p partition) options(key string) *azeventhubs.EventDataBatchOptions {
	switch id := string(p); {
	case id != "":
		return &azeventhubs.EventDataBatchOptions{PartitionID: &id}
	case key != "":
		return &azeventhubs.EventDataBatchOptions{PartitionKey: &key}
	}
	return nil
}

// place is what events of one batch share: the partition key.
func (p partition) place(d *delivery.Delivery) string {
	if p != "" {
		return ""
	}
	return messaging.PartitionKey(d)
}

// pack makes a transfer of as many deliveries as share a place and fit.
func (p partition) pack(ctx context.Context, c *azeventhubs.ProducerClient, ds []*delivery.Delivery) (messaging.Transfer, error) {
	at := p.place(ds[0])
	batch, err := c.NewEventDataBatch(ctx, p.options(at))
	if err != nil {
		return messaging.Transfer{}, err
	}
	n := 0
	for ; n < len(ds) && p.place(ds[n]) == at; n++ {
		if err = add(batch, ds[n]); err != nil {
			break
		}
	}
	if n == 0 {
		return messaging.Transfer{}, err
	}
	return messaging.Transfer{N: n, Send: func(ctx context.Context) error {
		return c.SendEventDataBatch(ctx, batch, nil)
	}}, nil
}

// add adds d to a batch. An error is d's fault, if the batch is empty.
func add(batch *azeventhubs.EventDataBatch, d *delivery.Delivery) error {
	properties, err := messaging.Properties(d)
	if err != nil {
		return err
	}
	id := messaging.MessageID(d)
	if err := messaging.CheckKey("messageId", id); err != nil {
		return err
	}
	e := &azeventhubs.EventData{Body: d.Event.Data, Properties: properties, MessageID: &id}
	if d.Event.DataContentType != "" {
		e.ContentType = &d.Event.DataContentType
	}
	err = batch.AddEventData(e, nil)
	switch {
	case errors.Is(err, azeventhubs.ErrEventDataTooLarge):
		return messaging.ErrTooLarge
	case err != nil: // it cannot be encoded
		return messaging.Malformed("%w", err)
	}
	return nil
}
