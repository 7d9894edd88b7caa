package servicebus

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"golang.org/x/sync/errgroup"
)

const (
	// acceptTimeout is how long the service looks for a session with messages
	// before it is asked again.
	acceptTimeout = 30 * time.Second
	// sessionIdle is how long a session is kept without messages: others may wait
	// for a free receiver.
	sessionIdle = time.Second
	// sessionTurn bounds how long a session that always has messages is kept.
	sessionTurn = 30 * time.Second
)

// receiveSessions receives from as many sessions at a time as the settings allow.
func (s *Source) receiveSessions(ctx context.Context, client *azservicebus.Client) error {
	if err := s.probeSessions(ctx, client); err != nil {
		return err
	}
	s.monitor.Running()
	group, ctx := errgroup.WithContext(ctx)
	for range s.settings.maxSessions {
		group.Go(func() error {
			for {
				r, err := s.acceptSession(ctx, client)
				if err == nil && r != nil {
					err = s.drainSession(ctx, r)
				}
				if err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// probeSessions finds out whether the service can be asked, before there is a
// session.
func (s *Source) probeSessions(ctx context.Context, client *azservicebus.Client) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	pager := client.NewListSessionsForQueuePager(s.settings.queue, nil)
	if s.settings.queue == "" {
		pager = client.NewListSessionsForSubscriptionPager(s.settings.topic, s.settings.subscription, nil)
	}
	_, err := pager.NextPage(ctx)
	return err
}

// acceptSession returns the next session that has messages, or nil when there
// was none for some time.
func (s *Source) acceptSession(ctx context.Context, client *azservicebus.Client) (*azservicebus.SessionReceiver, error) {
	within, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	var r *azservicebus.SessionReceiver
	var err error
	if s.settings.queue != "" {
		r, err = client.AcceptNextSessionForQueue(within, s.settings.queue, nil)
	} else {
		r, err = client.AcceptNextSessionForSubscription(within, s.settings.topic, s.settings.subscription, nil)
	}
	said := (*azservicebus.Error)(nil)
	switch {
	case err == nil:
		return r, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &said) && said.Code == azservicebus.CodeTimeout, within.Err() != nil:
		return nil, nil
	}
	return nil, err
}

// drainSession receives a session's messages until there are none, until others
// should have their turn, or until its lock is lost.
func (s *Source) drainSession(ctx context.Context, r *azservicebus.SessionReceiver) error {
	l := &link{receiver: r, want: 1, most: s.settings.maxBatch}
	defer l.close(ctx)
	lock := newRenewal(r.LockedUntil())
	hold := func(ctx context.Context) error {
		return lock.renew(ctx, func(ctx context.Context) (time.Time, error) {
			err := r.RenewSessionLock(ctx, nil)
			return r.LockedUntil(), err
		})
	}
	for begun := time.Now(); time.Since(begun) < sessionTurn; {
		within, cancel := context.WithTimeout(ctx, sessionIdle)
		messages, more, err := l.next(within)
		cancel()
		if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		if err == nil {
			err = s.newBatch(l, messages).handle(ctx, hold)
		}
		if err == nil && more {
			err = hold(ctx)
		}
		if lockLost(err) || errors.Is(err, errLinkLost) {
			return pause(ctx) // the session comes again, with what is not completed
		}
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// pause keeps a session that cannot be held from being taken without end.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(fillTime):
		return nil
	}
}
