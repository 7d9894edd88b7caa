package namespace

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

// path is where a namespace takes WebSockets, and protocol what it speaks over
// them.
const (
	path     = "/$servicebus/websocket"
	protocol = "amqp"
)

// dialWebSocket connects by the proxy that the environment names for HTTPS, if it
// names one.
func (d *Dialer) dialWebSocket(ctx context.Context) (net.Conn, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: d.connect, TLSHandshakeTimeout: handshakeTimeout}
	scheme := "ws://"
	if !d.Plain {
		config, err := d.config()
		if err != nil {
			return nil, err
		}
		scheme, transport.TLSClientConfig = "wss://", config
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout+2*handshakeTimeout) // of TLS, and of the WebSocket
	defer cancel()
	socket, answer, err := websocket.Dial(ctx, scheme+d.Host+path, &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Subprotocols: []string{protocol},
	})
	if err != nil && answer != nil {
		return nil, &StatusError{answer.StatusCode}
	}
	if err != nil {
		if addressed := (*url.Error)(nil); errors.As(err, &addressed) {
			err = addressed.Err // what it says besides is known
		}
		return nil, fmt.Errorf("WebSocket: %w", err)
	}
	// It lives until it is closed, not as long as the call that made it.
	return &conn{websocket.NetConn(context.Background(), socket, websocket.MessageBinary), socket}, nil
}

// StatusError means that a server answered, and not with a WebSocket.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("no WebSocket at %s: the answer is %d %s", path, e.Status, http.StatusText(e.Status))
}

// conn closes at once: AMQP has said its goodbye, or there is nobody to hear one.
type conn struct {
	net.Conn
	socket *websocket.Conn
}

func (c *conn) Close() error { return c.socket.CloseNow() }
