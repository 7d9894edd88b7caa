package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/store"
)

var errRolledBack = errors.New("rolled back")

// wish puts the documents of req in a transaction, in their order.
func (g *gateway) wish(tx *store.Tx, by admin.Change, req catalog.ApplyRequest) (catalog.Planned, error) {
	before := tx.Snapshot()
	p := catalog.Planned{Revision: before.Revision}
	if want := by.If.Revisions; want != nil && !slices.Contains(want, before.Revision) || req.Revision != nil && *req.Revision != before.Revision {
		return p, &catalog.ConflictError{Kind: "catalog", Have: before.Revision}
	}
	for _, d := range req.Documents {
		var err error
		switch {
		case d.Endpoint != nil:
			_, _, err = tx.PutEndpoint(*d.Endpoint, catalog.Precondition{})
		case d.Route != nil:
			_, _, err = tx.PutRoute(*d.Route, catalog.Precondition{})
		}
		if err != nil {
			return p, err
		}
		p.Changes = append(p.Changes, catalog.PlannedChange{Kind: d.Kind, Name: d.Name, Action: catalog.ActionCreate, Diff: catalog.Diff(nil, d.Spec)})
	}
	after := tx.Snapshot()
	p.Revision = after.Revision
	return p, nil
}

func (g *gateway) PlanCatalog(_ context.Context, by admin.Change, req catalog.ApplyRequest) (p catalog.Planned, err error) {
	err = g.Update(func(tx *store.Tx) error {
		if p, err = g.wish(tx, by, req); err != nil {
			return err
		}
		return errRolledBack
	})
	if !errors.Is(err, errRolledBack) {
		return p, err
	}
	result := &catalog.TestResult{Why: "no", Outputs: []catalog.Output{}}
	p.Traffic = &catalog.Traffic{Events: req.Events, Routes: []catalog.RouteTraffic{{
		Route: "r", After: &catalog.RouteSide{Endpoint: "hub", Matched: 1}, Gained: 1,
		Examples: []catalog.TrafficExample{{What: catalog.ExampleGained, ID: event.Position{Seq: 1}, Type: "t", After: result}},
	}}}
	return p, nil
}

func (g *gateway) ApplyCatalog(_ context.Context, by admin.Change, req catalog.ApplyRequest) (p catalog.Planned, err error) {
	err = g.Update(func(tx *store.Tx) error { p, err = g.wish(tx, by, req); return err })
	return p, err
}

func (g *gateway) Documents() ([]catalog.Document, uint64) {
	snap := g.Snapshot()
	docs := []catalog.Document{}
	for _, e := range snap.Endpoints {
		docs = append(docs, catalog.NewEndpointDocument(kinds.Mask(e)))
	}
	for _, r := range snap.Routes {
		docs = append(docs, catalog.NewRouteDocument(r))
	}
	return docs, snap.Revision
}

func (g *gateway) Module(digest string) (module []byte, err error) {
	err = g.View(func(tx *store.Tx) error { module, err = tx.Module(digest); return err })
	return module, err
}

const hubAndRoute = `{"kind":"Endpoint","name":"hub","spec":` + hubBody + `},{"kind":"Route","name":"r","spec":{"endpointName":"hub","filter":"room"}}`

func TestCatalog(t *testing.T) {
	s := serve(t)
	if body := s.want(t, 200, "GET", "/catalog", ""); body != "{\"documents\":[],\"revision\":0}\n" {
		t.Errorf("an empty catalog is %s", body)
	}
	s.want(t, 200, "POST", "/catalog:plan", `{"documents":[`+hubAndRoute+`],"events":5}`)
	if snap := s.Snapshot(); len(snap.Endpoints) != 0 {
		t.Error("a plan changed the catalog")
	}
	resp, _ := s.do(t, "POST", "/catalog:apply", `{"documents":[`+hubAndRoute+`],"revision":0}`)
	if tag := resp.Header.Get("ETag"); resp.StatusCode != 200 || tag != `"1"` {
		t.Fatalf("apply = %d, ETag %s", resp.StatusCode, tag)
	}
	s.want(t, 412, "POST", "/catalog:apply", `{"documents":[],"revision":0}`)
	s.want(t, 412, "POST", "/catalog:apply", `{"documents":[]}`, `If-Match: "0"`)
	s.want(t, 200, "POST", "/catalog:apply", `{"documents":[]}`, `If-Match: "1"`)
	docs, revision, err := s.api.Documents(t.Context())
	if err != nil || revision != 1 || len(docs) != 2 {
		t.Fatalf("Documents = %v at %d, %v", docs, revision, err)
	}
	// What is exported can be applied, and changes nothing.
	again, err := s.api.Apply(t.Context(), client.Change{Documents: encoded(t, docs), Revision: &revision})
	if err != nil || again.Revision != 1 {
		t.Errorf("applied again: revision %d, %v", again.Revision, err)
	}
}

