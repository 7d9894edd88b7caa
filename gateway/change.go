package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/plugin/matcher"
	"github.com/headgate/headgate/gateway/store"
	"github.com/headgate/headgate/gateway/telemetry"
	"github.com/headgate/headgate/plugins"
)

// change carries out one change of the catalog: fn makes it in a transaction,
// the changed catalog is compiled, the transaction is committed, and the new
// plan is put in force. When change returns nil, every event accepted from now
// on is under it. When it fails before the commit, nothing happened.
func (g *Gateway) change(ctx context.Context, by string, fn func(*store.Tx) error) error {
	// A client that goes away does not leave a change half done.
	ctx = context.WithoutCancel(ctx)
	g.changing.Lock()
	defer g.changing.Unlock()
	return g.changeLocked(ctx, by, fn)
}

// changeLocked is change for a caller that holds the lock and whose ctx ends
// for no client.
func (g *Gateway) changeLocked(ctx context.Context, by string, fn func(*store.Tx) error) error {
	var next *build
	err := g.store.Update(func(tx *store.Tx) error {
		tx.By = by
		before := tx.Snapshot().Revision
		if err := fn(tx); err != nil {
			return err
		}
		snapshot := tx.Snapshot()
		if snapshot.Revision == before {
			return nil
		}
		var err error
		if next, err = g.builder.build(ctx, snapshot, tx.Module); err != nil {
			return err
		}
		for _, origin := range next.origins {
			if err := tx.RecordProvenance(origin); err != nil {
				return err
			}
		}
		return nil
	})
	if next == nil {
		return err
	}
	if err != nil {
		next.discard()
		return err
	}
	return g.putInForce(ctx, next)
}

