package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/store"
	"github.com/headgate/headgate/plugins"
)

// ApplyCatalog makes the catalog what documents say: all of it, in one
// transaction, or nothing; see [admin.Plans].
func (g *Gateway) ApplyCatalog(ctx context.Context, by admin.Change, req catalog.ApplyRequest) (catalog.Planned, error) {
	w, err := g.newWish(ctx, req, by)
	if err != nil {
		return catalog.Planned{}, err
	}
	// A client that goes away does not leave a change half done.
	ctx = context.WithoutCancel(ctx)
	g.changing.Lock()
	defer g.changing.Unlock()
	var held []bindingKey
	// They were bound for the checks, and the build takes them over.
	defer func() { g.builder.bindings.release(held) }()
	err = g.changeLocked(ctx, by.By, func(tx *store.Tx) error {
		if err := w.put(tx); err != nil {
			return err
		}
		return w.check(func(s *catalog.Snapshot, r catalog.Route) error {
			_, keys, err := g.builder.stages(ctx, s, r, tx.Module)
			held = append(held, keys...)
			return err
		})
	})
	if err != nil {
		return catalog.Planned{}, err
	}
	w.planned.Revision = w.after.Revision
	if w.sources {
		ctx, cancel := context.WithTimeoutCause(ctx, sourceStopTimeout, fmt.Errorf("not done within %s", sourceStopTimeout))
		defer cancel()
		if err := g.sources.apply(ctx, w.after); err != nil {
			return w.planned, fmt.Errorf("the catalog is applied, but a source does not follow yet: %w", err)
		}
	}
	return w.planned, g.buried(ctx, w.buried)
}

// wish is a request on its way into the catalog: what documents ask for, and
// what that changes.
type wish struct {
	g   *Gateway
	req catalog.ApplyRequest
	by  admin.Change
	// admitted are the versions that the request brings along, by digest.
	admitted map[string]catalog.Version

	before, after catalog.Snapshot
	planned       catalog.Planned
	sources       bool     // whether any source changes
	buried        []string // endpoints that are deleted

	named  map[string]bool // "Kind name" of all documents
	failed map[string]bool // and of those with a fault
	faults catalog.FieldErrors
}

