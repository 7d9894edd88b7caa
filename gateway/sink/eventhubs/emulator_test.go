package eventhubs_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// key is base64, as shared access keys are, and obviously none.
const key = "bm90IGEga2V5"

// namespace is an emulated one. What it holds is read through the official
// consumer.
type namespace struct {
	*eventhubs.Server
	faults  *amqp.Faults
	address string
	stop    func()
}

// serve starts a namespace at an address, which ends with t if not before.
func serve(t testing.TB, address string, o eventhubs.Options) *namespace {
	t.Helper()
	o.AMQP.Faults = &amqp.Faults{}
	s, err := eventhubs.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	n := &namespace{Server: s, faults: o.AMQP.Faults, address: ln.Addr().String()}
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
	}
	t.Cleanup(n.stop)
	return n
}

func start(t testing.TB) *namespace {
	t.Helper()
	return serve(t, "127.0.0.1:0", eventhubs.Options{})
}

func (n *namespace) connection() string {
	return "Endpoint=sb://" + n.address + ";SharedAccessKeyName=send;SharedAccessKey=" + key + ";UseDevelopmentEmulator=true"
}

// count is how many events the first hub holds.
func (n *namespace) count() int {
	total := 0
	for _, h := range n.Entities(0) {
		for _, p := range h.Partitions {
			total += p.Count
		}
	}
	return total
}

// read returns what each partition of a hub holds.
func (n *namespace) read(t testing.TB, hub string) map[string][]*azeventhubs.ReceivedEventData {
	t.Helper()
	c, err := azeventhubs.NewConsumerClientFromConnectionString(n.connection(), hub, azeventhubs.DefaultConsumerGroup, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(within(t))
	all := map[string][]*azeventhubs.ReceivedEventData{}
	for _, h := range n.Entities(0) {
		for _, p := range h.Partitions {
			if h.Name != hub || p.Count == 0 {
				continue
			}
			earliest := true
			r, err := c.NewPartitionClient(p.ID, &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: &earliest}})
			if err != nil {
				t.Fatal(err)
			}
			for len(all[p.ID]) < p.Count {
				events, err := r.ReceiveEvents(within(t), p.Count-len(all[p.ID]), nil)
				if err != nil {
					t.Fatalf("partition %s: %d of %d events: %v; faults left %+v", p.ID, len(all[p.ID]), p.Count, err, n.faults.Rules())
				}
				all[p.ID] = append(all[p.ID], events...)
			}
			r.Close(within(t))
		}
	}
	return all
}

// byKey reads a hub: the ids of the events of each partition key, which must be
// in one partition each.
func (n *namespace) byKey(t testing.TB, hub string) map[string][]string {
	t.Helper()
	got, home := map[string][]string{}, map[string]string{}
	for partition, events := range n.read(t, hub) {
		for _, e := range events {
			key, id := *e.PartitionKey, eventID(t, e)
			if at, ok := home[key]; ok && at != partition {
				t.Errorf("key %s is in partitions %s and %s", key, at, partition)
			}
			if *e.MessageID != "copy-of-"+id {
				t.Errorf("event %s has message id %s", id, *e.MessageID)
			}
			home[key] = partition
			got[key] = append(got[key], id)
		}
	}
	return got
}

// eventID is the id of the event that an event of the hub carries; its data
// says the same.
func eventID(t testing.TB, e *azeventhubs.ReceivedEventData) string {
	t.Helper()
	var id string
	if err := json.Unmarshal(e.Body, &id); err != nil || e.Properties["cloudEvents:id"] != id {
		t.Errorf("body %q of event %v: %v", e.Body, e.Properties["cloudEvents:id"], err)
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
