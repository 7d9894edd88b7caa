package eventgrid_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	emulator "github.com/headgate/headgate/gateway/emulator/eventgrid"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/eventgrid"
)

var update = event.Event{ID: "1", Source: "plant.example", Type: event.TwinUpdate, Subject: "pump", Data: []byte(`{}`)}

// seen is a request that arrived.
type seen struct {
	header http.Header
	uri    string
	body   string
}

// servers keeps the certificates of those that serve started, by address.
var servers sync.Map

// serve starts a server over TLS, which tells of what arrives.
func serve(t testing.TB, handle http.HandlerFunc) (string, chan seen) {
	arrived := make(chan seen, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		arrived <- seen{r.Header, r.RequestURI, string(body)}
		handle(w, r)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	servers.Store(server.URL, server.Certificate())
	return server.URL, arrived
}

// trusted writes the certificate of a server that serve started.
func trusted(t testing.TB, url string) string {
	t.Helper()
	cert, _ := servers.Load(url)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.(*x509.Certificate).Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func accept(http.ResponseWriter, *http.Request) {}

func answer(status int, retryAfter, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// TestAnswers holds every answer of the service, and of what may stand in for
// it, to the blame that it must bring.
func TestAnswers(t *testing.T) {
	const asAzure = `{"error":{"code":"X","message":"the words","details":[{"code":"Y","message":"more"}]}}`
	tests := []struct {
		name   string
		handle http.HandlerFunc
		blame  delivery.Blame
		wait   time.Duration
		words  string
	}{
		{"taken", answer(200, "", ""), delivery.None, 0, "delivered"},
		{"malformed", answer(400, "", asAzure), delivery.Event, 0, "400 Bad Request: the words"},
		{"key refused", answer(401, "", asAzure), delivery.Endpoint, 0, "401 Unauthorized (check the endpoint's accessKey, or the rights of its identity: it needs the role EventGrid Data Sender): the words"},
		{"forbidden", answer(403, "", asAzure), delivery.Endpoint, 0, "the words"},
		{"no such topic", answer(404, "", ""), delivery.Endpoint, 0, "404 Not Found (check the endpoint's topicEndpoint)"},
		{"no such method", answer(405, "", ""), delivery.Endpoint, 0, "405 Method Not Allowed (check the path of the endpoint's topicEndpoint)"},
		{"timed out there", answer(408, "", ""), delivery.Nobody, 0, "408 Request Timeout"},
		{"gone", answer(410, "", ""), delivery.Endpoint, 0, "410 Gone (check the endpoint's topicEndpoint)"},
		{"too large", answer(413, "", asAzure), delivery.Event, 0, "413 Request Entity Too Large: the words"},
		{"media type", answer(415, "", ""), delivery.Event, 0, "415 Unsupported Media Type"},
		{"throttled", answer(429, "9", asAzure), delivery.Nobody, 9 * time.Second, "429 Too Many Requests: the words"},
		{"internal error", answer(500, "9", ""), delivery.Nobody, 0, "500 Internal Server Error"},
		{"bad gateway", answer(502, "", "<html>"), delivery.Nobody, 0, "502 Bad Gateway: <html>"},
		{"unavailable", answer(503, "9", ""), delivery.Nobody, 9 * time.Second, "503 Service Unavailable"},
		{"gateway timeout", answer(504, "", ""), delivery.Nobody, 0, "504 Gateway Timeout"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", 307) }, delivery.Endpoint, 0,
			"307 Temporary Redirect (redirects are not followed; set the topicEndpoint to where it leads)"},
		{"echo of the key", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(401)
			io.WriteString(w, `{"error":{"message":"key `+r.Header.Get("aeg-sas-key")+` is bad"}}`)
		}, delivery.Endpoint, 0, "key *** is bad"},
		{"nothing", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, delivery.Nobody, 0, ""},
		{"an answer that never ends", flood, delivery.Nobody, 0, "500 Internal Server Error: " + strings.Repeat("x", 200) + "…"},
		{"an answer that trickles", trickle, delivery.Nobody, 0, "503 Service Unavailable: first words"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, arrived := serve(t, tt.handle)
			topic := url + "/plant/api/events"
			s := open(t, `{"topicEndpoint":"`+topic+`","caFile":"`+trusted(t, url)+`","accessKey":"`+key+`","schema":"cloudEventSchemaV1_0"}`, eventgrid.Options{})
			out := send(t, s, update)[0]
			if out.Blame != tt.blame || out.RetryAfter != tt.wait || !strings.HasSuffix(out.Reason(), tt.words) {
				t.Errorf("outcome = %v after %v (%s), want %v after %v (…%s)", out.Blame, out.RetryAfter, out.Reason(), tt.blame, tt.wait, tt.words)
			}
			if out.Err != nil && !strings.HasPrefix(out.Reason(), "POST "+topic+": ") || strings.Contains(out.Reason(), "api-version") {
				t.Errorf("%q does not say which topic", out.Reason())
			}
			requireNoSecret(t, out.Reason())
			if len(arrived) != 1 {
				t.Errorf("%d requests were made, want 1", len(arrived))
			}
			r := <-arrived
			if r.uri != "/plant/api/events?api-version=2018-01-01" || r.header.Get("aeg-sas-key") != key ||
				r.header.Get("Content-Type") != "application/cloudevents-batch+json; charset=utf-8" || !strings.HasPrefix(r.header.Get("User-Agent"), "headgate") {
				t.Errorf("request %s with %v", r.uri, r.header)
			}
		})
	}
}

func flood(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(500)
	for {
		if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
			return
		}
	}
}

