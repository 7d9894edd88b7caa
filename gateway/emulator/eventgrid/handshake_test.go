package eventgrid_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress"
)

// journal keeps what the gateway's ingress accepts.
type journal struct {
	mu     sync.Mutex // guards events
	events []event.Event
}

func (j *journal) Append(_ context.Context, events []event.Event) (event.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, events...)
	return event.Position{Seq: 1}, nil
}

func (j *journal) all() []event.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]event.Event(nil), j.events...)
}

// TestIngress delivers to the gateway's own webhook, by either handshake and
// in every schema, an event of a twin in the form of its service.
func TestIngress(t *testing.T) {
	const inner = `{"modelId":"dtmi:x;1","patch":[{"op":"replace","path":"/t","value":20.50}]}`
	grid := `{"id":"1","eventType":"` + event.TwinUpdate + `","subject":"boiler-7","eventTime":"2021-12-09T20:28:52.9795363Z","dataVersion":"1.0",` +
		`"data":{"data":` + inner + `,"contenttype":"application/json","traceparent":"00-1-2-01"}}`
	cloud := `{"specversion":"1.0","id":"1","type":"` + event.TwinUpdate + `","source":"plant.example","subject":"boiler-7","time":"2021-12-09T20:28:52.9795363Z",` +
		`"datacontenttype":"application/json","traceparent":"00-1-2-01","data":` + inner + `}`
	for _, tt := range []struct {
		name, topic, in, inType, source string
		batch                           int
	}{
		{"validation event", "grid-topic", grid, gridType, "/subscriptions/emulator/resourceGroups/emulator/providers/Microsoft.EventGrid/topics/grid-topic", 1},
		{"OPTIONS", "cloud-topic", cloud, batchType, "plant.example", 1},
		{"OPTIONS, and batches", "cloud-topic", cloud, batchType, "plant.example", 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &journal{}
			e := echo.New()
			ingress.New(j, ingress.Options{}).Mount(e)
			gateway := httptest.NewServer(e)
			t.Cleanup(gateway.Close)
			s := listen(t, eventgrid.Options{Topics: bothTopics()})
			subscribe(t, s, tt.topic, eventgrid.Subscription{Name: "gateway", EndpointURL: gateway.URL + "/webhooks/eventgrid", MaxEventsPerBatch: tt.batch})
			if status, answer := request(t, s, "POST", "/"+tt.topic+publishTo, "["+tt.in+"]", "Content-Type", tt.inType, "aeg-sas-key", key); status != 200 {
				t.Fatal(status, answer)
			}
			eventually(t, "for the event", func() bool { return len(j.all()) == 1 })
			got := j.all()[0]
			trace, _ := got.Extension("traceparent")
			if got.ID != "1" || got.Type != event.TwinUpdate || got.Source != tt.source || got.Subject != "boiler-7" ||
				got.Time != "2021-12-09T20:28:52.9795363Z" || string(got.Data) != inner || trace != "00-1-2-01" {
				t.Errorf("%+v %s", got, got.Data)
			}
			eventually(t, "for the delivery to be counted", func() bool { return s.Topic(tt.topic).Subscriptions[0].Delivered == 1 })
		})
	}
}

// TestHandshakes lists what endpoints may answer.
func TestHandshakes(t *testing.T) {
	respond := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	tests := []struct {
		name, topic string
		answer      http.HandlerFunc
		state       eventgrid.State
		reason      string
	}{
		{"another code", "grid-topic", respond(200, `{"validationResponse":"x"}`), eventgrid.Failed, "another code"},
		{"no code", "grid-topic", respond(200, ``), eventgrid.AwaitingManualAction, ""},
		{"accepted is not enough", "grid-topic", respond(202, ``), eventgrid.Failed, "202 Accepted, not 200"},
		{"an error", "grid-topic", respond(500, ``), eventgrid.Failed, "500 Internal Server Error, not 200"},
		{"any origin", "cloud-topic", respond(200, "", "WebHook-Allowed-Origin", "*"), eventgrid.Succeeded, ""},
		{"the origin", "cloud-topic", respond(200, "", "WebHook-Allowed-Origin", "eventgrid.azure.net"), eventgrid.Succeeded, ""},
		{"another origin", "cloud-topic", respond(200, "", "WebHook-Allowed-Origin", "x.example"), eventgrid.Failed, `allows the origin "x.example"`},
		{"no origin", "cloud-topic", respond(200, ""), eventgrid.AwaitingManualAction, ""},
		{"no options", "cloud-topic", respond(405, ""), eventgrid.Failed, "405 Method Not Allowed, not 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			endpoint := httptest.NewServer(tt.answer)
			t.Cleanup(endpoint.Close)
			s := listen(t, eventgrid.Options{Topics: bothTopics()})
			got, err := s.Subscribe(t.Context(), tt.topic, eventgrid.Subscription{Name: "hook", EndpointURL: endpoint.URL})
			if err != nil || got.State != tt.state || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("%+v, %v, want %s (%s)", got, err, tt.state, tt.reason)
			}
		})
	}
}

