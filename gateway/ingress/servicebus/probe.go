package servicebus

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// Probe connects, signs in and asks for the right to receive, over a connection of
// its own. It locks no message: it asks for a session that nobody else has, by
// which an entity tells whether it requires sessions, and else looks at the first
// message.
func (s *Source) Probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	found, err := s.probe(ctx)
	if err != nil {
		return "", errors.New(s.words(err))
	}
	return s.settings.Reached() + ", and may receive: " + found, nil
}

func (s *Source) probe(ctx context.Context) (string, error) {
	client, err := s.newClient()
	if err != nil {
		return "", err
	}
	defer closeClient(ctx, client)
	switch err := s.askSession(ctx, client); {
	case err == nil && s.settings.sessions == sessionsOff:
		return "", errHasSessions
	case err == nil:
		return "the entity requires sessions", nil
	case !refusesMode(err) || s.settings.sessions == sessionsOn:
		return "", err
	}
	r, err := s.newReceiver(client)
	if err != nil {
		return "", err
	}
	if err := probe(ctx, r); err != nil {
		return "", err
	}
	return "the entity has no sessions", nil
}

// errHasSessions means that a source does not want the sessions that its entity
// requires.
var errHasSessions = errors.New(`the entity requires sessions: set sessions to true or "auto"`)

// askSession accepts a session that cannot have messages, and gives it back.
func (s *Source) askSession(ctx context.Context, client *azservicebus.Client) error {
	session := "headgate-probe-" + rand.Text()
	var r *azservicebus.SessionReceiver
	var err error
	if s.settings.queue != "" {
		r, err = client.AcceptSessionForQueue(ctx, s.settings.queue, session, nil)
	} else {
		r, err = client.AcceptSessionForSubscription(ctx, s.settings.topic, s.settings.subscription, session, nil)
	}
	if err != nil {
		return err
	}
	closeClient(ctx, r)
	return nil
}

// closeClient says goodbye, for a while, also when ctx has ended.
func closeClient(ctx context.Context, c interface{ Close(context.Context) error }) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = c.Close(ctx) // what has not been said by now makes no difference
}
