package servicebus_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// key is base64, as shared access keys are, and obviously none.
const key = "bm90IGEga2V5"

// namespace is an emulated one. What it holds is looked at through the official
// receivers.
type namespace struct {
	*servicebus.Server
	address string
	stop    func()
}

// serve starts a namespace at an address, which ends with t if not before.
func serve(t testing.TB, address string, o servicebus.Options, secure *tls.Config) *namespace {
	t.Helper()
	s, err := servicebus.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	n := &namespace{Server: s, address: ln.Addr().String()}
	if secure != nil {
		ln = tls.NewListener(ln, secure)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	stopped := false
	n.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	}
	t.Cleanup(n.stop)
	return n
}

// start is a namespace of queues.
func start(t testing.TB, queues ...broker.Queue) *namespace {
	t.Helper()
	return serve(t, "127.0.0.1:0", servicebus.Options{Entities: broker.Config{Queues: queues}}, nil)
}

func sessions(s broker.Settings) broker.Queue {
	s.RequiresSession = true
	return broker.Queue{Name: "q", Settings: s}
}

func (n *namespace) connection() string {
	return "Endpoint=sb://" + n.address + ";SharedAccessKeyName=send;SharedAccessKey=" + key + ";UseDevelopmentEmulator=true"
}

func (n *namespace) client(t testing.TB) *azservicebus.Client {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(n.connection(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func (n *namespace) inject(t testing.TB, f servicebus.Fault) {
	t.Helper()
	if err := n.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// count is how many messages an entity holds.
func (n *namespace) count(t testing.TB, address string) int {
	t.Helper()
	e, err := n.Broker().Entity(address)
	if err != nil {
		t.Fatal(err)
	}
	return e.Info().Messages
}

type receiver interface {
	ReceiveMessages(context.Context, int, *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	CompleteMessage(context.Context, *azservicebus.ReceivedMessage, *azservicebus.CompleteMessageOptions) error
	Close(context.Context) error
}

// queue receives from a queue without sessions.
func (n *namespace) queue(t testing.TB, name string) receiver {
	t.Helper()
	r, err := n.client(t).NewReceiverForQueue(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// receive takes count messages, one at a time: the official receiver may
// shuffle those that it asks for together.
func receive(t testing.TB, r receiver, count int) []*azservicebus.ReceivedMessage {
	t.Helper()
	var all []*azservicebus.ReceivedMessage
	for range count {
		messages, err := r.ReceiveMessages(within(t), 1, nil)
		if err != nil {
			t.Fatalf("received %d of %d: %v", len(all), count, err)
		}
		if err := r.CompleteMessage(within(t), messages[0], nil); err != nil {
			t.Fatal(err)
		}
		all = append(all, messages[0])
	}
	return all
}

// bySession empties a queue of sessions: the ids of the events in each.
func (n *namespace) bySession(t testing.TB, name string) map[string][]string {
	t.Helper()
	c := n.client(t)
	e, err := n.Broker().Entity(name)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, s := range e.Info().Sessions {
		r, err := c.AcceptSessionForQueue(within(t), name, s.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range receive(t, r, s.Messages) {
			id := eventID(t, m)
			if *m.SessionID != s.ID || *m.PartitionKey != s.ID || m.MessageID != "copy-of-"+id {
				t.Errorf("event %s: session %q, partition key %q, message id %q", id, *m.SessionID, *m.PartitionKey, m.MessageID)
			}
			got[s.ID] = append(got[s.ID], id)
		}
		r.Close(within(t))
	}
	return got
}

// eventID is the id of the event that a message carries; its data says the same.
func eventID(t testing.TB, m *azservicebus.ReceivedMessage) string {
	t.Helper()
	var id string
	if err := json.Unmarshal(m.Body, &id); err != nil || m.ApplicationProperties["cloudEvents:id"] != id {
		t.Errorf("body %q of event %v: %v", m.Body, m.ApplicationProperties["cloudEvents:id"], err)
	}
	return id
}

// within bounds a step, so that a hang fails the test.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// checkWords demands that an error says something and no secret.
func checkWords(t testing.TB, err error, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want %q", want)
	case !strings.Contains(err.Error(), want):
		t.Errorf("error %q, want %q in it", err, want)
	case strings.Contains(err.Error(), key):
		t.Errorf("error %q tells the key", err)
	case errors.Unwrap(err) != nil && strings.Contains(errors.Unwrap(err).Error(), key):
		t.Errorf("error %q wraps one that tells the key", err)
	}
}
