package eventhubs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

func TestDeclare(t *testing.T) {
	tests := []struct {
		name string
		hubs []eventhubs.Hub
		ok   bool
	}{
		{"none", nil, true},
		{"two", []eventhubs.Hub{{Name: "a"}, {Name: "b", Partitions: 32}}, true},
		{"twice the same", []eventhubs.Hub{{Name: "a"}, {Name: "A"}}, false},
		{"no name", []eventhubs.Hub{{}}, false},
		{"a path", []eventhubs.Hub{{Name: "a/b"}}, false},
		{"a node of ours", []eventhubs.Hub{{Name: "$management"}}, false},
		{"no partitions", []eventhubs.Hub{{Name: "a", Partitions: -1}}, false},
		{"too many", []eventhubs.Hub{{Name: "a", Partitions: 1025}}, false},
	}
	for _, tt := range tests {
		if _, err := eventhubs.New(eventhubs.Options{Hubs: tt.hubs}); (err == nil) != tt.ok {
			t.Errorf("%s: New = %v", tt.name, err)
		}
	}
}

// TestEntities shows what lies in a namespace, as JSON.
func TestEntities(t *testing.T) {
	n := start(t, eventhubs.Options{Hubs: []eventhubs.Hub{{Name: "b", Partitions: 1}, {Name: "A", Partitions: 1}}}, nil)
	p := n.producer(t, "b")
	batch, err := p.NewEventDataBatch(timeout(t), &azeventhubs.EventDataBatchOptions{PartitionKey: ptr("key")})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"dropped from the list", "text", `{"a": 1}`, "\xff"} {
		e := &azeventhubs.EventData{Body: []byte(body), MessageID: ptr("m"), ContentType: ptr("c"), Properties: map[string]any{"n": int64(1), "s": "x"}}
		if err := batch.AddEventData(e, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.SendEventDataBatch(timeout(t), batch, nil); err != nil {
		t.Fatal(err)
	}
	entities := n.Entities(3)
	for i := range entities[1].Partitions[0].Events {
		entities[1].Partitions[0].Events[i].Enqueued = entities[1].Created
	}
	got, err := json.Marshal(entities)
	if err != nil {
		t.Fatal(err)
	}
	created := func(i int) string { b, _ := json.Marshal(entities[i].Created); return string(b) }
	var events []string
	offset := entities[1].Partitions[0].Events[0].Offset
	for i, body := range []string{`"text"`, `{"a":1}`, `"/w=="`} {
		events = append(events, fmt.Sprintf(`{"sequenceNumber":%d,"offset":"%s","enqueuedTime":%s,"partitionKey":"key","messageId":"m","contentType":"c","properties":{"n":1,"s":"x"},"body":%s}`,
			i+1, entities[1].Partitions[0].Events[i].Offset, created(1), body))
	}
	want := fmt.Sprintf(`[{"name":"A","createdAt":%s,"partitions":[{"id":"0","beginSequenceNumber":0,"lastEnqueuedSequenceNumber":-1,"count":0,"bytes":0,"receivers":0,"events":[]}]},`+
		`{"name":"b","createdAt":%s,"partitions":[{"id":"0","beginSequenceNumber":0,"lastEnqueuedSequenceNumber":3,"count":4,"bytes":%d,"receivers":0,"events":[%s]}]}]`,
		created(0), created(1), entities[1].Partitions[0].Bytes, strings.Join(events, ","))
	if string(got) != want {
		t.Errorf("entities\n%s, want\n%s", got, want)
	}
	if offset == "0" {
		t.Error("the second event is at the first offset")
	}
}

// TestKeep forgets the oldest events when a partition is full, and starts
// readers at the oldest that is left.
func TestKeep(t *testing.T) {
	n := start(t, eventhubs.Options{Partitions: 1, KeepBytes: 10_000}, nil)
	p := n.producer(t, "hub")
	const total = 100
	for i := range total {
		if err := send(t, p, nil, fmt.Sprint(i, strings.Repeat(" ", 500))); err != nil {
			t.Fatal(err)
		}
	}
	part := n.Entities(1)[0].Partitions[0]
	if part.Bytes > 12_000 || part.Count > 20 || part.Begin != int64(total-part.Count) || part.Last != total-1 {
		t.Errorf("partition = %+v", part)
	}
	for _, from := range []azeventhubs.StartPosition{{Earliest: ptr(true)}, {SequenceNumber: ptr(int64(3))}, {Offset: ptr("7")}} {
		reader, err := n.consumer(t, "hub").NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: from})
		if err != nil {
			t.Fatal(err)
		}
		if events := receive(t, reader, part.Count); len(events) > 0 && events[0].SequenceNumber != part.Begin {
			t.Errorf("the first event is number %d, want %d", events[0].SequenceNumber, part.Begin)
		}
		reader.Close(timeout(t))
	}
}

// TestReaders has three groups read while five producers send: each group gets
// everything, and each producer's events in order.
func TestReaders(t *testing.T) {
	n := start(t, eventhubs.Options{Partitions: 1}, nil)
	const producers, each = 5, 40
	var wg sync.WaitGroup
	for i := range producers {
		p := n.producer(t, "hub")
		wg.Go(func() {
			for j := range each {
				if err := send(t, p, nil, fmt.Sprint(i, "/", j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, group := range []string{"$Default", "one", "two"} {
		c, err := azeventhubs.NewConsumerClientFromConnectionString(n.connection(), "hub", group, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(timeout(t))
		reader, err := c.NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}})
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close(timeout(t))
		wg.Go(func() {
			next := map[string]int{}
			for i, e := range receive(t, reader, producers*each) {
				from, j, _ := strings.Cut(string(e.Body), "/")
				if e.SequenceNumber != int64(i) || j != fmt.Sprint(next[from]) {
					t.Errorf("%s: event %d is %s, number %d", group, i, e.Body, e.SequenceNumber)
					return
				}
				next[from]++
			}
		})
	}
	wg.Wait()
}

// TestLimits refuses a sixth reader of a group that shares a partition.
func TestLimits(t *testing.T) {
	n := start(t, eventhubs.Options{Partitions: 1}, nil)
	if err := send(t, n.producer(t, "hub"), nil, "x"); err != nil {
		t.Fatal(err)
	}
	c := n.consumer(t, "hub")
	for i := range 6 {
		reader, err := c.NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}})
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close(timeout(t))
		if _, err = reader.ReceiveEvents(timeout(t), 1, nil); (err == nil) != (i < 5) || err != nil && !strings.Contains(err.Error(), "amqp:resource-limit-exceeded") {
			t.Errorf("reader %d: %v", i+1, err)
		}
	}
}

// BenchmarkSend sends batches of 100 events of 400 bytes through the official client.
func BenchmarkSend(b *testing.B) {
	n := start(b, eventhubs.Options{KeepBytes: 1 << 20}, nil)
	p := n.producer(b, "hub")
	body := strings.Repeat("x", 400)
	b.ReportAllocs()
	for b.Loop() {
		batch, err := p.NewEventDataBatch(b.Context(), &azeventhubs.EventDataBatchOptions{PartitionKey: ptr("key")})
		if err != nil {
			b.Fatal(err)
		}
		for range 100 {
			if err := batch.AddEventData(&azeventhubs.EventData{Body: []byte(body)}, nil); err != nil {
				b.Fatal(err)
			}
		}
		if err := p.SendEventDataBatch(b.Context(), batch, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "events/s")
}
