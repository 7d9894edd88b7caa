package servicebus

import (
	"math"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/messaging"
)

// Annotations that the service reads, which the type of the SDK for annotated
// messages has no fields for.
const (
	partitionKeyAnnotation = "x-opt-partition-key"
	scheduledAnnotation    = "x-opt-scheduled-enqueue-time"
)

// message is d as the entity gets it. An error is d's fault.
func message(d *delivery.Delivery) (*azservicebus.AMQPAnnotatedMessage, error) {
	if err := check(&d.Properties); err != nil {
		return nil, err
	}
	properties, err := messaging.Properties(d)
	if err != nil {
		return nil, err
	}
	m := &azservicebus.AMQPAnnotatedMessage{
		ApplicationProperties: properties,
		Body:                  azservicebus.AMQPAnnotatedMessageBody{Data: [][]byte{d.Event.Data}},
		Properties: &azservicebus.AMQPAnnotatedMessageProperties{
			MessageID:   messaging.MessageID(d),
			ContentType: optional(d.Event.DataContentType),
			Subject:     optional(d.Event.Subject),
			GroupID:     optional(d.Properties.SessionID),
		},
		MessageAnnotations: map[any]any{},
	}
	if key := partitionKey(d); key != "" {
		m.MessageAnnotations[partitionKeyAnnotation] = key
	}
	if at := d.Properties.ScheduledAt; !at.IsZero() {
		m.MessageAnnotations[scheduledAnnotation] = at.UTC()
	}
	if d.Properties.TimeToLive > 0 {
		m.Header = &azservicebus.AMQPAnnotatedMessageHeader{TTL: milliseconds(d.Properties.TimeToLive)}
	}
	return m, nil
}

// check reports what the service would refuse.
func check(p *delivery.Properties) error {
	if err := messaging.CheckKey("messageId", p.MessageID); err != nil {
		return err
	}
	if err := messaging.CheckKey("sessionId", p.SessionID); err != nil {
		return err
	}
	if p.SessionID != "" && p.PartitionKey != "" && p.PartitionKey != p.SessionID {
		return messaging.Malformed("the partitionKey %q is not the sessionId %q, as Service Bus demands when there are both; let the transform set the sessionId alone", p.PartitionKey, p.SessionID)
	}
	return nil
}

// partitionKey is the session id, which the service demands if there is one,
// else what places any delivery.
func partitionKey(d *delivery.Delivery) string {
	if d.Properties.SessionID != "" {
		return d.Properties.SessionID
	}
	return messaging.PartitionKey(d)
}

// place is what messages of one batch share, since its envelope says it once:
// the session, the partition key, and when it may be seen.
func place(d *delivery.Delivery) string {
	p := &d.Properties
	key := partitionKey(d)
	if p.ScheduledAt.IsZero() && p.TimeToLive <= 0 && p.SessionID == "" {
		return key
	}
	return strings.Join([]string{key, p.SessionID, p.ScheduledAt.String(), p.TimeToLive.String()}, "\x00")
}

// milliseconds rounds a time to live up to what the header can hold.
func milliseconds(d time.Duration) time.Duration {
	const most = math.MaxUint32 * time.Millisecond
	return min((d+time.Millisecond-1)/time.Millisecond*time.Millisecond, most)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
