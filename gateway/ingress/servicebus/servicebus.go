// Package servicebus fetches events from a queue or a subscription of Azure
// Service Bus, through its official SDK.
//
// A message is completed only when its events are durable, and dead-lettered,
// with the reason, when it is none and cannot be wrapped into one. The events of
// a session are accepted in the order of its messages; those of an entity
// without sessions nearly so, or wholly with batches of one message, as long as
// nobody else receives from it and no connection is lost. While the journal takes
// no events, locks are renewed.
//
// A message whose completion failed is completed when it comes again, and not
// accepted twice; only the end of the process in between makes a duplicate.
package servicebus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/ingress/pull"
)

// Options are what a gateway may decide for all of its sources.
type Options = pull.Options

// Source receives from one entity.
type Source struct {
	settings settings
	journal  pull.Journal
	opts     Options
	monitor  *pull.Monitor
	handled  handled
	// sessions is what the settings say, or what the entity has said since.
	sessions atomic.Bool
}

// Kind describes such sources to a catalog.
func Kind() pull.Kind {
	return pull.Kind{
		Name:     "serviceBus",
		Validate: validate,
		Secrets:  []pull.Secret{{Field: "connectionString", Form: pull.ConnectionString}},
	}
}

// New returns a source by its settings; what is wrong with one of them is a
// [*pull.SettingError]. It does not connect.
func New(raw json.RawMessage, j pull.Journal, o Options) (*Source, error) {
	set, err := parse(raw)
	if err != nil {
		return nil, err
	}
	s := &Source{settings: set, journal: j, opts: o, monitor: pull.NewMonitor(o.Log())}
	s.sessions.Store(set.sessions == sessionsOn)
	return s, nil
}

// Status says how the source fares.
func (s *Source) Status() pull.Status { return s.monitor.Status() }

// Run receives until ctx ends and what it had in hand is done. It is called once.
func (s *Source) Run(ctx context.Context) {
	pull.Run(ctx, s.monitor, s.words, s.connect)
}

// closeTimeout bounds the goodbye to the service.
const closeTimeout = 2 * time.Second

// requestTimeout bounds each request to the service that does not wait for
// messages.
const requestTimeout = 30 * time.Second

// connect receives on one connection until it fails or ctx ends.
func (s *Source) connect(ctx context.Context) error {
	client, err := s.newClient()
	if err != nil {
		return err
	}
	defer closeClient(ctx, client)
	if s.sessions.Load() {
		err = s.receiveSessions(ctx, client)
	} else {
		err = s.receivePlain(ctx, client)
	}
	if s.settings.sessions == sessionsAuto && refusesMode(err) {
		s.sessions.Store(!s.sessions.Load())
		return pull.ErrRestart
	}
	return err
}

// refusesMode reports whether err says that an entity has sessions, or that it
// has none, against what was asked of it.
func refusesMode(err error) bool {
	if err == nil {
		return false
	}
	condition, _ := pull.Condition(err)
	return condition == amqp.ErrCondNotAllowed
}

func (s *Source) newClient() (*azservicebus.Client, error) {
	options := &azservicebus.ClientOptions{
		ApplicationID: s.opts.UserAgent,
		// The hook for WebSockets takes any connection.
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			return s.settings.Dial(ctx, s.opts)
		},
		// The SDK renews its claims in the background with these, in a loop that
		// pauses for nothing else.
		RetryOptions: azservicebus.RetryOptions{MaxRetries: 1, RetryDelay: time.Second, MaxRetryDelay: time.Second},
	}
	t := &s.settings.Target
	if t.Connection != "" {
		return azservicebus.NewClientFromConnectionString(t.Connection, options)
	}
	identity, err := s.opts.Identity()
	if err != nil {
		return nil, err
	}
	return azservicebus.NewClient(t.Host, identity, options)
}

func (s *Source) words(err error) string {
	text := s.settings.Words(err)
	if refusesMode(err) {
		switch s.settings.sessions {
		case sessionsOn:
			text += ` (the entity may not require sessions: set sessions to false or "auto")`
		case sessionsOff:
			text += ` (the entity may require sessions: set sessions to true or "auto")`
		}
	}
	return text
}

// panicked is what the SDK panicked with.
type panicked struct{ value any }

func (e *panicked) Error() string {
	return fmt.Sprintf("the SDK cannot read a message that waits there, which comes again until the service dead-letters it: %v", e.value)
}

// guard calls receive and turns a panic into an error: the SDK panics on
// application properties of a dead-lettered message that have other types than
// the service gives them, and anyone who may send can set those.
func guard(receive func() ([]*azservicebus.ReceivedMessage, error)) (messages []*azservicebus.ReceivedMessage, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value}
		}
	}()
	return receive()
}

// errLinkLost means that the SDK lost its link and says no more.
var errLinkLost = errors.New("the connection was lost")