// trickle sends some words and then neither more nor the end.
func trickle(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(503)
	io.WriteString(w, "first words")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// TestUnreachable tries topics with which no connection comes about.
func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "https://" + listener.Addr().String()
	listener.Close()
	e := listen(t, emulator.CloudEventSchema)
	other, _ := serve(t, accept)
	plain := httptest.NewServer(http.HandlerFunc(accept))
	t.Cleanup(plain.Close)
	tests := []struct {
		name, url, ca string
		blame         delivery.Blame
		words         string
	}{
		{"refused", closed, trusted(t, other), delivery.Nobody, "connection refused"},
		{"not trusted", e.server.URL(), trusted(t, other), delivery.Endpoint, "certificate signed by unknown authority"},
		{"not trusted by the system", e.server.URL(), "", delivery.Endpoint, "certificate signed by unknown authority"},
		{"plain HTTP behind https", strings.Replace(plain.URL, "http:", "https:", 1), trusted(t, other), delivery.Endpoint, "first record does not look like a TLS handshake"},
		{"no file", e.server.URL(), filepath.Join(t.TempDir(), "none.pem"), delivery.Endpoint, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, `{"topicEndpoint":"`+tt.url+`","caFile":"`+tt.ca+`","accessKey":"`+key+`"}`, eventgrid.Options{})
			good := update
			good.Data = wrap(&good)
			out := send(t, s, good)[0]
			if out.Blame != tt.blame || !strings.Contains(out.Reason(), tt.words) {
				t.Errorf("outcome = %v (%s), want %v (…%s…)", out.Blame, out.Reason(), tt.blame, tt.words)
			}
			requireNoSecret(t, out.Reason())
		})
	}
}

// TestNewCertificate has the file appear, and then change, under an open sink.
func TestNewCertificate(t *testing.T) {
	e := listen(t, emulator.CloudEventSchema)
	file := filepath.Join(t.TempDir(), "ca.pem")
	s := open(t, `{"topicEndpoint":"`+e.server.Endpoint("twins")+`","caFile":"`+file+`","accessKey":"`+key+`","schema":"cloudEventSchemaV1_0"}`, eventgrid.Options{})
	if out := send(t, s, update)[0]; out.Blame != delivery.Endpoint || !strings.Contains(out.Reason(), "caFile: ") {
		t.Errorf("without the file: %v (%s)", out.Blame, out.Reason())
	}
	if err := os.WriteFile(file, e.server.CertificatePEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := send(t, s, update)[0]; out.Blame != delivery.None {
		t.Errorf("with the file: %v (%s)", out.Blame, out.Reason())
	}
}

// identity is one that the authority answers with err, or grants.
type identity struct {
	err   error
	asked []string
}

func (i *identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.asked = append(i.asked, o.Scopes...)
	if i.err != nil {
		return azcore.AccessToken{}, i.err
	}
	return azcore.AccessToken{Token: "not-a-token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestIdentity(t *testing.T) {
	refused := func(status int) error {
		return &azidentity.AuthenticationFailedError{RawResponse: &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("words"))}}
	}
	tests := []struct {
		name  string
		err   error
		blame delivery.Blame
	}{
		{"granted", nil, delivery.None},
		{"unknown client", refused(400), delivery.Endpoint},
		{"wrong secret", refused(401), delivery.Endpoint},
		{"authority busy", refused(503), delivery.Nobody},
		{"none at hand", azidentity.NewCredentialUnavailableError("no identity"), delivery.Endpoint},
		{"authority out of reach", &net.OpError{Op: "dial", Err: errors.New("refused")}, delivery.Nobody},
		{"authority does not exist", &net.DNSError{Err: "no such host", IsNotFound: true}, delivery.Endpoint},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, arrived := serve(t, accept)
			who := &identity{err: tt.err}
			s := open(t, `{"topicEndpoint":"`+url+`","caFile":"`+trusted(t, url)+`","schema":"cloudEventSchemaV1_0"}`, eventgrid.Options{Credential: who})
			out := send(t, s, update)[0]
			if out.Blame != tt.blame || tt.err != nil && !strings.Contains(out.Reason(), "no token for the gateway's identity") {
				t.Errorf("outcome = %v (%s), want %v", out.Blame, out.Reason(), tt.blame)
			}
			if len(who.asked) != 1 || who.asked[0] != "https://eventgrid.azure.net/.default" {
				t.Errorf("the identity was asked for %q", who.asked)
			}
			if tt.err == nil {
				if r := <-arrived; r.header.Get("Authorization") != "Bearer not-a-token" || r.header.Get("aeg-sas-key") != "" {
					t.Errorf("headers %v", r.header)
				}
			}
		})
	}
}

// TestDeadline has a topic that does not answer, and nobody else to end it.
func TestDeadline(t *testing.T) {
	url, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := open(t, `{"topicEndpoint":"`+url+`","caFile":"`+trusted(t, url)+`","accessKey":"`+key+`","schema":"cloudEventSchemaV1_0"}`, eventgrid.Options{})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("no answer within 50ms"))
	defer cancel()
	out := s.Send(ctx, []delivery.Delivery{{Event: update}})[0]
	if out.Blame != delivery.Nobody || !strings.HasSuffix(out.Reason(), "no answer in time: no answer within 50ms") {
		t.Errorf("outcome = %v (%s)", out.Blame, out.Reason())
	}
}
