package eventhubs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/google/go-cmp/cmp"

	emulator "github.com/headgate/headgate/gateway/emulator/eventhubs"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/eventhubs"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
)

// TestNotifications has the official consumer see what Azure Digital Twins
// itself would have sent.
func TestNotifications(t *testing.T) {
	for _, want := range brokertest.Notifications(t) {
		n := start(t)
		s := open(t, n.connection(), "hub", eventhubs.Options{})
		send(t, s, delivery.Delivery{Event: want.Event, Key: want.Event.TwinKey()})
		e := only(t, n)
		if diff := cmp.Diff(want.Properties, e.Properties); diff != "" {
			t.Errorf("%s: properties (-want +got):\n%s", want.Name, diff)
		}
		if diff := cmp.Diff(string(want.Event.Data), string(e.Body)); diff != "" {
			t.Errorf("%s: body (-want +got):\n%s", want.Name, diff)
		}
		if e.ContentType == nil || *e.ContentType != "application/json" || e.PartitionKey == nil || *e.PartitionKey != "example-twin1" {
			t.Errorf("%s: content type %v, partition key %v", want.Name, e.ContentType, e.PartitionKey)
		}
	}
}

// send delivers, at once and without a hitch.
func send(t testing.TB, s *eventhubs.Sink, ds ...delivery.Delivery) {
	t.Helper()
	for i, out := range s.Send(within(t), ds) {
		if out.Blame != delivery.None {
			t.Fatalf("delivery %d = %v: %v", i, out.Blame, out.Err)
		}
	}
}

// only is the one event of a hub.
func only(t testing.TB, n *namespace) *azeventhubs.ReceivedEventData {
	t.Helper()
	var all []*azeventhubs.ReceivedEventData
	for _, events := range n.read(t, "hub") {
		all = append(all, events...)
	}
	if len(all) != 1 {
		t.Fatalf("the hub holds %d events, want one", len(all))
	}
	return all[0]
}

