package ingress_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/client"
	ce "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress"
)

// serve runs an ingress over j on a port of this machine.
func serve(t testing.TB, j ingress.Journal, opts ingress.Options) string {
	t.Helper()
	server := httptest.NewServer(handler(j, opts))
	t.Cleanup(server.Close)
	return server.URL
}

// outgoing is an event of the CloudEvents SDK, and what is to be accepted of it.
func outgoing(t *testing.T) (ce.Event, event.Event) {
	t.Helper()
	e := ce.New()
	e.SetID("7")
	e.SetSource("/plants/1")
	e.SetType(event.TwinUpdate)
	e.SetSubject("room-1")
	e.SetTime(time.Date(2024, 5, 1, 12, 30, 0, 0, time.UTC)) // or the client sets one
	e.SetDataSchema("dtmi:com:example:Room;1")
	e.SetExtension("traceparent", "00-1-2-01")
	if err := e.SetData("application/json", []byte(`{"b":1, "a":[1.0]}`)); err != nil {
		t.Fatal(err)
	}
	return e, event.Event{
		ID: "7", Source: "/plants/1", Type: event.TwinUpdate, Subject: "room-1", Time: "2024-05-01T12:30:00Z",
		DataContentType: "application/json", DataSchema: "dtmi:com:example:Room;1",
		Extensions: []event.Extension{{Name: "traceparent", Value: "00-1-2-01"}}, Data: []byte(`{"b":1, "a":[1.0]}`),
	}
}

// TestOfficialClient sends with the CloudEvents SDK, in each mode.
func TestOfficialClient(t *testing.T) {
	sent, want := outgoing(t)
	j := &memory{}
	url := serve(t, j, ingress.Options{}) + "/events"
	c, err := client.NewHTTP(cehttp.WithTarget(url))
	if err != nil {
		t.Fatal(err)
	}
	if res := c.Send(t.Context(), sent); !protocol.IsACK(res) {
		t.Errorf("binary: %v", res)
	}
	if res := c.Send(binding.WithForceStructured(t.Context()), sent); !protocol.IsACK(res) {
		t.Errorf("structured: %v", res)
	}
	for _, target := range []string{url, strings.Replace(url, "/events", "/api/events?api-version=2018-01-01", 1), strings.Replace(url, "/events", "/webhooks/eventgrid", 1)} {
		req, err := cehttp.NewHTTPRequestFromEvents(t.Context(), target, []ce.Event{sent, sent})
		if err != nil {
			t.Fatal(err)
		}
		if status, body := do(t, req); status/100 != 2 {
			t.Errorf("batch to %s: %d %s", target, status, body)
		}
	}
	if len(j.events) != 8 {
		t.Fatalf("%d events in the journal, want 8", len(j.events))
	}
	for i, got := range j.events {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event %d (-want +got):\n%s", i, diff)
		}
	}

	text := ce.New()
	text.SetID("8")
	text.SetSource("/plants/1")
	text.SetType("note")
	if err := text.SetData("text/plain", []byte("line 1\nline \"2\"")); err != nil {
		t.Fatal(err)
	}
	bytesEvent := text.Clone()
	if err := bytesEvent.SetData("application/octet-stream", []byte{0, 1, 255}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []ce.Event{text, bytesEvent} {
		for _, ctx := range []context.Context{t.Context(), binding.WithForceStructured(t.Context())} {
			if res := c.Send(ctx, e); !protocol.IsACK(res) {
				t.Errorf("%s: %v", e.DataContentType(), res)
			}
			if got := j.events[len(j.events)-1]; !bytes.Equal(got.Data, e.Data()) || got.DataContentType != e.DataContentType() {
				t.Errorf("%s: %q, want %q", got.DataContentType, got.Data, e.Data())
			}
		}
	}
}

func do(t testing.TB, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// zeros reads n bytes, of unknown number to the client.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.n))
	clear(p[:n])
	z.n -= int64(n)
	return n, nil
}

// TestHugeBodies wants every client to read its 413, even one that does not
// look up from writing.
func TestHugeBodies(t *testing.T) {
	j := &memory{}
	base := serve(t, j, ingress.Options{})
	const huge = 64 << 20
	for _, path := range []string{"/events", "/api/events?api-version=2018-01-01", "/webhooks/eventgrid"} {
		for _, length := range []int64{huge, -1, event.MaxRequestBytes + 1} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, &zeros{max(length, huge)})
			if err != nil {
				t.Fatal(err)
			}
			if length > 0 {
				req.Body = io.NopCloser(&zeros{length})
			}
			req.ContentLength = length
			req.Header.Set("Content-Type", batch)
			if status, body := do(t, req); status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s, length %d: %d %s", path, length, status, body)
			}
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/events", &zeros{huge})
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/plain")
	if status, body := do(t, req); status != http.StatusUnsupportedMediaType {
		t.Errorf("text: %d %s", status, body)
	}
	if j.calls != 0 {
		t.Error("the journal was given events")
	}
}

