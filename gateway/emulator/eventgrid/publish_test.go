package eventgrid_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/messaging"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/eventgrid/azeventgrid"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/emulator/identity/identitytest"
)

// bothTopics are one of each schema.
func bothTopics() []eventgrid.Topic {
	return []eventgrid.Topic{
		{Name: "grid-topic", Key: key},
		{Name: "cloud-topic", Key: key, Schema: eventgrid.CloudEventSchema},
	}
}

// publisher is the official one of Go, unmodified, without retries.
func publisher(t *testing.T, s *eventgrid.Server, topic, key string) *azeventgrid.Client {
	t.Helper()
	c, err := azeventgrid.NewClientWithSharedKeyCredential(s.Endpoint(topic), azcore.NewKeyCredential(key), options(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func options(t *testing.T, s *eventgrid.Server) *azeventgrid.ClientOptions {
	return &azeventgrid.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: client(t, s), Retry: policy.RetryOptions{MaxRetries: -1},
	}}
}

func ptr[T any](v T) *T { return &v }

func TestGoPublisher(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics()})
	at := time.Date(2026, 3, 1, 12, 0, 0, 123, time.UTC)
	_, err := publisher(t, s, "grid-topic", key).PublishEvents(t.Context(), []azeventgrid.Event{{
		ID: ptr("1"), Subject: ptr("boiler-7"), EventType: ptr("T"), EventTime: &at, DataVersion: ptr("1.0"), Data: map[string]int{"x": 1},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := messaging.NewCloudEvent("plant.example", "T", map[string]int{"x": 1}, &messaging.CloudEventOptions{
		Subject: ptr("boiler-7"), Time: &at, Extensions: map[string]any{"twin": "boiler-7", "n": 7}})
	if err != nil {
		t.Fatal(err)
	}
	cloud.ID = "1"
	if _, err := publisher(t, s, "cloud-topic", key).PublishCloudEvents(t.Context(), []messaging.CloudEvent{cloud}, nil); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]string{
		"grid-topic": `{"data":{"x":1},"dataVersion":"1.0","eventTime":"2026-03-01T12:00:00.000000123Z","eventType":"T","id":"1","subject":"boiler-7",` +
			`"topic":"/subscriptions/emulator/resourceGroups/emulator/providers/Microsoft.EventGrid/topics/grid-topic","metadataVersion":"1"}`,
		"cloud-topic": `{"data":{"x":1},"id":"1","n":7,"source":"plant.example","specversion":"1.0","subject":"boiler-7",` +
			`"time":"2026-03-01T12:00:00.000000123Z","twin":"boiler-7","type":"T"}`,
	} {
		got := s.Topic(topic)
		if got.Requests != 1 || got.Accepted != 1 || len(got.Events) != 1 || string(got.Events[0].Event) != want {
			t.Errorf("%s took %d events, %s, want %s", topic, got.Accepted, got.Events[0].Event, want)
		}
	}
}

func TestGoPublisherRefused(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics(), Declared: true})
	event := azeventgrid.Event{ID: ptr("1"), Subject: ptr("s"), EventType: ptr("T"), EventTime: ptr(time.Now()), DataVersion: ptr("1"), Data: 1}
	large := event
	large.Data = strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		name, topic, key string
		event            azeventgrid.Event
		status           int
		code             string
	}{
		{"key", "grid-topic", "bm90IHRoZSBrZXk=", event, 401, "Unauthorized"},
		{"topic", "no-topic", key, event, 404, "NotFound"},
		{"schema", "cloud-topic", key, event, 400, "BadRequest"},
		{"event", "grid-topic", key, azeventgrid.Event{ID: ptr("1")}, 400, "BadRequest"},
		{"size", "grid-topic", key, large, 413, "RequestEntityTooLarge"},
	} {
		_, err := publisher(t, s, tt.topic, tt.key).PublishEvents(t.Context(), []azeventgrid.Event{tt.event}, nil)
		var refused *azcore.ResponseError
		if !errors.As(err, &refused) || refused.StatusCode != tt.status || refused.ErrorCode != tt.code {
			t.Errorf("%s: %v, want %d %s", tt.name, err, tt.status, tt.code)
		}
	}
}

