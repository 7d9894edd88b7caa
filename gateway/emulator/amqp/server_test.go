package amqp_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// serve runs a server until the test is over, and returns its address.
func serve(t testing.TB, h amqp.Handler, o amqp.Options) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, done := serveUntil(t, ctx, h, o)
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return addr
}

// serveUntil runs a server until ctx ends. What Serve returns is sent.
func serveUntil(t testing.TB, ctx context.Context, h amqp.Handler, o amqp.Options) (addr string, done chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done = make(chan error, 1)
	go func() { done <- amqp.NewServer(h, o).Serve(ctx, ln) }()
	return ln.Addr().String(), done
}

// dial returns a session of the reference client.
func dial(t testing.TB, addr string, o *client.ConnOptions) *client.Session {
	t.Helper()
	if o == nil {
		o = &client.ConnOptions{SASLType: client.SASLTypeAnonymous()}
	}
	conn, err := client.Dial(timeout(t), "amqp://"+addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s, err := conn.NewSession(timeout(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func timeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// pipe is a connection that tells when it is closed.
type pipe struct {
	net.Conn
	close  sync.Once
	closed chan struct{}
}

// servePipe serves one connection, and waits until the server has closed it
// and is done.
func servePipe(t *testing.T, nc net.Conn) (wait func()) {
	p := &pipe{Conn: nc, closed: make(chan struct{})}
	l := listener{make(chan net.Conn, 1), nc.LocalAddr()}
	l.accept <- p
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- amqp.NewServer(&queues{}, amqp.Options{}).Serve(ctx, l) }()
	return func() {
		t.Helper()
		select {
		case <-p.closed:
		case <-time.After(20 * time.Second):
			t.Error("the server does not end the connection")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func (p *pipe) Close() error {
	p.close.Do(func() { close(p.closed) })
	return p.Conn.Close()
}

// listener accepts the one, and then waits until it is closed.
type listener struct {
	accept chan net.Conn
	addr   net.Addr
}

func (l listener) Accept() (net.Conn, error) {
	if nc, ok := <-l.accept; ok {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func (l listener) Close() error   { close(l.accept); return nil }
func (l listener) Addr() net.Addr { return l.addr }