func encoded(t *testing.T, docs []catalog.Document) (all []json.RawMessage) {
	for _, d := range docs {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func TestCatalogFaults(t *testing.T) {
	s := serve(t)
	doc := func(kind, name, spec string) string {
		return `{"kind":"` + kind + `","name":"` + name + `","spec":` + spec + `}`
	}
	tests := []struct {
		name, body string
		fields     []string
	}{
		{"no documents", `{}`, []string{"documents"}},
		{"unknown member", `{"documents":[],"purge":true}`, []string{"purge"}},
		{"too many events", `{"documents":[],"events":10001}`, []string{"events"}},
		{"negative events", `{"documents":[],"events":-1}`, []string{"events"}},
		{"module of another digest", `{"documents":[],"modules":{"sha256:00":"AA=="}}`, []string{"modules.sha256:00"}},
		{"module that is no base64", `{"documents":[],"modules":{"sha256:00":"?"}}`, []string{"modules"}},
		{"two faults in two documents", `{"documents":[` + doc("Route", "a", `{}`) + `,` + doc("Endpoint", "b", `{"kind":"webhook","delivery":{"maxAge":7}}`) + `]}`,
			[]string{"documents[0].spec.endpointName", "documents[1].spec.delivery.maxAge"}},
		{"kind that is none", `{"documents":[` + doc("Rule", "a", `{}`) + `]}`, []string{"documents[0].kind"}},
		{"name that is none", `{"documents":[` + doc("Endpoint", "a b", `{}`) + `]}`, []string{"documents[0].name"}},
		{"no spec", `{"documents":[{"kind":"Route","name":"a"}]}`, []string{"documents[0].spec"}},
		{"another version", `{"documents":[{"apiVersion":"headgate/v9","kind":"Route","name":"a","spec":{}}]}`, []string{"documents[0].apiVersion"}},
		{"two that claim a name", `{"documents":[` + hubAndRoute + `,` + doc("Route", "r", `{"endpointName":"hub"}`) + `]}`, []string{"documents[2].name"}},
		{"plugin without a digest", `{"documents":[` + doc("Plugin", "p", `{"file":"p.wasm"}`) + `]}`, []string{"documents[0].spec.sha256"}},
		{"plugin with half a digest", `{"documents":[` + doc("Plugin", "p", `{"sha256":"abc"}`) + `]}`, []string{"documents[0].spec.sha256"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/catalog:plan", "/catalog:apply"} {
				var p client.Problem
				if err := json.Unmarshal([]byte(s.want(t, 400, "POST", path, tt.body)), &p); err != nil {
					t.Fatal(err)
				}
				fields := []string{p.Field}
				for i, f := range p.Errors {
					if i == 0 {
						fields = nil
					}
					fields = append(fields, f.Field)
				}
				if diff := cmp.Diff(tt.fields, fields); diff != "" {
					t.Errorf("%s: fields (-want +got):\n%s\n%s", path, diff, p.Detail)
				}
			}
		})
	}
}

func TestModule(t *testing.T) {
	s := serve(t)
	s.seed(t)
	module, err := s.api.Module(t.Context(), "tsi", 2)
	if err != nil || string(module) != "\x00asm two" {
		t.Errorf("Module = %q, %v", module, err)
	}
	s.want(t, 404, "GET", "/plugins/tsi/versions/9/module", "")
	s.want(t, 404, "GET", "/plugins/none/versions/1/module", "")
}

func TestSchema(t *testing.T) {
	s := serveWith(t, admin.Options{Schema: []byte(`{"$id":"x"}`)})
	if body := s.want(t, 200, "GET", "/schema.json", ""); !strings.Contains(body, `"$id"`) {
		t.Errorf("schema = %s", body)
	}
}
