package admin_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/event"
)

// The client and the server are held against each other, and both against the
// OpenAPI document.
func TestClientResources(t *testing.T) {
	s := serve(t)
	ctx, none := t.Context(), catalog.Precondition{}

	e, isNew, err := s.api.PutEndpoint(ctx, catalog.Endpoint{Name: "hub", Kind: "webhook", Settings: json.RawMessage(`{"url":"http://h/?sig=1"}`)}, none)
	if err != nil || !isNew || e.Delivery != catalog.DefaultDelivery() || string(e.Settings) != `{"url":"http://h/?sig=***"}` {
		t.Fatalf("PutEndpoint = %+v, %v, %v", e, isNew, err)
	}
	if got, err := s.api.Endpoint(ctx, "hub"); err != nil || !cmp.Equal(e, got) {
		t.Errorf("Endpoint = %+v, %v", got, err)
	}
	var sent []int64
	v, isNew, err := s.api.Upload(ctx, "tsi", strings.NewReader("\x00asm one"), 8, func(n int64) { sent = append(sent, n) })
	if err != nil || !isNew || v.Version.Version != 1 || len(v.Report) == 0 || len(sent) == 0 || sent[len(sent)-1] != 8 {
		t.Errorf("Upload = %+v, %v, %v, progress %v", v, isNew, err, sent)
	}
	if _, _, err := s.api.Upload(ctx, "tsi", strings.NewReader("\x00asm two"), -1, nil); err != nil {
		t.Errorf("Upload without a size: %v", err)
	}
	r, isNew, err := s.api.PutRouteJSON(ctx, "a b%41", json.RawMessage(`{"endpointName":"hub","transforms":[{"plugin":"tsi"}]}`), catalog.Precondition{Absent: true})
	if err != nil || !isNew || r.ID != "a b%41" || !r.Enabled {
		t.Fatalf("PutRouteJSON = %+v, %v, %v", r, isNew, err)
	}
	r.Filter = "false"
	r2, isNew, err := s.api.PutRoute(ctx, r, catalog.Precondition{Revisions: []uint64{r.Revision}})
	if err != nil || isNew || r2.Filter != "false" || r2.Revision == r.Revision {
		t.Errorf("PutRoute = %+v, %v, %v", r2, isNew, err)
	}
	if _, _, err := s.api.PutRoute(ctx, r, catalog.Precondition{Revisions: []uint64{r.Revision}}); !errors.Is(err, catalog.ErrConflict) {
		t.Errorf("PutRoute with an old revision = %v, want ErrConflict", err)
	}
	if p, err := s.api.Activate(ctx, "tsi", 2, none); err != nil || p.Active != 2 {
		t.Errorf("Activate = %+v, %v", p, err)
	}
	if err := s.api.DeletePlugin(ctx, "tsi", 0, none); !errors.Is(err, catalog.ErrInUse) {
		t.Errorf("DeletePlugin = %v, want ErrInUse", err)
	}
	if err := s.api.DeletePlugin(ctx, "tsi", 1, none); err != nil {
		t.Errorf("DeletePlugin of a version: %v", err)
	}
	if p, err := s.api.Plugin(ctx, "tsi"); err != nil || len(p.Versions) != 1 {
		t.Errorf("Plugin = %+v, %v", p, err)
	}
	if h, err := s.api.RouteHistory(ctx, r.ID); err != nil || len(h) != 2 || h[0].State.Filter != "false" {
		t.Errorf("RouteHistory = %+v, %v", h, err)
	}
	if h, err := s.api.EndpointHistory(ctx, "hub"); err != nil || len(h) != 1 {
		t.Errorf("EndpointHistory = %+v, %v", h, err)
	}
	if a, err := s.api.Audit(ctx, 2); err != nil || len(a) != 2 {
		t.Errorf("Audit = %+v, %v", a, err)
	}
	if err := s.api.DeleteRoute(ctx, r.ID, none); err != nil {
		t.Errorf("DeleteRoute: %v", err)
	}
	if err := s.api.DeleteEndpoint(ctx, "hub", none); err != nil {
		t.Errorf("DeleteEndpoint: %v", err)
	}
	_, err = s.api.Endpoint(ctx, "hub")
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 404 || !errors.Is(err, catalog.ErrNotFound) || p.Error() != `there is no endpoint "hub"` {
		t.Errorf("Endpoint = %v, want a Problem", err)
	}
	if st, err := s.api.Status(ctx); err != nil || st.State != catalog.Failing {
		t.Errorf("Status = %+v, %v", st, err)
	}
}

