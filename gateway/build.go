package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/matcher"
	"github.com/headgate/headgate/gateway/plugin/schema"
	"github.com/headgate/headgate/gateway/route"
)

// builder turns a catalog into what the dispatcher runs. Everything that can
// fail of a change fails here, before it is stored. What a catalog shares with
// the one before is used again: compiled filters, bound plugins, open sinks.
type builder struct {
	kinds    []kind
	filters  *matcher.Runtime
	plugins  *plugin.Runtime
	warm     int // evaluators per table
	bindings bindings
	tally    func(route string) *route.Tally // where a route is counted
	// starting says that the routes are those of the last run: their filters were
	// compiled and their plugins took their configurations then, which need not be
	// done again before the server is ready.
	starting bool

	current *build // in force; guarded by the gateway's change lock
}

// build is one catalog, compiled.
type build struct {
	snapshot  catalog.Snapshot
	plan      dispatch.Plan
	set       *matcher.Set
	endpoints map[string]catalog.Endpoint
	sinks     map[string]dispatch.Sink
	opened    []dispatch.Sink      // of sinks, those that the build before did not have
	routes    []built              // the enabled ones, by id
	origins   []catalog.Provenance // of routes, those that the build before did not have
}

// built is what later builds use again of a route that stays as it is.
type built struct {
	filter *filter.Filter
	origin catalog.Provenance
}

// route returns what was built of the route with the id; nothing of one that was
// not there or not enabled.
func (n *build) route(id string) built {
	i, ok := slices.BinarySearchFunc(n.routes, id, func(b built, id string) int { return cmp.Compare(b.origin.Route, id) })
	if !ok {
		return built{}
	}
	return n.routes[i]
}

// modules yields the bytes of a plugin's module.
type modules func(digest string) ([]byte, error)

// build compiles snapshot. A fault of a resource is a [*catalog.FieldError].
func (b *builder) build(ctx context.Context, snapshot catalog.Snapshot, bytes modules) (*build, error) {
	next := &build{
		snapshot:  snapshot,
		endpoints: map[string]catalog.Endpoint{},
		sinks:     map[string]dispatch.Sink{},
	}
	if err := b.openSinks(next); err != nil {
		next.discard()
		return nil, err
	}
	table, err := b.table(ctx, next, bytes)
	if err != nil {
		next.discard()
		return nil, err
	}
	next.plan.Table = table
	return next, nil
}

// adopt makes next the build that later ones share with; the dispatcher owns
// its table and sinks.
func (b *builder) adopt(next *build) {
	if b.current != nil && b.current.set != next.set {
		b.current.set.Close()
	}
	next.opened = nil
	b.current = next
}

// discard frees what a build that is not adopted holds.
func (n *build) discard() {
	if n.plan.Table != nil {
		n.plan.Table.Close()
	}
	if n.set != nil {
		n.set.Close()
	}
	for _, s := range n.opened {
		s.Close()
	}
}

func (b *builder) openSinks(next *build) error {
	for _, e := range next.snapshot.Endpoints {
		sink, err := b.sinkOf(e, next)
		if err != nil {
			return err
		}
		next.endpoints[e.Name] = e
		next.sinks[e.Name] = sink
		next.plan.Endpoints = append(next.plan.Endpoints, dispatch.Endpoint{Name: e.Name, Policy: e.Policy(), Paused: e.Paused, Sink: sink})
	}
	return nil
}

// sinkOf returns the sink that is open for e already, or opens one.
func (b *builder) sinkOf(e catalog.Endpoint, next *build) (dispatch.Sink, error) {
	if b.current != nil {
		if old, ok := b.current.endpoints[e.Name]; ok && old.Kind == e.Kind && bytes.Equal(old.Settings, e.Settings) {
			return b.current.sinks[e.Name], nil
		}
	}
	for _, k := range b.kinds {
		if k.Name != e.Kind {
			continue
		}
		sink, err := k.open(e.Settings)
		if err != nil {
			return nil, fmt.Errorf("endpoint %s: %w", e.Name, err)
		}
		next.opened = append(next.opened, sink)
		return sink, nil
	}
	return nil, &catalog.FieldError{Field: "kind", Reason: fmt.Sprintf("endpoint %s is of the kind %q, which this version does not have", e.Name, e.Kind)}
}

