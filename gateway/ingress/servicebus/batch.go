package servicebus

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
)

// batch is messages that were received together, in their order.
type batch struct {
	source   *Source
	receiver receiver
	messages []*azservicebus.ReceivedMessage
	faults   []error       // of the messages that are no events, by their places
	events   []event.Event // of the others that were not accepted before
}

func (s *Source) newBatch(r receiver, messages []*azservicebus.ReceivedMessage) *batch {
	b := &batch{source: s, receiver: r, messages: messages, faults: make([]error, len(messages))}
	for i, m := range messages {
		if s.handled.has(identityOf(m)) {
			continue
		}
		events, err := s.settings.decode(m)
		b.faults[i] = err
		b.events = append(b.events, events...)
	}
	return b
}

// handle makes the events durable and then settles the messages. An error leaves
// what is not settled to come again.
func (b *batch) handle(ctx context.Context, hold func(context.Context) error) error {
	if err := b.source.monitor.Accept(ctx, b.source.journal, b.events, hold); err != nil {
		return err
	}
	for i, m := range b.messages {
		if b.faults[i] == nil {
			b.source.handled.accepted(identityOf(m))
		}
	}
	ctx, cancel := pull.Linger(ctx)
	defer cancel()
	return b.settle(ctx)
}

const (
	// settlers is how many messages are settled at a time: each takes a round trip.
	settlers = 64
	// settleTimeout bounds one settlement. The SDK tries one that was refused again,
	// after 3.2 seconds or more, and then says that it succeeded, whatever the
	// service thinks; this ends before. It is better then to get the message anew.
	settleTimeout = 3 * time.Second
)

func (b *batch) settle(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(settlers)
	for i := range b.messages {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, settleTimeout)
			defer cancel()
			if b.faults[i] != nil {
				return b.deadLetter(ctx, b.messages[i], b.faults[i])
			}
			return b.complete(ctx, b.messages[i])
		})
	}
	return group.Wait()
}

func (b *batch) complete(ctx context.Context, m *azservicebus.ReceivedMessage) error {
	k := identityOf(m)
	if err := b.receiver.CompleteMessage(ctx, m, nil); err != nil {
		b.source.handled.remains(k)
		return fmt.Errorf("complete message %s: %w", nameOf(m), err)
	}
	b.source.handled.completed(k)
	return nil
}

// deadLetterReason is what operators search a dead-letter queue for.
const deadLetterReason = "NotAnEvent"

func (b *batch) deadLetter(ctx context.Context, m *azservicebus.ReceivedMessage, fault error) error {
	reason, description := deadLetterReason, pull.Line(fault.Error())
	if err := b.receiver.DeadLetterMessage(ctx, m, &azservicebus.DeadLetterOptions{Reason: &reason, ErrorDescription: &description}); err != nil {
		return fmt.Errorf("dead-letter message %s: %w", nameOf(m), err)
	}
	b.source.monitor.Refused("sequence number "+nameOf(m), fault)
	return nil
}
