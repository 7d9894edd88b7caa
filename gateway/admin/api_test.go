package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/store"
)

// kinds are what the sinks would describe.
var kinds = catalog.Kinds{{
	Name: "webhook",
	Validate: func(settings json.RawMessage) error {
		var s struct{ URL string }
		if err := json.Unmarshal(settings, &s); err != nil || s.URL == "" {
			return &catalog.FieldError{Field: "url", Reason: "is required"}
		}
		return nil
	},
	Secrets: []catalog.Secret{{Field: "url", Form: catalog.URL}, {Field: "headers", Form: catalog.Headers}},
}}

// gateway is the real store behind the API's interfaces; what would need an
// engine is held in lists.
type gateway struct {
	*store.Store

	mu      sync.Mutex // guards what follows
	letters []delivery.Kept
	events  []catalog.StoredEvent
	fail    error // what Status returns
	ran     bool  // plugins have done something

	simulation catalog.Simulation
}

func (g *gateway) PutEndpoint(_ context.Context, by admin.Change, e catalog.Endpoint) (stored catalog.Endpoint, isNew bool, err error) {
	err = g.Update(func(tx *store.Tx) error {
		tx.By = by.By
		var old *catalog.Endpoint
		snap := tx.Snapshot()
		if have, ok := snap.Endpoint(e.Name); ok {
			old = &have
		}
		prepared, err := kinds.Prepare(e, old)
		if err != nil {
			return err
		}
		stored, isNew, err = tx.PutEndpoint(prepared, by.If)
		return err
	})
	return stored, isNew, err
}

func (g *gateway) DeleteEndpoint(_ context.Context, by admin.Change, name string) error {
	return g.Update(func(tx *store.Tx) error { return tx.DeleteEndpoint(name, by.If) })
}

func (g *gateway) PutRoute(_ context.Context, by admin.Change, r catalog.Route) (stored catalog.Route, isNew bool, err error) {
	if strings.Contains(r.Filter, "syntax error") {
		return stored, false, &catalog.FieldError{Field: "filter", Reason: "line 1, position 8: unexpected input 'error'"}
	}
	err = g.Update(func(tx *store.Tx) error {
		tx.By = by.By
		if stored, isNew, err = tx.PutRoute(r, by.If); err != nil {
			return err
		}
		snap := tx.Snapshot()
		p, err := snap.Provenance(stored)
		if err != nil {
			return err
		}
		return tx.RecordProvenance(p)
	})
	return stored, isNew, err
}

func (g *gateway) DeleteRoute(_ context.Context, by admin.Change, id string) error {
	return g.Update(func(tx *store.Tx) error { return tx.DeleteRoute(id, by.If) })
}

// TestRoute passes what has the filter as its subject, and doubles it.
func (g *gateway) TestRoute(_ context.Context, r catalog.Route, events []event.Event) ([]catalog.TestResult, error) {
	if strings.Contains(r.Filter, "syntax error") {
		return nil, &catalog.FieldError{Field: "filter", Reason: "line 1, position 8: unexpected input 'error'"}
	}
	snap := g.Snapshot()
	if err := snap.CheckPlugins(r); err != nil {
		return nil, err
	}
	results := make([]catalog.TestResult, len(events))
	for i, e := range events {
		if e.Subject != r.Filter {
			results[i].Why = "subject = " + e.Subject
			continue
		}
		out := catalog.Output{Event: catalog.CloudEvent{Event: e}, Properties: &catalog.Properties{SessionID: e.Subject, TimeToLive: catalog.Duration(time.Minute)}}
		results[i] = catalog.TestResult{Matched: true, Why: "all conditions hold", Outputs: []catalog.Output{out, out}, Fuel: 12, Logs: []string{"hello"}}
	}
	return results, nil
}

