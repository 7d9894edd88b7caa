package ingress_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress"
)

// gridEvent is an event in the Event Grid schema.
func gridEvent(typ, data string) string {
	return `{"id":"1","subject":"room-1","eventType":"` + typ + `","eventTime":"2024-05-01T12:30:00Z","dataVersion":"1.0","data":` + data + `}`
}

func TestGridTopic(t *testing.T) {
	at := "2024-05-01T12:30:00Z"
	version := []event.Extension{{Name: "dataversion", Value: "1.0"}}
	tests := []struct {
		name   string
		header []string
		body   string
		want   []event.Event
	}{
		{"array", []string{"Content-Type", "application/json"}, "[" + gridEvent("t", ` {"a" : 1} `) + "]",
			[]event.Event{{ID: "1", Source: "/api/events", Type: "t", Subject: "room-1", Time: at, Extensions: version, Data: []byte(`{"a" : 1}`)}}},
		{"none", []string{"Content-Type", "application/json; charset=utf-8"}, "[]", nil},
		{"batch of CloudEvents", []string{"Content-Type", batch + "; charset=utf-8", "aeg-channel-name", "c"}, "[" + minimal + "]",
			[]event.Event{{ID: "1", Source: "/a", Type: "t"}}},
		{"one CloudEvent", []string{"Content-Type", structured}, minimal, []event.Event{{ID: "1", Source: "/a", Type: "t"}}},
		{"twins are left wrapped by a publisher", []string{"Content-Type", "application/json"},
			"[" + gridEvent(event.TwinUpdate, `{"data":{},"contenttype":"application/json"}`) + "]",
			[]event.Event{{ID: "1", Source: "/api/events", Type: event.TwinUpdate, Subject: "room-1", Time: at, Extensions: version,
				Data: []byte(`{"data":{},"contenttype":"application/json"}`)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &memory{}
			rec := post(handler(j, ingress.Options{}), "/api/events?api-version=2018-01-01", strings.NewReader(tt.body), tt.header...)
			if rec.Code != 200 || rec.Body.Len() != 0 {
				t.Fatalf("status %d: %s", rec.Code, rec.Body)
			}
			if diff := cmp.Diff(tt.want, j.events); diff != "" {
				t.Errorf("journal (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGridErrorHasCode checks where Azure's clients look for the code.
func TestGridErrorHasCode(t *testing.T) {
	rec := post(handler(&memory{}, ingress.Options{}), "/api/events", strings.NewReader("[]"), "Content-Type", "application/json")
	if want := `"error":{"code":"MissingApiVersionParameter"`; rec.Code != 400 || !strings.Contains(rec.Body.String(), want) {
		t.Errorf("status %d: %s, want %s", rec.Code, rec.Body, want)
	}
	rec = post(handler(&memory{}, ingress.Options{}), "/api/events?api-version=2018-01-01", strings.NewReader("{"), "Content-Type", "application/json")
	if want := `"error":{"code":"BadRequest"`; rec.Code != 400 || !strings.Contains(rec.Body.String(), want) {
		t.Errorf("status %d: %s, want %s", rec.Code, rec.Body, want)
	}
}

func TestWebhookValidation(t *testing.T) {
	const validation = "Microsoft.EventGrid.SubscriptionValidationEvent"
	body := "[" + gridEvent(validation, `{"validationCode":"512d38b6-c7b8","validationUrl":"https://x.example"}`) + "]"
	for _, header := range [][]string{
		{"Content-Type", "application/json; charset=utf-8", "aeg-event-type", "SubscriptionValidation"},
		{"Content-Type", "application/json"}, // as some emulators leave it out
	} {
		j := &memory{}
		rec := post(handler(j, ingress.Options{}), "/webhooks/eventgrid", strings.NewReader(body), header...)
		if want := `{"validationResponse":"512d38b6-c7b8"}`; rec.Code != 200 || rec.Body.String() != want {
			t.Errorf("status %d: %s, want %s", rec.Code, rec.Body, want)
		}
		if j.calls != 0 {
			t.Error("a validation became an event")
		}
	}
}

func TestWebhookHandshake(t *testing.T) {
	r := httptest.NewRequest(http.MethodOptions, "/webhooks/eventgrid", nil)
	r.Header.Set("WebHook-Request-Origin", "eventgrid.azure.net")
	r.Header.Set("WebHook-Request-Rate", "120")
	rec := httptest.NewRecorder()
	handler(&memory{}, ingress.Options{}).ServeHTTP(rec, r)
	got := []string{rec.Header().Get("WebHook-Allowed-Origin"), rec.Header().Get("WebHook-Allowed-Rate"), rec.Header().Get("Allow")}
	if diff := cmp.Diff([]string{"eventgrid.azure.net", "*", "POST, OPTIONS"}, got); rec.Code != 200 || diff != "" {
		t.Errorf("status %d, headers (-want +got):\n%s", rec.Code, diff)
	}
}

func TestWebhookNotification(t *testing.T) {
	wrapped := `[{"id":"1","subject":"room-1","eventType":"Microsoft.DigitalTwins.Twin.Update","eventTime":"2021-12-09T20:28:52.9795363Z",` +
		`"dataVersion":"1.0","metadataVersion":"1","topic":"/subscriptions/s/topics/t","data":{"data":{"modelId": "dtmi:x;1"},` +
		`"contenttype":"application/json","traceparent":"00-1-2-01"}}]`
	j := &memory{}
	rec := post(handler(j, ingress.Options{}), "/webhooks/eventgrid", strings.NewReader(wrapped),
		"Content-Type", "application/json; charset=utf-8", "aeg-event-type", "Notification", "aeg-delivery-count", "0")
	if rec.Code != 200 {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	want := []event.Event{{
		ID: "1", Source: "/subscriptions/s/topics/t", Type: event.TwinUpdate, Subject: "room-1", Time: "2021-12-09T20:28:52.9795363Z",
		DataContentType: "application/json", Data: []byte(`{"modelId": "dtmi:x;1"}`),
		Extensions: []event.Extension{{Name: "dataversion", Value: "1.0"}, {Name: "traceparent", Value: "00-1-2-01"}},
	}}
	if diff := cmp.Diff(want, j.events); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	rec = post(handler(j, ingress.Options{}), "/webhooks/eventgrid", strings.NewReader(minimal),
		"Content-Type", structured+"; charset=utf-8", "aeg-event-type", "Notification")
	if rec.Code != 200 || len(j.events) != 2 {
		t.Errorf("a CloudEvent: status %d: %s", rec.Code, rec.Body)
	}
	rec = post(handler(j, ingress.Options{}), "/webhooks/eventgrid", strings.NewReader("[]"),
		"Content-Type", "application/json", "aeg-event-type", "SubscriptionDeletion")
	if rec.Code != 200 || len(j.events) != 2 {
		t.Errorf("a deletion: status %d: %s", rec.Code, rec.Body)
	}
}
