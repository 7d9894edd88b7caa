package servicebus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
	"github.com/headgate/headgate/gateway/ingress/servicebus"
)

// namespace is an emulated one.
type namespace struct {
	*emulator.Server
	address string
	faults  *amqp.Faults // of links to receivers too
	stop    func()
}

// serve starts a namespace at an address, which ends with t if not before.
func serve(t testing.TB, address string, entities broker.Config) *namespace {
	t.Helper()
	faults := &amqp.Faults{}
	s, err := emulator.New(emulator.Options{Entities: entities, AMQP: amqp.Options{Faults: faults}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	n := &namespace{Server: s, address: ln.Addr().String(), faults: faults}
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	t.Cleanup(n.stop)
	return n
}

func start(t testing.TB, queues ...broker.Queue) *namespace {
	t.Helper()
	return serve(t, "127.0.0.1:0", broker.Config{Queues: queues})
}

func plain(s broker.Settings) broker.Queue { return broker.Queue{Name: "q", Settings: s} }

func sessions(s broker.Settings) broker.Queue {
	s.RequiresSession = true
	return plain(s)
}

func (n *namespace) connection() string {
	return "Endpoint=sb://" + n.address + ";SharedAccessKeyName=all;SharedAccessKey=" + pulltest.Key + ";UseDevelopmentEmulator=true"
}

func (n *namespace) inject(t testing.TB, f emulator.Fault) {
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

// send sends messages, one after the other.
func (n *namespace) send(t testing.TB, entity string, messages ...*azservicebus.Message) {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(n.connection(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	sender, err := c.NewSender(entity, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, m := range messages {
		if err := sender.SendMessage(ctx, m, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// cloudEvent is a message as Azure Digital Twins makes them.
func cloudEvent(id, twin string) *azservicebus.Message {
	return &azservicebus.Message{
		Body: []byte(`{"id":"` + id + `"}`), ContentType: ptr("application/json"), MessageID: ptr(id),
		ApplicationProperties: map[string]any{
			"cloudEvents:specversion": "1.0", "cloudEvents:id": id, "cloudEvents:source": "twins.example", "cloudEvents:type": event.TwinUpdate,
			"cloudEvents:subject": twin,
		},
	}
}

// numbered are events 0 to n-1, each of one of the sessions in turn.
func numbered(n int, sessions ...string) []*azservicebus.Message {
	messages := make([]*azservicebus.Message, n)
	for i := range messages {
		twin := sessions[i%len(sessions)]
		messages[i] = cloudEvent(fmt.Sprintf("%05d", i), twin)
		if twin != "" {
			messages[i].SessionID = &twin
		}
	}
	return messages
}

// run runs a source until it is stopped, or t is over.
func run(t testing.TB, j pull.Journal, settings map[string]any) *pulltest.Running {
	t.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	return pulltest.Run(t, func(o pull.Options) (*servicebus.Source, error) {
		return servicebus.New(raw, j, o)
	})
}

func (n *namespace) settings(more map[string]any) map[string]any {
	all := map[string]any{"connectionString": n.connection(), "entityPath": "q"}
	for k, v := range more {
		all[k] = v
	}
	return all
}

// wantAll waits until every event 0 to count-1 was accepted, and its message is
// gone, and holds that none came twice and that those of each subject came in
// their order.
func wantAll(t testing.TB, n *namespace, j *pulltest.Journal, r *pulltest.Running, entity string, count int) {
	t.Helper()
	last := map[string]string{}
	for _, e := range wantOnce(t, n, j, r, entity, count) {
		if e.ID <= last[e.Subject] {
			t.Fatalf("of %q, %s came after %s", e.Subject, e.ID, last[e.Subject])
		}
		last[e.Subject] = e.ID
	}
}

// wantOnce is wantAll without the order. It returns the events.
func wantOnce(t testing.TB, n *namespace, j *pulltest.Journal, r *pulltest.Running, entity string, count int) []event.Event {
	t.Helper()
	seen := func() int {
		ids := map[string]bool{}
		for _, e := range j.Accepted() {
			ids[e.ID] = true
		}
		return len(ids)
	}
	deadline := time.After(60 * time.Second)
	for seen() < count || n.count(t, entity) > 0 {
		select {
		case <-deadline:
			t.Fatalf("%d of %d events came, %d messages are left; the source says %+v\n%s", seen(), count, n.count(t, entity), r.Status(), r.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
	all := j.Accepted()
	if len(all) != count {
		t.Errorf("%d events came twice", len(all)-count)
	}
	return all
}