// TestManualValidation has the endpoint validate itself by the URL that it was
// sent: in time, and too late.
func TestManualValidation(t *testing.T) {
	for _, topic := range []string{"grid-topic", "cloud-topic"} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, late %v", topic, late), func(t *testing.T) {
				c := newClock()
				s := listen(t, eventgrid.Options{Topics: bothTopics(), Clock: c})
				urls := make(chan string, 1)
				endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if callback := r.Header.Get("WebHook-Request-Callback"); callback != "" {
						urls <- callback
						return
					}
					var events []struct {
						Data struct{ ValidationURL string }
					}
					if json.NewDecoder(r.Body).Decode(&events) == nil && events[0].Data.ValidationURL != "" {
						urls <- events[0].Data.ValidationURL
					}
				}))
				t.Cleanup(endpoint.Close)
				got, err := s.Subscribe(t.Context(), topic, eventgrid.Subscription{Name: "hook", EndpointURL: endpoint.URL})
				if err != nil || got.State != eventgrid.AwaitingManualAction {
					t.Fatal(got, err)
				}
				want, state := 200, eventgrid.Succeeded
				if late {
					c.mu.Lock()
					c.now = c.now.Add(5*time.Minute + time.Second)
					c.mu.Unlock()
					want, state = 404, eventgrid.Failed
				}
				resp, err := client(t, s).Get(<-urls)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if got := s.Topic(topic).Subscriptions[0]; resp.StatusCode != want || got.State != state {
					t.Errorf("status %d, %+v, want %d, %s", resp.StatusCode, got, want, state)
				}
			})
		}
	}
}

// TestDeclaredSubscription starts an emulator before the endpoint that it delivers to.
func TestDeclaredSubscription(t *testing.T) {
	sub := newSubscriber(t)
	var mu sync.Mutex // guards up
	up := false
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ready := up
		mu.Unlock()
		if !ready {
			w.WriteHeader(503)
			return
		}
		sub.ServeHTTP(w, r)
	}))
	t.Cleanup(endpoint.Close)
	c := newClock()
	s := listen(t, eventgrid.Options{Clock: c, Topics: []eventgrid.Topic{{Name: "twins", Key: key, Subscriptions: []eventgrid.Subscription{
		{Name: "hook", EndpointURL: endpoint.URL},
	}}}})
	state := func(want eventgrid.State) func() bool {
		return func() bool { return s.Topic("twins").Subscriptions[0].State == want }
	}
	eventually(t, "for the first try to fail", state(eventgrid.Failed))
	mu.Lock()
	up = true
	mu.Unlock()
	c.advance(t, 10*time.Second)
	eventually(t, "for the second to succeed", state(eventgrid.Succeeded))
	publish(t, s, "twins", "x")
	sub.next(t)
}