// TestLargestBody sends a request of exactly the size that is allowed.
func TestLargestBody(t *testing.T) {
	j := &memory{}
	url := serve(t, j, ingress.Options{}) + "/events"
	for _, chunked := range []bool{false, true} {
		text := []byte("[" + minimal + strings.Repeat(" ", event.MaxRequestBytes-len(minimal)-2) + "]")
		var body io.Reader = bytes.NewReader(text)
		if chunked {
			body = io.MultiReader(body)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", batch)
		if status, answer := do(t, req); status != 202 {
			t.Errorf("chunked %v: %d %s", chunked, status, answer)
		}
	}
}

// TestBusy fills the budget with a body that does not end, and sends another.
func TestBusy(t *testing.T) {
	j := &memory{}
	h := handler(j, ingress.Options{MaxPendingBytes: 4 << 10})
	reader, writer := io.Pipe()
	first := make(chan *httptest.ResponseRecorder, 1)
	go func() { first <- post(h, "/events", reader, "Content-Type", batch) }()
	// The pipe takes bytes only once the handler reads, and so has booked them.
	if _, err := io.WriteString(writer, "["+minimal); err != nil {
		t.Fatal(err)
	}
	rec := post(h, "/events", strings.NewReader("["+minimal+strings.Repeat(" ", 3<<10)+"]"), "Content-Type", batch)
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") == "" {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	if _, err := io.WriteString(writer, "]"); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	if rec := <-first; rec.Code != 202 {
		t.Errorf("the first: %d %s", rec.Code, rec.Body)
	}
	rec = post(h, "/events", strings.NewReader("["+minimal+strings.Repeat(" ", 2<<10)+"]"), "Content-Type", batch)
	if rec.Code != 202 {
		t.Errorf("afterwards: %d %s: the budget leaks", rec.Code, rec.Body)
	}
}

// counts is a Recorder.
type counts struct{ accepted, refused []int }

func (c *counts) Accepted(n int, _ time.Duration) { c.accepted = append(c.accepted, n) }
func (c *counts) Refused(status int)              { c.refused = append(c.refused, status) }

func TestRecorder(t *testing.T) {
	got := &counts{}
	h := handler(&memory{}, ingress.Options{Recorder: got})
	post(h, "/events", strings.NewReader("["+minimal+","+minimal+"]"), "Content-Type", batch)
	post(h, "/events", strings.NewReader(minimal), "Content-Type", "text/plain")
	post(h, "/api/events", strings.NewReader("[]"), "Content-Type", "application/json")
	post(h, "/webhooks/eventgrid", strings.NewReader("["+gridEvent("t", "1")+"]"), "Content-Type", "application/json")
	want := &counts{accepted: []int{2, 1}, refused: []int{415, 400}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(counts{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBrokenBody ends a body before its length.
func TestBrokenBody(t *testing.T) {
	j := &memory{}
	r := httptest.NewRequest(http.MethodPost, "/events", io.MultiReader(strings.NewReader(minimal), brokenReader{}))
	r.Header.Set("Content-Type", structured)
	rec := httptest.NewRecorder()
	handler(j, ingress.Options{}).ServeHTTP(rec, r)
	if rec.Code != 400 || j.calls != 0 {
		t.Errorf("status %d, %d calls: %s", rec.Code, j.calls, rec.Body)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestConcurrentSenders checks that no event is lost, doubled or mixed up with
// another when many arrive at once, good ones among bad.
func TestConcurrentSenders(t *testing.T) {
	const senders, rounds = 16, 50
	j := &memory{}
	url := serve(t, j, ingress.Options{}) + "/events"
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range rounds {
				id := fmt.Sprintf("%d-%d", s, i)
				good := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/a","type":"t","subject":%q,"data":{"id":%q}}`, id, id, id)
				body, want := "["+good+"]", 202
				if i%5 == 4 {
					body, want = "["+good+","+bad+"]", 400
				}
				resp, err := http.Post(url, batch, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != want {
					t.Errorf("%s: %d, want %d", id, resp.StatusCode, want)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, e := range j.events {
		if seen[e.ID] || e.Subject != e.ID || string(e.Data) != `{"id":"`+e.ID+`"}` {
			t.Errorf("event %q twice or mixed up: %+v", e.ID, e)
		}
		seen[e.ID] = true
	}
	if want := senders * rounds * 4 / 5; len(seen) != want {
		t.Errorf("%d events in the journal, want %d", len(seen), want)
	}
}
