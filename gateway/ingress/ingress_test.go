package ingress_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress"
)

// memory is a journal that keeps what it is given, or fails with err.
type memory struct {
	mu     sync.Mutex
	calls  int
	events []event.Event
	err    error
}

func (m *memory) Append(_ context.Context, events []event.Event) (event.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.err != nil {
		return event.Position{}, m.err
	}
	m.events = append(m.events, events...)
	return event.Position{Seq: uint64(m.calls)}, nil
}

// handler mounts an ingress over j on a new Echo.
func handler(j ingress.Journal, opts ingress.Options) http.Handler {
	e := echo.New()
	ingress.New(j, opts).Mount(e)
	return e
}

// post sends body to h; header is a list of names and values.
func post(h http.Handler, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

const (
	structured = "application/cloudevents+json"
	batch      = "application/cloudevents-batch+json"
	minimal    = `{"specversion":"1.0","id":"1","source":"/a","type":"t"}`
	bad        = `{"specversion":"1.0","id":"2","source":"/a","type":""}`
)

func TestEventsAccepted(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		body   string
		want   []event.Event
	}{
		{
			"binary",
			[]string{
				"ce-specversion", "1.0", "ce-id", "1", "ce-source", "plant.example", "ce-type", event.TwinUpdate,
				"ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80", "ce-time", "2024-05-01T12:30:00.1234567Z", "ce-dataschema", "dtmi:com:example:Room;1",
				"ce-traceparent", "00-1-2-01", "ce-tenant", "north", "Content-Type", "application/json; charset=utf-8",
			},
			" {\"a\": 1}\n",
			[]event.Event{{
				ID: "1", Source: "plant.example", Type: event.TwinUpdate, Subject: "Euro € 😀", Time: "2024-05-01T12:30:00.1234567Z",
				DataContentType: "application/json; charset=utf-8", DataSchema: "dtmi:com:example:Room;1",
				Extensions: []event.Extension{{Name: "tenant", Value: "north"}, {Name: "traceparent", Value: "00-1-2-01"}},
				Data:       []byte(" {\"a\": 1}\n"),
			}},
		},
		{
			"binary without data",
			[]string{"ce-specversion", "1.0", "ce-id", "1", "ce-source", "/a", "ce-type", "t"}, "",
			[]event.Event{{ID: "1", Source: "/a", Type: "t"}},
		},
		{
			"structured",
			[]string{"Content-Type", structured + "; charset=UTF-8"},
			`{"specversion":"1.0","id":"1","source":"/a","type":"t","data": {"a" : 1.0} ,"n":5,"b":false}`,
			[]event.Event{{
				ID: "1", Source: "/a", Type: "t", Data: []byte(`{"a" : 1.0}`),
				Extensions: []event.Extension{{Name: "b", Value: "false", Kind: event.Boolean}, {Name: "n", Value: "5", Kind: event.Integer}},
			}},
		},
		{
			"structured, media type in capitals", []string{"Content-Type", "Application/CloudEvents+JSON"}, minimal,
			[]event.Event{{ID: "1", Source: "/a", Type: "t"}},
		},
		{
			"batch", []string{"Content-Type", batch}, "[" + minimal + "," + minimal + "]",
			[]event.Event{{ID: "1", Source: "/a", Type: "t"}, {ID: "1", Source: "/a", Type: "t"}},
		},
		{"batch of none", []string{"Content-Type", batch}, " [ ] ", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &memory{}
			rec := post(handler(j, ingress.Options{}), "/events", strings.NewReader(tt.body), tt.header...)
			var answer struct{ Accepted *int }
			if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || rec.Code != 202 || answer.Accepted == nil || *answer.Accepted != len(tt.want) {
				t.Fatalf("status %d: %s", rec.Code, rec.Body)
			}
			if diff := cmp.Diff(tt.want, j.events); diff != "" {
				t.Errorf("journal (-want +got):\n%s", diff)
			}
			if len(tt.want) == 0 && j.calls != 0 {
				t.Error("the journal was asked to keep nothing")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	ce := func(more ...string) []string {
		return append([]string{"ce-specversion", "1.0", "ce-id", "1", "ce-source", "/a", "ce-type", "t"}, more...)
	}
	large := strings.Repeat("x", event.MaxEventBytes)
	deep := strings.Repeat("[", 100_000)
	tests := []struct {
		name, path string
		header     []string
		body       string
		status     int
		index      any // float64 as JSON reads it, or nil
		field      string
		detail     string // a part of it
	}{
		{"no content type", "/events", nil, minimal, 415, nil, "", "application/cloudevents+json"},
		{"json", "/events", []string{"Content-Type", "application/json"}, minimal, 415, nil, "", "ce-specversion"},
		{"another format", "/events", []string{"Content-Type", "application/cloudevents+avro"}, minimal, 415, nil, "", "JSON format"},
		{"another charset", "/events", []string{"Content-Type", structured + "; charset=utf-16"}, minimal, 415, nil, "", "utf-16"},
		{"another compression", "/events", []string{"Content-Type", structured, "Content-Encoding", "br"}, minimal, 415, nil, "", "gzip"},
		{"not gzip", "/events", []string{"Content-Type", structured, "Content-Encoding", "gzip"}, minimal, 400, nil, "", "gzip"},
		{"empty", "/events", []string{"Content-Type", structured}, "", 400, nil, "", "not JSON"},
		{"half", "/events", []string{"Content-Type", structured}, minimal[:20], 400, nil, "", "byte 20"},
		{"deep", "/events", []string{"Content-Type", structured}, deep, 400, nil, "", "deep"},
		{"not UTF-8", "/events", []string{"Content-Type", structured}, strings.Replace(minimal, "/a", "\xff", 1), 400, nil, "", "UTF-8"},
		{"array as one", "/events", []string{"Content-Type", structured}, "[" + minimal + "]", 400, nil, "", "object"},
		{"one as batch", "/events", []string{"Content-Type", batch}, minimal, 400, nil, "", "array"},
		{"bad first", "/events", []string{"Content-Type", batch}, "[" + bad + "," + minimal + "]", 400, 0.0, "type", "empty"},
		{"bad last", "/events", []string{"Content-Type", batch}, "[" + minimal + "," + bad + "]", 400, 1.0, "type", "empty"},
		{"no event in batch", "/events", []string{"Content-Type", batch}, "[" + minimal + ",7]", 400, 1.0, "", "object"},
		{"bad alone", "/events", []string{"Content-Type", structured}, bad, 400, 0.0, "type", "empty"},
		{"no id", "/events", []string{"Content-Type", structured}, `{"specversion":"1.0","source":"/a","type":"t"}`, 400, 0.0, "id", "required"},
		{"no specversion", "/events", []string{"Content-Type", structured}, `{"id":"1","source":"/a","type":"t"}`, 400, 0.0, "specversion", "1.0"},
		{"binary, no version", "/events", []string{"ce-id", "1"}, "", 400, 0.0, "specversion", "ce-specversion"},
		{"binary, other version", "/events", []string{"ce-specversion", "0.3", "ce-id", "1"}, "", 400, 0.0, "specversion", "1.0"},
		{"binary, no source", "/events", []string{"ce-specversion", "1.0", "ce-id", "1", "ce-type", "t"}, "", 400, 0.0, "source", "required"},
		{"binary, bad name", "/events", ce("ce-a-b", "x"), "", 400, 0.0, "a-b", "a-z"},
		{"binary, bad time", "/events", ce("ce-time", "today"), "", 400, 0.0, "time", "RFC 3339"},
		{"binary, twice", "/events", ce("ce-id", "2"), "", 400, 0.0, "id", "more than once"},
		{"binary, overlong", "/events", ce("ce-subject", "%C0%A0"), "", 400, 0.0, "subject", "UTF-8"},
		{"binary, content type as attribute", "/events", ce("ce-datacontenttype", "text/plain"), "", 400, 0.0, "datacontenttype", "Content-Type"},
		{"large alone", "/events", ce(), large, 413, 0.0, "", "1048576"},
		{"large in batch", "/events", []string{"Content-Type", batch}, "[" + minimal + `,{"specversion":"1.0","id":"1","source":"/a","type":"t","data":"` + large + `"}]`, 413, 1.0, "", "1048576"},

		{"topic without version", "/api/events", []string{"Content-Type", "application/json"}, "[]", 400, nil, "api-version", "2018-01-01"},
		{"topic of another version", "/api/events?api-version=2024-01-01", []string{"Content-Type", "application/json"}, "[]", 400, nil, "api-version", "2018-01-01"},
		{"topic, one alone", "/api/events?api-version=2018-01-01", []string{"Content-Type", "application/json"}, gridEvent("a", `{}`), 400, nil, "", "array"},
		{"topic, a CloudEvent", "/api/events?api-version=2018-01-01", []string{"Content-Type", "application/json"}, "[" + minimal + "]", 400, 0.0, "specversion", "cloudevents"},
		{"topic, no subject", "/api/events?api-version=2018-01-01", []string{"Content-Type", "application/json"}, `[{"id":"1","eventType":"t","eventTime":"2024-05-01T12:30:00Z"}]`, 400, 0.0, "subject", "required"},
		{"topic, bad time", "/api/events?api-version=2018-01-01", []string{"Content-Type", "application/json"}, `[{"id":"1","subject":"s","eventType":"t","eventTime":"now"}]`, 400, 0.0, "eventTime", "ISO 8601"},
		{"topic, text", "/api/events?api-version=2018-01-01", []string{"Content-Type", "text/plain"}, "[]", 415, nil, "", "application/json"},
		{"webhook, unknown kind", "/webhooks/eventgrid", []string{"Content-Type", "application/json", "aeg-event-type", "Other"}, "[]", 400, nil, "aeg-event-type", "Notification"},
		{"webhook, validation without code", "/webhooks/eventgrid", []string{"Content-Type", "application/json", "aeg-event-type", "SubscriptionValidation"},
			"[" + gridEvent("Microsoft.EventGrid.SubscriptionValidationEvent", `{}`) + "]", 400, 0.0, "data", "validationCode"},
		{"webhook, validation of nothing", "/webhooks/eventgrid", []string{"Content-Type", "application/json", "aeg-event-type", "SubscriptionValidation"}, "[]", 400, nil, "", "SubscriptionValidationEvent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &memory{}
			rec := post(handler(j, ingress.Options{}), tt.path, strings.NewReader(tt.body), tt.header...)
			var p map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
				t.Fatalf("status %d, not a problem: %v: %s", rec.Code, err, rec.Body)
			}
			field, _ := p["field"].(string)
			if rec.Code != tt.status || p["status"] != float64(tt.status) || p["index"] != tt.index || field != tt.field {
				t.Errorf("status %d: %s\nwant status %d, index %v, field %q", rec.Code, rec.Body, tt.status, tt.index, tt.field)
			}
			if detail, _ := p["detail"].(string); !strings.Contains(detail, tt.detail) {
				t.Errorf("detail %q, want it to name %q", detail, tt.detail)
			}
			if got := rec.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			if j.calls != 0 {
				t.Error("the journal was given events of a refused request")
			}
		})
	}
}

// notNow is an error of a journal that cannot keep up.
type notNow time.Duration

func (e notNow) Error() string             { return "the journal is full" }
func (e notNow) RetryAfter() time.Duration { return time.Duration(e) }

func TestNotDurable(t *testing.T) {
	tests := []struct {
		name       string
		err        error
		retryAfter string
		detail     string
	}{
		{"full", notNow(1500 * time.Millisecond), "2", "the journal is full"},
		{"full, no hint", notNow(0), "1", "the journal is full"},
		{"broken", errors.New("secret path /x"), "5", "server's log"},
	}
	requests := []struct{ path, contentType, body string }{
		{"/events", structured, minimal},
		{"/api/events?api-version=2018-01-01", "application/json", "[" + gridEvent("t", `1`) + "]"},
		{"/webhooks/eventgrid", "application/json", "[" + gridEvent("t", `1`) + "]"},
	}
	for _, tt := range tests {
		for _, r := range requests {
			t.Run(tt.name+" "+r.path, func(t *testing.T) {
				j := &memory{err: tt.err}
				rec := post(handler(j, ingress.Options{}), r.path, strings.NewReader(r.body), "Content-Type", r.contentType)
				if rec.Code != 503 || rec.Header().Get("Retry-After") != tt.retryAfter || !strings.Contains(rec.Body.String(), tt.detail) {
					t.Errorf("status %d, Retry-After %q: %s", rec.Code, rec.Header().Get("Retry-After"), rec.Body)
				}
				if strings.Contains(rec.Body.String(), "secret") {
					t.Errorf("the answer tells an inner cause: %s", rec.Body)
				}
			})
		}
	}
}

func TestGzip(t *testing.T) {
	zip := func(text string) *bytes.Buffer {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return &b
	}
	j := &memory{}
	h := handler(j, ingress.Options{})
	if rec := post(h, "/events", zip(minimal), "Content-Type", structured, "Content-Encoding", "gzip"); rec.Code != 202 || len(j.events) != 1 {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	bomb := zip("[" + strings.Repeat(" ", event.MaxRequestBytes) + "]")
	if bomb.Len() > 100<<10 {
		t.Fatalf("the bomb has %d bytes", bomb.Len())
	}
	if rec := post(h, "/events", bomb, "Content-Type", batch, "Content-Encoding", "gzip"); rec.Code != 413 {
		t.Errorf("a bomb is answered %d: %s", rec.Code, rec.Body)
	}
}
