package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/event"
)

// answers is a server that answers every request alike, and keeps the last.
type answers struct {
	status int
	kind   string
	body   string
	last   *http.Request
	sent   string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.last = r
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.sent = string(b)
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {a.kind}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

func connect(t testing.TB, a *answers) *client.Client {
	t.Helper()
	c, err := client.New("http://gate.example/", client.Options{Token: "t0ken", HTTP: &http.Client{Transport: a}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewRefuses(t *testing.T) {
	for _, base := range []string{"", "127.0.0.1:8080", "ftp://h", "http://", "http://u:p@h", "http://h?a=b", "http://h\x00"} {
		if _, err := client.New(base, client.Options{}); err == nil {
			t.Errorf("New(%q) = nil, want an error", base)
		}
	}
}

func TestRequest(t *testing.T) {
	a := &answers{status: 200, kind: "application/json", body: `{"id":"a b/%"}`}
	_, _, err := connect(t, a).PutRouteJSON(t.Context(), "a b/%", []byte(`{"filter":"a < b"}`), catalog.Precondition{Revisions: []uint64{3, 4}})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.last.URL.String(); got != "http://gate.example/api/v1/routes/a%20b%2F%25" {
		t.Errorf("URL = %s", got)
	}
	if h := a.last.Header; h.Get("Authorization") != "Bearer t0ken" || h.Get("If-Match") != `"3", "4"` || h.Get("Content-Type") != "application/json" {
		t.Errorf("header = %v", h)
	}
	if a.sent != `{"filter":"a < b"}`+"\n" {
		t.Errorf("body = %q", a.sent)
	}
}

func TestSend(t *testing.T) {
	a := &answers{status: 202, kind: "application/json", body: `{"accepted":1}`}
	if err := connect(t, a).Send(t.Context(), []event.Event{{ID: "1", Source: "s", Type: "t"}}); err != nil {
		t.Fatal(err)
	}
	if a.last.URL.Path != "/events" || a.sent != `[{"specversion":"1.0","id":"1","source":"s","type":"t"}]` {
		t.Errorf("POST %s %s", a.last.URL.Path, a.sent)
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name   string
		answer answers
		text   string
		is     error
	}{
		{"a problem", answers{status: 409, kind: "application/problem+json; charset=utf-8", body: `{"status":409,"detail":"used by route \"r\""}`}, `used by route "r"`, catalog.ErrInUse},
		{"a problem of another status than it says", answers{status: 404, kind: "application/problem+json", body: `{"status":200,"detail":"gone"}`}, "gone", catalog.ErrNotFound},
		{"a proxy's page", answers{status: 502, kind: "text/html", body: `<html>`}, "the server answered 502 Bad Gateway", nil},
		{"a proxy's text", answers{status: 413, kind: "text/plain", body: "too large\n"}, "the server answered 413: too large", nil},
		{"a problem that is none", answers{status: 412, kind: "application/problem+json", body: `[`}, "the server answered 412 Precondition Failed", catalog.ErrConflict},
		{"an answer that is none", answers{status: 200, kind: "application/json", body: `<html>`}, "answer: invalid character", nil},
		{"half an answer", answers{status: 200, kind: "application/json", body: `{"id":`}, "answer: unexpected EOF", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connect(t, &tt.answer).Route(t.Context(), "r")
			if err == nil || !strings.Contains(err.Error(), tt.text) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v, want …%s…, %v", err, tt.text, tt.is)
			}
			var p *client.Problem
			if errors.As(err, &p) && p.Status != tt.answer.status {
				t.Errorf("status = %d", p.Status)
			}
		})
	}
}

func TestServerGone(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Events(t.Context(), catalog.EventQuery{Subject: "room"})
	if err == nil || !strings.HasPrefix(err.Error(), "GET http://127.0.0.1:1/api/v1/events: dial tcp") {
		t.Errorf("error = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

const accepted = `{"id":"1-0","acceptedAt":"2024-05-01T12:00:00Z","event":{"specversion":"1.0","id":"e","source":"s","type":"t"}}`

func TestFollowReads(t *testing.T) {
	long := strings.Replace(accepted, `"id":"e"`, `"id":"`+strings.Repeat("x", 300_000)+`"`, 1)
	tests := []struct{ name, stream, want string }{
		{"nothing", "", ""},
		{"comments", ": hi\n\n:\nretry: 5\n\n", ""},
		{"an event", "event: accepted\nid: 1-0\ndata: " + accepted + "\n\n", "e"},
		{"without blanks, with CRLF", "event:accepted\r\ndata:" + accepted + "\r\n\r\n", "e"},
		{"data in two lines", "event: accepted\ndata: {\"id\":\"1-0\",\ndata: " + accepted[len(`{"id":"1-0",`):] + "\n\n", "e"},
		{"longer than the buffer", "event: accepted\ndata: " + long + "\n\n", strings.Repeat("x", 300_000)},
		{"dropped", "event: dropped\ndata: {\"dropped\":3}\n\n", "-3"},
		{"of a later version", "event: weather\ndata: sunny\n\nevent: dropped\ndata: {\"dropped\":3}\n\n", "-3"},
		{"cut off", "event: accepted\ndata: " + accepted + "\n", ""},
		{"not JSON", "event: accepted\ndata: x\n\n", "!stream: accepted: invalid character"},
		{"endless", "data: " + strings.Repeat("x", 17<<20), "!longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			items, err := connect(t, &answers{status: 200, kind: "text/event-stream", body: tt.stream}).Follow(t.Context(), catalog.EventQuery{}, true)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for item, err := range items {
				switch {
				case errors.Is(err, client.ErrStreamEnded):
				case err != nil:
					got = "!" + err.Error()
				case item.Accepted != nil:
					got = item.Accepted.Event.ID
				default:
					got = fmt.Sprint("-", item.Dropped)
				}
			}
			if want, fault := strings.CutPrefix(tt.want, "!"); fault && !strings.Contains(got, want) || !fault && got != want {
				t.Errorf("got %.100q, want %.100q", got, tt.want)
			}
		})
	}
}

func FuzzFollow(f *testing.F) {
	f.Add("event: accepted\nid: 1-0\ndata: " + accepted + "\n\n")
	f.Add("event: dropped\r\ndata: {\"dropped\":3}\r\n\r\n: x\n\nevent: delivery\ndata: {}\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		items, err := connect(t, &answers{status: 200, kind: "text/event-stream", body: stream}).Follow(t.Context(), catalog.EventQuery{}, true)
		if err != nil {
			t.Fatal(err)
		}
		ended := false
		for item, err := range items {
			if ended {
				t.Fatal("yielded after an error")
			}
			if ended = err != nil; !ended && item == (client.Tailed{}) {
				t.Fatal("yielded nothing")
			}
		}
		if !ended {
			t.Fatal("ended without an error")
		}
	})
}

func ExampleClient_Routes() {
	c, err := client.New("http://gate.example", client.Options{HTTP: &http.Client{Transport: &answers{
		status: 200, kind: "application/json", body: `{"items":[{"id":"tsi","endpointName":"hub","filter":"true","filters":[],"transforms":[],"enabled":true}]}`,
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for route, err := range c.Routes(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(route.ID, "→", route.EndpointName)
	}
	// Output: tsi → hub
}
