package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/store"
)

// sourceKinds are what the sources would describe.
var sourceKinds = catalog.SourceKinds{{
	Name: "serviceBus",
	Validate: func(settings json.RawMessage) error {
		var s struct{ EntityPath string }
		if err := json.Unmarshal(settings, &s); err != nil || s.EntityPath == "" {
			return &catalog.FieldError{Field: "entityPath", Reason: "is required"}
		}
		return nil
	},
	Secrets: []catalog.Secret{{Field: "connectionString", Form: catalog.ConnectionString}},
}}

func (g *gateway) PutSource(_ context.Context, by admin.Change, s catalog.Source) (stored catalog.Source, isNew bool, err error) {
	err = g.Update(func(tx *store.Tx) error {
		tx.By = by.By
		var old *catalog.Source
		snap := tx.Snapshot()
		if have, ok := snap.Source(s.Name); ok {
			old = &have
		}
		prepared, err := sourceKinds.Prepare(s, old)
		if err != nil {
			return err
		}
		stored, isNew, err = tx.PutSource(prepared, by.If)
		return err
	})
	return stored, isNew, err
}

func (g *gateway) DeleteSource(_ context.Context, by admin.Change, name string) error {
	return g.Update(func(tx *store.Tx) error { return tx.DeleteSource(name, by.If) })
}

func (g *gateway) SourceStatus(name string) (catalog.SourceStatus, bool) {
	snap := g.Snapshot()
	s, ok := snap.Source(name)
	return catalog.SourceStatus{
		Name: name, Kind: s.Kind, State: catalog.SourceFailing, Reason: "sb://n/q: amqp:not-found", Since: time.Unix(5, 0).UTC(),
		Received: 7, LastReceivedAt: time.Unix(4, 0).UTC(), Refused: 1, LastRefusal: "sequence number 3: id is required",
	}, ok
}

func (g *gateway) ProbeSource(_ context.Context, name string) (catalog.Probed, error) {
	snap := g.Snapshot()
	if _, ok := snap.Source(name); !ok {
		return catalog.Probed{}, &catalog.NotFoundError{Kind: "source", Name: name}
	}
	return catalog.Probed{Said: "sb://n/q: amqp:not-found", TookMs: 3}, nil
}

func (g *gateway) SourceHistory(name string) (list []catalog.Revision[catalog.Source], err error) {
	err = g.View(func(tx *store.Tx) error { list, err = tx.SourceHistory(name); return err })
	return list, err
}

// TestSources walks a source through its life, by the client, with every
// request and answer held against the document.
func TestSources(t *testing.T) {
	s, ctx := serve(t), t.Context()
	always := catalog.Precondition{}
	given := catalog.Source{Name: "orders", Kind: "serviceBus", Enabled: true,
		Settings: json.RawMessage(`{"connectionString":"Endpoint=sb://n;SharedAccessKey=not a key","entityPath":"q"}`)}
	made, isNew, err := s.api.PutSource(ctx, given, always)
	if err != nil || !isNew || !strings.Contains(string(made.Settings), "SharedAccessKey=***") {
		t.Fatalf("PutSource = %+v, %v, %v", made, isNew, err)
	}
	made.Settings = json.RawMessage(strings.Replace(string(made.Settings), `"q"`, `"r"`, 1))
	made.Enabled = false
	changed, isNew, err := s.api.PutSource(ctx, made, catalog.Precondition{Revisions: []uint64{made.Revision}})
	if err != nil || isNew || changed.Enabled || changed.Revision == made.Revision {
		t.Fatalf("PutSource again = %+v, %v, %v", changed, isNew, err)
	}
	snap := s.Snapshot()
	if kept, _ := snap.Source("orders"); !strings.Contains(string(kept.Settings), "SharedAccessKey=not a key") {
		t.Errorf("stored are %s: *** did not keep the secret", kept.Settings)
	}
	_, _, err = s.api.PutSource(ctx, made, catalog.Precondition{Revisions: []uint64{made.Revision}})
	wantStatus(t, err, http.StatusPreconditionFailed)
	_, _, err = s.api.PutSourceJSON(ctx, "orders", json.RawMessage(`{"kind":"serviceBus","settings":{}}`), always)
	wantStatus(t, err, http.StatusBadRequest)
	_, _, err = s.api.PutSourceJSON(ctx, "orders", json.RawMessage(`{"kind":"kafka"}`), always)
	wantStatus(t, err, http.StatusBadRequest)

	seen, err := s.api.Source(ctx, "orders")
	if err != nil || seen.Status == nil || seen.Status.Received != 7 || seen.Status.State != catalog.SourceFailing {
		t.Errorf("Source = %+v, %v", seen, err)
	}
	// What was read can be put back.
	whole, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	if same, _, err := s.api.PutSourceJSON(ctx, "orders", whole, always); err != nil || same.Revision != changed.Revision {
		t.Errorf("put back = %+v, %v", same, err)
	}
	n := 0
	for item, err := range s.api.Sources(ctx) {
		if n++; err != nil || item.Name != "orders" || strings.Contains(string(item.Settings), "not a key") {
			t.Errorf("Sources yields %+v, %v", item, err)
		}
	}
	if n != 1 {
		t.Errorf("Sources yields %d, want 1", n)
	}
	if probed, err := s.api.TestSource(ctx, "orders"); err != nil || probed.OK || probed.Said != "sb://n/q: amqp:not-found" {
		t.Errorf("TestSource = %+v, %v", probed, err)
	}
	past, err := s.api.SourceHistory(ctx, "orders")
	if err != nil || len(past) != 2 || strings.Contains(string(past[1].State.Settings), "not a key") {
		t.Errorf("SourceHistory = %+v, %v", past, err)
	}
	if err := s.api.DeleteSource(ctx, "orders", always); err != nil {
		t.Error(err)
	}
	wantStatus(t, s.api.DeleteSource(ctx, "orders", always), http.StatusNotFound)
	_, err = s.api.Source(ctx, "orders")
	wantStatus(t, err, http.StatusNotFound)
	_, err = s.api.SourceHistory(ctx, "never")
	wantStatus(t, err, http.StatusNotFound)
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != status {
		t.Errorf("error = %v, want status %d", err, status)
	}
}
