package emulator_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/messaging"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/eventgrid/azeventgrid"

	"github.com/headgate/headgate/gateway/emulator"
)

// The tests of this file speak through Microsoft's own Go SDKs, unmodified.

func ptr[T any](v T) *T { return &v }

const plant = `
serviceBus:
  queues:
    - {name: orders, requiresSession: true, requiresDuplicateDetection: true}
eventHubs:
  hubs:
    - {name: telemetry, partitions: 3}
eventGrid:
  topics:
    - name: plant-events
      schema: cloudEventSchemaV1_0
      subscriptions:
        - {name: hook, endpointUrl: %q}
`

// TestSDKs sends through all three services and reads what came: in plain AMQP
// and by TLS, with any key and with one that is asked for.
func TestSDKs(t *testing.T) {
	for _, tt := range []struct {
		name, key string
		secure    bool
	}{{"plain", "", false}, {"TLS", "", true}, {"plain with a key", "YSBrZXk=", false}, {"TLS with a key", "YSBrZXk=", true}} {
		t.Run(tt.name, func(t *testing.T) {
			url, delivered := webhook(t)
			d := parse(t, fmt.Sprintf(plant, url))
			d.Key = tt.key
			e := start(t, everything(d))
			secure := (*tls.Config)(nil)
			if tt.secure {
				secure = trust(t, e)
			}
			throughServiceBus(t, e, secure)
			throughEventHubs(t, e, secure)
			throughEventGrid(t, e, delivered)
			checkEntities(t, e)
			if tt.key != "" {
				checkRefused(t, e, secure)
			}
		})
	}
}

// connection is a connection string of s, for TLS if there is any.
func connection(e *emulator.Emulator, s emulator.Service, secure *tls.Config) string {
	text := e.ConnectionString(s)
	if secure != nil {
		text = strings.TrimSuffix(text, ";UseDevelopmentEmulator=true")
	}
	return text
}