func TestClientLists(t *testing.T) {
	s := serve(t)
	s.seed(t)
	for i := range 1200 { // more than two pages of the client's
		s.letters = append(s.letters, letter(uint64(i+1), "hub"))
	}
	s.letters = append(s.letters, letter(2000, "other"))
	n := 0
	for l, err := range s.api.DeadLetters(t.Context(), "hub", "r") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; l.ID.Seq != uint64(n) || l.Endpoint != "hub" || l.Properties.SessionID != "room" || l.Origin == nil || l.Attempts != 2 {
			t.Fatalf("letter %d = %+v", n, l)
		}
	}
	if n != 1200 {
		t.Errorf("%d letters, want 1200", n)
	}
	for e, err := range s.api.Endpoints(t.Context()) {
		if err != nil || e.Name != "hub" {
			t.Errorf("Endpoints yields %+v, %v", e, err)
		}
	}
	for p, err := range s.api.Plugins(t.Context()) {
		if err != nil || p.Name != "tsi" {
			t.Errorf("Plugins yields %+v, %v", p, err)
		}
	}
	for r, err := range s.api.Routes(t.Context()) {
		if err != nil || r.ID != "r" {
			t.Errorf("Routes yields %+v, %v", r, err)
		}
	}
}

func TestClientPlugins(t *testing.T) {
	s := serve(t)
	s.seed(t)
	ctx := t.Context()
	v, err := s.api.TryUpload(ctx, "fresh", strings.NewReader("\x00asm dry"), -1, nil)
	if err != nil || !v.DryRun || v.Version.Version != 0 || v.Name != "fresh" || len(v.Report) == 0 {
		t.Errorf("TryUpload = %+v, %v", v, err)
	}
	if _, err := s.api.Plugin(ctx, "fresh"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("after a dry run: %v, want ErrNotFound", err)
	}
	settings := catalog.PluginSettings{
		Limits: map[string]json.RawMessage{"eventFuel": json.RawMessage("7")}, Grants: []string{"clock"},
		Breaker: &catalog.Breaker{Pause: catalog.Duration(time.Second), OnOpen: catalog.OnOpenWait},
	}
	before, err := s.api.Plugin(ctx, "tsi")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.api.PutPluginSettings(ctx, "tsi", settings, catalog.Precondition{Revisions: []uint64{before.Revision}})
	if err != nil || !p.PluginSettings.Same(settings) || p.Revision == before.Revision || len(p.Versions) != len(before.Versions) {
		t.Errorf("PutPluginSettings = %+v, %v", p, err)
	}
	if again, err := s.api.Plugin(ctx, "tsi"); err != nil || !cmp.Equal(p, again) {
		t.Errorf("Plugin = %+v, %v, want %+v", again, err, p)
	}
	if _, err := s.api.PutPluginSettings(ctx, "tsi", settings, catalog.Precondition{Revisions: []uint64{before.Revision}}); !errors.Is(err, catalog.ErrConflict) {
		t.Errorf("settings for an old revision: %v, want ErrConflict", err)
	}
	if _, err := s.api.PutPluginSettings(ctx, "nowhere", settings, catalog.Precondition{}); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("settings of no plugin: %v, want ErrNotFound", err)
	}
	for name, want := range map[string]int{"": 2, "tsi": 1, "nowhere": 0} {
		if traps, err := s.api.Traps(ctx, name); err != nil || len(traps) != want {
			t.Errorf("Traps of %q = %+v, %v", name, traps, err)
		}
	}
	if bundle, err := s.api.Trap(ctx, trapID); err != nil || string(bundle) != `{"format":"headgate-trap/1"}` {
		t.Errorf("Trap = %s, %v", bundle, err)
	}
	if _, err := s.api.Trap(ctx, "../x"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("Trap of no such id: %v, want ErrNotFound", err)
	}
}

func TestClientTestsEndpoints(t *testing.T) {
	s := serve(t)
	s.seed(t)
	if got, err := s.api.TestEndpoint(t.Context(), "hub", false); err != nil || got != (catalog.Probed{OK: true, Said: "it is there", TookMs: 3}) {
		t.Errorf("TestEndpoint = %+v, %v", got, err)
	}
	if got, err := s.api.TestEndpoint(t.Context(), "hub", true); err != nil || got != (catalog.Probed{OK: true, Said: "it took it", TookMs: 3, EventID: "7F3A"}) {
		t.Errorf("TestEndpoint with an event = %+v, %v", got, err)
	}
	if _, err := s.api.TestEndpoint(t.Context(), "nowhere", false); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("TestEndpoint of an unknown one: %v, want ErrNotFound", err)
	}
}

