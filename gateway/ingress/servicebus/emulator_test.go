package servicebus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	emulator "github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/servicebus"
)

// key is base64, as shared access keys are, and obviously none.
const key = "bm90IGEga2V5"

// namespace is an emulated one.
type namespace struct {
	*emulator.Server
	address string
	stop    func()
}

// serve starts a namespace at an address, which ends with t if not before.
func serve(t testing.TB, address string, entities broker.Config) *namespace {
	t.Helper()
	s, err := emulator.New(emulator.Options{Entities: entities})
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
	n := &namespace{Server: s, address: ln.Addr().String()}
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
	return "Endpoint=sb://" + n.address + ";SharedAccessKeyName=all;SharedAccessKey=" + key + ";UseDevelopmentEmulator=true"
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

// journal holds what was accepted; it refuses as it is told.
type journal struct {
	mu      sync.Mutex
	events  []event.Event
	refuse  error
	calls   int
	changed chan struct{}
}

func newJournal() *journal { return &journal{changed: make(chan struct{}, 1)} }

// full is what a journal says that has no room.
type full struct{}

func (full) Error() string             { return "journal is full" }
func (full) RetryAfter() time.Duration { return 10 * time.Millisecond }

func (j *journal) Append(ctx context.Context, events []event.Event) (event.Position, error) {
	if err := ctx.Err(); err != nil {
		return event.Position{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls++
	if j.refuse != nil {
		return event.Position{}, j.refuse
	}
	j.events = append(j.events, events...)
	select {
	case j.changed <- struct{}{}:
	default:
	}
	return event.Position{Seq: uint64(j.calls)}, nil
}

func (j *journal) say(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refuse = err
}

func (j *journal) accepted() []event.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.events)
}

// running is a source with all that it logs.
type running struct {
	*servicebus.Source
	stop func()
	log  *buffer
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run runs a source until it is stopped, or t is over.
func run(t testing.TB, j pull.Journal, settings map[string]any) *running {
	t.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	log := &buffer{}
	s, err := servicebus.New(raw, j, servicebus.Options{Options: pull.Options{UserAgent: "test", Logger: slog.New(slog.NewTextHandler(log, nil))}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	r := &running{Source: s, log: log, stop: func() {
		cancel()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the source does not stop")
		}
	}}
	t.Cleanup(r.stop)
	return r
}

func (n *namespace) settings(more map[string]any) map[string]any {
	all := map[string]any{"connectionString": n.connection(), "entityPath": "q"}
	for k, v := range more {
		all[k] = v
	}
	return all
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("in vain: " + what)
		case <-tick.C:
		}
	}
}

// wantAll waits until every event 0 to n-1 was accepted and its message is gone,
// and holds them to the order of each subject; duplicates are allowed so many.
func wantAll(t testing.TB, n *namespace, j *journal, r *running, entity string, count, duplicates int) {
	t.Helper()
	seen := func() int {
		ids := map[string]bool{}
		for _, e := range j.accepted() {
			ids[e.ID] = true
		}
		return len(ids)
	}
	deadline := time.After(60 * time.Second)
	for seen() < count || n.count(t, entity) > 0 {
		select {
		case <-deadline:
			t.Fatalf("%d of %d events came, %d messages are left; the source says %+v\n%s", seen(), count, n.count(t, entity), r.Status(), r.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	all := j.accepted()
	if more := len(all) - count; more > duplicates {
		t.Errorf("%d events came twice, want %d at most", more, duplicates)
	}
	last, twice := map[string]string{}, map[string]bool{}
	for _, e := range all {
		if twice[e.ID] {
			continue
		}
		twice[e.ID] = true
		if e.ID <= last[e.Subject] && last[e.Subject] != "" {
			t.Fatalf("of %q, %s came after %s", e.Subject, e.ID, last[e.Subject])
		}
		last[e.Subject] = e.ID
	}
}
