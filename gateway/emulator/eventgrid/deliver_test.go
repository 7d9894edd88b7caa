package eventgrid_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
)

// TestDelivery looks at what a subscriber gets, in every combination of schemas.
func TestDelivery(t *testing.T) {
	const topicID = "/subscriptions/emulator/resourceGroups/emulator/providers/Microsoft.EventGrid/topics/"
	gridOut := gridEvent[:len(gridEvent)-1] + `,"topic":"` + topicID + `grid-topic","metadataVersion":"1"}`
	mapped := `{"specversion":"1.0","id":"1","source":"` + topicID + `grid-topic","type":"T","subject":"a/b","time":"2026-01-02T03:04:05.1234567Z","data":{"x": 1.50}}`
	tests := []struct {
		name, topic, schema, in, inType, out, outType string
		batch                                         int
		header                                        map[string]string
	}{
		{"Event Grid", "grid-topic", "", gridEvent, gridType, "[" + gridOut + "]", "application/json; charset=utf-8", 0,
			map[string]string{"Aeg-Metadata-Version": "1", "Aeg-Data-Version": "2", "Webhook-Request-Origin": ""}},
		{"Event Grid as CloudEvent", "grid-topic", eventgrid.CloudEventSchema, gridEvent, gridType, mapped, "application/cloudevents+json; charset=utf-8", 0,
			map[string]string{"Aeg-Metadata-Version": "", "Aeg-Data-Version": "", "Webhook-Request-Origin": "eventgrid.azure.net"}},
		{"CloudEvent", "cloud-topic", "", cloudEvent, batchType, cloudEvent, "application/cloudevents+json; charset=utf-8", 0, nil},
		{"batch of CloudEvents", "cloud-topic", "", cloudEvent, batchType, "[" + cloudEvent + "]", "application/cloudevents-batch+json; charset=utf-8", 10, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := listen(t, eventgrid.Options{Topics: bothTopics()})
			sub := newSubscriber(t)
			subscribe(t, s, tt.topic, eventgrid.Subscription{Name: "hook", EndpointURL: sub.url, EventDeliverySchema: tt.schema,
				MaxEventsPerBatch: tt.batch, DeliveryHeaders: map[string]string{"X-Own": "1"}})
			status, answer := request(t, s, "POST", "/"+tt.topic+publishTo, "["+tt.in+"]", "Content-Type", tt.inType, "aeg-sas-key", key)
			if status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
			got := sub.next(t)
			if got.method != "POST" || got.body != tt.out || got.header.Get("Content-Type") != tt.outType {
				t.Errorf("%s %s\n got %s\nwant %s", got.method, got.header.Get("Content-Type"), got.body, tt.out)
			}
			want := map[string]string{"Aeg-Event-Type": "Notification", "Aeg-Subscription-Name": "HOOK", "Aeg-Delivery-Count": "0", "X-Own": "1"}
			for name, value := range tt.header {
				want[name] = value
			}
			for name, value := range want {
				if got.header.Get(name) != value {
					t.Errorf("%s = %q, want %q", name, got.header.Get(name), value)
				}
			}
			eventually(t, "for the delivery to be counted", func() bool { return s.Topic(tt.topic).Subscriptions[0].Delivered == 1 })
		})
	}
}

