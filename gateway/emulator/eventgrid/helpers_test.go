package eventgrid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
)

// key is base64, as keys of topics are, and obviously none.
var key = base64.StdEncoding.EncodeToString([]byte("this is not a key"))

// listen starts an emulator that ends with t.
func listen(t testing.TB, o eventgrid.Options) *eventgrid.Server {
	t.Helper()
	s, err := eventgrid.Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client trusts s.
func client(t testing.TB, s *eventgrid.Server) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.CertificatePEM()) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// request makes one, and returns the answer's status and body.
func request(t testing.TB, s *eventgrid.Server, method, path, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := client(t, s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

const (
	gridEvent  = `{"id":"1","eventType":"T","subject":"a/b","eventTime":"2026-01-02T03:04:05.1234567Z","dataVersion":"2","data":{"x": 1.50}}`
	cloudEvent = `{"specversion":"1.0","id":"1","source":"/s","type":"T","subject":"a/b","data":{"x": 1.50}}`
	publishTo  = "/api/events?api-version=2018-01-01"
	gridType   = "application/json"
	cloudType  = "application/cloudevents+json"
	batchType  = "application/cloudevents-batch+json; charset=utf-8"
)

// publish has a topic take events in the Event Grid schema, with ids.
func publish(t testing.TB, s *eventgrid.Server, topic string, ids ...string) {
	t.Helper()
	var events []string
	for _, id := range ids {
		events = append(events, strings.Replace(gridEvent, `"id":"1"`, `"id":"`+id+`"`, 1))
	}
	status, answer := request(t, s, "POST", "/"+topic+publishTo, "["+strings.Join(events, ",")+"]", "Content-Type", gridType, "aeg-sas-key", key)
	if status != 200 {
		t.Fatalf("publish: %d %s", status, answer)
	}
}

// clock stands still until it is advanced.
type clock struct {
	mu      sync.Mutex // guards what follows
	now     time.Time
	waiters map[chan time.Time]time.Time
	waited  chan struct{} // closed and made anew with each waiter
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), waiters: map[chan time.Time]time.Time{}, waited: make(chan struct{})}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.waiters[ch] = c.now.Add(d)
	close(c.waited)
	c.waited = make(chan struct{})
	return ch
}

// advance waits until someone waits for exactly d, and then lets it pass.
func (c *clock) advance(t testing.TB, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		c.mu.Lock()
		due, waited := c.now.Add(d), c.waited
		var all []time.Duration
		found := false
		for _, at := range c.waiters {
			all = append(all, at.Sub(c.now))
			found = found || at.Equal(due)
		}
		if found {
			c.now = due
			for ch, at := range c.waiters {
				if !at.After(due) {
					ch <- due
					delete(c.waiters, ch)
				}
			}
		}
		c.mu.Unlock()
		if found {
			return
		}
		select {
		case <-waited:
		case <-ctx.Done():
			t.Fatalf("nobody waits for %v, but for %v", d, all)
		}
	}
}

// eventually waits for something that another goroutine brings about.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// seen is a request that a subscriber got.
type seen struct {
	method string
	header http.Header
	body   string
}

// subscriber is a webhook. It grants every handshake, and answers deliveries
// as told.
type subscriber struct {
	url     string
	arrived chan seen

	mu     sync.Mutex // guards answer
	answer func(w http.ResponseWriter, r *http.Request)
}

func newSubscriber(t testing.TB) *subscriber {
	sub := &subscriber{arrived: make(chan seen, 1000)}
	server := httptest.NewServer(sub)
	t.Cleanup(server.Close)
	sub.url = server.URL + "/hook"
	return sub
}

func (sub *subscriber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Header.Get("Aeg-Event-Type") == "SubscriptionValidation" {
		var events []struct {
			Data struct{ ValidationCode string }
		}
		if json.Unmarshal(body, &events) == nil && len(events) == 1 {
			json.NewEncoder(w).Encode(map[string]string{"validationResponse": events[0].Data.ValidationCode})
		}
		return
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
		return
	}
	sub.arrived <- seen{r.Method, r.Header, string(body)}
	sub.mu.Lock()
	answer := sub.answer
	sub.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

// answers has the subscriber answer with status from now on.
func (sub *subscriber) answers(status int) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	sub.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// next returns the next request.
func (sub *subscriber) next(t testing.TB) seen {
	t.Helper()
	select {
	case r := <-sub.arrived:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was delivered")
		return seen{}
	}
}

// subscribe adds a subscription that must succeed.
func subscribe(t testing.TB, s *eventgrid.Server, topic string, d eventgrid.Subscription) {
	t.Helper()
	got, err := s.Subscribe(t.Context(), topic, d)
	if err != nil || got.State != eventgrid.Succeeded {
		t.Fatalf("Subscribe = %+v, %v", got, err)
	}
}

// ids returns those of the events in a body.
func ids(t testing.TB, body string) []string {
	t.Helper()
	if !strings.HasPrefix(body, "[") {
		body = "[" + body + "]"
	}
	var events []struct{ ID string }
	if err := json.Unmarshal([]byte(body), &events); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.ID)
	}
	slices.Sort(all)
	return all
}
