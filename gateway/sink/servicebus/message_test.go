package servicebus_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/go-cmp/cmp"

	emulator "github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
	"github.com/headgate/headgate/gateway/sink/servicebus"
)

// TestNotifications has the official receiver of a topic's subscription see
// what Azure Digital Twins itself would have sent.
func TestNotifications(t *testing.T) {
	n := serve(t, "127.0.0.1:0", emulator.Options{Entities: broker.Config{Topics: []broker.Topic{
		{Name: "plant/twins", Subscriptions: []broker.Subscription{{Name: "all"}}},
	}}}, nil)
	s := open(t, n.connection(), "plant/twins", servicebus.Options{})
	r, err := n.client(t).NewReceiverForSubscription("plant/twins", "all", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range brokertest.Notifications(t) {
		send(t, s, delivery.Delivery{Event: want.Event, Key: want.Event.TwinKey()})
		m := receive(t, r, 1)[0]
		if diff := cmp.Diff(want.Properties, m.ApplicationProperties); diff != "" {
			t.Errorf("%s: application properties (-want +got):\n%s", want.Name, diff)
		}
		if diff := cmp.Diff(string(want.Event.Data), string(m.Body)); diff != "" {
			t.Errorf("%s: body (-want +got):\n%s", want.Name, diff)
		}
		if m.ContentType == nil || *m.ContentType != "application/json" || m.PartitionKey == nil || *m.PartitionKey != "example-twin1" || m.SessionID != nil {
			t.Errorf("%s: content type %v, partition key %v, session %v", want.Name, m.ContentType, m.PartitionKey, m.SessionID)
		}
	}
}

// send delivers, at once and without a hitch.
func send(t testing.TB, s *servicebus.Sink, ds ...delivery.Delivery) {
	t.Helper()
	for i, out := range s.Send(within(t), ds) {
		if out.Blame != delivery.None {
			t.Fatalf("delivery %d = %v: %v", i, out.Blame, out.Err)
		}
	}
}

func TestProperties(t *testing.T) {
	base := event.Event{ID: "1", Source: "s", Type: "t"}
	subject, extended := base, base
	subject.Subject = "room"
	extended.Extensions = []event.Extension{{Name: "count", Value: "-5", Kind: event.Integer}, {Name: "idempotencykey", Value: "k"}, {Name: "ok", Value: "true", Kind: event.Boolean}, {Name: "text", Value: "5"}}
	long := strings.Repeat("twin", 33)
	at := time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC()
	tests := []struct {
		name  string
		d     delivery.Delivery
		check func(m *azservicebus.ReceivedMessage) any
		want  any
	}{
		{"message id of an event without a key", delivery.Delivery{Event: base, Route: "r", Output: 1}, messageID, "ee8fa818e8ebc1ea96f5e658102c2d3fec9287d52f1f47a7f818c7cdc0701375"},
		{"message id", delivery.Delivery{Event: extended}, messageID, "k"},
		{"message id of a transform", delivery.Delivery{Event: extended, Properties: delivery.Properties{MessageID: "mine"}}, messageID, "mine"},
		{"label", delivery.Delivery{Event: subject}, func(m *azservicebus.ReceivedMessage) any { return *m.Subject }, "room"},
		{"no label", delivery.Delivery{Event: base}, func(m *azservicebus.ReceivedMessage) any { return m.Subject == nil }, true},
		{"no content type", delivery.Delivery{Event: base}, func(m *azservicebus.ReceivedMessage) any { return m.ContentType == nil }, true},
		{"no key", delivery.Delivery{Event: base}, func(m *azservicebus.ReceivedMessage) any { return m.PartitionKey == nil }, true},
		{"key", delivery.Delivery{Event: base, Key: "twin"}, partitionKey, "twin"},
		{"key as long as may be", delivery.Delivery{Event: base, Key: strings.Repeat("ü", 64)}, partitionKey, strings.Repeat("ü", 64)},
		{"key too long", delivery.Delivery{Event: base, Key: long}, func(m *azservicebus.ReceivedMessage) any { return len(*m.PartitionKey) }, 64},
		{"key of 70 characters in 140 bytes", delivery.Delivery{Event: base, Key: strings.Repeat("ü", 70)}, partitionKey, strings.Repeat("ü", 70)},
		{"key of a transform", delivery.Delivery{Event: base, Key: "twin", Properties: delivery.Properties{PartitionKey: "p"}}, partitionKey, "p"},
		{"session", delivery.Delivery{Event: base, Key: "twin", Properties: delivery.Properties{SessionID: "s"}}, func(m *azservicebus.ReceivedMessage) any { return *m.SessionID + *m.PartitionKey }, "ss"},
		{"session and the same key", delivery.Delivery{Event: base, Properties: delivery.Properties{SessionID: "s", PartitionKey: "s"}}, partitionKey, "s"},
		{"time to live", delivery.Delivery{Event: base, Properties: delivery.Properties{TimeToLive: 90*time.Second + 1}}, timeToLive, 90001 * time.Millisecond},
		{"time to live longer than there is", delivery.Delivery{Event: base, Properties: delivery.Properties{TimeToLive: 100 * 24 * time.Hour}}, timeToLive, 4294967295 * time.Millisecond},
		{"properties of a transform", delivery.Delivery{Event: extended, Properties: delivery.Properties{Application: []delivery.Property{{Name: "line", Value: "7"}, {Name: "cloudEvents:id", Value: "other"}}}}, func(m *azservicebus.ReceivedMessage) any {
			return m.ApplicationProperties
		}, map[string]any{
			"line": "7", "cloudEvents:id": "1", "cloudEvents:source": "s", "cloudEvents:type": "t", "cloudEvents:specversion": "1.0",
			"cloudEvents:count": int64(-5), "cloudEvents:ok": true, "cloudEvents:text": "5", "cloudEvents:idempotencykey": "k",
		}},
	}
	n := start(t)
	s, r := open(t, n.connection(), "q", servicebus.Options{}), n.queue(t, "q")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			send(t, s, tt.d)
			if diff := cmp.Diff(tt.want, tt.check(receive(t, r, 1)[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("scheduled", func(t *testing.T) {
		send(t, s, delivery.Delivery{Event: base, Properties: delivery.Properties{ScheduledAt: at}})
		m := peek(t, n, "q")
		if m.State != azservicebus.MessageStateScheduled || !m.ScheduledEnqueueTime.Equal(at) {
			t.Errorf("state %v, scheduled for %v; want %v", m.State, m.ScheduledEnqueueTime, at)
		}
	})
}

func messageID(m *azservicebus.ReceivedMessage) any    { return m.MessageID }
func partitionKey(m *azservicebus.ReceivedMessage) any { return *m.PartitionKey }
func timeToLive(m *azservicebus.ReceivedMessage) any   { return *m.TimeToLive }

func peek(t testing.TB, n *namespace, queue string) *azservicebus.ReceivedMessage {
	t.Helper()
	r, err := n.client(t).NewReceiverForQueue(queue, nil)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := r.PeekMessages(within(t), 1, nil)
	if err != nil || len(messages) != 1 {
		t.Fatalf("peeked %d messages: %v", len(messages), err)
	}
	return messages[0]
}

// TestMixedBatch has messages of one key that cannot share a transfer arrive in
// order all the same.
func TestMixedBatch(t *testing.T) {
	n := start(t)
	s := open(t, n.connection(), "q", servicebus.Options{})
	ds := brokertest.Deliveries(12, "a")
	for i := range ds {
		switch i % 6 {
		case 2, 3:
			ds[i].Properties.SessionID = "one"
		case 4:
			ds[i].Properties.TimeToLive = time.Hour
		case 5:
			ds[i].Properties.PartitionKey = "two"
		}
	}
	send(t, s, ds...)
	var ids []string
	for i, m := range receive(t, n.queue(t, "q"), len(ds)) {
		ids = append(ids, eventID(t, m))
		want := ds[i].Properties
		if got := m.SessionID != nil; got != (want.SessionID != "") || (want.TimeToLive > 0) != (*m.TimeToLive == time.Hour) {
			t.Errorf("message %d: session %v, time to live %v; want %+v", i, m.SessionID, *m.TimeToLive, want)
		}
	}
	brokertest.CheckOrder(t, "a", len(ds), ids)
}

// TestEventsAtFault sends what no entity takes, amid what every one does.
func TestEventsAtFault(t *testing.T) {
	big := strings.Repeat("x", 300<<10)
	tests := []struct {
		name  string
		spoil func(*delivery.Delivery)
		want  string
	}{
		{"too large", func(d *delivery.Delivery) { d.Event.Data = []byte(`"` + big + `"`) }, "too large"},
		{"session and another key", func(d *delivery.Delivery) { d.Properties.SessionID, d.Properties.PartitionKey = "s", "p" }, "partitionKey"},
		{"session too long", func(d *delivery.Delivery) { d.Properties.SessionID = strings.Repeat("s", 129) }, "129 characters"},
		{"message id too long", func(d *delivery.Delivery) { d.Properties.MessageID = strings.Repeat("ü", 129) }, "129 characters"},
		{"session that is not text", func(d *delivery.Delivery) { d.Properties.SessionID = "\xff" }, "UTF-8"},
		{"attribute that is not text", func(d *delivery.Delivery) { d.Event.Subject = "\xff" }, "UTF-8"},
		{"property that is not text", func(d *delivery.Delivery) { d.Properties.Application = []delivery.Property{{Name: "\xff"}} }, "UTF-8"},
		{"content type that is no symbol", func(d *delivery.Delivery) { d.Event.DataContentType = `text/plain; x="ü"` }, "ASCII"},
	}
	for _, tt := range tests {
		for _, at := range []int{0, 3} {
			t.Run(tt.name, func(t *testing.T) {
				n := start(t)
				s := open(t, n.connection(), "q", servicebus.Options{})
				ds := brokertest.Deliveries(5, "a")
				tt.spoil(&ds[at])
				for i, out := range s.Send(within(t), ds) {
					if want := map[bool]delivery.Blame{true: delivery.Event}[i == at]; out.Blame != want {
						t.Errorf("outcome %d = %v (%v), want %v", i, out.Blame, out.Err, want)
					}
					if i == at {
						checkWords(t, out.Err, tt.want)
					}
				}
				if got := n.count(t, "q"); got != 4 {
					t.Errorf("%d messages arrived, want 4", got)
				}
			})
		}
	}
}

// TestSessionMissing: the entity refuses a batch for one event, and takes the
// rest of it.
func TestSessionMissing(t *testing.T) {
	n := start(t, sessions(broker.Settings{}))
	s := open(t, n.connection(), "q", servicebus.Options{})
	for _, out := range s.Send(context.Background(), brokertest.Deliveries(3, "a")) {
		if out.Blame != delivery.Event {
			t.Errorf("outcome = %v (%v), want the event's fault", out.Blame, out.Err)
		}
		checkWords(t, out.Err, "plugin sessions")
	}
}