func TestProperties(t *testing.T) {
	base := event.Event{ID: "1", Source: "s", Type: "t"}
	extended := base
	extended.Extensions = []event.Extension{{Name: "count", Value: "7", Kind: event.Integer}, {Name: "idempotencykey", Value: "k"}, {Name: "ok", Value: "false", Kind: event.Boolean}}
	tests := []struct {
		name  string
		d     delivery.Delivery
		check func(e *azeventhubs.ReceivedEventData) any
		want  any
	}{
		{"message id", delivery.Delivery{Event: extended}, func(e *azeventhubs.ReceivedEventData) any { return *e.MessageID }, "k"},
		{"message id of a transform", delivery.Delivery{Event: extended, Properties: delivery.Properties{MessageID: "mine"}}, func(e *azeventhubs.ReceivedEventData) any { return *e.MessageID }, "mine"},
		{"no content type", delivery.Delivery{Event: base}, func(e *azeventhubs.ReceivedEventData) any { return e.ContentType == nil }, true},
		{"no key", delivery.Delivery{Event: base}, func(e *azeventhubs.ReceivedEventData) any { return e.PartitionKey == nil }, true},
		{"key", delivery.Delivery{Event: base, Key: "twin"}, partitionKey, "twin"},
		{"key of a transform", delivery.Delivery{Event: base, Key: "twin", Properties: delivery.Properties{PartitionKey: "p"}}, partitionKey, "p"},
		{"key of 70 characters in 140 bytes", delivery.Delivery{Event: base, Key: strings.Repeat("ü", 70)}, partitionKey, strings.Repeat("ü", 70)},
		{"key too long", delivery.Delivery{Event: base, Key: strings.Repeat("k", 129)}, func(e *azeventhubs.ReceivedEventData) any { return len(*e.PartitionKey) }, 64},
		{"properties", delivery.Delivery{Event: extended, Properties: delivery.Properties{Application: []delivery.Property{{Name: "line", Value: "7"}}}}, func(e *azeventhubs.ReceivedEventData) any { return e.Properties }, map[string]any{
			"line": "7", "cloudEvents:id": "1", "cloudEvents:source": "s", "cloudEvents:type": "t", "cloudEvents:specversion": "1.0",
			"cloudEvents:count": int64(7), "cloudEvents:ok": false, "cloudEvents:idempotencykey": "k",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := start(t)
			send(t, open(t, n.connection(), "hub", eventhubs.Options{}), tt.d)
			if diff := cmp.Diff(tt.want, tt.check(only(t, n))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func partitionKey(e *azeventhubs.ReceivedEventData) any { return *e.PartitionKey }

// TestPartitionID sends everything to one partition, in order of each key.
func TestPartitionID(t *testing.T) {
	n := start(t)
	s := openWith(t, map[string]string{"connectionString": n.connection() + ";EntityPath=hub", "partitionId": "2"}, eventhubs.Options{})
	send(t, s, brokertest.Deliveries(10, "a", "b")...)
	got := map[string][]string{}
	for partition, events := range n.read(t, "hub") {
		for _, e := range events {
			id := eventID(t, e)
			if partition != "2" || e.PartitionKey != nil {
				t.Errorf("event %s is in partition %s with key %v", id, partition, e.PartitionKey)
			}
			name, _, _ := strings.Cut(id, "-")
			got[name] = append(got[name], id)
		}
	}
	for _, key := range []string{"a", "b"} {
		brokertest.CheckOrder(t, key, 10, got[key])
	}
	none := openWith(t, map[string]string{"connectionString": n.connection(), "entityPath": "hub", "partitionId": "99"}, eventhubs.Options{})
	out := none.Send(within(t), brokertest.Deliveries(1, "a"))[0]
	if out.Blame != delivery.Endpoint {
		t.Errorf("outcome for a partition that is none = %v (%v), want the endpoint's fault", out.Blame, out.Err)
	}
	checkWords(t, out.Err, "argument-out-of-range")
}

// TestEventsAtFault sends what no hub takes, amid what every one does.
func TestEventsAtFault(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	tests := []struct {
		name  string
		spoil func(*delivery.Delivery)
		want  string
	}{
		{"too large", func(d *delivery.Delivery) { d.Event.Data = []byte(`"` + big + `"`) }, "too large"},
		{"attribute that is not text", func(d *delivery.Delivery) { d.Event.Subject = "\xff" }, "UTF-8"},
		{"message id too long", func(d *delivery.Delivery) { d.Properties.MessageID = strings.Repeat("m", 200) }, "200 characters"},
	}
	for _, tt := range tests {
		for _, at := range []int{0, 3} {
			t.Run(fmt.Sprint(tt.name, " at ", at), func(t *testing.T) {
				n := start(t)
				s := open(t, n.connection(), "hub", eventhubs.Options{})
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
				if got := n.count(); got != 4 {
					t.Errorf("%d events arrived, want 4", got)
				}
			})
		}
	}
}

func TestKind(t *testing.T) {
	kind := eventhubs.Kind()
	for raw, want := range map[string]string{
		`{"entityPath":"q"}`: "settings.connectionString is required",
		`{"endpointUri":"sb://h","entityPath":"hub/Partitions/1"}`:      "set partitionId",
		`{"endpointUri":"sb://h","entityPath":"q","partitionId":"one"}`: "settings.partitionId is not a number",
		`{"endpointUri":"sb://h","entityPath":"q","partitionId":1}`:     "must be a string",
		`{"endpointUri":"sb://h","entityPath":"q","partition":"1"}`:     "settings.partition is unknown",
	} {
		err := kind.Validate([]byte(raw))
		if fault := (*sink.SettingError)(nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate(%s) = %v, want %q", raw, err, want)
		}
	}
	if err := kind.Validate([]byte(`{"endpointUri":"sb://h","entityPath":"q","partitionId":"1"}`)); err != nil {
		t.Error(err)
	}
	n := start(t)
	found, err := open(t, n.connection(), "hub", eventhubs.Options{}).Probe(within(t))
	if err != nil || !strings.Contains(found, "the shared access key send") || !strings.Contains(found, "the hub's rules on size and quota were not tried") || n.count() != 0 {
		t.Errorf("Probe = %q, %v, and the hub holds %d events", found, err, n.count())
	}
	n = serve(t, "127.0.0.1:0", emulator.Options{Declared: true})
	_, err = open(t, n.connection(), "hub", eventhubs.Options{}).Probe(within(t))
	checkWords(t, err, "entityPath")
}
