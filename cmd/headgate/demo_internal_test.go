package main // white-box: a command exports nothing

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	failed.Outcome, failed.Error = "transient", "connection\nrefused"
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

func TestLineReader(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	r := newLineReader(file)
	defer r.close()
	var got []string
	read := func() { r.each(func(line []byte) { got = append(got, string(line)) }) }
	read() // there is no file yet
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	long := strings.Repeat("x", 100<<10)
	for _, part := range []string{"one\ntw", "o\nthree\n", long, "\n", ""} {
		if _, err := f.WriteString(part); err != nil {
			t.Fatal(err)
		}
		read()
	}
	if diff := cmp.Diff([]string{"one", "two", "three", long}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReceiver(t *testing.T) {
	b := newBoard(&strings.Builder{}, time.Now())
	r, err := newReceiver(b)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.url, strings.NewReader(`{"t":1}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("ce-id", "e1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("POST: %v, %v", resp, err)
	}
	resp.Body.Close()
	r.close()
	if got := b.outputs[outputKey{deskEndpoint, "e1"}]; got != `POST /desk {"t":1}` {
		t.Errorf("the board was told %q", got)
	}
}

// TestDemo runs the demo with a real gateway until it has shown an event, as a
// person would, and then interrupts it.
func TestDemo(t *testing.T) {
	ctx, interrupt := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("the demo showed nothing for a minute"))
	defer interrupt()
	out := &watched{until: "→ readings  {", then: interrupt}
	var stderr strings.Builder
	status := run(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--rate", "50"}, app{
		self: "headgate", in: strings.NewReader(""), out: out, err: &stderr,
		env: func(string) (string, bool) { return "", false }, serve: gateway.Run,
	})
	if status != 0 || context.Cause(ctx) != context.Canceled {
		t.Fatalf("status %d, %v\nstdout:\n%s\nstderr:\n%s", status, context.Cause(ctx), out.String(), stderr.String())
	}
	for _, want := range []string{"listening on http://127.0.0.1:", "headgate tail --deliveries --server http://127.0.0.1:", "events/s in"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out.String())
		}
	}
	_, rest, _ := strings.Cut(out.String(), "is the file ")
	file, _, _ := strings.Cut(rest, ",")
	if _, err := os.Stat(filepath.Dir(file)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the demo leaves %s behind: %v", filepath.Dir(file), err)
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

// watched collects what is written, and calls then once it holds until.
type watched struct {
	strings.Builder
	until string
	then  func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Builder.Write(p)
	if strings.Contains(w.String(), w.until) {
		w.then()
	}
	return n, err
}
