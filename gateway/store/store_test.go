package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/store"
)

// open opens a store in a fresh directory and checks it when the test ends.
func open(t testing.TB) *store.Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "catalog.db"))
}

func openAt(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(); err != nil && !errors.Is(err, berrors.ErrDatabaseNotOpen) {
			t.Errorf("Check: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func update(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

var (
	always  = catalog.Precondition{}
	filterV = catalog.Version{Kinds: []string{"filter"}}
	shapeV  = catalog.Version{Kinds: []string{"transform"}}
)

func at(revision uint64) catalog.Precondition {
	return catalog.Precondition{Revisions: []uint64{revision}}
}

func hub(name string) catalog.Endpoint {
	return catalog.Endpoint{Name: name, Kind: "file", Settings: json.RawMessage(`{"path":"/tmp/<x>&y"}`)}
}

func route(id, endpoint string, transforms ...string) catalog.Route {
	r := catalog.Route{ID: id, EndpointName: endpoint, Filter: "true", Enabled: true}
	for _, text := range transforms {
		ref, err := catalog.ParseRef(text)
		if err != nil {
			panic(err)
		}
		r.Transforms = append(r.Transforms, catalog.PluginRef{Plugin: ref})
	}
	return r
}

// seed makes the endpoint hub, the plugin tsi in two versions of which the
// first is active, and the routes named (following tsi) and pinned (tsi@1).
func seed(t testing.TB, s *store.Store) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error {
		_, _, err1 := tx.PutEndpoint(hub("hub"), always)
		_, _, err2 := tx.AddVersion("tsi", shapeV, []byte("one"))
		_, _, err3 := tx.AddVersion("tsi", shapeV, []byte("two"))
		_, _, err4 := tx.PutRoute(route("named", "hub", "tsi"), always)
		_, _, err5 := tx.PutRoute(route("pinned", "hub", "tsi@1"), always)
		return errors.Join(err1, err2, err3, err4, err5)
	})
}

func TestReopenFindsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	s := openAt(t, path)
	seed(t, s)
	want := s.Snapshot()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, openAt(t, path).Snapshot()); diff != "" {
		t.Errorf("snapshot (-before +after):\n%s", diff)
	}
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	openAt(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, want 0600", info.Mode().Perm())
	}
}

func TestRevisions(t *testing.T) {
	s := open(t)
	seed(t, s)
	before := s.Snapshot()
	named, _ := before.Route("named")

	tests := []struct {
		name    string
		change  func(*store.Tx) error
		changes bool // the catalog
		touches bool // the route
	}{
		{"an identical route", func(tx *store.Tx) error {
			r, isNew, err := tx.PutRoute(route("named", "hub", "tsi"), always)
			if isNew || r.Revision != named.Revision {
				t.Errorf("PutRoute = revision %d, new %v", r.Revision, isNew)
			}
			return err
		}, false, false},
		{"an identical endpoint", func(tx *store.Tx) error {
			_, _, err := tx.PutEndpoint(hub("hub"), always)
			return err
		}, false, false},
		{"the same module", func(tx *store.Tx) error {
			v, isNew, err := tx.AddVersion("tsi", shapeV, []byte("one"))
			if isNew || v.Version != 1 {
				t.Errorf("AddVersion = version %d, new %v", v.Version, isNew)
			}
			return err
		}, false, false},
		{"the active version", func(tx *store.Tx) error { _, err := tx.Activate("tsi", 1, always); return err }, false, false},
		{"another version", func(tx *store.Tx) error { _, err := tx.Activate("tsi", 2, always); return err }, true, false},
		{"another endpoint", func(tx *store.Tx) error { _, _, err := tx.PutEndpoint(hub("hub2"), always); return err }, true, false},
		{"another filter", func(tx *store.Tx) error {
			r := route("named", "hub", "tsi")
			r.Filter = "false"
			_, _, err := tx.PutRoute(r, always)
			return err
		}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.Snapshot()
			old, _ := before.Route("named")
			update(t, s, tt.change)
			after := s.Snapshot()
			r, _ := after.Route("named")
			if (after.Revision != before.Revision) != tt.changes {
				t.Errorf("catalog went from revision %d to %d", before.Revision, after.Revision)
			}
			if (r.Revision != old.Revision) != tt.touches {
				t.Errorf("route went from revision %d to %d", old.Revision, r.Revision)
			}
		})
	}
	if _, ok := before.Endpoint("hub2"); ok {
		t.Error("a snapshot that was taken changed")
	}
}

