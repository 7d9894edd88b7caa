package amqp_test

import (
	"context"
	"net"
	"testing"
	"time"

	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// serve runs a server until the test is over, and returns its address.
func serve(t *testing.T, h amqp.Handler, o amqp.Options) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- amqp.NewServer(h, o).Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return ln.Addr().String()
}

// dial returns a session of the reference client.
func dial(t *testing.T, addr string, o *client.ConnOptions) *client.Session {
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

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
