package webhook_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/webhook"
)

func TestAnswers(t *testing.T) {
	tests := []struct {
		name   string
		handle http.HandlerFunc
		blame  delivery.Blame
		wait   time.Duration
		words  string
	}{
		{"no content", accept, delivery.None, 0, "delivered"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere?code=s3cret", 307) },
			delivery.Endpoint, 0, "307 Temporary Redirect (redirects are not followed; set the url to where it leads)"},
		{"unauthorised", answer(401, "", "bad key"), delivery.Endpoint, 0, "401 Unauthorized (check the credentials in the endpoint's headers or url): bad key"},
		{"gone", answer(410, "", ""), delivery.Endpoint, 0, "410 Gone (check the endpoint's url)"},
		{"malformed", answer(400, "9", `{"error": "no field \"x\""}`), delivery.Event, 0, `400 Bad Request: {"error": "no field \"x\""}`},
		{"busy", answer(429, "9", "slow\n down"), delivery.Nobody, 9 * time.Second, "429 Too Many Requests: slow down"},
		{"broken", answer(500, "9", strings.Repeat("x ", 5000)), delivery.Nobody, 0, strings.Repeat("x ", 99) + "x…"},
		{"a status of its own", answer(599, "", ""), delivery.Nobody, 0, "599"},
		{"nothing", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, delivery.Nobody, 0, "EOF"},
		{"an answer that never ends", flood, delivery.None, 0, "delivered"},
		{"an answer that trickles", trickle(200), delivery.None, 0, "delivered"},
		{"an error that trickles", trickle(503), delivery.Nobody, 0, "503 Service Unavailable: first words"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, seen := serve(t, tt.handle)
			out := send(t, open(t, `{"url":"`+url+`/x?code=s3cret"}`), update)
			if out.Blame != tt.blame || out.RetryAfter != tt.wait || !strings.HasSuffix(out.Reason(), tt.words) {
				t.Errorf("outcome = %v after %v (%s), want %v after %v (…%s)", out.Blame, out.RetryAfter, out.Reason(), tt.blame, tt.wait, tt.words)
			}
			if len(seen) != 1 {
				t.Errorf("%d requests were made, want 1", len(seen))
			}
			if strings.Contains(out.Reason(), "s3cret") {
				t.Errorf("%q tells the secret", out.Reason())
			}
		})
	}
}

func answer(status int, retryAfter, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func flood(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// trickle sends some words and then neither more nor the end.
func trickle(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, "first words")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// TestEchoedSecrets has the endpoint tell in its answer all that it was sent.
func TestEchoedSecrets(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		user, password, _ := r.BasicAuth()
		fmt.Fprintln(w, r.Header.Get("Authorization"), user, password, r.Header.Get("X-Thing"), r.URL.Query().Get("sig"), r.RequestURI)
	})
	for _, settings := range []string{
		`{"url":"URL/?sig=top%2Bs3cret","headers":{"Authorization":"Bearer top+s3cret","X-Thing":"top-s3cret"}}`,
		`{"url":"http://me:top%2Ds3cret@HOST/?access_token=top-s3cret","mode":"structured"}`,
		`{"url":"http://top-s3cret@HOST/","mode":"batch"}`,
		`{"url":"URL/{id}?sig=top-s3cret","mode":"raw"}`,
	} {
		settings = strings.NewReplacer("URL", url, "HOST", strings.TrimPrefix(url, "http://")).Replace(settings)
		out := send(t, open(t, settings), update)
		if out.Blame != delivery.Endpoint || strings.Contains(out.Reason(), "s3cret") || !strings.Contains(out.Reason(), "***") {
			t.Errorf("outcome = %v (%s), want the secret masked", out.Blame, out.Reason())
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	out := send(t, open(t, `{"url":"http://`+address+`/path?sig=s3cret"}`), update)
	if out.Blame != delivery.Nobody || !strings.HasPrefix(out.Reason(), "POST http://"+address+": dial tcp") {
		t.Errorf("outcome = %v (%s), want transient, in words without the path", out.Blame, out.Reason())
	}
}

// TestDeadConnection has the server close a connection that the sink holds
// idle: the next event goes out by another or fails, and never arrives twice.
func TestDeadConnection(t *testing.T) {
	var arrived atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	t.Cleanup(server.Close)
	s := open(t, `{"url":"`+server.URL+`"}`)
	requireDelivered(t, send(t, s, update))
	server.CloseClientConnections()
	out := send(t, s, update)
	if got := arrived.Load(); out.Blame == delivery.None && got != 2 || out.Blame == delivery.Nobody && got != 1 {
		t.Errorf("outcome = %v (%s) though %d events arrived", out.Blame, out.Reason(), got)
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		if r.ProtoMajor != 2 {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	plain, _ := serve(t, accept)
	trusting := x509.NewCertPool()
	trusting.AddCert(server.Certificate())

	tests := []struct {
		name, url string
		config    *tls.Config
		blame     delivery.Blame
		words     string
	}{
		{"trusted, by HTTP/2", server.URL, &tls.Config{RootCAs: trusting}, delivery.None, ""},
		{"not trusted", server.URL, nil, delivery.Endpoint, "certificate signed by unknown authority"},
		{"other name", strings.Replace(server.URL, "127.0.0.1", "localhost", 1), &tls.Config{RootCAs: trusting}, delivery.Endpoint, "certificate is valid for"},
		{"plain HTTP behind https", strings.Replace(plain, "http:", "https:", 1), nil, delivery.Endpoint, "first record does not look like a TLS handshake"},
		{"version that the server has not", server.URL, &tls.Config{RootCAs: trusting, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, delivery.Endpoint, "protocol version not supported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := webhook.New(json.RawMessage(`{"url":"`+tt.url+`"}`), webhook.Options{TLS: tt.config})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			out := send(t, s, update)
			if out.Blame != tt.blame || !strings.Contains(out.Reason(), tt.words) {
				t.Errorf("outcome = %v (%s), want %v (…%s…)", out.Blame, out.Reason(), tt.blame, tt.words)
			}
		})
	}
}

// TestBatchFault looks for the one event that a batch endpoint will not take.
func TestBatchFault(t *testing.T) {
	url, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {})
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"id":"37"`) {
			w.WriteHeader(413)
			return
		}
		resp, err := http.Post(url, "application/json", strings.NewReader(string(body)))
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
	}))
	t.Cleanup(bad.Close)
	batch := make([]delivery.Delivery, 100)
	for i := range batch {
		batch[i].Event = event.Event{ID: fmt.Sprint(i), Source: "s", Type: "t"}
	}
	for i, out := range open(t, `{"url":"`+bad.URL+`","mode":"batch"}`).Send(t.Context(), batch) {
		if want := map[bool]delivery.Blame{true: delivery.Event}[i == 37]; out.Blame != want {
			t.Errorf("outcome %d = %v (%s), want %v", i, out.Blame, out.Reason(), want)
		}
	}
	next := 0
	for range len(seen) {
		var events []struct{ ID string }
		if err := json.Unmarshal([]byte((<-seen).body), &events); err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if next == 37 {
				next++
			}
			if e.ID != fmt.Sprint(next) {
				t.Fatalf("event %s arrived where %d was due", e.ID, next)
			}
			next++
		}
	}
	if next != 100 {
		t.Errorf("the last event to arrive was %d", next-1)
	}
}