func TestRevisionIsNeverReused(t *testing.T) {
	s := open(t)
	seed(t, s)
	first, _ := s.Snapshot().Routes[0], 0
	update(t, s, func(tx *store.Tx) error { return tx.DeleteRoute("named", always) })
	update(t, s, func(tx *store.Tx) error { _, _, err := tx.PutRoute(route("named", "hub"), always); return err })
	err := s.Update(func(tx *store.Tx) error { return tx.DeleteRoute("named", at(first.Revision)) })
	if !errors.Is(err, catalog.ErrConflict) {
		t.Errorf("delete with the tag of an earlier route of that name = %v, want ErrConflict", err)
	}
}

func TestRefusals(t *testing.T) {
	s := open(t)
	seed(t, s)
	update(t, s, func(tx *store.Tx) error {
		_, _, err := tx.AddVersion("gate", filterV, []byte("gate"))
		return err
	})
	digest := catalog.Digest([]byte("two"))
	tests := []struct {
		name   string
		change func(*store.Tx) error
		is     error
		text   string
	}{
		{"route to no endpoint", func(tx *store.Tx) error { _, _, err := tx.PutRoute(route("r", "nowhere"), always); return err },
			nil, `endpointName: there is no endpoint "nowhere"; create it first`},
		{"route with no plugin", func(tx *store.Tx) error { _, _, err := tx.PutRoute(route("r", "hub", "tsi", "x"), always); return err },
			nil, `transforms[1].plugin: there is no plugin "x"; upload it first`},
		{"route with no such version", func(tx *store.Tx) error { _, _, err := tx.PutRoute(route("r", "hub", "tsi@9"), always); return err },
			nil, `transforms[0].plugin: plugin "tsi" has no version 9`},
		{"a filter as a transform", func(tx *store.Tx) error { _, _, err := tx.PutRoute(route("r", "hub", "gate"), always); return err },
			nil, `transforms[0].plugin: version 1 of plugin "gate" is no transform; it can be a filter`},
		{"endpoint in use", func(tx *store.Tx) error { return tx.DeleteEndpoint("hub", always) },
			catalog.ErrInUse, `endpoint "hub" is used by route "named", route "pinned"`},
		{"plugin in use", func(tx *store.Tx) error { return tx.DeletePlugin("tsi", always) },
			catalog.ErrInUse, `plugin "tsi" is used by route "named", route "pinned"`},
		{"version in use", func(tx *store.Tx) error { return tx.DeleteVersion("tsi", 1, always) },
			catalog.ErrInUse, `plugin version "tsi@1" is used by route "named", route "pinned"`},
		{"no endpoint", func(tx *store.Tx) error { return tx.DeleteEndpoint("x", always) }, catalog.ErrNotFound, `there is no endpoint "x"`},
		{"no route", func(tx *store.Tx) error { return tx.DeleteRoute("x", always) }, catalog.ErrNotFound, `there is no route "x"`},
		{"no plugin", func(tx *store.Tx) error { return tx.DeletePlugin("x", always) }, catalog.ErrNotFound, `there is no plugin "x"`},
		{"no version", func(tx *store.Tx) error { _, err := tx.Activate("tsi", 3, always); return err }, catalog.ErrNotFound, `there is no version 3 of plugin "tsi"`},
		{"no module", func(tx *store.Tx) error { _, err := tx.Module("sha256:0"); return err }, catalog.ErrNotFound, `there is no module`},
		{"bad name", func(tx *store.Tx) error { _, _, err := tx.AddVersion("a b", shapeV, []byte("x")); return err }, nil, `name: "a b" is not a name`},
		{"stale endpoint", func(tx *store.Tx) error { _, _, err := tx.PutEndpoint(hub("hub"), at(99)); return err }, catalog.ErrConflict, `endpoint "hub" is at revision 1`},
		{"stale route", func(tx *store.Tx) error { return tx.DeleteRoute("named", at(99)) }, catalog.ErrConflict, `route "named" is at revision 1`},
		{"stale plugin", func(tx *store.Tx) error { _, err := tx.Activate("tsi", 2, at(99)); return err }, catalog.ErrConflict, `plugin "tsi" is at revision 1`},
		{"route that is there already", func(tx *store.Tx) error {
			_, _, err := tx.PutRoute(route("named", "hub"), catalog.Precondition{Absent: true})
			return err
		}, catalog.ErrConflict, `route "named" is at revision 1`},
		{"version that cannot do what routes need", func(tx *store.Tx) error {
			if _, _, err := tx.AddVersion("tsi", filterV, []byte("a filter")); err != nil {
				return err
			}
			_, err := tx.Activate("tsi", 3, always)
			return err
		}, nil, `version: route "named" cannot use version 3: transforms[0].plugin: version 3 of plugin "tsi" is no transform`},
		{"digest in use", func(tx *store.Tx) error {
			if _, _, err := tx.PutRoute(route("digest", "hub", "tsi@"+digest), always); err != nil {
				return err
			}
			return tx.DeleteVersion("tsi", 2, always)
		}, catalog.ErrInUse, `plugin version "tsi@2" is used by route "digest"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.Snapshot()
			err := s.Update(tt.change)
			if err == nil || !strings.Contains(err.Error(), tt.text) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v, want …%s…, %v", err, tt.text, tt.is)
			}
			if diff := cmp.Diff(before, s.Snapshot()); diff != "" {
				t.Errorf("a refused change changed:\n%s", diff)
			}
		})
	}
}

func TestPluginVersions(t *testing.T) {
	s := open(t)
	seed(t, s)
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.DeleteRoute("pinned", always), tx.DeleteRoute("named", always))
	})
	err := s.Update(func(tx *store.Tx) error { return tx.DeleteVersion("tsi", 1, always) })
	if !errors.Is(err, catalog.ErrInUse) || !strings.Contains(err.Error(), "active") {
		t.Errorf("delete of the active version = %v, want ErrInUse", err)
	}
	update(t, s, func(tx *store.Tx) error { return tx.DeleteVersion("tsi", 2, always) })
	update(t, s, func(tx *store.Tx) error {
		v, isNew, err := tx.AddVersion("tsi", shapeV, []byte("two"))
		if v.Version != 3 || !isNew {
			t.Errorf("AddVersion after a deletion = %d, new %v, want 3: a number is given once", v.Version, isNew)
		}
		return err
	})
	// Two plugins share the bytes of one module; the last one takes them along.
	update(t, s, func(tx *store.Tx) error { _, _, err := tx.AddVersion("twin", shapeV, []byte("two")); return err })
	update(t, s, func(tx *store.Tx) error { return tx.DeleteVersion("tsi", 3, always) })
	digest := catalog.Digest([]byte("two"))
	module := func() (b []byte, err error) {
		err = s.View(func(tx *store.Tx) error { b, err = tx.Module(digest); return err })
		return b, err
	}
	if b, err := module(); err != nil || !bytes.Equal(b, []byte("two")) {
		t.Errorf("Module = %q, %v", b, err)
	}
	update(t, s, func(tx *store.Tx) error { return tx.DeleteVersion("twin", 1, always) })
	if _, err := module(); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("Module of nobody = %v, want ErrNotFound", err)
	}
	snap := s.Snapshot()
	if _, ok := snap.Plugin("twin"); ok {
		t.Error("a plugin outlived its last version")
	}
}

// Update shows the candidate before it is committed, and rolls all of it back.
func TestUpdateIsAllOrNothing(t *testing.T) {
	s := open(t)
	seed(t, s)
	before := s.Snapshot()
	refused := errors.New("does not compile")
	err := s.Update(func(tx *store.Tx) error {
		if _, _, err := tx.PutRoute(route("new", "hub"), always); err != nil {
			return err
		}
		candidate := tx.Snapshot()
		if _, ok := candidate.Route("new"); !ok {
			t.Error("the candidate lacks the change")
		}
		if err := tx.DeleteRoute("named", always); err != nil {
			return err
		}
		if _, ok := candidate.Route("named"); !ok {
			t.Error("a candidate that was taken changed")
		}
		return refused
	})
	if err != refused {
		t.Errorf("Update = %v, want the function's own error", err)
	}
	if diff := cmp.Diff(before, s.Snapshot()); diff != "" {
		t.Errorf("after a rollback:\n%s", diff)
	}
}

// A copy of the file that is made before the commit opens as it was before.
func TestCrashBeforeCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	s := openAt(t, path)
	seed(t, s)
	before := s.Snapshot()
	crashed := filepath.Join(t.TempDir(), "catalog.db")
	update(t, s, func(tx *store.Tx) error {
		if err := tx.DeleteRoute("named", always); err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(crashed, b, 0o600)
	})
	if diff := cmp.Diff(before, openAt(t, crashed).Snapshot()); diff != "" {
		t.Errorf("after the crash (-before +after):\n%s", diff)
	}
}

func TestHistory(t *testing.T) {
	s := open(t)
	seed(t, s)
	for i := range store.MaxHistory + 20 {
		update(t, s, func(tx *store.Tx) error {
			tx.By = "ops"
			r := route("named", "hub")
			r.Filter = fmt.Sprint(i)
			_, _, err := tx.PutRoute(r, always)
			return err
		})
	}
	history := func(id string) (list []catalog.Revision[catalog.Route]) {
		t.Helper()
		if err := s.View(func(tx *store.Tx) (err error) { list, err = tx.RouteHistory(id); return err }); err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := history("named")
	if len(list) != store.MaxHistory || list[0].State.Filter != "119" || list[0].By != "ops" {
		t.Errorf("history holds %d states, the latest %+v", len(list), list[0])
	}
	if len(history("pinned")) != 1 {
		t.Error("the history of one route cost that of another")
	}
	update(t, s, func(tx *store.Tx) error { return tx.DeleteRoute("named", always) })
	if list = history("named"); len(list) != 10 || !list[0].Deleted || list[0].State != nil || list[1].State.Filter != "119" {
		t.Errorf("history of a deleted route: %d states, the latest %+v", len(list), list[0])
	}
	var audit []catalog.AuditEntry
	if err := s.View(func(tx *store.Tx) (err error) { audit, err = tx.Audit(2); return err }); err != nil {
		t.Fatal(err)
	}
	if len(audit) != 2 || audit[0].Action != "delete" || audit[1].Action != "replace" || audit[1].By != "ops" || audit[0].Revision != s.Snapshot().Revision {
		t.Errorf("audit = %+v", audit)
	}
}

func TestProvenance(t *testing.T) {
	s := open(t)
	seed(t, s)
	var id string
	for range 2 { // the second time it is there already
		update(t, s, func(tx *store.Tx) error {
			snap := tx.Snapshot()
			r, _ := snap.Route("named")
			p, err := snap.Provenance(r)
			if err != nil {
				return err
			}
			id = p.ProducedBy
			return tx.RecordProvenance(p)
		})
	}
	revision := s.Snapshot().Revision
	update(t, s, func(tx *store.Tx) error { _, err := tx.Activate("tsi", 2, always); return err })
	err := s.View(func(tx *store.Tx) error {
		p, err := tx.Provenance(id)
		if err != nil {
			return err
		}
		if p.Route != "named" || p.Revision != revision || len(p.Plugins) != 1 || p.Plugins[0].Version != 1 || p.Since.IsZero() {
			t.Errorf("Provenance(%s) = %+v", id, p)
		}
		if _, err := tx.Provenance("0000000000000000"); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("Provenance of nothing = %v, want ErrNotFound", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSettings(t *testing.T) {
	s := open(t)
	update(t, s, func(tx *store.Tx) error { return tx.PutSetting("instance", []byte("abc")) })
	err := s.View(func(tx *store.Tx) error {
		if got := string(tx.Setting("instance")); got != "abc" || tx.Setting("other") != nil {
			t.Errorf("Setting = %q, %q", got, tx.Setting("other"))
		}
		return nil
	})
	if err != nil || s.Snapshot().Revision != 0 {
		t.Errorf("revision %d, %v: a setting is no change of the catalog", s.Snapshot().Revision, err)
	}
}