// newWish tries out the modules that req brings and the catalog has not.
func (g *Gateway) newWish(ctx context.Context, req catalog.ApplyRequest, by admin.Change) (*wish, error) {
	w := &wish{g: g, req: req, by: by, admitted: map[string]catalog.Version{}, named: map[string]bool{}, failed: map[string]bool{}}
	for _, d := range req.Documents {
		w.named[d.Kind+" "+d.Name] = true
	}
	snapshot := g.store.Snapshot()
	for i, d := range req.Documents {
		if d.Plugin == nil {
			continue
		}
		digest := d.Plugin.Digest()
		have, _ := snapshot.Plugin(d.Name)
		module, brought := req.Modules[digest]
		if !brought || versionWith(have, digest) != 0 {
			continue
		}
		report, err := g.inspect(ctx, d.Name, module)
		if err == nil && len(report.Refused) > 0 {
			err = &catalog.FieldError{Reason: refusal(report)}
		}
		if errors.As(err, new(*catalog.FieldError)) {
			w.fault(i, "spec", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		w.admitted[digest] = catalog.Version{ConfigSchema: report.Config, Kinds: report.Kinds}
	}
	return w, w.faults.Err()
}

func versionWith(p catalog.Plugin, digest string) int {
	for _, v := range p.Versions {
		if v.Digest == digest {
			return v.Version
		}
	}
	return 0
}

// fault notes what is wrong with document i.
func (w *wish) fault(i int, field string, err error) {
	d := w.req.Documents[i]
	w.failed[d.Kind+" "+d.Name] = true
	w.faults = w.faults.Add(catalog.In("documents["+strconv.Itoa(i)+"]", catalog.In(field, err)))
}

// put makes the changes in tx, in the order in which resources need each other;
// deletions come last, the other way round.
func (w *wish) put(tx *store.Tx) error {
	w.before = tx.Snapshot()
	if err := w.guard(); err != nil {
		return err
	}
	for _, step := range []struct {
		kind string
		put  func(tx *store.Tx, i int, d catalog.Wanted) error
	}{
		{catalog.KindPlugin, w.putPlugin},
		{catalog.KindEndpoint, w.putEndpoint},
		{catalog.KindRoute, w.putRoute},
		{catalog.KindSource, w.putSource},
	} {
		for i, d := range w.req.Documents {
			if d.Kind != step.kind {
				continue
			}
			err := step.put(tx, i, d)
			if errors.As(err, new(*catalog.FieldError)) {
				w.fault(i, "spec", err)
			} else if err != nil {
				return err
			}
		}
	}
	w.followers(tx)
	if err := w.faults.Err(); err != nil {
		return err
	}
	if w.req.Prune {
		if err := w.prune(tx); err != nil {
			return err
		}
	}
	w.after = tx.Snapshot()
	w.planned.Revision = w.before.Revision
	return nil
}

// guard refuses a catalog that is not at the revision that the request expects.
func (w *wish) guard() error {
	have := w.before.Revision
	if want := w.req.Revision; want != nil && *want != have {
		return &catalog.ConflictError{Kind: "catalog", Have: have}
	}
	if want := w.by.If.Revisions; want != nil && !slices.Contains(want, have) {
		return &catalog.ConflictError{Kind: "catalog", Have: have}
	}
	return nil
}

func (w *wish) note(kind, name string, existed, changed bool, diff func() []catalog.Difference) {
	c := catalog.PlannedChange{Kind: kind, Name: name, Action: catalog.ActionNone, Diff: []catalog.Difference{}}
	switch {
	case !existed:
		c.Action = catalog.ActionCreate
	case changed:
		c.Action = catalog.ActionReplace
	}
	if c.Action != catalog.ActionNone {
		c.Diff = diff()
	}
	w.planned.Changes = append(w.planned.Changes, c)
}

func (w *wish) putPlugin(tx *store.Tx, i int, d catalog.Wanted) error {
	spec, name := d.Plugin, d.Name
	options, err := loadOptions(spec.PluginSettings)
	if err != nil {
		return err
	}
	if err := w.g.builder.plugins.Allows(options.Limits); err != nil {
		return &catalog.FieldError{Field: "limits", Reason: err.Error()}
	}
	old, existed := w.before.Plugin(name)
	number := versionWith(old, spec.Digest())
	if number == 0 {
		v, ok := w.admitted[spec.Digest()]
		if !ok {
			return &catalog.FieldError{Field: "sha256", Reason: fmt.Sprintf(
				"plugin %q has no version with the digest %s: upload the module first, or send it along in \"modules\"", name, spec.Digest())}
		}
		added, _, err := tx.AddVersion(name, v, w.req.Modules[spec.Digest()])
		if err != nil {
			return err
		}
		number = added.Version
	}
	if _, err := tx.PutPluginSettings(name, spec.PluginSettings, catalog.Precondition{}); err != nil {
		return err
	}
	if spec.Active {
		if _, err := tx.ActivateFirst(name, number); err != nil {
			return err
		}
	}
	snapshot := tx.Snapshot()
	now, _ := snapshot.Plugin(name)
	w.note(catalog.KindPlugin, name, existed, now.Revision != old.Revision, func() []catalog.Difference {
		if !existed {
			return catalog.Diff(nil, catalog.NewPluginDocument(now).Spec)
		}
		diff := catalog.Diff(old.State(), now.State())
		if len(now.Versions) != len(old.Versions) {
			diff = append(diff, catalog.Difference{Path: "versions", Before: []byte(strconv.Itoa(len(old.Versions))), After: []byte(strconv.Itoa(len(now.Versions)))})
		}
		return diff
	})
	return nil
}

func (w *wish) putEndpoint(tx *store.Tx, _ int, d catalog.Wanted) error {
	old, existed := w.before.Endpoint(d.Name)
	var stored *catalog.Endpoint
	if existed {
		stored = &old
	}
	prepared, err := w.g.kinds.Prepare(*d.Endpoint, stored)
	if err != nil {
		return err
	}
	now, _, err := tx.PutEndpoint(prepared, catalog.Precondition{})
	if err != nil {
		return err
	}
	mask := w.g.kinds.Mask
	w.note(catalog.KindEndpoint, d.Name, existed, now.Revision != old.Revision, func() []catalog.Difference {
		if !existed {
			return catalog.Diff(nil, catalog.NewEndpointDocument(mask(now)).Spec)
		}
		return catalog.DiffMasked(old.State(), now.State(), mask(old).State(), mask(now).State())
	})
	return nil
}

func (w *wish) putRoute(tx *store.Tx, _ int, d catalog.Wanted) error {
	if _, err := parseFilter(d.Route.Filter); err != nil {
		return err
	}
	if w.failed[catalog.KindEndpoint+" "+d.Route.EndpointName] {
		return nil // the endpoint's own fault says enough
	}
	for _, ref := range d.Route.Refs() {
		if w.failed[catalog.KindPlugin+" "+ref.Name] {
			return nil
		}
	}
	old, existed := w.before.Route(d.Name)
	now, _, err := tx.PutRoute(*d.Route, catalog.Precondition{})
	if err != nil {
		return err
	}
	w.note(catalog.KindRoute, d.Name, existed, now.Revision != old.Revision, func() []catalog.Difference {
		if !existed {
			return catalog.Diff(nil, catalog.NewRouteDocument(now).Spec)
		}
		return catalog.Diff(old.State(), now.State())
	})
	return nil
}

func (w *wish) putSource(tx *store.Tx, _ int, d catalog.Wanted) error {
	old, existed := w.before.Source(d.Name)
	var stored *catalog.Source
	if existed {
		stored = &old
	}
	kinds := w.g.sources.described()
	prepared, err := kinds.Prepare(*d.Source, stored)
	if err != nil {
		return err
	}
	now, _, err := tx.PutSource(prepared, catalog.Precondition{})
	if err != nil {
		return err
	}
	changed := now.Revision != old.Revision
	w.sources = w.sources || changed
	w.note(catalog.KindSource, d.Name, existed, changed, func() []catalog.Difference {
		if !existed {
			return catalog.Diff(nil, catalog.NewSourceDocument(kinds.Mask(now)).Spec)
		}
		return catalog.DiffMasked(old.State(), now.State(), kinds.Mask(old).State(), kinds.Mask(now).State())
	})
	return nil
}

// followers finds the routes that no document puts right, and that cannot use
// what a plugin becomes.
func (w *wish) followers(tx *store.Tx) {
	after := tx.Snapshot()
	for i, d := range w.req.Documents {
		if d.Plugin == nil || w.failed[d.Kind+" "+d.Name] {
			continue
		}
		for _, id := range after.UsersOfPlugin(d.Name) {
			if w.named[catalog.KindRoute+" "+id] {
				continue // it was checked when it was put
			}
			r, _ := after.Route(id)
			if err := after.CheckRoute(r); err != nil {
				w.fault(i, "spec", &catalog.FieldError{Reason: fmt.Sprintf("route %q cannot use it: %v", id, err)})
			}
		}
	}
}

// prune removes what no document names. Plugins stay that a route uses, or that
// the binary carries.
func (w *wish) prune(tx *store.Tx) error {
	var used inUse
	remove := func(kind, name string, remove func() error, diff []catalog.Difference) error {
		err := remove()
		if errors.Is(err, catalog.ErrInUse) {
			used.errs = append(used.errs, err)
			for i, d := range w.req.Documents { // what no document names is gone by now
				if d.Route != nil && kind == catalog.KindEndpoint && d.Route.EndpointName == name {
					used.at = used.at.Add(catalog.In("documents["+strconv.Itoa(i)+"].spec.endpointName", &catalog.FieldError{Reason: fmt.Sprintf(
						"uses the endpoint %q, which is to be removed, since no document names it: keep its document, or have the route use another", name)}))
				}
			}
			return nil
		}
		w.planned.Changes = append(w.planned.Changes, catalog.PlannedChange{Kind: kind, Name: name, Action: catalog.ActionDelete, Diff: diff})
		return err
	}
	none := catalog.Precondition{}
	for _, s := range w.before.Sources {
		if w.named[catalog.KindSource+" "+s.Name] {
			continue
		}
		w.sources = true
		spec := catalog.NewSourceDocument(w.g.sources.described().Mask(s)).Spec
		if err := remove(catalog.KindSource, s.Name, func() error { return tx.DeleteSource(s.Name, none) }, catalog.Diff(spec, nil)); err != nil {
			return err
		}
	}
	for _, r := range w.before.Routes {
		if w.named[catalog.KindRoute+" "+r.ID] {
			continue
		}
		if err := remove(catalog.KindRoute, r.ID, func() error { return tx.DeleteRoute(r.ID, none) }, catalog.Diff(catalog.NewRouteDocument(r).Spec, nil)); err != nil {
			return err
		}
	}
	for _, e := range w.before.Endpoints {
		if w.named[catalog.KindEndpoint+" "+e.Name] {
			continue
		}
		w.buried = append(w.buried, e.Name)
		spec := catalog.NewEndpointDocument(w.g.kinds.Mask(e)).Spec
		if err := remove(catalog.KindEndpoint, e.Name, func() error { return tx.DeleteEndpoint(e.Name, none) }, catalog.Diff(spec, nil)); err != nil {
			return err
		}
	}
	carried := plugins.FirstParty()
	snapshot := tx.Snapshot()
	for _, p := range w.before.Plugins {
		if w.named[catalog.KindPlugin+" "+p.Name] || len(snapshot.UsersOfPlugin(p.Name)) > 0 ||
			slices.ContainsFunc(carried, func(c plugins.Plugin) bool { return c.Name == p.Name }) {
			continue
		}
		if err := remove(catalog.KindPlugin, p.Name, func() error { return tx.DeletePlugin(p.Name, none) }, catalog.Diff(catalog.NewPluginDocument(p).Spec, nil)); err != nil {
			return err
		}
	}
	if len(used.errs) > 0 {
		return &used
	}
	return nil
}

// inUse says what cannot be removed, and which documents use it.
type inUse struct {
	errs []error // [*catalog.InUseError]s
	at   catalog.FieldErrors
}

func (e *inUse) Error() string   { return errors.Join(e.errs...).Error() }
func (e *inUse) Unwrap() []error { return append(slices.Clone(e.errs), e.at) }

// check has the plugins of the routes that documents change bound: bind is told
// each of them, with the transform that its endpoint implies.
func (w *wish) check(bind func(*catalog.Snapshot, catalog.Route) error) error {
	for i, d := range w.req.Documents {
		if d.Route == nil {
			continue
		}
		now, _ := w.after.Route(d.Name)
		if old, ok := w.before.Route(d.Name); ok && old.Revision == now.Revision {
			continue // what else has changed for it, the build finds
		}
		whole, err := w.g.builder.mapped(&w.after, now)
		if err == nil {
			err = bind(&w.after, whole)
		}
		if errors.As(err, new(*catalog.FieldError)) {
			w.fault(i, "spec", err)
		} else if err != nil {
			return err
		}
	}
	return w.faults.Err()
}

// Documents returns the catalog as documents, with "***" for each secret.
// Plugins are left out that are as the binary carries them.
func (g *Gateway) Documents() ([]catalog.Document, uint64) {
	snapshot := g.store.Snapshot()
	docs := []catalog.Document{}
	carried := map[string]string{}
	for _, p := range plugins.FirstParty() {
		carried[p.Name] = strings.ToLower(catalog.Digest(p.Wasm))
	}
	for _, p := range snapshot.Plugins {
		active, _ := p.Version(p.Active)
		if active.Digest == carried[p.Name] && p.PluginSettings.Same(catalog.PluginSettings{}) {
			continue
		}
		docs = append(docs, catalog.NewPluginDocument(p))
	}
	for _, e := range snapshot.Endpoints {
		docs = append(docs, catalog.NewEndpointDocument(g.kinds.Mask(e)))
	}
	for _, r := range snapshot.Routes {
		docs = append(docs, catalog.NewRouteDocument(r))
	}
	sources := g.sources.described()
	for _, s := range snapshot.Sources {
		docs = append(docs, catalog.NewSourceDocument(sources.Mask(s)))
	}
	return docs, snapshot.Revision
}

// Module returns the bytes of the module with the digest; see [admin.Plans].
func (g *Gateway) Module(digest string) ([]byte, error) { return g.module(digest) }
