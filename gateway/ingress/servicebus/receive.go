package servicebus

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// receiver is what the SDK's receivers, of sessions and of none, share.
type receiver interface {
	ReceiveMessages(context.Context, int, *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	CompleteMessage(context.Context, *azservicebus.ReceivedMessage, *azservicebus.CompleteMessageOptions) error
	DeadLetterMessage(context.Context, *azservicebus.ReceivedMessage, *azservicebus.DeadLetterOptions) error
	Close(context.Context) error
}

// link is a receiver that asks for as many messages as seem to be there.
//
// The SDK returns with fewer than a call wants once some time is over, and from
// then on gives back, in the background, what comes late: behind messages that
// came meanwhile. So a link asks for one message, and for more only while they
// come fast enough to fill the call. Once a call was not filled, what comes next
// may not be next in order.
type link struct {
	receiver
	want, most int
}

// How long a call waits for what it wants after its first message, and how fast
// it has to be for the next to want more.
const (
	fillTime = 100 * time.Millisecond
	fastFill = fillTime / 2
)

// next returns the next messages, at least one, and whether those that come next
// are the ones behind them.
func (l *link) next(ctx context.Context) ([]*azservicebus.ReceivedMessage, bool, error) {
	begun := time.Now()
	messages, err := guard(func() ([]*azservicebus.ReceivedMessage, error) {
		return l.ReceiveMessages(ctx, l.want, &azservicebus.ReceiveMessagesOptions{TimeAfterFirstMessage: fillTime})
	})
	if err == nil && len(messages) == 0 {
		err = errLinkLost
	}
	if err != nil {
		return nil, false, err
	}
	full := len(messages) == l.want
	if time.Since(begun) < fastFill {
		l.want = min(l.want*2, l.most)
	} else {
		l.want = max(l.want/2, 1)
	}
	return messages, full, nil
}

func (l *link) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = l.Close(ctx) // what is not settled comes again
}

// receivePlain receives from an entity without sessions. Their order is no more
// than likely there, so a link goes on when a call was not filled: to close it
// would keep what comes late locked until its lock ends.
func (s *Source) receivePlain(ctx context.Context, client *azservicebus.Client) error {
	r, err := s.newReceiver(client)
	if err != nil {
		return err
	}
	if err := probe(ctx, r); err != nil {
		return err
	}
	s.monitor.Running()
	l := &link{receiver: r, want: 1, most: s.settings.maxBatch}
	defer l.close(ctx)
	for {
		messages, _, err := l.next(ctx)
		if err != nil {
			return err
		}
		locks := newRenewal(earliest(messages))
		err = s.newBatch(l, messages).handle(ctx, func(ctx context.Context) error {
			return locks.renew(ctx, func(ctx context.Context) (time.Time, error) {
				for _, m := range messages {
					if err := r.RenewMessageLock(ctx, m, nil); err != nil {
						return time.Time{}, err
					}
				}
				return earliest(messages), nil
			})
		})
		if err != nil && !lockLost(err) {
			return err
		}
	}
}

func (s *Source) newReceiver(client *azservicebus.Client) (*azservicebus.Receiver, error) {
	if s.settings.queue != "" {
		return client.NewReceiverForQueue(s.settings.queue, nil)
	}
	return client.NewReceiverForSubscription(s.settings.topic, s.settings.subscription, nil)
}

// probe finds out whether a receiver can receive, before there is a message.
func probe(ctx context.Context, r *azservicebus.Receiver) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := guard(func() ([]*azservicebus.ReceivedMessage, error) { return r.PeekMessages(ctx, 1, nil) })
	if errors.As(err, new(*panicked)) {
		return nil // it can: what it cannot read is the first message that waits
	}
	return err
}

// earliest is when the first of the messages' locks ends.
func earliest(messages []*azservicebus.ReceivedMessage) time.Time {
	var at time.Time
	for _, m := range messages {
		if m.LockedUntil != nil && (at.IsZero() || m.LockedUntil.Before(at)) {
			at = *m.LockedUntil
		}
	}
	return at
}

// lockLost reports whether err says that a lock was lost: what it locked comes
// again, here or elsewhere.
func lockLost(err error) bool {
	said := (*azservicebus.Error)(nil)
	return errors.As(err, &said) && said.Code == azservicebus.CodeLockLost
}

// renewal says when to renew a lock. The service's clock need not be this
// machine's, so what a lock's end says of its length is taken with bounds.
type renewal struct{ due time.Time }

const minRenewal, maxRenewal = time.Second, 10 * time.Second

func newRenewal(lockedUntil time.Time) renewal {
	return renewal{time.Now().Add(min(max(time.Until(lockedUntil)/2, minRenewal), maxRenewal))}
}

// renew calls do, which returns the new end of the lock, if it is time.
func (r *renewal) renew(ctx context.Context, do func(context.Context) (time.Time, error)) error {
	if time.Now().Before(r.due) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	until, err := do(ctx)
	if err == nil {
		*r = newRenewal(until)
	}
	return err
}