func (g *gateway) AddVersion(_ context.Context, by admin.Change, name string, module []byte, dryRun bool) (a catalog.Admitted, isNew bool, err error) {
	if !bytes.HasPrefix(module, []byte("\x00asm")) {
		return a, false, &catalog.FieldError{Reason: "the module is not WebAssembly"}
	}
	a.Report = json.RawMessage(`{"kinds":["filter","transform"],"digest":"sha256:00","size":8,"functions":0,"imports":[],"exports":[],"minMemory":0}`)
	v := catalog.Version{Kinds: []string{"filter", "transform"}, ConfigSchema: json.RawMessage(`{ "type": "object" }`)}
	if dryRun {
		a.Version, a.DryRun = v, true
		a.Name, a.Digest, a.Size = name, catalog.Digest(module), int64(len(module))
		return a, false, nil
	}
	err = g.Update(func(tx *store.Tx) error {
		tx.By = by.By
		a.Version, isNew, err = tx.AddVersion(name, v, module)
		return err
	})
	return a, isNew, err
}

func (g *gateway) PutPluginSettings(_ context.Context, by admin.Change, name string, s catalog.PluginSettings) (p catalog.Plugin, err error) {
	err = g.Update(func(tx *store.Tx) error { p, err = tx.PutPluginSettings(name, s, by.If); return err })
	return p, err
}

const trapID = "trap-20260301T120000.000000000-0123456789ab.json"

func (g *gateway) Traps() ([]catalog.Trap, error) {
	return []catalog.Trap{
		{ID: trapID, Plugin: "tsi@1", Digest: "sha256:00", Kind: "transform", Fault: "trapped", Position: event.Position{Seq: 7}},
		{ID: "other", Plugin: "gate@2", Digest: "sha256:00", Kind: "filter", Fault: "out of fuel"},
	}, nil
}

func (g *gateway) Trap(id string) ([]byte, error) {
	if id != trapID {
		return nil, &catalog.NotFoundError{Kind: "trap", Name: id}
	}
	return []byte(`{"format":"headgate-trap/1"}`), nil
}

func (g *gateway) Activate(_ context.Context, by admin.Change, name string, n int) (p catalog.Plugin, err error) {
	err = g.Update(func(tx *store.Tx) error { p, err = tx.Activate(name, n, by.If); return err })
	return p, err
}

func (g *gateway) DeletePlugin(_ context.Context, by admin.Change, name string, n int) error {
	return g.Update(func(tx *store.Tx) error {
		if n == 0 {
			return tx.DeletePlugin(name, by.If)
		}
		return tx.DeleteVersion(name, n, by.If)
	})
}

func (g *gateway) EndpointHistory(name string) (list []catalog.Revision[catalog.Endpoint], err error) {
	err = g.View(func(tx *store.Tx) error { list, err = tx.EndpointHistory(name); return err })
	return list, err
}

func (g *gateway) RouteHistory(id string) (list []catalog.Revision[catalog.Route], err error) {
	err = g.View(func(tx *store.Tx) error { list, err = tx.RouteHistory(id); return err })
	return list, err
}

func (g *gateway) Audit(limit int) (list []catalog.AuditEntry, err error) {
	err = g.View(func(tx *store.Tx) error { list, err = tx.Audit(limit); return err })
	return list, err
}

func (g *gateway) Provenance(id string) (p catalog.Provenance, err error) {
	err = g.View(func(tx *store.Tx) error { p, err = tx.Provenance(id); return err })
	return p, err
}

func (g *gateway) DeadLetters(_ context.Context, q admin.LetterQuery) (list []delivery.Kept, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.letters {
		if k.Ref.Compare(q.After) > 0 && len(list) < q.Limit &&
			(q.Group == "" || q.Group == "abc") && (q.Endpoint == "" || q.Endpoint == k.Delivery.Endpoint) && (q.Route == "" || q.Route == k.Delivery.Route) {
			list = append(list, k)
		}
	}
	return list, nil
}

func (g *gateway) DeadLetter(_ context.Context, id delivery.Ref) (delivery.Kept, error) {
	for _, k := range g.letters {
		if k.Ref == id {
			return k, nil
		}
	}
	return delivery.Kept{}, &catalog.NotFoundError{Kind: "dead letter", Name: id.String()}
}

func (g *gateway) Redrive(_ context.Context, s catalog.Selection) (catalog.Redriven, error) {
	n, err := g.take(s)
	job := job(n)
	return catalog.Redriven{Redriving: n, Job: &job}, err
}