// table compiles the enabled routes.
func (b *builder) table(ctx context.Context, next *build, bytes modules) (*route.Table, error) {
	index := map[string]int{}
	for i, e := range next.plan.Endpoints {
		index[e.Name] = i
	}
	before := b.current
	if before == nil {
		before = &build{}
	}
	rules := make([]route.Rule, 0, len(next.snapshot.Routes))
	filters := make([]*filter.Filter, 0, len(next.snapshot.Routes))
	next.routes = make([]built, 0, len(next.snapshot.Routes))
	var held []bindingKey
	release := func() { b.bindings.release(held) }
	for _, r := range next.snapshot.Routes {
		if !r.Enabled {
			continue
		}
		old := before.route(r.ID)
		f := old.filter
		if old.origin.Revision != r.Revision {
			var err error
			if f, err = parseFilter(r.Filter); err != nil {
				release()
				return nil, fmt.Errorf("route %s: %w", r.ID, err)
			}
		}
		r, err := b.mapped(&next.snapshot, r)
		if err != nil {
			release()
			return nil, fmt.Errorf("route %s: %w", r.ID, err)
		}
		stages, keys, err := b.stages(ctx, &next.snapshot, r, bytes)
		held = append(held, keys...)
		if err != nil {
			release()
			return nil, fmt.Errorf("route %s: %w", r.ID, err)
		}
		origin, err := next.snapshot.ProvenanceLike(r, old.origin)
		if err != nil {
			release()
			return nil, fmt.Errorf("route %s: %w", r.ID, err)
		}
		next.routes = append(next.routes, built{f, origin})
		if origin.ProducedBy != old.origin.ProducedBy {
			next.origins = append(next.origins, origin)
		}
		rules = append(rules, route.Rule{
			ID: r.ID, Endpoint: index[r.EndpointName], Filter: len(filters),
			Pipeline: pipeline.New(stages...), ProducedBy: origin.ProducedBy,
			Tally: b.tally(r.ID),
		})
		filters = append(filters, f)
	}
	set := b.filters.NewSetLater(filters, before.set)
	next.set = set
	if !b.starting {
		if err := set.Compile(ctx, runtime.GOMAXPROCS(0)); err != nil {
			release()
			return nil, fmt.Errorf("compile filters: %w", err)
		}
	}
	return route.NewTable(rules, len(next.plan.Endpoints), openFilters(set), route.Options{Warm: b.warm, OnClose: release})
}

func openFilters(set *matcher.Set) func() (route.Filters, error) {
	return func() (route.Filters, error) { return set.NewMatcher(context.Background()) }
}

// parseFilter reads a route's filter; its error is a [*catalog.FieldError].
func parseFilter(text string) (*filter.Filter, error) {
	f, err := filter.Parse(text)
	if err != nil {
		return nil, &catalog.FieldError{Field: "filter", Reason: err.Error()}
	}
	return f, nil
}

// mapped returns r with the mapping transform that its endpoint implies.
func (b *builder) mapped(s *catalog.Snapshot, r catalog.Route) (catalog.Route, error) {
	e, ok := s.Endpoint(r.EndpointName)
	if !ok {
		return r, nil // a route that is tried out
	}
	i := slices.IndexFunc(b.kinds, func(k kind) bool { return k.Name == e.Kind })
	if i < 0 || b.kinds[i].mapping == nil {
		return r, nil
	}
	name := b.kinds[i].mapping(e.Settings)
	if name == "" || slices.ContainsFunc(r.Transforms, func(ref catalog.PluginRef) bool { return ref.Plugin.Name == name }) {
		return r, nil
	}
	if _, ok := s.Plugin(name); !ok {
		return r, &catalog.FieldError{Field: "transforms", Reason: fmt.Sprintf(
			"endpoint %s takes events that the plugin %q makes, as the last transform of each route to it, and there is no such plugin: push it, or choose another schema for the endpoint", e.Name, name)}
	}
	r.Transforms = append(slices.Clip(r.Transforms), catalog.PluginRef{Plugin: catalog.Ref{Name: name}, Config: json.RawMessage("{}")})
	return r, nil
}

// stages binds the plugins of r. The keys are what is to be released, also
// after an error.
func (b *builder) stages(ctx context.Context, snapshot *catalog.Snapshot, r catalog.Route, bytes modules) ([]pipeline.Stage, []bindingKey, error) {
	var stages []pipeline.Stage
	var keys []bindingKey
	err := eachPlugin(snapshot, r, func(kind plugin.Kind, v catalog.Version, config []byte) error {
		key := bindingOf(snapshot, kind, v, config)
		bound, err := b.bindings.acquire(key, func() (*plugin.Binding, error) {
			options, err := loadOptions(settingsOf(snapshot, v.Name))
			if err != nil {
				return nil, err
			}
			return bind(ctx, b.plugins, options, key, bytes, b.starting)
		})
		if err != nil {
			return err
		}
		keys = append(keys, key)
		stages = append(stages, bound)
		return nil
	})
	return stages, keys, err
}