// TestGoPublisherRetries has the SDK's own retries overcome a fault, and an identity publish.
func TestGoPublisherRetries(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics()})
	if err := s.Fail("cloud-topic", eventgrid.Fault{Status: 503, Times: 2}); err != nil {
		t.Fatal(err)
	}
	o := options(t, s)
	o.Retry = policy.RetryOptions{RetryDelay: time.Microsecond}
	c, err := azeventgrid.NewClient(s.Endpoint("cloud-topic"), &identitytest.Credential{}, o)
	if err != nil {
		t.Fatal(err)
	}
	event, err := messaging.NewCloudEvent("s", "T", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PublishCloudEvents(t.Context(), []messaging.CloudEvent{event}, nil); err != nil {
		t.Fatal(err)
	}
	if got := s.Topic("cloud-topic"); got.Requests != 3 || got.Accepted != 1 {
		t.Errorf("%d requests, %d events, want 3 and 1", got.Requests, got.Accepted)
	}
}

func TestRequests(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics(), MaxEventBytes: 500, MaxRequestBytes: 2000})
	without := func(member, event string) string {
		var all map[string]json.RawMessage
		json.Unmarshal([]byte(event), &all)
		delete(all, member)
		b, _ := json.Marshal(all)
		return string(b)
	}
	with := func(event, more string) string { return event[:len(event)-1] + "," + more + "}" }
	tests := []struct {
		name, topic, contentType, body string
		status                         int
		words                          string
	}{
		{"none", "grid-topic", gridType, `[]`, 200, ""},
		{"one", "grid-topic", gridType, "[" + gridEvent + "]", 200, ""},
		{"without dataVersion", "grid-topic", gridType, "[" + without("dataVersion", gridEvent) + "]", 200, ""},
		{"own metadataVersion", "grid-topic", gridType, "[" + with(gridEvent, `"metadataVersion":"1"`) + "]", 200, ""},
		{"topic that is null", "grid-topic", gridType, "[" + with(gridEvent, `"topic":null`) + "]", 200, ""},
		{"topic that is another", "grid-topic", gridType, "[" + with(gridEvent, `"topic":"/t"`) + "]", 400, "event 0: topic must be left out"},
		{"other metadataVersion", "grid-topic", gridType, "[" + with(gridEvent, `"metadataVersion":"2"`) + "]", 400, "metadataVersion must be left out"},
		{"without id", "grid-topic", gridType, "[" + gridEvent + "," + without("id", gridEvent) + "]", 400, "event 1: id is missing or empty"},
		{"blank subject", "grid-topic", gridType, "[" + strings.Replace(gridEvent, "a/b", " ", 1) + "]", 400, "subject is missing or empty"},
		{"number for a type", "grid-topic", gridType, "[" + strings.Replace(gridEvent, `"T"`, "1", 1) + "]", 400, "eventType must be a string"},
		{"no time", "grid-topic", gridType, "[" + strings.Replace(gridEvent, "2026-01-02T", "", 1) + "]", 400, "eventTime"},
		{"without data", "grid-topic", gridType, "[" + without("data", gridEvent) + "]", 400, "data is missing"},
		{"no array", "grid-topic", gridType, gridEvent, 400, "the body must be a JSON array"},
		{"null", "grid-topic", gridType, `null`, 400, "the body must be a JSON array"},
		{"array of null", "grid-topic", gridType, `[null]`, 400, "event 0: must be a JSON object"},
		{"no JSON", "grid-topic", gridType, `[{]`, 400, "the body must be a JSON array"},
		{"large event", "grid-topic", gridType, "[" + with(gridEvent, `"x":"`+strings.Repeat("x", 500)+`"`) + "]", 413, "the largest event"},
		{"large request", "grid-topic", gridType, "[" + strings.Repeat(gridEvent+",", 20) + gridEvent + "]", 413, "the request is larger"},
		{"CloudEvents to the other", "grid-topic", batchType, "[" + cloudEvent + "]", 400, "the topic takes events in the schema eventGridSchema"},
		{"text", "grid-topic", "text/plain", "[]", 415, "carries no events"},

		{"CloudEvent", "cloud-topic", cloudType, cloudEvent, 200, ""},
		{"batch", "cloud-topic", batchType, "[" + cloudEvent + "," + cloudEvent + "]", 200, ""},
		{"version", "cloud-topic", cloudType, strings.Replace(cloudEvent, "1.0", "0.3", 1), 400, `specversion "0.3" is not 1.0`},
		{"without source", "cloud-topic", cloudType, without("source", cloudEvent), 400, "source is missing or empty"},
		{"name of an extension", "cloud-topic", cloudType, with(cloudEvent, `"Ext":1`), 400, `"Ext" is not the name of an attribute`},
		{"two sorts of data", "cloud-topic", cloudType, with(cloudEvent, `"data_base64":""`), 400, "exclude each other"},
		{"time", "cloud-topic", cloudType, with(cloudEvent, `"time":"noon"`), 400, `time "noon"`},
		{"Event Grid to the other", "cloud-topic", gridType, "[" + gridEvent + "]", 400, "the topic takes events in the schema cloudEventSchemaV1_0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.Topic(tt.topic).Accepted
			status, answer := request(t, s, "POST", "/"+tt.topic+publishTo, tt.body, "Content-Type", tt.contentType, "aeg-sas-key", key)
			if status != tt.status {
				t.Fatalf("status %d: %s, want %d", status, answer, tt.status)
			}
			if status == 200 {
				return
			}
			var e struct {
				Error struct {
					Code, Message string
					Details       []struct{ Code, Message string }
				}
			}
			if err := json.Unmarshal([]byte(answer), &e); err != nil || !strings.Contains(e.Error.Message, tt.words) || e.Error.Code == "" || len(e.Error.Details) != 1 {
				t.Errorf("answer %s (%v), want %s", answer, err, tt.words)
			}
			if after := s.Topic(tt.topic).Accepted; after != before {
				t.Errorf("%d events of a refused request were taken", after-before)
			}
		})
	}
	for _, p := range s.Topic("grid-topic").Events {
		once := map[string]bool{}
		dec := json.NewDecoder(strings.NewReader(string(p.Event)))
		dec.Token()
		for dec.More() {
			name, _ := dec.Token()
			var v json.RawMessage
			dec.Decode(&v)
			if once[name.(string)] {
				t.Errorf("%s twice in %s", name, p.Event)
			}
			once[name.(string)] = true
		}
	}
}