// putInForce swaps to next, which is committed. The dispatcher fails only when
// the journal cannot save where new endpoints begin; the catalog is then ahead
// of what is in force, so it is tried until it works.
func (g *Gateway) putInForce(ctx context.Context, next *build) error {
	const tries = 50
	for try := 1; ; try++ {
		err := g.dispatch.Swap(ctx, next.plan)
		if err == nil {
			g.builder.adopt(next)
			g.copyLetters(&next.snapshot)
			g.metrics.Forget(exists(next.snapshot))
			g.forgetPlugins(&next.snapshot)
			return nil
		}
		if try == tries {
			next.discard()
			return fmt.Errorf("the change is stored and will be in force after the next change or start, but not before: %w", err)
		}
		select {
		case <-g.background.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// compileFilters compiles what a start has left for later, unless the gateway
// closes before. It takes one processor at a time, for the others to serve.
func (g *Gateway) compileFilters(set *matcher.Set) {
	if err := set.Compile(g.background, 1); err != nil && g.background.Err() == nil {
		g.log.Error("filters of routes do not compile", telemetry.KeyErr, err)
	}
}

func exists(s catalog.Snapshot) func(endpoint, route string) bool {
	return func(endpoint, route string) bool {
		_, okEndpoint := s.Endpoint(endpoint)
		_, okRoute := s.Route(route)
		return okEndpoint && okRoute
	}
}

// module returns the bytes of a stored module.
func (g *Gateway) module(digest string) (wasm []byte, err error) {
	err = g.store.View(func(tx *store.Tx) error {
		wasm, err = tx.Module(digest)
		return err
	})
	return wasm, err
}

// Snapshot is the catalog as stored.
func (g *Gateway) Snapshot() catalog.Snapshot { return g.store.Snapshot() }

// PutEndpoint creates or replaces an endpoint; see [admin.Endpoints].
func (g *Gateway) PutEndpoint(ctx context.Context, by admin.Change, e catalog.Endpoint) (stored catalog.Endpoint, created bool, err error) {
	err = g.change(ctx, by.By, func(tx *store.Tx) error {
		snapshot := tx.Snapshot()
		var old *catalog.Endpoint
		if have, ok := snapshot.Endpoint(e.Name); ok {
			old = &have
		}
		prepared, err := g.kinds.Prepare(e, old)
		if err != nil {
			return err
		}
		stored, created, err = tx.PutEndpoint(prepared, by.If)
		return err
	})
	return stored, created, err
}

// DeleteEndpoint removes an endpoint that no route names. What it still owed is
// among the dead letters, on disk, when it returns nil.
func (g *Gateway) DeleteEndpoint(ctx context.Context, by admin.Change, name string) error {
	err := g.change(ctx, by.By, func(tx *store.Tx) error { return tx.DeleteEndpoint(name, by.If) })
	if err != nil {
		return err
	}
	return g.buried(ctx, []string{name})
}

// buried waits until what deleted endpoints owed is among the dead letters.
func (g *Gateway) buried(ctx context.Context, endpoints []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, burialTimeout, fmt.Errorf("not done within %s", burialTimeout))
	defer cancel()
	for _, name := range endpoints {
		if err := g.dispatch.Buried(ctx, name); err != nil {
			return fmt.Errorf("endpoint %s is deleted, but what it owed is not among the dead letters yet, and is lost if the gateway is killed before: %w", name, err)
		}
	}
	return nil
}

// burialTimeout bounds how long the answer to a deletion waits for the dead
// letters of the endpoint; they go on being written afterwards.
const burialTimeout = 30 * time.Second

// PutRoute creates or replaces a route; see [admin.Routes].
func (g *Gateway) PutRoute(ctx context.Context, by admin.Change, r catalog.Route) (stored catalog.Route, created bool, err error) {
	if _, err := parseFilter(r.Filter); err != nil {
		return r, false, err // also of a route that is disabled
	}
	err = g.change(ctx, by.By, func(tx *store.Tx) error {
		if stored, created, err = tx.PutRoute(r, by.If); err != nil || stored.Enabled {
			return err
		}
		// What is not in force yet is not compiled, and has to be right all the same.
		snapshot := tx.Snapshot()
		whole, err := g.builder.mapped(&snapshot, stored)
		if err != nil {
			return err
		}
		_, keys, err := g.builder.stages(ctx, &snapshot, whole, tx.Module)
		g.builder.bindings.release(keys)
		return err
	})
	return stored, created, err
}

// DeleteRoute removes a route.
func (g *Gateway) DeleteRoute(ctx context.Context, by admin.Change, id string) error {
	return g.change(ctx, by.By, func(tx *store.Tx) error { return tx.DeleteRoute(id, by.If) })
}

// Activate makes a version the one that routes by the plugin's name use.
func (g *Gateway) Activate(ctx context.Context, by admin.Change, name string, n int) (p catalog.Plugin, err error) {
	err = g.change(ctx, by.By, func(tx *store.Tx) error {
		p, err = tx.Activate(name, n, by.If)
		return err
	})
	return p, err
}

// DeletePlugin removes a version, or with version 0 the whole plugin.
func (g *Gateway) DeletePlugin(ctx context.Context, by admin.Change, name string, n int) error {
	return g.change(ctx, by.By, func(tx *store.Tx) error {
		if n == 0 {
			return tx.DeletePlugin(name, by.If)
		}
		return tx.DeleteVersion(name, n, by.If)
	})
}

// installFirstParty stores the plugins that the binary carries. The first
// version of a name becomes active; a newer binary adds a version, and leaves
// it to the operator to activate that.
func (g *Gateway) installFirstParty() error {
	carried := plugins.FirstParty()
	if len(carried) == 0 {
		g.log.Warn("this binary carries no first-party plugins; build it with: go tool task build")
	}
	for _, p := range carried {
		if g.stored(p.Name, catalog.Digest(p.Wasm)) {
			continue
		}
		err := g.store.Update(func(tx *store.Tx) error {
			tx.By = "headgate"
			_, _, err := tx.AddVersion(p.Name, catalog.Version{Kinds: p.Kinds, ConfigSchema: p.ConfigSchema}, p.Wasm)
			return err
		})
		if err != nil {
			return fmt.Errorf("plugin %s of this binary: %w", p.Name, err)
		}
	}
	return nil
}

func (g *Gateway) stored(name, digest string) bool {
	snapshot := g.store.Snapshot()
	p, _ := snapshot.Plugin(name)
	for _, v := range p.Versions {
		if v.Digest == digest {
			return true
		}
	}
	return false
}