func busClient(t testing.TB, connection string, secure *tls.Config) *azservicebus.Client {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(connection, &azservicebus.ClientOptions{
		TLSConfig: secure, RetryOptions: azservicebus.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func throughServiceBus(t *testing.T, e *emulator.Emulator, secure *tls.Config) {
	t.Helper()
	c := busClient(t, connection(e, emulator.ServiceBus, secure), secure)
	sender, err := c.NewSender("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, session := range []string{"boiler-7", "boiler-8", "boiler-7"} {
		m := &azservicebus.Message{Body: fmt.Append(nil, i), SessionID: &session, MessageID: ptr(fmt.Sprint(i))}
		for range 2 { // the second is a duplicate
			if err := sender.SendMessage(within(t), m, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	session, err := c.AcceptSessionForQueue(within(t), "orders", "boiler-7", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(context.Background())
	for _, want := range []string{"0", "2"} {
		got, err := session.ReceiveMessages(within(t), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(got[0].Body) != want {
			t.Errorf("received %s, want %s", got[0].Body, want)
		}
		if err := session.CompleteMessage(within(t), got[0], nil); err != nil {
			t.Fatal(err)
		}
	}
}

func throughEventHubs(t *testing.T, e *emulator.Emulator, secure *tls.Config) {
	t.Helper()
	text := connection(e, emulator.EventHubs, secure)
	p, err := azeventhubs.NewProducerClientFromConnectionString(text, "telemetry", &azeventhubs.ProducerClientOptions{TLSConfig: secure})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	batch, err := p.NewEventDataBatch(within(t), &azeventhubs.EventDataBatchOptions{PartitionKey: ptr("boiler-7")})
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.AddEventData(&azeventhubs.EventData{Body: []byte(`{"t":21}`)}, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.SendEventDataBatch(within(t), batch, nil); err != nil {
		t.Fatal(err)
	}
	c, err := azeventhubs.NewConsumerClientFromConnectionString(text, "telemetry", azeventhubs.DefaultConsumerGroup, &azeventhubs.ConsumerClientOptions{TLSConfig: secure})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	hub, err := c.GetEventHubProperties(within(t), nil)
	if err != nil || len(hub.PartitionIDs) != 3 {
		t.Fatalf("the hub is %+v, %v", hub, err)
	}
	for _, id := range hub.PartitionIDs {
		partition, err := c.GetPartitionProperties(within(t), id, nil)
		if err != nil {
			t.Fatal(err)
		}
		if partition.IsEmpty {
			continue
		}
		reader, err := c.NewPartitionClient(id, &azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: ptr(true)}})
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close(context.Background())
		got, err := reader.ReceiveEvents(within(t), 1, nil)
		if err != nil || string(got[0].Body) != `{"t":21}` || *got[0].PartitionKey != "boiler-7" {
			t.Fatalf("received %+v, %v", got, err)
		}
		return
	}
	t.Error("every partition is empty")
}

func publisher(t testing.TB, e *emulator.Emulator, topic, key string) *azeventgrid.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: trust(t, e)}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := azeventgrid.NewClientWithSharedKeyCredential(e.TopicEndpoint(topic), azcore.NewKeyCredential(key), &azeventgrid.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: transport}, Retry: policy.RetryOptions{MaxRetries: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// publish publishes one event to a topic of CloudEvents.
func publish(t testing.TB, e *emulator.Emulator, topic, key string) error {
	t.Helper()
	event, err := messaging.NewCloudEvent("plant.example", "T", map[string]int{"t": 21}, &messaging.CloudEventOptions{Subject: ptr("boiler-7")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = publisher(t, e, topic, key).PublishCloudEvents(within(t), []messaging.CloudEvent{event}, nil)
	return err
}

func throughEventGrid(t *testing.T, e *emulator.Emulator, delivered <-chan string) {
	t.Helper()
	eventually(t, "the subscription to be validated", func() bool {
		all, err := e.Entities(emulator.EventGrid, "plant-events", 0)
		return err == nil && all[0].Subscriptions[0].State == "Succeeded"
	})
	if err := publish(t, e, "plant-events", e.Key()); err != nil {
		t.Fatal(err)
	}
	select {
	case body := <-delivered:
		if !strings.Contains(body, `"subject":"boiler-7"`) {
			t.Errorf("delivered %s", body)
		}
	case <-within(t).Done():
		t.Fatal("nothing was delivered")
	}
}

// checkEntities looks at all that was sent, as the control API tells it.
func checkEntities(t *testing.T, e *emulator.Emulator) {
	t.Helper()
	var all struct {
		Items []struct {
			Service, Name, Kind string
			Messages            int
			Sessions            []struct{ ID string }
			Contents            []struct {
				SessionID string
				Body      json.RawMessage
			}
			Partitions []struct {
				Events []struct {
					PartitionKey string
					Body         json.RawMessage
				}
			}
			Accepted      int
			Events        []struct{ Event json.RawMessage }
			Subscriptions []struct{ Delivered int }
		}
	}
	eventually(t, "the delivery to be counted", func() bool {
		call(t, "GET", e.ControlURL()+"/entities", "", &all)
		return len(all.Items) == 3 && all.Items[2].Subscriptions[0].Delivered == 1
	})
	bus, hub, topic := all.Items[0], all.Items[1], all.Items[2]
	if bus.Service != "serviceBus" || bus.Name != "orders" || bus.Kind != "queue" || bus.Messages != 1 ||
		len(bus.Contents) != 1 || bus.Contents[0].SessionID != "boiler-8" || string(bus.Contents[0].Body) != "1" {
		t.Errorf("the queue is %+v", bus)
	}
	events := 0
	for _, p := range hub.Partitions {
		for _, event := range p.Events {
			if events++; event.PartitionKey != "boiler-7" || string(event.Body) != `{"t":21}` {
				t.Errorf("the event is %+v", event)
			}
		}
	}
	if hub.Service != "eventHubs" || hub.Name != "telemetry" || len(hub.Partitions) != 3 || events != 1 {
		t.Errorf("the hub is %+v", hub)
	}
	if topic.Service != "eventGrid" || topic.Name != "plant-events" || topic.Accepted != 1 || len(topic.Events) != 1 {
		t.Errorf("the topic is %+v", topic)
	}
}

// checkRefused shows each service another key.
func checkRefused(t *testing.T, e *emulator.Emulator, secure *tls.Config) {
	t.Helper()
	const other = "YW5vdGhlciBrZXk="
	swap := func(s emulator.Service) string {
		return strings.Replace(connection(e, s, secure), "SharedAccessKey="+e.Key(), "SharedAccessKey="+other, 1)
	}
	sender, err := busClient(t, swap(emulator.ServiceBus), secure).NewSender("orders", nil)
	if err == nil {
		err = sender.SendMessage(within(t), &azservicebus.Message{SessionID: ptr("s")}, nil)
	}
	wantUnauthorized(t, err)
	p, err := azeventhubs.NewProducerClientFromConnectionString(swap(emulator.EventHubs), "telemetry", &azeventhubs.ProducerClientOptions{TLSConfig: secure})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	_, err = p.NewEventDataBatch(within(t), nil)
	wantUnauthorized(t, err)
	wantUnauthorized(t, publish(t, e, "plant-events", other))
}

func wantUnauthorized(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "unauthorized") {
		t.Errorf("another key: %v", err)
	}
}

// eventually waits for something that another goroutine brings about.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
