// Package servicebus is a local Azure Service Bus: the broker of package
// broker over AMQP 1.0, as the service's official clients speak it.
//
// It stands in for the service in demos and tests, unmodified clients and all:
// give them a connection string with UseDevelopmentEmulator=true. All is in
// memory and gone with the process. What it cannot show is said in the README.
package servicebus

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// Options are what a server may be told. The zero value works: it makes each
// entity on first use, and takes any token.
type Options struct {
	// Entities declares queues and topics.
	Entities broker.Config
	// AMQP is how the server speaks. Its Faults may be shared with the
	// caller; MaxMessageSize is each entity's own.
	AMQP amqp.Options
}

// Server is a Service Bus namespace.
type Server struct {
	broker *broker.Broker
	amqp   *amqp.Server
	faults *amqp.Faults
	wg     sync.WaitGroup // of receivers

	mu    sync.Mutex // guards what follows
	nodes map[*broker.Entity]*amqp.Requests
	undo  []*broker.Entity // that faults have changed
}

// New returns a server with the entities that o declares.
func New(o Options) (*Server, error) {
	b, err := broker.New(o.Entities)
	if err != nil {
		return nil, err
	}
	if o.AMQP.Faults == nil {
		o.AMQP.Faults = &amqp.Faults{}
	}
	s := &Server{broker: b, faults: o.AMQP.Faults, nodes: map[*broker.Entity]*amqp.Requests{}}
	s.amqp = amqp.NewServer(s, o.AMQP)
	return s, nil
}

// Serve serves clients that connect to ln until ctx ends; see [amqp.Server.Serve].
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.amqp.Serve(ctx, ln) }

// Close ends the namespace and what it holds, once Serve has returned.
func (s *Server) Close() {
	s.broker.Close()
	s.wg.Wait()
}

// Broker is the namespace itself, to look into and to act on beside its clients.
func (s *Server) Broker() *broker.Broker { return s.broker }

// Attach takes a client's link, as [amqp.Handler]. It is for a server that
// serves other things on the same connection too.
func (s *Server) Attach(ctx context.Context, l *amqp.Link) error {
	err := s.attach(ctx, l)
	if err == nil {
		return nil
	}
	reason, _ := told(err)
	return reason
}

func (s *Server) attach(ctx context.Context, l *amqp.Link) error {
	address, managed := cutManagement(l.Address())
	e, err := s.broker.Entity(address)
	switch {
	case err != nil:
		return err
	case managed:
		return s.requests(e).Attach(ctx, l)
	case l.Sends():
		return attachSender(e, l)
	}
	return s.attachReceiver(ctx, e, l)
}

// cutManagement tells an entity from the node that takes requests about it.
func cutManagement(address string) (string, bool) {
	const suffix = "/$management"
	at := len(address) - len(suffix)
	if at < 0 || !strings.EqualFold(address[at:], suffix) {
		return address, false
	}
	return address[:at], true
}