func job(n int) catalog.RedriveJob {
	return catalog.RedriveJob{
		ID: "r-1", State: catalog.RedriveRunning, Selection: catalog.Selection{All: true}, Total: n, Started: n, Pending: n, StartedAt: time.Unix(5, 0).UTC(),
		Refusals: []catalog.Refusal{{Reason: "no such endpoint", Count: 1, Example: event.Position{Seq: 7}}},
	}
}

func (g *gateway) Redrives() []catalog.RedriveJob { return []catalog.RedriveJob{job(3)} }

func (g *gateway) RedriveJob(id string) (catalog.RedriveJob, error) {
	if id != "r-1" {
		return catalog.RedriveJob{}, &catalog.NotFoundError{Kind: "redrive", Name: id}
	}
	return job(3), nil
}

func (g *gateway) StopRedrive(id string) (catalog.RedriveJob, error) {
	j, err := g.RedriveJob(id)
	j.State, j.EndedAt = catalog.RedriveStopped, time.Unix(6, 0).UTC()
	return j, err
}

func (g *gateway) Preview(_ context.Context, r catalog.PreviewRequest) (catalog.Preview, error) {
	p := catalog.Preview{Items: []catalog.PreviewedLetter{}, Selected: len(g.letters), Counts: map[string]int{}}
	for _, k := range g.letters[:min(len(g.letters), r.Limit)] {
		e := catalog.CloudEvent{Event: k.Delivery.Event}
		p.Counts[catalog.PreviewChanged]++
		p.Items = append(p.Items, catalog.PreviewedLetter{
			ID: k.Ref, Endpoint: k.Delivery.Endpoint, Route: k.Delivery.Route, Reason: k.Reason, Result: catalog.PreviewChanged, Before: &e,
			Outputs: []catalog.Output{{Event: e, Diff: catalog.DiffEvents(&e.Event, k.Delivery.Origin, nil)}},
		})
	}
	return p, nil
}

func (g *gateway) Twin(_ context.Context, q catalog.TwinQuery) (catalog.TwinPage, error) {
	e := event.Event{ID: "1", Source: "s", Type: "t", Subject: q.Key}
	return catalog.TwinPage{
		Key: q.Key, Next: "7-0", Covered: catalog.Covered{Events: q.Limit},
		Items: []catalog.TwinEvent{{
			StoredEvent: catalog.StoredEvent{ID: event.Position{Seq: 7}, Event: catalog.CloudEvent{Event: e}},
			Deliveries:  []catalog.DeliveryReport{{ID: event.Position{Seq: 7}, EventID: "1", Route: "r", Endpoint: "hub", Outcome: "delivered"}},
		}},
		Series: []catalog.TwinSeries{{Path: "/a", Points: []catalog.TwinPoint{{1772366400000, 21.5}}}},
	}, nil
}

func (g *gateway) VersionStats(_ string, version int) *catalog.VersionStats {
	if !g.ran {
		return nil
	}
	return &catalog.VersionStats{Events: uint64(version), P99Micros: 1.5}
}

func (g *gateway) PluginLogs(q admin.LogQuery) (catalog.PluginLogs, error) {
	snap := g.Snapshot()
	if _, ok := snap.Plugin(q.Plugin); !ok {
		return catalog.PluginLogs{}, &catalog.NotFoundError{Kind: "plugin", Name: q.Plugin}
	}
	return catalog.PluginLogs{Dropped: 3, Items: []catalog.PluginLogLine{{
		At: time.Unix(5, 0).UTC(), Version: q.Version, Level: "warn", Text: fmt.Sprint(q.Level, q.Limit), From: "plugin", Position: event.Position{Seq: 7},
	}}}, nil
}

func (g *gateway) TrapGroups() ([]catalog.TrapGroup, error) {
	traps, err := g.Traps()
	group := func(t catalog.Trap) catalog.TrapGroup {
		return catalog.TrapGroup{ID: "g", Plugin: t.Plugin, Digest: t.Digest, Kind: t.Kind, Fault: t.Fault, Count: 1, Latest: t}
	}
	return []catalog.TrapGroup{group(traps[0]), group(traps[1])}, err
}

func (g *gateway) Settings() catalog.Settings {
	return catalog.Settings{Version: "test", Items: []catalog.Setting{{Name: "token", Env: "HEADGATE_TOKEN", Value: "***", Changed: true, Secret: true}}}
}

// entities stand for an emulator's.
type entities struct{}