// eachPlugin calls fn for the plugins of r in the order in which they run. An
// error is returned as one of the member of r that it is about.
func eachPlugin(snapshot *catalog.Snapshot, r catalog.Route, fn func(kind plugin.Kind, v catalog.Version, config []byte) error) error {
	for _, part := range []struct {
		field string
		kind  plugin.Kind
		refs  []catalog.PluginRef
	}{{"filters", plugin.Filter, r.Filters}, {"transforms", plugin.Transform, r.Transforms}} {
		for i, ref := range part.refs {
			field := fmt.Sprintf("%s[%d]", part.field, i)
			v, err := snapshot.Resolve(ref.Plugin)
			if err != nil {
				return catalog.In(field+".plugin", err)
			}
			err = fn(part.kind, v, ref.Config)
			if unfit := (*schema.Error)(nil); errors.As(err, &unfit) {
				return catalog.In(field+".config", &catalog.FieldError{Field: unfit.Field, Reason: unfit.Reason})
			}
			if refused := (*plugin.ConfigError)(nil); errors.As(err, &refused) {
				return &catalog.FieldError{Field: field + ".config", Reason: refused.Text}
			}
			if failed := (*plugin.GuestError)(nil); errors.As(err, &failed) {
				return &catalog.FieldError{Field: field, Reason: failed.Error()}
			}
			if over := (*plugin.LimitError)(nil); errors.As(err, &over) {
				return &catalog.FieldError{Field: field, Reason: over.Error()}
			}
			if err != nil {
				return fmt.Errorf("%s: %w", field, err)
			}
		}
	}
	return nil
}

// bind loads a module and ties it to a configuration, which is known to suit it
// or is put to the test.
func bind(ctx context.Context, rt *plugin.Runtime, opts plugin.LoadOptions, key bindingKey, bytes modules, known bool) (*plugin.Binding, error) {
	wasm, err := bytes(key.digest)
	if err != nil {
		return nil, err
	}
	m, err := rt.LoadWith(ctx, wasm, opts)
	if err != nil {
		return nil, err
	}
	defer m.Close() // the binding keeps it
	if known {
		return m.BindLater(key.kind, []byte(key.config), key.name)
	}
	if err := checkConfig(m.Info().Config, key.config); err != nil {
		return nil, err
	}
	return m.Bind(ctx, key.kind, []byte(key.config), key.name)
}

// checkConfig holds a configuration to the schema that the module carries, if
// it carries one. Its error is a [*schema.Error].
func checkConfig(text []byte, config string) error {
	if text == nil {
		return nil
	}
	s, err := schema.Parse(text)
	if err != nil {
		return &schema.Error{Reason: "the plugin's own schema cannot be used: " + err.Error()}
	}
	return s.Check([]byte(cmp.Or(config, "{}")))
}

// bindingKey says what makes two uses of a plugin the same.
type bindingKey struct {
	digest, config, name string
	kind                 plugin.Kind
	settings             string
}

func bindingOf(s *catalog.Snapshot, kind plugin.Kind, v catalog.Version, config []byte) bindingKey {
	return bindingKey{
		digest: v.Digest, kind: kind, config: string(config), name: fmt.Sprintf("%s@%d", v.Name, v.Version),
		settings: settingsOf(s, v.Name).Text(),
	}
}

// bindings shares bound plugins among routes and tables. The last few that
// lost their last user stay bound for a while, so that going back to a version
// costs no more than going forward did.
type bindings struct {
	mu   sync.Mutex // guards what follows
	held map[bindingKey]*sharedBinding
	idle []bindingKey // without users, the latest last
}

// maxIdle bounds bindings without users.
const maxIdle = 4

type sharedBinding struct {
	*plugin.Binding
	users int
}

func (b *bindings) acquire(key bindingKey, open func() (*plugin.Binding, error)) (*plugin.Binding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.held[key]; s != nil {
		if s.users++; s.users == 1 {
			b.idle = slices.DeleteFunc(b.idle, func(k bindingKey) bool { return k == key })
		}
		return s.Binding, nil
	}
	bound, err := open()
	if err != nil {
		return nil, err
	}
	if b.held == nil {
		b.held = map[bindingKey]*sharedBinding{}
	}
	b.held[key] = &sharedBinding{Binding: bound, users: 1}
	return bound, nil
}

// warmUp makes an instance for each binding, a few at a time, until ctx ends. One
// that cannot be made is tried again by the first event that needs it, which
// tells then.
func (b *bindings) warmUp(ctx context.Context) {
	b.mu.Lock()
	all := slices.Collect(maps.Values(b.held))
	b.mu.Unlock()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, s := range all {
		group.Go(func() error {
			_ = s.Warm(ctx)
			return ctx.Err()
		})
	}
	_ = group.Wait()
}

// open returns the breakers that are open among the bindings in use, by plugin.
func (b *bindings) open() []*plugin.BreakerError {
	b.mu.Lock()
	defer b.mu.Unlock()
	var open []*plugin.BreakerError
	for _, s := range b.held {
		if e := s.Open(); e != nil && s.users > 0 {
			open = append(open, e)
		}
	}
	slices.SortFunc(open, func(x, y *plugin.BreakerError) int {
		return cmp.Or(cmp.Compare(x.Plugin, y.Plugin), x.Since.Compare(y.Since))
	})
	return open
}

func (b *bindings) release(keys []bindingKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		s := b.held[key]
		if s.users--; s.users > 0 {
			continue
		}
		if b.idle = append(b.idle, key); len(b.idle) > maxIdle {
			b.held[b.idle[0]].Close()
			delete(b.held, b.idle[0])
			b.idle = slices.Delete(b.idle, 0, 1)
		}
	}
}
