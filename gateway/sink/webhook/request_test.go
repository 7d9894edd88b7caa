package webhook_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/webhook"
)

// request is what a server saw of one.
type request struct {
	method, uri string
	header      http.Header
	body        string
	length      int64
	proto       string
}

// serve answers every request with handle and puts what it saw into a channel.
func serve(t testing.TB, handle http.HandlerFunc) (string, <-chan request) {
	t.Helper()
	seen := make(chan request, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- request{r.Method, r.RequestURI, r.Header, string(body), r.ContentLength, r.Proto}
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, seen
}

func accept(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// send sends one event and returns its outcome.
func send(t testing.TB, s *webhook.Sink, e event.Event) delivery.Outcome {
	t.Helper()
	out := s.Send(t.Context(), []delivery.Delivery{{Event: e, Key: e.TwinKey()}})
	if len(out) != 1 {
		t.Fatalf("Send returned %d outcomes, want 1", len(out))
	}
	return out[0]
}

func requireDelivered(t testing.TB, out delivery.Outcome) {
	t.Helper()
	if out.Blame != delivery.None {
		t.Fatalf("outcome = %v (%s), want delivered", out.Blame, out.Reason())
	}
}

var update = event.Event{
	ID: "1", Source: "plant", Type: event.TwinUpdate, Subject: "pump-7", Time: "2024-05-01T08:00:00Z",
	DataContentType: "application/json", Data: []byte(`{"patch":[]}`),
	Extensions: []event.Extension{{Name: "site", Value: "north"}},
}

// TestBinaryHeaders holds the headers to the text of the HTTP binding,
// sections 3.1.1 and 3.1.3, whose example of encoding is the last row.
func TestBinaryHeaders(t *testing.T) {
	url, seen := serve(t, accept)
	s := open(t, `{"url":"`+url+`/in?a=b","headers":{"X-Api-Key":"k","user-agent":"mine"}}`)
	e := update.WithExtensions(event.Extension{Name: "encoded", Value: `Euro € 😀 "100%"`})
	e.DataContentType = "application/json; charset=utf-8"
	requireDelivered(t, send(t, s, e))
	r := <-seen
	want := map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "plant", "Ce-Type": event.TwinUpdate, "Ce-Subject": "pump-7",
		"Ce-Time": "2024-05-01T08:00:00Z", "Content-Type": "application/json; charset=utf-8", "Content-Length": "12",
		"Ce-Site": "north", "Ce-Encoded": "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22",
		"X-Api-Key": "k", "User-Agent": "mine",
	}
	for name, value := range want {
		if got := r.header.Values(name); len(got) != 1 || got[0] != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	if len(r.header) != len(want) {
		t.Errorf("headers = %v, want none but %v", r.header, want)
	}
	if r.method != "POST" || r.uri != "/in?a=b" || r.body != string(e.Data) {
		t.Errorf("request = %+v", r)
	}
}

func TestNoDataNoBody(t *testing.T) {
	url, seen := serve(t, accept)
	requireDelivered(t, send(t, open(t, `{"url":"`+url+`"}`), event.Event{ID: "1", Source: "s", Type: "t"}))
	if r := <-seen; r.length != 0 || r.header["Content-Type"] != nil || r.header.Get("User-Agent") != "headgate" {
		t.Errorf("request = %+v, want neither a body nor a type of it", r)
	}
}

func TestUserinfoIsBasicAuthentication(t *testing.T) {
	url, seen := serve(t, accept)
	s := open(t, `{"url":"`+strings.Replace(url, "//", "//us%3Aer:p%40ss@", 1)+`/{id}","mode":"raw"}`)
	requireDelivered(t, send(t, s, update))
	if got := (<-seen).header.Get("Authorization"); got != "Basic dXM6ZXI6cEBzcw==" {
		t.Errorf("Authorization = %q", got)
	}
}

func TestRawURL(t *testing.T) {
	tests := []struct {
		name, path, subject string
		want                string // the request's URI, or "…" and part of an error
	}{
		{"plain", "/twins/{subject}", "pump-7", "/twins/pump-7"},
		{"everything escaped", "/twins/{subject}", `a/b?c#d%e f&g=ü;:@+`, "/twins/a%2Fb%3Fc%23d%25e%20f%26g%3D%C3%BC%3B%3A%40%2B"},
		{"query", "/twins?s={subject}&t={type}", "a&b=c d", "/twins?s=a%26b%3Dc%20d&t=Microsoft.DigitalTwins.Twin.Update"},
		{"query without a path", "?s={subject}", "x", "/?s=x"},
		{"beside text", "/x{id}y/{site}.json?v=%7B1%7D", "", "/x1y/north.json?v=%7B1%7D"},
		{"twice", "/{subject}/{subject}", "é", "/%C3%A9/%C3%A9"},
		{"every attribute", "/{specversion}/{source}/{time}/{datacontenttype}", "", "/1.0/plant/2024-05-01T08%3A00%3A00Z/application%2Fjson"},
		{"missing subject", "/twins/{subject}", "", "…the event has no subject, which the url asks for"},
		{"missing extension", "/twins/{floor}", "x", "…the event has no floor, which the url asks for"},
		{"parent", "/twins/{subject}", "..", `…make "/twins/.." the path of the url, of which no part may be . or ..`},
		{"climbing", "/twins/{subject}", "../admin", "…no part may be . or .."},
		{"climbing in the middle", "/twins/{subject}", "a/./b", "…no part may be . or .."},
		{"climbing with backslashes", "/twins/{subject}", `a\..\b`, "…no part may be . or .."},
		{"climbing by two attributes", "/twins/{subject}{subject}/x", ".", "…no part may be . or .."},
		{"climbing with the text beside it", "/twins/.{subject}/x", ".", "…no part may be . or .."},
		{"dots that climb nowhere", "/twins/{subject}", "..a/b...", "/twins/..a%2Fb..."},
		{"dots in the query", "/twins?s={subject}", "../a", "/twins?s=..%2Fa"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, seen := serve(t, accept)
			s := open(t, fmt.Sprintf(`{"url":"%s","mode":"raw","method":"PATCH","headers":{"content-type":"text/x"}}`, url+tt.path))
			e := update
			e.Subject = tt.subject
			out := send(t, s, e)
			if reason, refused := strings.CutPrefix(tt.want, "…"); refused {
				if out.Blame != delivery.Event || !strings.Contains(out.Reason(), reason) {
					t.Errorf("outcome = %v (%s), want the event's fault: %s", out.Blame, out.Reason(), reason)
				}
				return
			}
			requireDelivered(t, out)
			if r := <-seen; r.uri != tt.want || r.method != "PATCH" || r.body != string(e.Data) || r.header.Get("Content-Type") != "text/x" {
				t.Errorf("request = %+v, want uri %s", r, tt.want)
			}
		})
	}
}

func FuzzRawURL(f *testing.F) {
	url, seen := serve(f, accept)
	s := open(f, `{"url":"`+url+`/a/{subject}/b?q={subject}","mode":"raw"}`)
	f.Add("x")
	f.Add("../..")
	f.Add("a b\x00\r\nHost: evil")
	f.Fuzz(func(t *testing.T, subject string) {
		out := send(t, s, event.Event{ID: "1", Source: "s", Type: "t", Subject: subject})
		if out.Blame == delivery.Event {
			return
		}
		requireDelivered(t, out)
		uri := (<-seen).uri
		if !strings.HasPrefix(uri, "/a/") || strings.Count(uri, "/") != 3 || strings.Count(uri, "?") != 1 || strings.ContainsAny(uri, " #&") {
			t.Errorf("subject %q made the uri %q", subject, uri)
		}
	})
}

// TestEventsThatNoHeaderCarries are refused before they make a request that
// fails for ever.
func TestEventsThatNoHeaderCarries(t *testing.T) {
	url, seen := serve(t, accept)
	s := open(t, `{"url":"`+url+`"}`)
	badType, badName, large := update, update, update
	badType.DataContentType = "text/plain\r\nX: y"
	badName.Extensions = []event.Extension{{Name: "a:b", Value: "x"}}
	large.Subject = strings.Repeat("ü", 20_000)
	for _, e := range []event.Event{badType, badName, large} {
		if out := send(t, s, e); out.Blame != delivery.Event {
			t.Errorf("outcome = %v (%s), want the event's fault", out.Blame, out.Reason())
		}
	}
	if len(seen) != 0 {
		t.Errorf("%d requests were made", len(seen))
	}
}