func TestAuthorization(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics(), Declared: true})
	sign := func(expiry, resource, by string) string { return signature(t, resource, expiry, by) }
	resource := s.URL() + "/api/events?apiVersion=2018-01-01"
	tests := []struct {
		name   string
		header []string
		want   int
	}{
		{"nothing", nil, 401},
		{"key", []string{"aeg-sas-key", key}, 200},
		{"other key", []string{"aeg-sas-key", key + "x"}, 401},
		{"bearer", []string{"Authorization", "Bearer " + identitytest.Token("https://eventgrid.azure.net", time.Now().Add(time.Hour))}, 200},
		{"bearer of another resource", []string{"Authorization", "Bearer " + identitytest.Token("https://servicebus.azure.net", time.Now().Add(time.Hour))}, 401},
		{"expired bearer", []string{"Authorization", "Bearer " + identitytest.Token("https://eventgrid.azure.net", time.Now())}, 401},
		{"bearer of no token", []string{"Authorization", "Bearer x"}, 401},
		{"basic", []string{"Authorization", "Basic x"}, 401},
		{"signature", []string{"aeg-sas-token", sign("1/2/2090 3:04:05 PM", resource, key)}, 200},
		{"signature, in the other header", []string{"Authorization", "SharedAccessSignature " + sign("1/2/2090 3:04:05 PM", resource, key)}, 200},
		{"signature for the path alone", []string{"aeg-sas-token", sign("2090-01-02T00:00:00Z", s.URL()+"/api/events", key)}, 200},
		{"expired", []string{"aeg-sas-token", sign("1/2/2020 3:04:05 PM", resource, key)}, 401},
		{"no expiry", []string{"aeg-sas-token", sign("tomorrow", resource, key)}, 401},
		{"other resource", []string{"aeg-sas-token", sign("1/2/2090 3:04:05 PM", s.URL()+"/other/api/events", key)}, 401},
		{"other signer", []string{"aeg-sas-token", sign("1/2/2090 3:04:05 PM", resource, "bm90IHRoZSBrZXk=")}, 401},
		{"no signature", []string{"aeg-sas-token", "r=x"}, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := request(t, s, "POST", publishTo, "[]", append(tt.header, "Content-Type", gridType)...)
			if status != tt.want || status == 401 && !strings.Contains(answer, `"code":"Unauthorized"`) || strings.Contains(answer, key) {
				t.Errorf("status %d: %s, want %d", status, answer, tt.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	s := listen(t, eventgrid.Options{})
	for path, want := range map[string]string{"/api/events": "MissingApiVersionParameter", "/api/events?api-version=2020-01-01": "UnsupportedApiVersion"} {
		if status, answer := request(t, s, "POST", path, "[]", "Content-Type", gridType, "aeg-sas-key", key); status != 400 || !strings.Contains(answer, want) {
			t.Errorf("%s: %d %s, want %s", path, status, answer, want)
		}
	}
}

// TestCreatedOnFirstUse publishes to topics that nobody declared.
func TestCreatedOnFirstUse(t *testing.T) {
	s := listen(t, eventgrid.Options{})
	for _, tt := range []struct{ path, name, contentType, body, schema string }{
		{"", "default", gridType, "[" + gridEvent + "]", eventgrid.EventGridSchema},
		{"/plant-1", "plant-1", batchType, "[" + cloudEvent + "]", eventgrid.CloudEventSchema},
	} {
		status, answer := request(t, s, "POST", tt.path+publishTo, tt.body, "Content-Type", tt.contentType, "aeg-sas-key", "any")
		if got := s.Topic(tt.name); status != 200 || got.Schema != tt.schema || got.Accepted != 1 {
			t.Errorf("%s: %d %s, %+v", tt.name, status, answer, got)
		}
	}
	if status, _ := request(t, s, "POST", "/no_name"+publishTo, "[]", "Content-Type", gridType, "aeg-sas-key", "any"); status != 404 {
		t.Errorf("a name that is none: %d", status)
	}
}

func TestFaults(t *testing.T) {
	s := listen(t, eventgrid.Options{Topics: bothTopics()})
	post := func(id string) (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.Endpoint("grid-topic")+"?api-version=2018-01-01",
			strings.NewReader("["+strings.Replace(gridEvent, `"id":"1"`, `"id":"`+id+`"`, 1)+"]"))
		if err != nil {
			return 0, err
		}
		r.Header = http.Header{"Content-Type": {gridType}, "Aeg-Sas-Key": {key}}
		resp, err := client(t, s).Do(r)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		if f := resp.Header.Get("Retry-After"); f != "" && f != "9" {
			t.Errorf("Retry-After %s", f)
		}
		return resp.StatusCode, nil
	}
	for _, tt := range []struct {
		fault eventgrid.Fault
		ids   []string
		want  string
		taken int
	}{
		{eventgrid.Fault{Status: 429, RetryAfterSeconds: 9, Times: 2}, []string{"a", "b", "c"}, "429 429 200", 1},
		{eventgrid.Fault{Status: 413, IDs: []string{"b"}}, []string{"a", "b", "c", "b"}, "200 413 200 413", 2},
		{eventgrid.Fault{Drop: eventgrid.DropBefore, Times: 1}, []string{"a", "b"}, "cut 200", 1},
		{eventgrid.Fault{Drop: eventgrid.DropAfter, Times: 1}, []string{"a", "b"}, "cut 200", 2},
		{eventgrid.Fault{Drop: eventgrid.DropAfter, IDs: []string{"b"}}, []string{"a", "b"}, "200 cut", 2},
		{eventgrid.Fault{DelayMilliseconds: 1}, []string{"a"}, "200", 1},
		{eventgrid.Fault{}, []string{"a"}, "200", 1},
	} {
		if err := s.Fail("grid-topic", tt.fault); err != nil {
			t.Fatal(err)
		}
		before := s.Topic("grid-topic").Accepted
		var got []string
		for _, id := range tt.ids {
			if status, err := post(id); err != nil {
				got = append(got, "cut")
			} else {
				got = append(got, fmt.Sprint(status))
			}
		}
		if strings.Join(got, " ") != tt.want || s.Topic("grid-topic").Accepted-before != tt.taken {
			t.Errorf("%+v: %s, %d taken, want %s, %d", tt.fault, got, s.Topic("grid-topic").Accepted-before, tt.want, tt.taken)
		}
	}
	for _, f := range []eventgrid.Fault{{Status: 99}, {Drop: "sometimes"}, {Drop: eventgrid.DropAfter, DelayMilliseconds: 1}} {
		if s.Fail("grid-topic", f) == nil {
			t.Errorf("%+v was taken", f)
		}
	}
	if s.Fail("no-topic", eventgrid.Fault{}) == nil {
		t.Error("a fault of no topic was taken")
	}
}

func TestCertificateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	s := listen(t, eventgrid.Options{CertFile: file})
	got, err := os.ReadFile(file)
	if err != nil || string(got) != string(s.CertificatePEM()) || strings.Contains(string(got), "PRIVATE") {
		t.Errorf("%s, %v", got, err)
	}
	local, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client(t, s).Get("https://localhost:" + local.Port() + "/emulator/topics")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
