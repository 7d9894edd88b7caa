package servicebus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// The tests of this file speak through Microsoft's own Go SDK, unmodified.

// namespace is a server that runs for a test.
type namespace struct {
	*servicebus.Server
	connection string
}

// serve starts a server that ends with the test.
func serve(t testing.TB, o servicebus.Options) *namespace {
	t.Helper()
	s, err := servicebus.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, s, ln)
	return &namespace{s, connectionString(ln.Addr())}
}

func connectionString(addr net.Addr) string {
	return fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s;UseDevelopmentEmulator=true", addr, keyName, key)
}

// serveOn serves s on ln until the test ends.
func serveOn(t testing.TB, s *servicebus.Server, ln net.Listener) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
}

const (
	keyName = "RootManageSharedAccessKey"
	key     = "bm90IGEga2V5" // "not a key"
)

// client is a connection of the SDK.
func (n *namespace) client(t testing.TB) *azservicebus.Client {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(n.connection, &azservicebus.ClientOptions{
		RetryOptions: azservicebus.RetryOptions{MaxRetries: 2, RetryDelay: time.Millisecond, MaxRetryDelay: 10 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func (n *namespace) entity(t testing.TB, address string) *broker.Entity {
	t.Helper()
	e, err := n.Broker().Entity(address)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// within bounds a test, so that a hang fails it.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// soon bounds what is expected not to happen.
func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func sender(t testing.TB, c *azservicebus.Client, to string) *azservicebus.Sender {
	t.Helper()
	return must1[*azservicebus.Sender](t)(c.NewSender(to, nil))
}

func queueReceiver(t testing.TB, c *azservicebus.Client, queue string) *azservicebus.Receiver {
	t.Helper()
	return must1[*azservicebus.Receiver](t)(c.NewReceiverForQueue(queue, nil))
}

func deadLetters(t testing.TB, c *azservicebus.Client, queue string) *azservicebus.Receiver {
	t.Helper()
	return must1[*azservicebus.Receiver](t)(c.NewReceiverForQueue(queue, &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter}))
}

// receives is what both kinds of receivers of the SDK can do.
type receives interface {
	ReceiveMessages(context.Context, int, *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	CompleteMessage(context.Context, *azservicebus.ReceivedMessage, *azservicebus.CompleteMessageOptions) error
}

// one receives the next message.
func one(t testing.TB, r receives) *azservicebus.ReceivedMessage {
	t.Helper()
	got, err := r.ReceiveMessages(within(t), 1, nil)
	must(t, err)
	if len(got) != 1 {
		t.Fatalf("received %d messages and no error, want one", len(got))
	}
	return got[0]
}

// nothing expects that no message comes.
func nothing(t testing.TB, r receives) {
	t.Helper()
	got, err := r.ReceiveMessages(soon(t), 1, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("received %v, %v; want nothing", got, err)
	}
}

func text(s string) *azservicebus.Message { return &azservicebus.Message{Body: []byte(s)} }

func grouped(session, s string) *azservicebus.Message {
	return &azservicebus.Message{Body: []byte(s), SessionID: &session}
}

// condition is the AMQP condition of an error, or "".
func condition(err error) string {
	var e *amqp.Error
	if errors.As(err, &e) {
		return string(e.Condition)
	}
	return ""
}

// until waits for a condition.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	ctx := within(t)
	for !f() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func ptr[T any](v T) *T { return &v }