func TestClientBlockedKeys(t *testing.T) {
	s := serve(t)
	s.seed(t)
	ctx := t.Context()
	if got, err := s.api.BlockedKeys(ctx, "hub", 1); err != nil || len(got.Items) != 1 || got.Keys != 2 || got.Items[0].DeliveryName != blocking {
		t.Errorf("BlockedKeys = %+v, %v", got, err)
	}
	if got, err := s.api.SkipDelivery(ctx, "hub", blocking); err != nil || got.Reason != "skipped by hand" || got.DeliveryName != blocking {
		t.Errorf("SkipDelivery = %+v, %v", got, err)
	}
	if _, err := s.api.SkipDelivery(ctx, "hub", catalog.DeliveryName{Position: event.Position{Seq: 8}, Route: "all"}); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("SkipDelivery of what holds up nothing: %v, want ErrNotFound", err)
	}
	if _, err := s.api.SkipDelivery(ctx, "hub", catalog.DeliveryName{Position: event.Position{Seq: 9}, Route: "all"}); !errors.Is(err, catalog.ErrInUse) {
		t.Errorf("SkipDelivery of what is being tried: %v, want ErrInUse", err)
	}
	if got, err := s.api.RetryEndpoint(ctx, "hub"); err != nil || got != (catalog.Retried{Endpoint: "hub", Retrying: 4}) {
		t.Errorf("RetryEndpoint = %+v, %v", got, err)
	}
	for what, err := range map[string]error{
		"keys":    second(s.api.BlockedKeys(ctx, "nowhere", 1)),
		"retries": second(s.api.RetryEndpoint(ctx, "nowhere")),
	} {
		if !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("the %s of no endpoint: %v, want ErrNotFound", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestClientReplay(t *testing.T) {
	s := serve(t)
	s.seed(t)
	for from, truncated := range map[uint64]bool{1: true, 7: false} {
		p := event.Position{Seq: from, Index: 2}
		got, err := s.api.Replay(t.Context(), "hub", catalog.Bound{Position: p})
		if err != nil || got != (catalog.Replay{Endpoint: "hub", From: p, AcceptedAt: time.Unix(7, 0).UTC(), Truncated: truncated}) {
			t.Errorf("Replay from %s = %+v, %v", p, got, err)
		}
	}
	if _, err := s.api.Replay(t.Context(), "nowhere", catalog.Bound{Time: time.Now()}); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("Replay of an unknown endpoint: %v, want ErrNotFound", err)
	}
}

func TestClientLetters(t *testing.T) {
	s := serve(t)
	for i := range uint64(6) {
		s.letters = append(s.letters, letter(i+1, []string{"hub", "other"}[i%2]))
	}
	ctx := t.Context()
	if l, err := s.api.DeadLetter(ctx, event.Position{Seq: 2}); err != nil || l.Endpoint != "other" || l.Reason != "400 bad request" {
		t.Errorf("DeadLetter = %+v, %v", l, err)
	}
	if done, err := s.api.Redrive(ctx, catalog.Selection{IDs: []event.Position{{Seq: 1}, {Seq: 9}}}); !errors.Is(err, catalog.ErrNotFound) || done.Redriving != 0 {
		t.Errorf("Redrive with an unknown id = %+v, %v, want ErrNotFound", done, err)
	}
	if done, err := s.api.Redrive(ctx, catalog.Selection{Endpoint: "hub"}); err != nil || done.Redriving != 3 {
		t.Errorf("Redrive of hub = %+v, %v, want 3", done, err)
	}
	if n, err := s.api.Purge(ctx, catalog.Selection{IDs: []event.Position{{Seq: 2}}}); err != nil || n != 1 {
		t.Errorf("Purge of one = %d, %v", n, err)
	}
	if n, err := s.api.Purge(ctx, catalog.Selection{All: true}); err != nil || n != 2 {
		t.Errorf("Purge of all = %d, %v", n, err)
	}
}

// A page of heavy letters ends early and says where it goes on.
func TestHeavyLetters(t *testing.T) {
	s := serve(t)
	for i := range uint64(20) {
		l := letter(i+1, "hub")
		l.Delivery.Event.Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
		s.letters = append(s.letters, l)
	}
	var p struct {
		Items []struct{ ID string }
		Next  string
	}
	if err := json.Unmarshal([]byte(s.want(t, 200, "GET", "/dead-letters", "")), &p); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Items); n >= 20 || p.Next != p.Items[n-1].ID {
		t.Errorf("page holds %d letters, next %q", n, p.Next)
	}
}

func TestClientEvents(t *testing.T) {
	s := serve(t)
	for i := range uint64(5) {
		s.events = append(s.events, catalog.StoredEvent{ID: event.Position{Seq: i + 1}, Event: catalog.CloudEvent{Event: sample("e", []string{"room", "hall"}[i%2])}})
	}
	ctx, q := t.Context(), catalog.EventQuery{Subject: "room", Limit: 2, From: catalog.Bound{Position: event.Position{Seq: 1}}}
	p, err := s.api.Events(ctx, q)
	if err != nil || len(p.Items) != 2 || p.Next != "3-0" || p.Covered.Complete {
		t.Fatalf("Events = %+v, %v", p, err)
	}
	if q.After, err = event.ParsePosition(p.Next); err != nil {
		t.Fatal(err)
	}
	if p, err = s.api.Events(ctx, q); err != nil || len(p.Items) != 1 || p.Next != "" || !p.Covered.Complete {
		t.Errorf("second page = %+v, %v", p, err)
	}
	if e, err := s.api.Event(ctx, event.Position{Seq: 2}); err != nil || e.Event.Subject != "hall" {
		t.Errorf("Event = %+v, %v", e, err)
	}
	results, err := s.api.TestRoute(ctx, json.RawMessage(`{"filter":"room"}`), []json.RawMessage{[]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"room"}`)})
	if err != nil || len(results) != 1 || !results[0].Matched || results[0].Outputs[1].Properties.SessionID != "room" {
		t.Errorf("TestRoute = %+v, %v", results, err)
	}
}