func (entities) Entities(service, name string, limit int) ([]json.RawMessage, error) {
	if name == "nothing" {
		return nil, nil
	}
	return []json.RawMessage{fmt.Appendf(nil, `{"service":"serviceBus","name":"orders","active":%d}`, limit)}, nil
}

func (g *gateway) LetterGroups(_ context.Context, q admin.GroupQuery) (catalog.LetterGroups, error) {
	out := catalog.LetterGroups{Items: []catalog.LetterGroup{}, Groups: 1, Letters: len(g.letters), Complete: true, Series: catalog.LetterSteps{Steps: q.Steps, StepSeconds: 1.5}}
	for _, k := range g.letters[:min(len(g.letters), 1)] {
		out.Items = append(out.Items, catalog.LetterGroup{
			ID: "abc", Endpoint: k.Delivery.Endpoint, Cause: k.Reason, Example: k.Reason, Count: len(g.letters), First: k.DeadAt, Last: k.DeadAt,
			Routes: []catalog.RouteCount{{ID: k.Delivery.Route, Count: 1}}, Series: make([]int, q.Steps),
		})
	}
	return out, nil
}
func (g *gateway) Purge(_ context.Context, s catalog.Selection) (int, error) { return g.take(s) }

func (g *gateway) take(s catalog.Selection) (int, error) {
	for _, id := range s.IDs {
		if _, err := g.DeadLetter(context.Background(), id); err != nil {
			return 0, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	before := len(g.letters)
	g.letters = slices.DeleteFunc(slices.Clone(g.letters), func(k delivery.Kept) bool {
		return s.All || s.Group == "abc" || s.Endpoint == k.Delivery.Endpoint || slices.Contains(s.IDs, k.Ref)
	})
	return before - len(g.letters), nil
}

func (g *gateway) Simulation() catalog.Simulation { return g.simulation }

func (g *gateway) Simulate(req catalog.SimulationRequest) catalog.Simulation {
	g.simulation = catalog.Simulation{Running: true, Rate: req.Rate, StartedAt: time.Unix(0, 0).UTC(), EndsAt: time.Unix(0, 0).Add(time.Duration(req.For)).UTC()}
	return g.simulation
}

func (g *gateway) StopSimulation() { g.simulation.Running = false }

func (g *gateway) EndpointAttempts(name string, failed bool, limit int) ([]catalog.EndpointAttempt, error) {
	snapshot := g.Snapshot()
	if _, ok := snapshot.Endpoint(name); !ok {
		return nil, &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	made := []catalog.EndpointAttempt{
		{Position: event.Position{Seq: 8, Index: 1}, Route: "all", DeliveryAttempt: catalog.DeliveryAttempt{Attempt: 1, At: time.Unix(9, 0).UTC(), Took: catalog.Duration(time.Millisecond), Outcome: "delivered"}},
		{Position: event.Position{Seq: 7}, Route: "all", DeliveryAttempt: catalog.DeliveryAttempt{Attempt: 2, At: time.Unix(9, 0).UTC(), Outcome: "event", Error: "400"}, Dead: true},
	}
	if failed {
		made = made[1:]
	}
	return made[:min(limit, len(made))], nil
}

func (g *gateway) BlockedKeys(_ context.Context, name string, limit int) (catalog.BlockedKeys, error) {
	snapshot := g.Snapshot()
	if _, ok := snapshot.Endpoint(name); !ok {
		return catalog.BlockedKeys{}, &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	items := []catalog.BlockedKey{
		{Key: "pump-1", Behind: 3, DeliveryName: blocking, Tries: 4, Error: "503", TriedAt: time.Unix(8, 0).UTC(), Next: time.Unix(9, 0).UTC()},
		{DeliveryName: catalog.DeliveryName{Position: event.Position{Seq: 9}, Route: "all", Output: 1}, UnderWay: true, Next: time.Unix(9, 0).UTC(), Note: "it waits"},
	}
	return catalog.BlockedKeys{Items: items[:min(limit, len(items))], Keys: len(items)}, nil
}

// blocking is a delivery that holds up its key.
var blocking = catalog.DeliveryName{Position: event.Position{Seq: 7}, Route: "all"}

func (g *gateway) SkipDelivery(_ context.Context, endpoint string, n catalog.DeliveryName) (catalog.SkippedDelivery, error) {
	switch {
	case n.Position.Seq == 9:
		return catalog.SkippedDelivery{}, &catalog.UnderWayError{What: n.String()}
	case n != blocking:
		return catalog.SkippedDelivery{}, &catalog.NotFoundError{Kind: "delivery that holds up its key", Name: n.String()}
	}
	return catalog.SkippedDelivery{Endpoint: endpoint, DeliveryName: n, Reason: "skipped by hand"}, nil
}

func (g *gateway) RetryEndpoint(name string) (catalog.Retried, error) {
	snapshot := g.Snapshot()
	if _, ok := snapshot.Endpoint(name); !ok {
		return catalog.Retried{}, &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	return catalog.Retried{Endpoint: name, Retrying: 4}, nil
}

func (g *gateway) ProbeEndpoint(_ context.Context, name string, send bool) (catalog.Probed, error) {
	snapshot := g.Snapshot()
	if _, ok := snapshot.Endpoint(name); !ok {
		return catalog.Probed{}, &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	if send {
		return catalog.Probed{OK: true, Said: "it took it", TookMs: 3, EventID: "7F3A"}, nil
	}
	return catalog.Probed{OK: true, Said: "it is there", TookMs: 3}, nil
}

func (g *gateway) Replay(_ context.Context, endpoint string, from catalog.Bound) (catalog.Replay, error) {
	if snapshot := g.Snapshot(); !slices.ContainsFunc(snapshot.Endpoints, func(e catalog.Endpoint) bool { return e.Name == endpoint }) {
		return catalog.Replay{}, &catalog.NotFoundError{Kind: "endpoint", Name: endpoint}
	}
	return catalog.Replay{Endpoint: endpoint, From: from.Position, AcceptedAt: time.Unix(7, 0).UTC(), Truncated: from.Position.Seq < 5}, nil
}

func (g *gateway) Scan(_ context.Context, q catalog.EventQuery) (p catalog.EventPage, err error) {
	for _, e := range g.events {
		if e.ID.Compare(q.After) <= 0 {
			continue
		}
		p.Covered.Events++
		p.Covered.To = e.ID.String()
		if q.Matches(&e.Event.Event) {
			p.Items = append(p.Items, e)
		}
		if len(p.Items) == q.Limit {
			p.Next = e.ID.String()
			return p, nil
		}
	}
	p.Covered.Complete = true
	return p, nil
}

func (g *gateway) Event(_ context.Context, id event.Position) (catalog.StoredEvent, error) {
	for _, e := range g.events {
		if e.ID == id {
			return e, nil
		}
	}
	return catalog.StoredEvent{}, &catalog.NotFoundError{Kind: "event", Name: id.String()}
}

func (g *gateway) Status(context.Context) (catalog.Status, error) {
	snap := g.Snapshot()
	return catalog.Status{
		State: catalog.Failing, Reason: "hub is failing: 401 unauthorised", Version: "test", StartedAt: time.Unix(0, 0).UTC(),
		Revision: snap.Revision, Routes: len(snap.Routes), Plugins: len(snap.Plugins),
		Endpoints: []catalog.EndpointStatus{{Name: "hub", Kind: "webhook", State: catalog.Failing, Since: time.Unix(5, 0).UTC(), Backlog: 3}},
	}, g.fail
}

func (g *gateway) Rates(_ context.Context, q catalog.RatesQuery) (catalog.Rates, error) {
	if q.Step%(10*time.Second) != 0 {
		return catalog.Rates{}, &catalog.FieldError{Field: "step", Reason: "want a multiple of 10s"}
	}
	series := catalog.Series{-1, 3}
	return catalog.Rates{
		StepSeconds: 10, Gateway: catalog.GatewayRates{In: series, Delivered: series, Failed: series, Dead: series, Waiting: series},
		Routes:    []catalog.RouteRates{{ID: fmt.Sprint(q.Routes, q.Top), Evaluated: series, Matched: series, Outputs: series, Errors: series}},
		Endpoints: []catalog.EndpointRates{{Name: fmt.Sprint(q.Endpoints), Delivered: series, Failed: series, Dead: series, Backlog: series, Retrying: series}},
		Sources:   []catalog.SourceRates{{Name: "s", Received: series}},
	}, nil
}

func (g *gateway) FollowRates(q catalog.RatesQuery) func() catalog.RatesTick {
	n := uint64(0)
	return func() catalog.RatesTick {
		n++
		return catalog.RatesTick{
			Seconds: 0.25, Gateway: catalog.GatewayTick{In: n},
			Routes: map[string][4]uint64{"r": {4, 3, 2, 1}}, Endpoints: map[string][5]uint64{"e": {1, 2, 3, 4, 5}}, Sources: map[string]uint64{"s": 7},
		}
	}
}

// server is the API over a fresh store, with a client whose every request and
// answer is held against the OpenAPI document.
type server struct {
	*gateway
	url  string
	tail *admin.Tail
	api  *client.Client
	http *http.Client
}

func serve(t testing.TB) *server { return serveWith(t, admin.Options{Heartbeat: time.Hour}) }

func serveWith(t testing.TB, o admin.Options) *server {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "catalog.db"))
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Store: s}
	tail := admin.NewTail()
	var emulated admin.Emulator
	if o.Heartbeat == time.Hour {
		emulated = entities{} // the usual server has one
	}
	o.SourceKinds = sourceKinds
	o.Actor = func(*http.Request) string { return "tester" }
	api := admin.New(admin.Backend{
		Catalog: g, Endpoints: g, Sources: g, Routes: g, Tester: g, Filters: g, Explainer: g, Plugins: g, History: g, Origins: g,
		Modules: g, Plans: g,
		Letters: g, Redrives: g, Replays: g, Traps: g, Events: g, Status: g, Tail: tail,
		Rates: g, LetterGroups: g, RedriveJobs: g, Previews: g, Twins: g, PluginLooks: g, Settings: g, Simulations: g, Emulator: emulated,
	}, kinds, o)
	e := echo.New()
	api.Mount(e.Group("/api/v1"))
	ts := httptest.NewServer(e)
	t.Cleanup(func() {
		tail.Close()
		ts.Close()
		if err := errors.Join(s.Check(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	h := &http.Client{Transport: &conforming{t: t, next: ts.Client().Transport, router: document(t)}}
	c, err := client.New(ts.URL, client.Options{HTTP: h, Token: "t0ken"})
	if err != nil {
		t.Fatal(err)
	}
	return &server{gateway: g, url: ts.URL, tail: tail, api: c, http: h}
}

// document loads the OpenAPI document and closes its objects, so that an
// answer with an undocumented member fails the test.
func document(t testing.TB) routers.Router {
	t.Helper()
	openapi3filter.RegisterBodyDecoder("application/wasm", openapi3filter.FileBodyDecoder)
	doc, err := openapi3.NewLoader().LoadFromData(admin.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed := false
	for _, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 && s.Value.AdditionalProperties.Has == nil {
			s.Value.AdditionalProperties.Has = &closed
		}
	}
	// This router knows no path with something behind a parameter.
	for _, kind := range []string{"/endpoints", "/sources"} {
		doc.Paths.Set(kind+"/{name}/:test", doc.Paths.Value(kind+"/{name}:test"))
		doc.Paths.Delete(kind + "/{name}:test")
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// conforming fails the test when a request that the server took, or an answer
// of its, is not what the document says.
type conforming struct {
	t      testing.TB
	next   http.RoundTripper
	router routers.Router
}

func (c *conforming) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	local := r.Clone(r.Context())
	local.URL.Scheme, local.URL.Host, local.Host = "", "", ""
	if name, ok := strings.CutSuffix(local.URL.Path, ":test"); ok && (strings.Contains(name, "/endpoints/") || strings.Contains(name, "/sources/")) {
		local.URL.Path = name + "/:test"
	}
	local.Body = io.NopCloser(bytes.NewReader(sent))
	route, params, err := c.router.FindRoute(local)
	if err != nil {
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed && r.Method != http.MethodHead && r.Method != http.MethodOptions {
			c.t.Errorf("%s %s answered %d and is not documented: %v", r.Method, r.URL.Path, resp.StatusCode, err)
		}
		return resp, nil
	}
	in := &openapi3filter.RequestValidationInput{
		Request: local, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	if resp.StatusCode < 300 {
		if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
			c.t.Errorf("%s %s: request that was taken: %v", r.Method, r.URL, err)
		}
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Options: in.Options,
	}
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(b))
		out.SetBodyBytes(b)
		if err := openapi3filter.ValidateResponse(r.Context(), out); err != nil {
			c.t.Errorf("%s %s: answer %d %s: %v", r.Method, r.URL, resp.StatusCode, b, err)
		}
	}
	return resp, nil
}

// do sends a request as a script would; headers are "Name: value".
func (s *server) do(t testing.TB, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// want sends a request and demands the status; it returns the body.
func (s *server) want(t testing.TB, status int, method, path, body string, headers ...string) string {
	t.Helper()
	resp, got := s.do(t, method, path, body, headers...)
	if resp.StatusCode != status {
		t.Fatalf("%s %s = %d %s, want %d", method, path, resp.StatusCode, got, status)
	}
	if status >= 400 && resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s: Content-Type = %q", method, path, resp.Header.Get("Content-Type"))
	}
	return got
}

const hubBody = `{"kind":"webhook","settings":{"url":"http://127.0.0.1:1/hook"}}`

// seed makes the endpoint hub, the plugin tsi in two versions, and the route r.
func (s *server) seed(t testing.TB) {
	t.Helper()
	s.want(t, 201, "PUT", "/endpoints/hub", hubBody)
	s.want(t, 201, "POST", "/plugins/tsi/versions", "\x00asm one", "Content-Type: application/wasm")
	s.want(t, 201, "POST", "/plugins/tsi/versions", "\x00asm two", "Content-Type: application/wasm")
	s.want(t, 201, "PUT", "/routes/r", `{"endpointName":"hub","transforms":[{"plugin":"tsi"}]}`)
}

func sample(id, subject string) event.Event {
	return event.Event{ID: id, Source: "s", Type: "t", Subject: subject, DataContentType: "application/json", Data: []byte(`{"a": "<1>"}`)}
}

func letter(n uint64, endpoint string) delivery.Kept {
	origin := sample(fmt.Sprint("o", n), "room")
	return delivery.Kept{Ref: event.Position{Seq: n}, DeadLetter: delivery.DeadLetter{
		Delivery: delivery.Delivery{
			Event: sample(fmt.Sprint(n), "room"), Origin: &origin, Endpoint: endpoint, Route: "r", Position: event.Position{Seq: n, Index: 1},
			Key: "room", Accepted: time.Unix(1, 0).UTC(), Attempts: 2,
			Properties: delivery.Properties{SessionID: "room", Application: []delivery.Property{{Name: "a", Value: "b"}}},
			History:    []delivery.Attempt{{At: time.Unix(2, 0).UTC(), Error: "410 gone"}},
		},
		Reason: "400 bad request", DeadAt: time.Unix(3, 0).UTC(),
	}}
}

// Every path that is mounted is documented, and the other way round.
func TestDocumentListsEveryPath(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(admin.OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for path, ops := range doc.Paths {
		for method := range ops {
			documented[strings.ToUpper(method)+" "+path] = true
		}
	}
	e := echo.New()
	admin.New(admin.Backend{}, nil, admin.Options{}).Mount(e.Group("/api/v1"))
	for _, r := range e.Routes() {
		if r.Name == "refusal" || r.Method == http.MethodHead {
			continue
		}
		var segments []string
		for _, s := range strings.Split(strings.TrimPrefix(strings.ReplaceAll(r.Path, `\:`, "\x00"), "/api/v1"), "/") {
			if name, ok := strings.CutPrefix(s, ":"); ok {
				s = "{" + name + "}"
			}
			segments = append(segments, strings.ReplaceAll(s, "\x00", ":"))
		}
		key := r.Method + " " + strings.Join(segments, "/")
		if key == "POST /endpoints/{name}" || key == "POST /sources/{name}" {
			key += ":test" // the router takes what is behind a name for a part of it
		}
		if !documented[key] {
			t.Errorf("%s is mounted and not documented", key)
		}
		delete(documented, key)
	}
	for key := range documented {
		if _, path, _ := strings.Cut(key, " "); path == "/session" {
			continue // the lock itself serves it
		}
		t.Errorf("%s is documented and not mounted", key)
	}
}
