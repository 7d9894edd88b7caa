package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator"
	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

func TestParse(t *testing.T) {
	const text = `# a plant
key: YSBrZXk=
serviceBus:
  declaredOnly: true
  queues:
    - name: orders
      requiresSession: true
      lockDuration: 30s
      maxDeliveryCount: 3
      maxSizeBytes: 1000
      status: sendDisabled
  topics:
    - name: twins
      requiresDuplicateDetection: true
      subscriptions: [{name: all, deadLetteringOnMessageExpiration: true}]
eventHubs:
  partitions: 2
  maxMessageSizeBytes: 5000
  hubs:
    - {name: "42", partitions: 8, consumerGroups: [one, two]}
eventGrid:
  keepEvents: 10
  topics:
    - name: plant
      subscriptions:
        - name: hook
          endpointUrl: http://127.0.0.1:9/
          includedEventTypes: [A, B]
          maxDeliveryAttempts: 2
          deliveryHeaders: {X-One: 1, X-Two: two}
`
	want := emulator.Declared{
		Key: "YSBrZXk=",
		ServiceBus: broker.Config{
			DeclaredOnly: true,
			Queues: []broker.Queue{{Name: "orders", Settings: broker.Settings{
				RequiresSession: true, LockDuration: broker.Duration(30 * time.Second), MaxDeliveryCount: 3, MaxSizeBytes: 1000, Status: broker.SendDisabled}}},
			Topics: []broker.Topic{{Name: "twins", Settings: broker.Settings{RequiresDuplicateDetection: true},
				Subscriptions: []broker.Subscription{{Name: "all", Settings: broker.Settings{DeadLetteringOnMessageExpiration: true}}}}},
		},
		EventHubs: emulator.Hubs{Partitions: 2, MaxMessageBytes: 5000, Hubs: []eventhubs.Hub{{Name: "42", Partitions: 8, Groups: []string{"one", "two"}}}},
		EventGrid: emulator.Topics{KeepEvents: 10, Topics: []eventgrid.Topic{{Name: "plant", Subscriptions: []eventgrid.Subscription{{
			Name: "hook", EndpointURL: "http://127.0.0.1:9/", IncludedEventTypes: []string{"A", "B"}, MaxDeliveryAttempts: 2,
			DeliveryHeaders: map[string]string{"X-One": "1", "X-Two": "two"}}}}}},
	}
	if diff := cmp.Diff(want, parse(t, text)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "{}", "serviceBus:\n", "---\n"} {
		if diff := cmp.Diff(emulator.Declared{}, parse(t, empty)); diff != "" {
			t.Errorf("%q: -want +got:\n%s", empty, diff)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"syntax", "serviceBus:\n  a: b: c\n", "line 2, column 6: "},
		{"repeated key", "key: a\nkey: b\n", "line 2, column 1: "},
		{"two documents", "key: a\n---\nkey: b\n", "line 3, column 1: holds several YAML documents: keep one"},
		{"a list", "- a\n", "line 1, column 1: want keys and values"},
		{"a word", "nonsense", "line 1, column 1: want keys and values"},
		{"unknown service", "serviceBuses: {}\n", `line 1, column 1: "serviceBuses" is unknown here; there is key, serviceBus, eventHubs, eventGrid`},
		{"other case", "serviceBus:\n  Queues: []\n", `line 2, column 3: "Queues" is unknown here; write queues`},
		{"unknown setting", "serviceBus:\n  queues:\n    - name: a\n      session: true\n", `line 4, column 7: "session" is unknown here; there is name, requiresSession, `},
		{"no list", "serviceBus:\n  queues:\n    name: a\n", `line 3, column 5: want a list: "- " before each element`},
		{"no element", "serviceBus:\n  queues:\n    - a\n", "line 3, column 7: want keys and values"},
		{"nothing", "serviceBus:\n  queues:\n    -\n    - name: a\n", "line 3, column 6: want an element: there is nothing here"},
		{"no truth", "serviceBus:\n  queues:\n    - name: a\n      requiresSession: maybe\n", "line 4, column 24: maybe: want true or false"},
		{"no number", "eventHubs:\n  partitions: some\n", "line 2, column 15: some: want a whole number"},
		{"no whole number", "eventHubs:\n  partitions: 1.5\n", "line 2, column 15: 1.5: want a whole number"},
		{"too large", "eventHubs:\n  partitions: 99999999999999999999\n", "line 2, column 15: "},
		{"negative", "eventHubs:\n  maxMessageSizeBytes: -1\n", "line 2, column 24: -1: want a whole number that is not negative"},
		{"negative partitions", "eventHubs:\n  partitions: -1\n", "line 2, column 3: partitions and keepBytesPerPartition must not be negative"},
		{"negative events", "eventGrid:\n  keepEvents: -1\n", "line 2, column 3: keepEvents must not be negative"},
		{"no duration", "serviceBus:\n  queues:\n    - name: a\n      lockDuration: 30\n", "line 4, column 21: 30: want a duration, such as 30s or 10m"},
		{"several values", "key: [a, b]\n", "line 1, column 6: want one value"},
		{"no name", "serviceBus:\n  queues:\n    - requiresSession: true\n", `line 3, column 7: queue "": not a name`},
		{"too long a lock", "serviceBus:\n  queues:\n    - name: a\n      lockDuration: 1h\n", "line 3, column 7: queue a: lockDuration 1h0m0s: want at most 5m0s"},
		{"declared twice", "serviceBus:\n  queues:\n    - name: orders\n    - name: Orders\n", "line 4, column 7: orders is declared twice"},
		{"subscription", "serviceBus:\n  topics:\n    - name: t\n      subscriptions: [{name: s, maxSizeBytes: 1}]\n", "line 3, column 7: topic t: subscription s: duplicates and sizes are set for the topic"},
		{"hub", "eventHubs:\n  hubs:\n    - {name: a/b}\n", `line 3, column 8: event hub "a/b": not a name`},
		{"partitions", "eventHubs:\n  hubs:\n    - {name: a, partitions: 5000}\n", `line 3, column 8: event hub "a": 5000 partitions, want 1 to 1024`},
		{"schema", "eventGrid:\n  topics:\n    - name: plant\n      schema: cloud\n", `line 3, column 7: topic plant: schema "cloud" is not one of `},
		{"webhook", "eventGrid:\n  topics:\n    - name: plant\n      subscriptions: [{name: hook}]\n", "line 3, column 7: topic plant: subscription hook: endpointUrl must be an http or https URL"},
		{"several faults", "eventHubs: 1\nserviceBus: 2\n", "line 1, column 12: want keys and values\nline 2, column 13: want keys and values"},
		{"too large a file", strings.Repeat("#", emulator.MaxFileBytes+1), "is larger than 1 MiB: give a file that declares queues, topics and hubs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := emulator.Parse([]byte(tt.text))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("Parse = %+v, %v; want an error that begins %q", d, err, tt.want)
			}
		})
	}
}

// FuzzParse holds that no file makes the reader panic, and that what it takes
// it takes again when it is written as JSON.
func FuzzParse(f *testing.F) {
	f.Add([]byte("serviceBus:\n  queues:\n    - name: orders\n      lockDuration: 30s\n"))
	f.Add([]byte("eventHubs: {hubs: [{name: a, partitions: 2, consumerGroups: [g]}]}"))
	f.Add([]byte("eventGrid:\n  topics:\n    - name: plant\n      subscriptions:\n        - {name: hook, endpointUrl: 'http://127.0.0.1:9/', deliveryHeaders: {a: b}}\n"))
	f.Add([]byte("a: &x {b: 1}\nc: *x\n<<: *x\n"))
	f.Add([]byte("key: |\n  text\n--- \n? a\n: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := emulator.Parse(text)
		if err != nil {
			if d.Key != "" || d.ServiceBus.Queues != nil {
				t.Errorf("an error with a value: %+v", d)
			}
			return
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := emulator.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		c, err := json.Marshal(again)
		if err != nil || string(b) != string(c) {
			t.Errorf("%s became %s, %v", b, c, err)
		}
	})
}
