package main // white-box: a command exports nothing

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func TestBoard(t *testing.T) {
	var out strings.Builder
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := newBoard(&out, now)
	update := func(seq uint64, id string) catalog.StoredEvent {
		return catalog.StoredEvent{ID: event.Position{Seq: seq}, Event: catalog.CloudEvent{Event: event.Event{
			ID: id, Type: event.TwinUpdate, Subject: "room-1",
			Data: []byte(`{"modelId":"m","patch":[{"op":"replace","path":"/t","value":27},{"op":"remove","path":"/u"}]}`)}}}
	}
	delivered := func(seq uint64, id, route, endpoint string) catalog.DeliveryReport {
		return catalog.DeliveryReport{ID: event.Position{Seq: seq}, EventID: id, Route: route, Endpoint: endpoint, Outcome: "delivered"}
	}
	// An event that two routes take, told of in whatever order.
	b.delivery(delivered(1, "a", "series", "readings"), now)
	b.accepted(update(1, "a"), now)
	b.delivery(delivered(1, "a", "hot", "desk"), now)
	b.output("desk", "a", "POST /desk {}")
	b.output("readings", "a", `{"t":27}`)
	// One like it, one that nobody takes, one that fails, one that is too young.
	b.accepted(update(2, "b"), now)
	b.delivery(delivered(2, "b", "hot", "desk"), now)
	b.delivery(delivered(2, "b", "series", "readings"), now)
	b.accepted(catalog.StoredEvent{ID: event.Position{Seq: 3}, Event: catalog.CloudEvent{Event: event.Event{
		ID: "c", Type: event.RelationshipCreate, Subject: "p/relationships/r", Data: []byte(`{"$relationshipName":"isIn","$targetId":"room-1"}`)}}}, now)
	later := now.Add(time.Second)
	b.accepted(update(4, "d"), later)
	failed := delivered(4, "d", "hot", "desk")
	failed.Outcome, failed.Error = "transient", "POST http://127.0.0.1:9: connection\nrefused"
	b.delivery(failed, later)

	if !b.show(later) {
		t.Fatal("nothing to show")
	}
	if b.show(later) {
		t.Error("what was passed over is shown again")
	}
	b.show(later.Add(time.Second))
	b.missed(3)
	b.summary(now.Add(2 * time.Second))
	want := `
room-1         Twin.Update         /t = 27, remove /u
    → hot        → desk      POST /desk {}
    → series     → readings  {"t":27}

room-1         Twin.Update         /t = 27, remove /u
    → hot        → desk      failed, will be tried again: connection refused

── 2 events/s in · hot 1.0/s · series 1.0/s · 1 failed attempts · 3 not shown ──
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestBoardAttempts shows an event whose deliveries were tried more than once:
// each is told of once, by its latest attempt.
func TestBoardAttempts(t *testing.T) {
	var out strings.Builder
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := newBoard(&out, now)
	b.accepted(catalog.StoredEvent{Event: catalog.CloudEvent{Event: event.Event{ID: "a", Type: event.Telemetry, Source: "h/digitaltwins/t-1", Data: []byte("1")}}}, now)
	for _, r := range []catalog.DeliveryReport{
		{Route: "one", Attempt: 1, Outcome: "transient", Error: "sb://127.0.0.1:9/q: busy"},
		{Route: "two", Attempt: 2, Outcome: "delivered"},
		{Route: "two", Attempt: 1, Outcome: "transient", Error: "busy"},
		{Route: "one", Attempt: 2, Outcome: "endpoint", Error: "sb://127.0.0.1:9/q: no entity: q"},
		{Route: "three", Attempt: 1, Outcome: "event", Error: "too large", Dead: true},
	} {
		r.EventID, r.Endpoint = "a", "desk"
		b.delivery(r, now)
	}
	b.output("desk", "a", "POST /desk: 1")
	b.show(now.Add(time.Second))
	want := `
t-1            Telemetry           1
    → one        → desk      failed at attempt 2, will be tried again: no entity: q
    → three      → desk      dead letter: too large
    → two        → desk      delivered at attempt 2: POST /desk: 1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReceiver(t *testing.T) {
	b := newBoard(&strings.Builder{}, time.Now())
	r, err := newReceiver(b)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	const grid = `[{"id":"e2","eventType":"Microsoft.DigitalTwins.Twin.Update","data":{"data":{"patch":[{"op":"replace","path":"/t","value":2}]},"contenttype":"application/json"}},{"id":"e3","data":{"data":3}}]`
	for _, tt := range []struct {
		path, body string
		header     [2]string
		status     int
		answer     string
	}{
		{"/desk", `{"t": 1}`, [2]string{"ce-id", "e1"}, 200, "{}"},
		{"/alarms", `[{"id":"v","data":{"validationCode":"abc","validationUrl":"x"}}]`, [2]string{"aeg-event-type", "SubscriptionValidation"}, 200, `{"validationResponse":"abc"}`},
		{"/alarms", grid, [2]string{"aeg-event-type", "Notification"}, 200, "{}"},
		{"/alarms", `{}`, [2]string{"aeg-event-type", "Notification"}, 400, "want events"},
		{"/alarms", `[]`, [2]string{"aeg-event-type", "SubscriptionValidation"}, 400, "want events"},
		{"/elsewhere", `[]`, [2]string{"ce-id", "e4"}, 404, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", r.url+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(tt.header[0], tt.header[1])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(answer), tt.answer) {
			t.Errorf("POST %s %s: %s %s, %v", tt.path, tt.body, resp.Status, answer, err)
		}
	}
	want := map[outputKey]string{
		{deskEndpoint, "e1"}:  `POST /desk: {"t":1}`,
		{topicEndpoint, "e2"}: `subscription desk, POST /alarms: /t = 2`,
		{topicEndpoint, "e3"}: `subscription desk, POST /alarms: 3`,
	}
	if diff := cmp.Diff(want, b.outputs); diff != "" {
		t.Errorf("the board was told, -want +got:\n%s", diff)
	}
}

// TestDemo runs the demo with a real gateway until it has shown an arrival at
// every endpoint, as a person would, and then interrupts it. It leaves nothing
// behind.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	// With the race detector the first-party plugins take half a minute to compile.
	ctx, interrupt := context.WithTimeoutCause(t.Context(), 3*time.Minute, errors.New("the demo did not show every endpoint within three minutes"))
	defer interrupt()
	out := &watched{until: []*regexp.Regexp{
		regexp.MustCompile(`→ series +→ hub +partition [0-3]: \{"temperature":[0-9.]+,"\$dtId":"oven-[1-3]"\}`),
		regexp.MustCompile(`→ lines +→ queue +session line-[1-3], message [0-9]+: makes → order-`),
		regexp.MustCompile(`→ lines +→ queue +session line-[1-3], message [0-9]+: /done = `),
		regexp.MustCompile(`→ lines +→ queue +session line-[1-3], message [0-9]+: /speed = `),
		regexp.MustCompile(`→ alarms +→ topic +subscription desk, POST /alarms: \{"machine":"oven-`),
		regexp.MustCompile(`→ hot +→ desk +POST /desk: /temperature = 2[23][0-9]`),
		regexp.MustCompile(`events/s in`),
	}, then: interrupt}
	var stderr strings.Builder
	status := run(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--rate", "200", "--show-every", "20ms"}, app{
		self: "headgate", in: strings.NewReader(""), out: out, err: &stderr,
		env: func(string) (string, bool) { return "", false }, serve: gateway.Run,
	})
	if status != 0 || context.Cause(ctx) != context.Canceled {
		t.Fatalf("status %d, %v\nstdout:\n%s\nstderr:\n%s", status, context.Cause(ctx), out.String(), stderr.String())
	}
	if stderr.Len() > 0 {
		t.Errorf("the demo warns: %s", stderr.String())
	}
	for _, want := range []string{"listening on http://127.0.0.1:", "headgate tail --deliveries --server http://127.0.0.1:", "event hub telemetry Endpoint=sb://127.0.0.1:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDemoPortInUse holds that a demo whose address is taken says so and ends.
func TestDemoPortInUse(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	addr := strings.TrimPrefix(taken.URL, "http://")
	var stderr strings.Builder
	status := run(t.Context(), []string{"demo", "--listen", addr}, app{
		self: "headgate", in: strings.NewReader(""), out: &strings.Builder{}, err: &stderr,
		env: func(string) (string, bool) { return "", false }, serve: gateway.Run,
	})
	if status != exitFailed || !strings.Contains(stderr.String(), addr) {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
	if free := freeAddress(addr); !strings.HasSuffix(free, ":0") {
		t.Errorf("freeAddress(%s) = %s, want a free port", addr, free)
	}
}

// watched collects what is written, and calls then once all of until is in it.
type watched struct {
	strings.Builder
	until []*regexp.Regexp
	then  func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Builder.Write(p)
	w.until = slices.DeleteFunc(w.until, func(want *regexp.Regexp) bool { return want.MatchString(w.String()) })
	if len(w.until) == 0 {
		w.then()
	}
	return n, err
}
