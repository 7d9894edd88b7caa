package gateway_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/npmtest"
)

// notAKey is base64, as keys are, and obviously none.
var notAKey = base64.StdEncoding.EncodeToString([]byte("this is not a key"))

// cloud is an emulated Azure.
type cloud struct {
	serviceBus, eventHubs string // connection strings
	buses                 *servicebus.Server
	grid                  *eventgrid.Server
	gridCA                string // file
}

func emulate(t *testing.T) *cloud {
	t.Helper()
	buses, err := servicebus.New(servicebus.Options{Entities: broker.Config{
		Queues: []broker.Queue{{Name: "twins", Settings: broker.Settings{RequiresSession: true}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	hubs, err := eventhubs.New(eventhubs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{buses: buses, gridCA: filepath.Join(t.TempDir(), "grid.pem")}
	serve := func(run func(context.Context, net.Listener) error) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- run(ctx, ln) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		return "Endpoint=sb://" + ln.Addr().String() + ";SharedAccessKeyName=test;SharedAccessKey=" + notAKey + ";UseDevelopmentEmulator=true"
	}
	t.Cleanup(func() { buses.Close() })
	c.serviceBus, c.eventHubs = serve(buses.Serve), serve(hubs.Serve)
	if c.grid, err = eventgrid.Listen("127.0.0.1:0", eventgrid.Options{Key: notAKey, CertFile: c.gridCA}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.grid.Close() })
	return c
}

// subscriber is a webhook of Event Grid that keeps what it is sent.
type subscriber struct {
	*httptest.Server
	mu  sync.Mutex
	got []json.RawMessage
}

func subscribe(t *testing.T) *subscriber {
	s := &subscriber{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var events []json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if r.Header.Get("Aeg-Event-Type") == "SubscriptionValidation" {
			var e struct {
				Data struct{ ValidationCode string }
			}
			if err := json.Unmarshal(events[0], &e); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			json.NewEncoder(w).Encode(map[string]string{"validationResponse": e.Data.ValidationCode})
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, events...)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *subscriber) events() []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// fiveTwins are events as Azure Digital Twins emits them: n updates of each of
// five twins, in turns.
func fiveTwins(n int) []string {
	var events []string
	for i := range n {
		for twin := range 5 {
			events = append(events, update(fmt.Sprintf("%d-%d", twin, i), fmt.Sprint("twin-", twin), "/Temperature", strconv.Itoa(i)))
		}
	}
	return events
}

// TestAzure sends what Azure Digital Twins emits through a gateway to all three
// services, and takes it there with the official clients.
func TestAzure(t *testing.T) {
	c, hook := emulate(t), subscribe(t)
	s := start(t, t.TempDir())
	if status, _ := s.do(http.MethodGet, "/api/v1/plugins/eventgrid", "", ""); status == http.StatusNotFound {
		s.pushVersion("eventgrid", guest(t, "../plugins/eventgrid")).want(t, 201)
	}
	s.pushVersion("by-twin", guest(t, "../plugins/sessions")).want(t, 201)
	s.put("/endpoints/bus", fmt.Sprintf(`{"kind":"serviceBus","settings":{"connectionString":%q,"entityPath":"twins"}}`, c.serviceBus))
	s.put("/endpoints/hub", fmt.Sprintf(`{"kind":"eventHub","settings":{"connectionString":%q,"entityPath":"twins"}}`, c.eventHubs))
	s.put("/endpoints/grid", fmt.Sprintf(`{"kind":"eventGrid","settings":{"topicEndpoint":%q,"accessKey":%q,"caFile":%q}}`, c.grid.Endpoint("twins"), notAKey, c.gridCA))
	s.put("/routes/bus", `{"endpointName":"bus","transforms":[{"plugin":"by-twin","config":{"sessionId":"$twin"}}]}`)
	s.put("/routes/hub", `{"endpointName":"hub"}`)
	s.put("/routes/grid", `{"endpointName":"grid","filter":"subject = 'twin-3'"}`)

	for _, name := range []string{"bus", "hub", "grid"} {
		if probed := s.api(http.MethodPost, "/endpoints/"+name+":test", "").want(t, 200).object(t); probed["ok"] != true {
			t.Errorf("test of %s: %v", name, probed)
		}
		if text := s.api(http.MethodGet, "/endpoints/"+name, "").want(t, 200).body; strings.Contains(text, notAKey) || !strings.Contains(text, `"status":{`) {
			t.Errorf("endpoint %s is shown as %s", name, text)
		}
	}
	if _, err := c.grid.Subscribe(t.Context(), "twins", eventgrid.Subscription{Name: "hook", EndpointURL: hook.URL}); err != nil {
		t.Fatal(err)
	}

	const n = 20
	s.send(fiveTwins(n)...)
	eventually(t, "all three to have delivered", func() bool {
		return s.state("bus")["delivered"] == 5.0*n && s.state("hub")["delivered"] == 5.0*n && s.state("grid")["delivered"] == 1.0*n
	})
	t.Run("EventGrid", func(t *testing.T) {
		eventually(t, "the subscriber to have all", func() bool { return len(hook.events()) == n })
		var e struct {
			EventType, Subject string
			Data               struct {
				Data struct{ ModelID string }
			}
		}
		if err := json.Unmarshal(hook.events()[0], &e); err != nil || e.EventType != "Microsoft.DigitalTwins.Twin.Update" || e.Subject != "twin-3" || e.Data.Data.ModelID != "dtmi:plant:Thermostat;1" {
			t.Errorf("the subscriber got %s, %v", hook.events()[0], err)
		}
	})
	t.Run("JavaScript", func(t *testing.T) { receiveInJavaScript(t, c, n) })

	s.send(fiveTwins(n)...)
	t.Run("Go", func(t *testing.T) { receiveInGo(t, c, n) })
}

// TestAzureRejections has a queue that requires sessions be sent what no try can
// bring there. The endpoint is well, and its status says what is wrong.
func TestAzureRejections(t *testing.T) {
	c := emulate(t)
	s := start(t, t.TempDir())
	s.pushVersion("by-twin", guest(t, "../plugins/sessions")).want(t, 201)
	tests := []struct{ name, transforms, value, words string }{
		{"no-session", `[]`, `1`, "let a transform set sessionId"},
		{"oversized", `[{"plugin":"by-twin","config":{"sessionId":"$twin"}}]`, `"` + strings.Repeat("x", 256<<10) + `"`, "the event is too large"},
		{"another-key", `[{"plugin":"by-twin","config":{"sessionId":"$twin"}},{"plugin":"by-twin","config":{"sessionId":null,"partitionKey":"id"}}]`, `1`, `the partitionKey "another-key" is not the sessionId "room"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.put("/endpoints/"+tt.name, fmt.Sprintf(`{"kind":"serviceBus","settings":{"connectionString":%q,"entityPath":"twins"}}`, c.serviceBus))
			s.put("/routes/"+tt.name, fmt.Sprintf(`{"endpointName":%q,"filter":"source = '%s'","transforms":%s}`, tt.name, tt.name, tt.transforms))
			before := time.Now().Add(-time.Second)
			s.send(from(tt.name, update(tt.name, "room", "/x", tt.value)))
			eventually(t, "the dead letter", func() bool { return s.state(tt.name)["deadLetters"] == 1.0 })
			status, _ := s.api(http.MethodGet, "/endpoints/"+tt.name, "").want(t, 200).object(t)["status"].(map[string]any)
			if said, _ := status["lastRejection"].(string); !strings.Contains(said, tt.words) || status["state"] == "failing" || status["reason"] != nil {
				t.Errorf("status = %v, want what is wrong: %s", status, tt.words)
			}
			if at, err := time.Parse(time.RFC3339, fmt.Sprint(status["lastRejectedAt"])); err != nil || at.Before(before) || at.After(time.Now()) {
				t.Errorf("rejected at %v", status["lastRejectedAt"])
			}
		})
	}
}

// receiveInJavaScript takes everything from the queue and the hub with the
// official JavaScript clients, and holds the order of each twin.
func receiveInJavaScript(t *testing.T, c *cloud, n int) {
	out := npmtest.Run(t, "testdata/azureclient", nil, c.serviceBus, c.eventHubs, "twins", "twins", strconv.Itoa(5*n))
	type message struct{ ID, Type, Subject, Event, Body string }
	var got struct{ Sessions, Partitions map[string][]message }
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(got.Sessions) != 5 {
		t.Errorf("%d sessions, want one for each of five twins", len(got.Sessions))
	}
	for session, messages := range got.Sessions {
		for i, m := range messages {
			if want := fmt.Sprintf("%s-%d", strings.TrimPrefix(session, "twin-"), i); m.Event != want || m.Subject != session || m.ID == "" ||
				m.Type != "Microsoft.DigitalTwins.Twin.Update" || !strings.Contains(m.Body, `"modelId":"dtmi:plant:Thermostat;1"`) {
				t.Errorf("message %d of session %s is %+v, want event %s", i, session, m, want)
			}
		}
	}
	next := map[string]int{}
	for partition, messages := range got.Partitions {
		for _, m := range messages {
			if want := fmt.Sprintf("%s-%d", strings.TrimPrefix(m.Subject, "twin-"), next[m.Subject]); m.Event != want || m.ID != m.Subject {
				t.Errorf("partition %s: event %s of %s with the partition key %q, want %s", partition, m.Event, m.Subject, m.ID, want)
			}
			next[m.Subject]++
		}
	}
	if len(next) != 5 {
		t.Errorf("the hub has events of %d twins, want 5", len(next))
	}
}

// receiveInGo takes what is in the queue with the official Go client.
func receiveInGo(t *testing.T, c *cloud, n int) {
	client, err := azservicebus.NewClientFromConnectionString(c.serviceBus, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for twin := range 5 {
		session := fmt.Sprint("twin-", twin)
		receiver, err := client.AcceptSessionForQueue(ctx, "twins", session, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			messages, err := receiver.ReceiveMessages(ctx, 1, nil)
			if err != nil || len(messages) != 1 {
				t.Fatalf("%d messages, %v", len(messages), err)
			}
			m := messages[0]
			if id := m.ApplicationProperties["cloudEvents:id"]; id != fmt.Sprintf("%d-%d", twin, i) || *m.ContentType != "application/json" {
				t.Errorf("session %s: message %d is event %v of type %s", session, i, id, *m.ContentType)
			}
			if err := receiver.CompleteMessage(ctx, m, nil); err != nil {
				t.Fatal(err)
			}
		}
		receiver.Close(ctx)
	}
}