// TestSchedule follows an event through all of its attempts, by a clock that
// moves only when it is waited for.
func TestSchedule(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		sub     eventgrid.Subscription
		waits   string // between the attempts, and up to the end
		letters string
	}{
		{"internal error", 500, eventgrid.Subscription{}, "10s 30s 1m 5m 10m 30m 1h 3h 6h 12h 1h13m20s", "TimeToLiveExceeded 11 InternalServerError"},
		{"not found", 404, eventgrid.Subscription{MaxDeliveryAttempts: 6}, "5m 5m 5m 5m 10m", "MaxDeliveryAttemptsExceeded 6 NotFound"},
		{"timed out", 408, eventgrid.Subscription{MaxDeliveryAttempts: 5}, "2m 2m 2m 5m", "MaxDeliveryAttemptsExceeded 5 RequestTimeout"},
		{"unavailable", 503, eventgrid.Subscription{MaxDeliveryAttempts: 4}, "30s 30s 1m", "MaxDeliveryAttemptsExceeded 4 ServiceUnavailable"},
		{"throttled", 429, eventgrid.Subscription{MaxDeliveryAttempts: 2}, "10s", "MaxDeliveryAttemptsExceeded 2 TooManyRequests"},
		{"short life", 500, eventgrid.Subscription{EventTimeToLiveInMinutes: 1}, "10s 30s 20s", "TimeToLiveExceeded 3 InternalServerError"},
		{"not 200 to 204", 206, eventgrid.Subscription{MaxDeliveryAttempts: 2}, "10s", "MaxDeliveryAttemptsExceeded 2 PartialContent"},
		{"redirect", 302, eventgrid.Subscription{MaxDeliveryAttempts: 1}, "", "MaxDeliveryAttemptsExceeded 1 Found"},
		{"malformed", 400, eventgrid.Subscription{}, "", "UndeliverableDueToClientError 1 BadRequest"},
		{"unauthorised", 401, eventgrid.Subscription{}, "", "UndeliverableDueToClientError 1 Unauthorized"},
		{"forbidden", 403, eventgrid.Subscription{}, "", "UndeliverableDueToClientError 1 Forbidden"},
		{"too large", 413, eventgrid.Subscription{}, "", "UndeliverableDueToClientError 1 RequestEntityTooLarge"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			s := listen(t, eventgrid.Options{Topics: bothTopics(), Clock: c})
			sub := newSubscriber(t)
			sub.answers(tt.status)
			tt.sub.Name, tt.sub.EndpointURL = "hook", sub.url
			subscribe(t, s, "grid-topic", tt.sub)
			publish(t, s, "grid-topic", "x")
			count := 0
			for _, wait := range strings.Fields(tt.waits) {
				if got := sub.next(t); got.header.Get("Aeg-Delivery-Count") != fmt.Sprint(count) {
					t.Errorf("attempt %d says aeg-delivery-count %s", count+1, got.header.Get("Aeg-Delivery-Count"))
				}
				count++
				d, err := time.ParseDuration(wait)
				if err != nil {
					t.Fatal(err)
				}
				c.advance(t, d)
			}
			eventually(t, "for a dead letter", func() bool { return s.Topic("grid-topic").Subscriptions[0].Dead == 1 })
			got := s.Topic("grid-topic").Subscriptions[0]
			l := got.DeadLetters[0]
			if said := fmt.Sprint(l.Reason, l.Attempts, l.LastDeliveryOutcome); fmt.Sprint(strings.Fields(tt.letters)) != "["+l.Reason+" "+fmt.Sprint(l.Attempts)+" "+l.LastDeliveryOutcome+"]" {
				t.Errorf("dead letter %s, want %s", said, tt.letters)
			}
			if got.Pending != 0 || got.Delivered != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestRecovery has a subscriber take at last what it refused at first.
func TestRecovery(t *testing.T) {
	c := newClock()
	s := listen(t, eventgrid.Options{Topics: bothTopics(), Clock: c})
	sub := newSubscriber(t)
	sub.answers(503)
	subscribe(t, s, "grid-topic", eventgrid.Subscription{Name: "hook", EndpointURL: sub.url})
	publish(t, s, "grid-topic", "x")
	sub.next(t)
	sub.answers(204)
	c.advance(t, 30*time.Second)
	if got := sub.next(t); got.header.Get("Aeg-Delivery-Count") != "1" || !slices.Equal(ids(t, got.body), []string{"x"}) {
		t.Errorf("%v %s", got.header, got.body)
	}
	eventually(t, "for the delivery to be counted", func() bool { return s.Topic("grid-topic").Subscriptions[0].Delivered == 1 })
}

// TestBatches fills requests up to both of their bounds.
func TestBatches(t *testing.T) {
	c := newClock()
	s := listen(t, eventgrid.Options{Topics: bothTopics(), Clock: c})
	sub := newSubscriber(t)
	sub.answers(500)
	subscribe(t, s, "grid-topic", eventgrid.Subscription{Name: "hook", EndpointURL: sub.url, MaxEventsPerBatch: 3, PreferredBatchSizeInKilobytes: 1})
	publish(t, s, "grid-topic", "a", "b", "c", "d", "e", "f", "g")
	var sizes []int
	for total := 0; total < 7; {
		n := len(ids(t, sub.next(t).body))
		sizes = append(sizes, n)
		total += n
	}
	slices.Sort(sizes)
	if fmt.Sprint(sizes) != "[1 3 3]" {
		t.Errorf("batches of %v", sizes)
	}
	long := strings.Replace(gridEvent, "1.50", `"`+strings.Repeat("x", 900)+`"`, 1)
	sub.answers(200)
	status, _ := request(t, s, "POST", "/grid-topic"+publishTo, "["+long+","+long+","+long+"]", "Content-Type", gridType, "aeg-sas-key", key)
	if status != 200 {
		t.Fatal(status)
	}
	for range 3 {
		if got := sub.next(t); len(ids(t, got.body)) != 1 {
			t.Errorf("more than a kilobyte in one request: %d", len(got.body))
		}
	}
}

func TestFilters(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics()})
	sub := newSubscriber(t)
	subscribe(t, s, "grid-topic", eventgrid.Subscription{Name: "hook", EndpointURL: sub.url,
		IncludedEventTypes: []string{"t", "other"}, SubjectBeginsWith: "A/", SubjectEndsWith: "/z"})
	for _, e := range []string{"1 T a/b", "2 T a/x/z", "3 U a/z", "4 OTHER a/z", "5 T b/a/z"} {
		f := strings.Fields(e)
		event := strings.NewReplacer(`"1"`, `"`+f[0]+`"`, `"T"`, `"`+f[1]+`"`, "a/b", f[2]).Replace(gridEvent)
		if status, answer := request(t, s, "POST", "/grid-topic"+publishTo, "["+event+"]", "Content-Type", gridType, "aeg-sas-key", key); status != 200 {
			t.Fatal(answer)
		}
	}
	got := append(ids(t, sub.next(t).body), ids(t, sub.next(t).body)...)
	slices.Sort(got)
	if n := s.Topic("grid-topic"); fmt.Sprint(got) != "[2 4]" || n.Accepted != 5 || n.Subscriptions[0].Pending+n.Subscriptions[0].Delivered != 2 {
		t.Errorf("delivered %v of %+v", got, n.Subscriptions)
	}
}

