package eventhubs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// TestOrderPerKey sends a thousand events over seven keys, and reads each key's
// in order, from one partition.
func TestOrderPerKey(t *testing.T) {
	n := start(t, eventhubs.Options{}, nil)
	p := n.producer(t, "hub")
	const total = 1000
	sent := map[string]int{}
	for i, left := 0, total; left > 0; i++ {
		key := fmt.Sprint("twin-", i%7)
		batch, err := p.NewEventDataBatch(timeout(t), &azeventhubs.EventDataBatchOptions{PartitionKey: &key})
		if err != nil {
			t.Fatal(err)
		}
		for range min(1+i%3, left) {
			err := batch.AddEventData(&azeventhubs.EventData{
				Body:        fmt.Append(nil, sent[key]),
				Properties:  map[string]any{"cloudEvents:subject": key, "n": int64(sent[key])},
				MessageID:   ptr(fmt.Sprint(key, "/", sent[key])),
				ContentType: ptr("application/json"),
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			sent[key]++
			left--
		}
		if err := p.SendEventDataBatch(timeout(t), batch, nil); err != nil {
			t.Fatal(err)
		}
	}

	c := n.consumer(t, "hub")
	got, home := map[string]int{}, map[string]string{}
	for _, part := range n.Entities(0)[0].Partitions {
		reader, err := c.NewPartitionClient(part.ID, &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range receive(t, reader, part.Count) {
			key := *e.PartitionKey
			if want := fmt.Sprint(got[key]); string(e.Body) != want || e.Properties["n"] != int64(got[key]) || *e.MessageID != key+"/"+want || *e.ContentType != "application/json" {
				t.Fatalf("partition %s, event %d of %s: %s %v", part.ID, got[key], key, e.Body, e.Properties)
			}
			if e.SequenceNumber != int64(i) || e.EnqueuedTime.IsZero() || e.Offset == "" {
				t.Errorf("partition %s, event %d: sequence number %d, offset %q, enqueued %v", part.ID, i, e.SequenceNumber, e.Offset, e.EnqueuedTime)
			}
			if p := home[key]; p != "" && p != part.ID {
				t.Errorf("%s is in partitions %s and %s", key, p, part.ID)
			}
			home[key] = part.ID
			got[key]++
		}
		reader.Close(timeout(t))
	}
	for key, count := range sent {
		if got[key] != count {
			t.Errorf("%s: %d of %d events", key, got[key], count)
		}
	}
}

// TestStartPositions reads the same five events from everywhere.
func TestStartPositions(t *testing.T) {
	n := start(t, eventhubs.Options{}, nil)
	p, c := n.producer(t, "hub"), n.consumer(t, "hub")
	to := &azeventhubs.EventDataBatchOptions{PartitionID: ptr("2")}
	for i := range 5 {
		if err := send(t, p, to, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	events := n.Entities(9)[0].Partitions[2].Events
	tests := []struct {
		name string
		from azeventhubs.StartPosition
		want string
	}{
		{"earliest", azeventhubs.StartPosition{Earliest: ptr(true)}, "0 1 2 3 4"},
		{"after a sequence number", azeventhubs.StartPosition{SequenceNumber: ptr(int64(1))}, "2 3 4"},
		{"at a sequence number", azeventhubs.StartPosition{SequenceNumber: ptr(int64(1)), Inclusive: true}, "1 2 3 4"},
		{"after an offset", azeventhubs.StartPosition{Offset: &events[2].Offset}, "3 4"},
		{"at an offset", azeventhubs.StartPosition{Offset: &events[2].Offset, Inclusive: true}, "2 3 4"},
		{"before a time", azeventhubs.StartPosition{EnqueuedTime: ptr(events[0].Enqueued.Add(-time.Millisecond))}, "0 1 2 3 4"},
		{"latest", azeventhubs.StartPosition{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reader, err := c.NewPartitionClient("2", &azeventhubs.PartitionClientOptions{StartPosition: tt.from})
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close(timeout(t))
			var got []string
			for _, e := range receive(t, reader, len(strings.Fields(tt.want))) {
				got = append(got, string(e.Body))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("read %v, want %s", got, tt.want)
			}
		})
	}
}

// TestLatest reads only what comes after the reader.
func TestLatest(t *testing.T) {
	n := start(t, eventhubs.Options{}, nil)
	p := n.producer(t, "hub")
	to := &azeventhubs.EventDataBatchOptions{PartitionID: ptr("0")}
	if err := send(t, p, to, "before"); err != nil {
		t.Fatal(err)
	}
	reader, err := n.consumer(t, "hub").NewPartitionClient("0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(timeout(t))
	got := make(chan []*azeventhubs.ReceivedEventData)
	go func() { got <- receive(t, reader, 1) }()
	wait(t, func() bool { return n.Entities(0)[0].Partitions[0].Read == 1 })
	if err := send(t, p, to, "after"); err != nil {
		t.Fatal(err)
	}
	if e := <-got; len(e) != 1 || string(e[0].Body) != "after" || e[0].SequenceNumber != 1 {
		t.Errorf("read %v, want the event after", e)
	}
}

// wait waits until a condition holds.
func wait(t *testing.T, holds func() bool) {
	t.Helper()
	ctx := timeout(t)
	for tick := time.NewTicker(time.Millisecond); !holds(); {
		select {
		case <-ctx.Done():
			t.Fatal("the condition never held")
		case <-tick.C:
		}
	}
}

func TestManagement(t *testing.T) {
	n := start(t, eventhubs.Options{Hubs: []eventhubs.Hub{{Name: "Six", Partitions: 6}}}, nil)
	p := n.producer(t, "six")
	hub, err := p.GetEventHubProperties(timeout(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if hub.Name != "Six" || len(hub.PartitionIDs) != 6 || hub.PartitionIDs[5] != "5" || hub.CreatedOn.IsZero() || hub.GeoReplicationEnabled {
		t.Errorf("hub = %+v", hub)
	}
	empty, err := p.GetPartitionProperties(timeout(t), "3", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !empty.IsEmpty || empty.LastEnqueuedSequenceNumber != -1 || empty.LastEnqueuedOffset != "-1" {
		t.Errorf("empty partition = %+v", empty)
	}
	if err := send(t, p, &azeventhubs.EventDataBatchOptions{PartitionID: ptr("3")}, "a", "b"); err != nil {
		t.Fatal(err)
	}
	full, err := p.GetPartitionProperties(timeout(t), "3", nil)
	if err != nil {
		t.Fatal(err)
	}
	if full.IsEmpty || full.BeginningSequenceNumber != 0 || full.LastEnqueuedSequenceNumber != 1 || full.LastEnqueuedOffset == "0" || full.LastEnqueuedOn.IsZero() {
		t.Errorf("partition = %+v", full)
	}
	if _, err := p.GetPartitionProperties(timeout(t), "6", nil); err == nil {
		t.Error("a partition that is not there has properties")
	}
}

// TestEpochs has readers take a partition from each other.
func TestEpochs(t *testing.T) {
	n := start(t, eventhubs.Options{}, nil)
	if err := send(t, n.producer(t, "hub"), &azeventhubs.EventDataBatchOptions{PartitionID: ptr("0")}, "a", "b", "c"); err != nil {
		t.Fatal(err)
	}
	c := n.consumer(t, "hub")
	open := func(level *int64) *azeventhubs.PartitionClient {
		reader, err := c.NewPartitionClient("0", &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}, OwnerLevel: level, Prefetch: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { reader.Close(timeout(t)) })
		return reader
	}
	lost := func(reader *azeventhubs.PartitionClient) {
		t.Helper()
		_, err := reader.ReceiveEvents(timeout(t), 3, nil)
		if e := (*azeventhubs.Error)(nil); !errors.As(err, &e) || e.Code != azeventhubs.ErrorCodeOwnershipLost {
			t.Errorf("ReceiveEvents = %v, want ownership lost", err)
		}
	}
	refused := func(reader *azeventhubs.PartitionClient) {
		t.Helper()
		if _, err := reader.ReceiveEvents(timeout(t), 1, nil); err == nil || !strings.Contains(err.Error(), "amqp:link:stolen") {
			t.Errorf("ReceiveEvents = %v, want amqp:link:stolen", err)
		}
	}
	anyone := open(nil)
	receive(t, anyone, 1)
	one := open(ptr(int64(1)))
	receive(t, one, 1)
	lost(anyone)
	two := open(ptr(int64(2)))
	receive(t, two, 1)
	lost(one)
	refused(open(ptr(int64(1))))
	refused(open(nil))
	again := open(ptr(int64(2)))
	receive(t, again, 1)
	lost(two)
}

// TestRefusals is what the client says when the namespace says no.
func TestRefusals(t *testing.T) {
	n := start(t, eventhubs.Options{Declared: true, Hubs: []eventhubs.Hub{{Name: "hub", Groups: []string{"mine"}}}}, nil)
	p := n.producer(t, "hub")
	tests := []struct {
		name string
		do   func() error
		want string
	}{
		{"no such hub", func() error { return send(t, n.producer(t, "other"), nil, "x") }, "amqp:not-found"},
		{"no such partition", func() error {
			return send(t, p, &azeventhubs.EventDataBatchOptions{PartitionID: ptr("4")}, "x")
		}, "com.microsoft:argument-out-of-range"},
		{"no such group", func() error {
			c, err := azeventhubs.NewConsumerClientFromConnectionString(n.connection(), "hub", "yours", nil)
			if err != nil {
				return err
			}
			defer c.Close(timeout(t))
			reader, err := c.NewPartitionClient("0", nil)
			if err != nil {
				return err
			}
			_, err = reader.ReceiveEvents(timeout(t), 1, nil)
			return err
		}, "amqp:not-found"},
		{"a wrong key", func() error {
			c, err := azeventhubs.NewProducerClientFromConnectionString(strings.Replace(n.connection(), "not a key", "another", 1), "hub", &azeventhubs.ProducerClientOptions{RetryOptions: once})
			if err != nil {
				return err
			}
			defer c.Close(timeout(t))
			return send(t, c, nil, "x")
		}, "unauthorized"},
		{"an event too large", func() error {
			batch, err := p.NewEventDataBatch(timeout(t), nil)
			if err != nil {
				return err
			}
			return batch.AddEventData(&azeventhubs.EventData{Body: make([]byte, 1<<20)}, nil)
		}, azeventhubs.ErrEventDataTooLarge.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.do(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one of %s", err, tt.want)
			}
		})
	}
}

// TestMalformedBatch sends what no official client would.
func TestMalformedBatch(t *testing.T) {
	n := start(t, eventhubs.Options{Partitions: 1}, nil)
	conn, err := client.Dial(context.Background(), "amqp://"+n.addr, &client.ConnOptions{SASLType: client.SASLTypePlain("test", "not a key")})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.NewSession(timeout(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := session.NewSender(timeout(t), "hub", nil)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := client.NewMessage([]byte("x")).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		m    client.Message
		want string
	}{
		{"one message", client.Message{Data: [][]byte{[]byte("x")}}, ""},
		{"a batch", client.Message{Format: amqp.BatchFormat, Data: [][]byte{inner, inner}}, ""},
		{"a batch whose last message is cut short", client.Message{Format: amqp.BatchFormat, Data: [][]byte{inner, inner[:3]}}, "amqp:decode-error"},
		{"a batch of nothing", client.Message{Format: amqp.BatchFormat, ApplicationProperties: map[string]any{"n": 1}}, "amqp:decode-error"},
		{"a batch of a value", client.Message{Format: amqp.BatchFormat, Value: "x"}, "amqp:decode-error"},
		{"a key that is a number", client.Message{Annotations: client.Annotations{"x-opt-partition-key": 1}, Data: [][]byte{nil}}, "amqp:invalid-field"},
	}
	for _, tt := range tests {
		err := sender.Send(timeout(t), &tt.m, nil)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if got := n.Entities(0)[0].Partitions[0].Count; got != 3 {
		t.Errorf("%d events are stored, want 3", got)
	}
}
