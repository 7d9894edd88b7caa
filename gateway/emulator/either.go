package emulator

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/coder/websocket"
)

// eitherListener takes connections with TLS and without, and in either of them
// AMQP as it is or over WebSockets.
type eitherListener struct {
	net.Listener
	cert tls.Certificate
}

func (l eitherListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &eitherConn{Conn: nc, cert: l.cert}, nil
}

// eitherConn is a connection of a client who speaks first, as those of AMQP
// do: its first byte tells what it is. Nothing may be written before something
// was read.
type eitherConn struct {
	net.Conn
	cert   tls.Certificate
	spoken net.Conn                       // set by the first Read
	socket atomic.Pointer[websocket.Conn] // in which AMQP is spoken, if it is
}

// The first bytes of TLS and of a request for a WebSocket, which is a GET. Of
// AMQP it is an "A".
const (
	handshake = 0x16
	request   = 'G'
)

func (c *eitherConn) Read(b []byte) (int, error) {
	if c.spoken == nil {
		in, first, err := peek(c.Conn)
		if err != nil {
			return 0, err
		}
		if first == handshake {
			in.unbound()
			secure := tls.Server(in, &tls.Config{Certificates: []tls.Certificate{c.cert}, MinVersion: tls.VersionTLS12})
			if in, first, err = peek(secure); err != nil {
				return 0, err
			}
		}
		c.spoken = in
		if first == request {
			socket, err := upgrade(in)
			if err != nil {
				return 0, err
			}
			c.socket.Store(socket)
			c.spoken = websocket.NetConn(context.Background(), socket, websocket.MessageBinary)
		}
		in.unbound()
	}
	return c.spoken.Read(b)
}

func (c *eitherConn) Write(b []byte) (int, error) {
	if c.spoken == nil {
		return 0, errors.New("the client has said nothing yet")
	}
	return c.spoken.Write(b)
}

func (c *eitherConn) Close() error {
	if socket := c.socket.Load(); socket != nil {
		return socket.CloseNow()
	}
	return c.Conn.Close()
}

// bufferedConn is a connection of which the first bytes were read ahead.
type bufferedConn struct {
	net.Conn
	r     *bufio.Reader
	limit *io.LimitedReader // of what the client may say before it is known what it wants
}

// maxHead bounds a request for a WebSocket.
const maxHead = 64 << 10

// peek returns nc and the first byte that comes from it.
func peek(nc net.Conn) (*bufferedConn, byte, error) {
	limit := &io.LimitedReader{R: nc, N: maxHead}
	in := &bufferedConn{nc, bufio.NewReader(limit), limit}
	first, err := in.r.Peek(1)
	if err != nil {
		return nil, 0, err
	}
	return in, first[0], nil
}

// unbound has the client say as much as it wants from now on.
func (c *bufferedConn) unbound() { c.limit.N = math.MaxInt64 }

func (c *bufferedConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// socketPath is where a namespace takes WebSockets.
const socketPath = "/$servicebus/websocket"

// upgrade answers the request that comes first. Pages of other sites are refused,
// which a browser lets ask.
func upgrade(nc *bufferedConn) (*websocket.Conn, error) {
	r, err := http.ReadRequest(nc.r)
	if err != nil {
		return nil, fmt.Errorf("read a request: %w", err)
	}
	w := &reply{conn: nc, header: http.Header{}}
	if r.URL.Path != socketPath {
		http.Error(w, "there is nothing here but "+socketPath+", for AMQP over WebSockets", http.StatusNotFound)
		return nil, fmt.Errorf("a request for %s, where nothing is", r.URL.Path)
	}
	if host := (&url.URL{Host: r.Host}).Hostname(); r.Header.Get("Origin") != "" && !loopback(host) {
		http.Error(w, "a page may only ask for a name of this machine", http.StatusForbidden)
		return nil, fmt.Errorf("a page asked for %s", r.Host)
	}
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{"amqp", "AMQPWSB10"}, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("accept a WebSocket: %w", err)
	}
	return socket, nil
}

// reply writes the answer to the one request of a connection.
type reply struct {
	conn   *bufferedConn
	header http.Header
	begun  bool
}

// Header implements [http.ResponseWriter].
func (a *reply) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *reply) WriteHeader(status int) {
	if a.begun {
		return
	}
	a.begun = true
	fmt.Fprintf(a.conn, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	if status != http.StatusSwitchingProtocols {
		a.header.Set("Connection", "close")
	}
	_ = a.header.Write(a.conn) // a connection that is gone is met again at once
	fmt.Fprint(a.conn, "\r\n")
}

// Write implements [http.ResponseWriter].
func (a *reply) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.conn.Write(b)
}

// Hijack implements [http.Hijacker].
func (a *reply) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return a.conn.Conn, bufio.NewReadWriter(a.conn.r, bufio.NewWriter(a.conn.Conn)), nil
}