// TestDeadLetterForm compares a dead letter with the members of the service's blobs.
func TestDeadLetterForm(t *testing.T) {
	for topic, want := range map[string][]string{
		"grid-topic":  {"deadLetterReason", "deliveryAttempts", "lastDeliveryOutcome", "publishTime", "lastDeliveryAttemptTime", "eventType"},
		"cloud-topic": {"deadletterreason", "deliveryattempts", "lastdeliveryoutcome", "publishtime", "lastdeliveryattempttime", "specversion"},
	} {
		s := listen(t, eventgrid.Options{Topics: bothTopics()})
		sub := newSubscriber(t)
		sub.answers(400)
		subscribe(t, s, topic, eventgrid.Subscription{Name: "hook", EndpointURL: sub.url})
		body, contentType := "["+gridEvent+"]", gridType
		if topic == "cloud-topic" {
			body, contentType = cloudEvent, cloudType
		}
		request(t, s, "POST", "/"+topic+publishTo, body, "Content-Type", contentType, "aeg-sas-key", key)
		eventually(t, "for a dead letter", func() bool { return s.Topic(topic).Subscriptions[0].Dead == 1 })
		_, answer := request(t, s, "GET", "/emulator/topics/"+topic+"/subscriptions/hook/dead-letters", "")
		var letters []map[string]any
		if err := json.Unmarshal([]byte(answer), &letters); err != nil || len(letters) != 1 {
			t.Fatalf("%s: %v", answer, err)
		}
		for _, name := range want {
			if letters[0][name] == nil {
				t.Errorf("%s: no %s in %s", topic, name, answer)
			}
		}
	}
}

func TestUnsubscribe(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics()})
	sub := newSubscriber(t)
	subscribe(t, s, "grid-topic", eventgrid.Subscription{Name: "hook", EndpointURL: sub.url})
	path := "/emulator/topics/grid-topic/subscriptions/hook"
	if status, answer := request(t, s, "DELETE", path, ""); status != http.StatusNoContent {
		t.Fatal(status, answer)
	}
	if got := sub.next(t); got.header.Get("Aeg-Event-Type") != "SubscriptionDeletion" || !strings.Contains(got.body, "Microsoft.EventGrid.SubscriptionDeletedEvent") {
		t.Errorf("%v %s", got.header, got.body)
	}
	if status, _ := request(t, s, "DELETE", path, ""); status != http.StatusNotFound {
		t.Errorf("a second time: %d", status)
	}
	publish(t, s, "grid-topic", "x")
	if len(s.Topic("grid-topic").Subscriptions) != 0 || len(sub.arrived) != 0 {
		t.Error("the subscription lives on")
	}
}

// TestClose ends an emulator in the middle of a delivery and of a fault.
func TestClose(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics()})
	sub := newSubscriber(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	sub.mu.Lock()
	sub.answer = func(http.ResponseWriter, *http.Request) { <-release }
	sub.mu.Unlock()
	subscribe(t, s, "grid-topic", eventgrid.Subscription{Name: "hook", EndpointURL: sub.url})
	publish(t, s, "grid-topic", "x")
	sub.next(t)
	if err := s.Fail("grid-topic", eventgrid.Fault{DelayMilliseconds: 3_600_000}); err != nil {
		t.Fatal(err)
	}
	stalled := make(chan error, 1)
	hanging, c := s.Endpoint("grid-topic")+"?api-version=2018-01-01", client(t, s)
	go func() {
		resp, err := c.Post(hanging, gridType, strings.NewReader("[]"))
		if err == nil {
			resp.Body.Close()
		}
		stalled <- err
	}()
	eventually(t, "for the request to arrive", func() bool { return s.Topic("grid-topic").Requests == 2 })
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-stalled; err == nil {
		t.Error("a request survived")
	}
	if err := s.Declare(eventgrid.Topic{Name: "late"}); err == nil {
		t.Error("a closed emulator took a topic")
	}
}
