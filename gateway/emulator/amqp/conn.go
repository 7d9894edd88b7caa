package amqp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	channelMax = 4999        // of sessions on a connection: clients use one per link
	handleMax  = 4095        // of links in a session
	lingering  = time.Second // for a client to take note of a close
)

// Conn is a client's connection.
type Conn struct {
	s    *Server
	nc   net.Conn
	in   frameReader
	wake chan struct{} // the writer has something to do
	wg   sync.WaitGroup

	// What the client said in its open, and how it signed in; set before any link.
	peer     open
	maxFrame int
	trusted  bool      // by SASL PLAIN
	cbs      *Requests // where it puts tokens

	mu       sync.Mutex // guards what follows, and all sessions and links
	out      []byte     // frames that are to be written
	sessions map[uint16]*session
	ready    []*session // those with transfers that are to be written
	claims   claims
	closing  bool // nothing may be added to out any more
	gone     bool // nothing may be spawned any more
}

func newConn(s *Server, nc net.Conn) *Conn {
	c := &Conn{s: s, nc: nc, wake: make(chan struct{}, 1), sessions: map[uint16]*session{}, maxFrame: minFrameSize}
	c.in = frameReader{r: bufio.NewReaderSize(nc, 32<<10), max: s.o.MaxFrameSize}
	c.cbs = NewRequests(c.putToken)
	return c
}

// ContainerID is what the client calls itself.
func (c *Conn) ContainerID() string { return c.peer.ContainerID }

// RemoteAddr is where the client is.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Drop cuts the connection without a word.
func (c *Conn) Drop() { bare(c.nc).Close() }

// serve speaks with the client until one of both ends the connection, and
// returns when every goroutine that served it is done.
func (c *Conn) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer c.wg.Wait()
	defer c.nc.Close()
	defer cancel()
	noDelay(c.nc)
	// A client that is still signing in hears nothing: there is no frame for it yet.
	stop := context.AfterFunc(ctx, func() { _ = c.nc.SetDeadline(time.Unix(1, 0)) })
	if err := c.open(); err != nil {
		stop()
		c.s.o.Logger.Debug("amqp: no connection", "client", c.nc.RemoteAddr(), "error", err)
		return
	}
	stop()
	written := make(chan struct{})
	c.spawn(func() { defer close(written); c.write() })
	stop = context.AfterFunc(ctx, func() {
		c.endLinks()
		c.fail(Errorf(ConnectionForced, "the server closes"))
	})
	defer stop()
	err := c.read(ctx)
	c.s.o.Logger.Debug("amqp: connection over", "client", c.nc.RemoteAddr(), "error", err)
	c.over()
	if err == nil { // both said close: the client shall read ours
		<-written
	}
}

// noDelay lets small frames out at once: a client that waits 20 ms for the
// second message of a batch must not wait for Nagle's 40.
func noDelay(nc net.Conn) {
	if t, ok := bare(nc).(*net.TCPConn); ok {
		_ = t.SetNoDelay(true)
	}
}

// bare is the connection beneath TLS.
func bare(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

// read takes the client's frames until the connection is over, and says why it is.
func (c *Conn) read(ctx context.Context) error {
	for c.await() {
		f, err := c.in.next()
		if err == nil {
			err = c.take(ctx, f)
		}
		switch {
		case err == nil:
		case errors.Is(err, errClosed):
			return nil
		case errors.Is(err, ErrDecode):
			c.fail(Errorf(FramingError, "%v", err))
		case errors.As(err, new(*Error)):
			c.fail(asError(err))
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.fail(Errorf(ConnectionForced, "the client was silent for %v", c.s.o.IdleTimeout))
		default: // the client is gone
			return err
		}
	}
	// The client may still be writing. Were the socket closed now, it could be
	// reset before the client has read why.
	for {
		if f, err := c.in.next(); err != nil && !errors.Is(err, ErrDecode) {
			return err
		} else if _, ok := f.body.(*shut); ok {
			return nil
		}
	}
}

// await sets how long to wait for the next frame. It returns false when the
// server has said close.
func (c *Conn) await() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.nc.SetReadDeadline(time.Now().Add(c.s.o.IdleTimeout))
	}
	return !c.closing
}

var errClosed = errors.New("amqp: the client closed the connection")

// take acts on a frame. An *[Error] is the client's mistake.
func (c *Conn) take(ctx context.Context, f frame) error {
	if f.kind != frameAMQP {
		return Errorf(NotAllowed, "a frame of SASL within a connection")
	}
	switch p := f.body.(type) {
	case nil:
		return nil // a heartbeat
	case *shut:
		c.endLinks()
		c.fail(nil)
		return errClosed
	case *begin:
		return c.begin(ctx, f.channel, p)
	case *open, *mechanisms, *saslInit, *saslOutcome:
		return Errorf(NotAllowed, "a %T within a connection", p)
	}
	c.mu.Lock()
	s := c.sessions[f.channel]
	c.mu.Unlock()
	if s == nil {
		return Errorf(NotAllowed, "channel %d has no session", f.channel)
	}
	return s.take(f)
}

// fail says close, with a reason if it is not nil, and no more.
func (c *Conn) fail(e *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	for _, s := range c.sessions {
		s.pending.clear()
	}
	c.queue(0, &shut{e})
	c.closing = true
	_ = c.nc.SetDeadline(time.Now().Add(lingering))
}

// over lets nothing new begin, and ends every link.
func (c *Conn) over() {
	c.mu.Lock()
	c.closing = true
	c.gone = true
	c.mu.Unlock()
	c.signal()
	c.endLinks()
}

// endLinks ends every link, and returns when the broker knows.
func (c *Conn) endLinks() {
	c.mu.Lock()
	var calls []func()
	var waits []chan struct{}
	for _, s := range c.sessions {
		calls, waits = append(calls, s.finish()...), append(waits, s.attaching()...)
	}
	c.mu.Unlock()
	for _, call := range calls {
		call()
	}
	for _, answered := range waits {
		<-answered
	}
}

// spawn runs f in a goroutine that serve waits for, unless the connection is over.
func (c *Conn) spawn(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		c.wg.Go(f)
	}
}

// queue adds a frame to what is to be written; the caller holds c.mu. What
// cannot be encoded is the broker's mistake and ends the connection.
func (c *Conn) queue(channel uint16, body composite) {
	if c.closing {
		return
	}
	out, err := appendFrame(c.out, frameAMQP, channel, body, nil)
	if err != nil {
		out, _ = appendFrame(c.out, frameAMQP, 0, &shut{Errorf(InternalError, "%v", err)}, nil) // text of our own encodes
		c.closing = true
	}
	c.out = out
	c.signal()
}

func (c *Conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
