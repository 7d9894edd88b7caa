package eventhubs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/eventhubs"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

// namespace is an emulated one.
type namespace struct {
	*emulator.Server
	address string
	faults  *amqp.Faults
	stop    func()
}

// serve starts a namespace at an address, which ends with t if not before.
func serve(t testing.TB, address string, o emulator.Options) *namespace {
	t.Helper()
	n := &namespace{faults: &amqp.Faults{}}
	o.AMQP.Faults = n.faults
	var err error
	if n.Server, err = emulator.New(o); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	n.address = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx, ln) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(n.stop)
	return n
}

// start is a namespace with the event hub "hub" of some partitions.
func start(t testing.TB, partitions int) *namespace {
	t.Helper()
	return serve(t, "127.0.0.1:0", emulator.Options{Declared: true, Hubs: []emulator.Hub{{Name: "hub", Partitions: partitions, Groups: []string{"other"}}}})
}

func (n *namespace) connection() string {
	return "Endpoint=sb://" + n.address + ";SharedAccessKeyName=all;SharedAccessKey=" + pulltest.Key + ";UseDevelopmentEmulator=true"
}

// send sends events, one after the other, each to a partition.
func (n *namespace) send(t testing.TB, partition string, events ...*azeventhubs.EventData) {
	t.Helper()
	p, err := azeventhubs.NewProducerClientFromConnectionString(n.connection(), "hub", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer p.Close(ctx)
	for len(events) > 0 {
		batch, err := p.NewEventDataBatch(ctx, &azeventhubs.EventDataBatchOptions{PartitionID: &partition})
		if err != nil {
			t.Fatal(err)
		}
		for len(events) > 0 && batch.NumEvents() < 50 {
			if err := batch.AddEventData(events[0], nil); err != nil {
				t.Fatal(err)
			}
			events = events[1:]
		}
		if err := p.SendEventDataBatch(ctx, batch, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// numbered are CloudEvents from one number up to another, as Azure Digital Twins
// makes them, with the partition as their subject.
func numbered(partition string, from, to int) []*azeventhubs.EventData {
	var events []*azeventhubs.EventData
	for i := from; i < to; i++ {
		events = append(events, &azeventhubs.EventData{
			Body: fmt.Appendf(nil, `{"n":%d}`, i), ContentType: ptr("application/json"),
			Properties: map[string]any{
				"cloudEvents:specversion": "1.0", "cloudEvents:id": fmt.Sprintf("%s-%05d", partition, i), "cloudEvents:source": "twins.example",
				"cloudEvents:type": event.TwinUpdate, "cloudEvents:subject": partition,
			},
		})
	}
	return events
}

// store keeps checkpoints in memory; it refuses as it is told.
type store struct {
	mu     sync.Mutex
	marks  map[string]eventhubs.Checkpoint
	refuse error
}

func (s *store) Checkpoints(context.Context) (map[string]eventhubs.Checkpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]eventhubs.Checkpoint{}
	maps.Copy(all, s.marks)
	return all, nil
}

func (s *store) SaveCheckpoint(_ context.Context, partition string, c eventhubs.Checkpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	if s.marks == nil {
		s.marks = map[string]eventhubs.Checkpoint{}
	}
	s.marks[partition] = c
	return nil
}

func (s *store) say(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

// run runs a source until it is stopped, or t is over.
func run(t testing.TB, j pull.Journal, s eventhubs.Store, settings map[string]any) *pulltest.Running {
	t.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	return pulltest.Run(t, func(o pull.Options) (*eventhubs.Source, error) {
		return eventhubs.New(raw, j, s, o)
	})
}

func (n *namespace) settings(more map[string]any) map[string]any {
	all := map[string]any{"connectionString": n.connection(), "entityPath": "hub"}
	maps.Copy(all, more)
	return all
}

// wantAll waits until count events were accepted, and holds that those of each
// partition came in their order and none of them twice.
func wantAll(t testing.TB, j *pulltest.Journal, r *pulltest.Running, count int) {
	t.Helper()
	deadline := time.After(time.Minute)
	for j.Len() < count {
		select {
		case <-deadline:
			t.Fatalf("%d of %d events came; the source says %+v\n%s", j.Len(), count, r.Status(), r.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
	all := j.Accepted()
	if len(all) != count {
		t.Errorf("%d events came, want %d", len(all), count)
	}
	next := map[string]int{}
	for _, e := range all {
		var i int
		if _, err := fmt.Sscanf(strings.TrimPrefix(e.ID, e.Subject+"-"), "%d", &i); err != nil || i != next[e.Subject] {
			t.Fatalf("of partition %s came %s, want number %d", e.Subject, e.ID, next[e.Subject])
		}
		next[e.Subject]++
	}
}
