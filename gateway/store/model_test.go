package store_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/store"
)

// model is the catalog as plain maps, with the rules written out once more.
type model struct {
	endpoints map[string]string         // name → settings
	routes    map[string]catalog.Route  // id
	versions  map[string]map[int]string // plugin → version → module
	active    map[string]int
	next      map[string]int
}

func newModel() *model {
	return &model{map[string]string{}, map[string]catalog.Route{}, map[string]map[int]string{}, map[string]int{}, map[string]int{}}
}

func (m *model) clone() *model {
	c := &model{maps.Clone(m.endpoints), maps.Clone(m.routes), map[string]map[int]string{}, maps.Clone(m.active), maps.Clone(m.next)}
	for name, v := range m.versions {
		c.versions[name] = maps.Clone(v)
	}
	return c
}

// means returns the version that ref means; 0 for none.
func (m *model) means(ref catalog.Ref) int {
	if ref.Version != 0 {
		if _, ok := m.versions[ref.Name][ref.Version]; ok {
			return ref.Version
		}
		return 0
	}
	return m.active[ref.Name]
}

func (m *model) uses(plugin string, version int) bool {
	for _, r := range m.routes {
		for _, ref := range r.Refs() {
			if ref.Name == plugin && (version == 0 || m.means(ref) == version) {
				return true
			}
		}
	}
	return false
}

// step does one random thing to tx and to m, and reports a disagreement on
// whether it is allowed.
func (m *model) step(rng *rand.Rand, tx *store.Tx) error {
	name := func(kind string) string { return fmt.Sprintf("%s%d", kind, rng.IntN(4)) }
	var want bool
	var err error
	switch op := rng.IntN(8); op {
	case 0, 1:
		n := name("e")
		e := hub(n)
		e.Settings = fmt.Appendf(nil, `{"path":"%d"}`, rng.IntN(3))
		_, _, err = tx.PutEndpoint(e, always)
		want = true
		m.endpoints[n] = string(e.Settings)
	case 2:
		n := name("e")
		err = tx.DeleteEndpoint(n, always)
		_, want = m.endpoints[n]
		for _, r := range m.routes {
			want = want && r.EndpointName != n
		}
		if want {
			delete(m.endpoints, n)
		}
	case 3:
		ref := name("p")
		if rng.IntN(2) == 0 {
			ref = fmt.Sprintf("%s@%d", ref, 1+rng.IntN(3))
		}
		r := route(name("r"), name("e"), ref)
		r.Filter = fmt.Sprint(rng.IntN(3))
		_, want = m.endpoints[r.EndpointName]
		want = want && m.means(r.Refs()[0]) != 0
		_, _, err = tx.PutRoute(r, always)
		if want {
			m.routes[r.ID] = r
		}
	case 4:
		n := name("r")
		err = tx.DeleteRoute(n, always)
		_, want = m.routes[n]
		delete(m.routes, n)
	case 5:
		n, module := name("p"), fmt.Sprintf("module %d", rng.IntN(5))
		_, _, err = tx.AddVersion(n, shapeV, []byte(module))
		want = true
		if !slices.Contains(slices.Collect(maps.Values(m.versions[n])), module) {
			m.add(n, module)
		}
	case 6:
		n, v := name("p"), 1+rng.IntN(3)
		_, err = tx.Activate(n, v, always)
		if _, want = m.versions[n][v]; want {
			m.active[n] = v
		}
	case 7:
		n, v := name("p"), 1+rng.IntN(3)
		err = tx.DeleteVersion(n, v, always)
		if _, want = m.versions[n][v]; want {
			only := len(m.versions[n]) == 1
			want = !m.uses(n, v) && (only || m.active[n] != v) && (!only || !m.uses(n, 0))
			if want {
				m.remove(n, v)
			}
		}
	}
	if want != (err == nil) {
		return fmt.Errorf("the model allows it: %v; the store says: %v", want, err)
	}
	return nil
}

func (m *model) add(plugin, module string) {
	if m.versions[plugin] == nil {
		m.versions[plugin] = map[int]string{}
		m.next[plugin] = 1
		m.active[plugin] = 1
	}
	m.versions[plugin][m.next[plugin]] = module
	m.next[plugin]++
}

func (m *model) remove(plugin string, version int) {
	delete(m.versions[plugin], version)
	if len(m.versions[plugin]) == 0 {
		delete(m.versions, plugin)
		delete(m.active, plugin)
		delete(m.next, plugin)
	}
}

// diff compares what matters of a snapshot.
func (m *model) diff(snap catalog.Snapshot) string {
	got := newModel()
	for _, e := range snap.Endpoints {
		got.endpoints[e.Name] = string(e.Settings)
	}
	for _, r := range snap.Routes {
		got.routes[r.ID] = route(r.ID, r.EndpointName, r.Refs()[0].String())
	}
	for _, p := range snap.Plugins {
		got.active[p.Name] = p.Active
		got.versions[p.Name] = map[int]string{}
		for _, v := range p.Versions {
			got.versions[p.Name][v.Version] = v.Digest
		}
	}
	want := m.clone()
	for id, r := range want.routes {
		want.routes[id] = route(r.ID, r.EndpointName, r.Refs()[0].String())
	}
	for _, versions := range want.versions {
		for v, module := range versions {
			versions[v] = catalog.Digest([]byte(module))
		}
	}
	return cmp.Diff(want.endpoints, got.endpoints) + cmp.Diff(want.routes, got.routes) +
		cmp.Diff(want.versions, got.versions) + cmp.Diff(want.active, got.active)
}

// TestModel holds the store against the model:
//
//  1. both allow the same changes;
//  2. after each transaction both hold the same, rolled back ones included;
//  3. the file passes its check, and says the same when it is opened again.
func TestModel(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			path := filepath.Join(t.TempDir(), "catalog.db")
			s, m := openAt(t, path), newModel()
			rollback := errors.New("rolled back")
			for i := range 60 {
				candidate := m.clone()
				err := s.Update(func(tx *store.Tx) error {
					for range 1 + rng.IntN(4) {
						if err := candidate.step(rng, tx); err != nil {
							return err
						}
					}
					if d := candidate.diff(tx.Snapshot()); d != "" {
						return fmt.Errorf("candidate (-model +store):\n%s", d)
					}
					if rng.IntN(4) == 0 {
						return rollback
					}
					return nil
				})
				switch {
				case err == nil:
					m = candidate
				case err != rollback:
					t.Fatalf("transaction %d: %v", i, err)
				}
				if d := m.diff(s.Snapshot()); d != "" {
					t.Fatalf("after transaction %d (-model +store):\n%s", i, d)
				}
				if i%20 == 19 {
					if err := errors.Join(s.Check(), s.Close()); err != nil {
						t.Fatal(err)
					}
					s = openAt(t, path)
				}
			}
		})
	}
}
