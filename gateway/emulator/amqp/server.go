package amqp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Handler is the broker behind a server.
type Handler interface {
	// Attach takes or refuses a link that a client asks for; see the package
	// comment. ctx ends with the link.
	Attach(ctx context.Context, l *Link) error
}

// HandlerFunc is a function that is a [Handler].
type HandlerFunc func(ctx context.Context, l *Link) error

// Attach calls f.
func (f HandlerFunc) Attach(ctx context.Context, l *Link) error { return f(ctx, l) }

// Options are what a server may be told. The zero value works.
type Options struct {
	ContainerID    string        // what it calls itself; "headgate"
	MaxFrameSize   uint32        // of frames that clients may send; 64 KiB
	MaxMessageSize uint64        // what links answer unless they say otherwise; 1 MiB
	IdleTimeout    time.Duration // how long a client may be silent; 2 minutes

	// Authorize checks a token that a client puts to $cbs; an error is answered
	// with 401. When it is nil, every token is good and none is needed; else a
	// link needs a claim to its address. [Keys.Authorize] is one.
	Authorize func(Token) error
	// Open has links need no claim: Authorize is asked about the tokens that are
	// put all the same.
	Open bool
	// Authenticate checks the user and password of SASL PLAIN, which claims all
	// addresses at once; nil takes any. [Keys.Authenticate] is one.
	Authenticate func(user, password string) error

	Faults *Faults      // what shall go wrong; nil for nothing
	Logger *slog.Logger // what went wrong with a connection, at level debug
}

// Server serves AMQP to clients, on any number of listeners.
type Server struct {
	handler Handler
	o       Options
}

// NewServer returns a server that asks h about links.
func NewServer(h Handler, o Options) *Server {
	if o.ContainerID == "" {
		o.ContainerID = "headgate"
	}
	if o.MaxFrameSize == 0 {
		o.MaxFrameSize = 64 << 10
	}
	o.MaxFrameSize = max(o.MaxFrameSize, minFrameSize)
	if o.MaxMessageSize == 0 {
		o.MaxMessageSize = 1 << 20
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 2 * time.Minute
	}
	if o.Faults == nil {
		o.Faults = &Faults{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{handler: h, o: o}
}

// Serve accepts connections from ln until ctx ends. Then it closes ln, tells
// every client on it amqp:connection:forced, and returns nil once all their
// links are over and no goroutine is left. It returns early, with an error, when ln
// fails. For TLS, ln is of package crypto/tls.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	for {
		nc, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				nc.Close()
			}
			return nil
		}
		if err != nil {
			ln.Close()
			return fmt.Errorf("amqp: accept: %w", err)
		}
		conns.Go(func() { newConn(s, nc).serve(ctx) })
	}
}