func TestDeclarationsRefused(t *testing.T) {
	hook := func(d eventgrid.Subscription) []eventgrid.Topic {
		return []eventgrid.Topic{{Name: "twins", Subscriptions: []eventgrid.Subscription{d}}}
	}
	const u = "http://127.0.0.1:1"
	for _, tt := range []struct {
		name   string
		topics []eventgrid.Topic
		words  string
	}{
		{"name", []eventgrid.Topic{{Name: "a b"}}, `topic "a b": name must be 3 to 50`},
		{"reserved name", []eventgrid.Topic{{Name: "emulator"}}, `topic "emulator": name`},
		{"schema", []eventgrid.Topic{{Name: "twins", Schema: "custom"}}, `topic twins: schema "custom" is not one of`},
		{"no URL", hook(eventgrid.Subscription{Name: "hook"}), "topic twins: subscription hook: endpointUrl must be"},
		{"name of a subscription", hook(eventgrid.Subscription{EndpointURL: u}), `subscription "": name must be`},
		{"attempts", hook(eventgrid.Subscription{Name: "hook", EndpointURL: u, MaxDeliveryAttempts: 31}), "maxDeliveryAttempts must be 1 to 30"},
		{"life", hook(eventgrid.Subscription{Name: "hook", EndpointURL: u, EventTimeToLiveInMinutes: -1}), "eventTimeToLiveInMinutes must be 1 to 1440"},
		{"header", hook(eventgrid.Subscription{Name: "hook", EndpointURL: u, DeliveryHeaders: map[string]string{"AEG-x": ""}}), "must not begin with aeg-"},
		{"delivery schema", []eventgrid.Topic{{Name: "twins", Schema: eventgrid.CloudEventSchema, Subscriptions: []eventgrid.Subscription{
			{Name: "hook", EndpointURL: u, EventDeliverySchema: eventgrid.EventGridSchema}}}}, "delivers CloudEvents alone"},
	} {
		if _, err := eventgrid.Listen("127.0.0.1:0", eventgrid.Options{Topics: tt.topics}); err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.words)
		}
	}
}

// TestControl drives an emulator over HTTP alone.
func TestControl(t *testing.T) {
	s := listen(t, eventgrid.Options{Declared: true})
	sub := newSubscriber(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
		words              string
	}{
		{"PUT", "/emulator/topics/twins", `{"key":"` + key + `"}`, 200, `"schema":"eventGridSchema"`},
		{"PUT", "/emulator/topics/twins", `{"schema":"cloudEventSchemaV1_0"}`, 200, `"schema":"cloudEventSchemaV1_0"`},
		{"PUT", "/emulator/topics/twins", `{"kez":1}`, 400, `unknown field`},
		{"PUT", "/emulator/topics/twins", `{} {}`, 400, `one JSON object`},
		{"PUT", "/emulator/topics/twins/subscriptions/hook", `{"endpointUrl":"` + sub.url + `"}`, 200, `"provisioningState":"Succeeded"`},
		{"PUT", "/emulator/topics/twins", `{}`, 400, `exists, with subscriptions`},
		{"PUT", "/emulator/topics/none/subscriptions/hook", `{"endpointUrl":"` + sub.url + `"}`, 400, `there is no topic none`},
		{"PUT", "/emulator/topics/twins/fault", `{"status":503,"times":1}`, 200, `"status":503`},
		{"PUT", "/emulator/topics/none/fault", `{}`, 400, `there is no topic none`},
		{"POST", "/twins" + publishTo, cloudEvent, 503, `a fault that was asked for`},
		{"POST", "/twins" + publishTo, cloudEvent, 200, ``},
		{"GET", "/emulator/topics/twins", ``, 200, `"accepted":1,"events":[{"at":`},
		{"GET", "/emulator/topics", ``, 200, `"topics":[{"name":"twins","schema":"cloudEventSchemaV1_0"`},
		{"GET", "/emulator/topics/none", ``, 404, `does not exist`},
		{"GET", "/emulator/topics/twins/subscriptions/hook/dead-letters", ``, 200, `[]`},
		{"GET", "/emulator/topics/twins/subscriptions/none/dead-letters", ``, 404, `does not exist`},
		{"GET", "/emulator/validate?id=x", ``, 404, `nothing waits`},
		{"GET", "/", ``, 404, `leads nowhere`},
		{"DELETE", "/emulator/topics/twins/subscriptions/hook", ``, 204, ``},
	} {
		status, answer := request(t, s, tt.method, tt.path, tt.body, "Content-Type", cloudType, "aeg-sas-key", key)
		if status != tt.status || !strings.Contains(answer, tt.words) {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, status, answer, tt.status, tt.words)
		}
	}
}

// TestFaster watches a day of retries in no time.
func TestFaster(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics(), Clock: eventgrid.Faster(1e6)})
	sub := newSubscriber(t)
	sub.answers(500)
	subscribe(t, s, "grid-topic", eventgrid.Subscription{Name: "hook", EndpointURL: sub.url})
	publish(t, s, "grid-topic", "x")
	eventually(t, "for a dead letter", func() bool { return s.Topic("grid-topic").Subscriptions[0].Dead == 1 })
	if l := s.Topic("grid-topic").Subscriptions[0].DeadLetters[0]; l.Reason != "TimeToLiveExceeded" {
		t.Errorf("%+v", l)
	}
}
