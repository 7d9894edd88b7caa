package gateway

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// rehearsal runs events through two states of the catalog, on instances of its
// own: nothing that it does is seen by an event. Its caller holds the trial's
// lock.
type rehearsal struct {
	g        *Gateway
	modules  modules
	bindings map[bindingKey]*plugin.Binding
	filters  []*filter.Filter
	index    map[string]int // of filters, by their canonical text
}

func newRehearsal(g *Gateway, bytes modules) *rehearsal {
	return &rehearsal{g: g, modules: bytes, bindings: map[bindingKey]*plugin.Binding{}, index: map[string]int{}}
}

func (r *rehearsal) close() {
	for _, b := range r.bindings {
		b.Close()
	}
}

// rehearsed is one state of a route, ready to run.
type rehearsed struct {
	endpoint   string
	text       *filter.Filter
	filter     int // in the rehearsal's filters
	keys       []bindingKey
	passes     pipeline.Pipeline // the filter plugins
	transforms pipeline.Pipeline
	stages     []trialStage // all of them, to say what became of an example
}

// stages binds the plugins of a route, which is whole: with the transform that
// its endpoint implies.
func (r *rehearsal) stages(ctx context.Context, s *catalog.Snapshot, route catalog.Route) (*rehearsed, error) {
	side := &rehearsed{endpoint: route.EndpointName}
	var passes, transforms []pipeline.Stage
	err := eachPlugin(s, route, func(kind plugin.Kind, v catalog.Version, config []byte) error {
		key := bindingOf(s, kind, v, config)
		bound := r.bindings[key]
		if bound == nil {
			options, err := loadOptions(settingsOf(s, v.Name))
			if err != nil {
				return err
			}
			// Each event is to have its own fate, so no breaker comes between.
			options.Breaker = plugin.Breaker{Traps: -1}
			if bound, err = bind(ctx, r.g.trial.plugins, options, key, r.modules, false); err != nil {
				return err
			}
			r.bindings[key] = bound
		}
		side.keys = append(side.keys, key)
		side.stages = append(side.stages, trialStage{bound, kind, key.name})
		if kind == plugin.Filter {
			passes = append(passes, bound)
		} else {
			transforms = append(transforms, bound)
		}
		return nil
	})
	side.passes, side.transforms = pipeline.New(passes...), pipeline.New(transforms...)
	return side, err
}

// side prepares the route with the id as it is in s; nil when it takes no events.
func (r *rehearsal) side(ctx context.Context, s *catalog.Snapshot, id string) (*rehearsed, error) {
	route, ok := s.Route(id)
	if !ok || !route.Enabled {
		return nil, nil
	}
	text, err := parseFilter(route.Filter)
	if err != nil {
		return nil, err
	}
	whole, err := r.g.builder.mapped(s, route)
	if err != nil {
		return nil, err
	}
	side, err := r.stages(ctx, s, whole)
	if err != nil {
		return nil, err
	}
	canonical := text.String()
	at, ok := r.index[canonical]
	if !ok {
		at = len(r.filters)
		r.index[canonical] = at
		r.filters = append(r.filters, text)
	}
	side.text, side.filter = text, at
	return side, nil
}

// pair is a route in both states.
type pair struct {
	id            string
	before, after *rehearsed
	// sameStages says that what comes of an event that both match cannot differ;
	// untouched that nothing can.
	sameStages, untouched bool
}

func (r *rehearsal) pair(ctx context.Context, before, after *catalog.Snapshot, id string) (p pair, err error) {
	p.id = id
	if p.before, err = r.side(ctx, before, id); err != nil {
		// What is in force cannot be run again: that is no fault of the change.
		return p, fmt.Errorf("before the change: %w", err)
	}
	if p.after, err = r.side(ctx, after, id); err != nil {
		return p, err
	}
	if p.before != nil && p.after != nil {
		p.sameStages = slices.Equal(p.before.keys, p.after.keys)
		p.untouched = p.sameStages && p.before.filter == p.after.filter && p.before.endpoint == p.after.endpoint
	}
	return p, nil
}

// compare runs events through both states of every route that takes events in
// either.
func (r *rehearsal) compare(ctx context.Context, before, after *catalog.Snapshot, events []pipeline.Item) ([]catalog.RouteTraffic, error) {
	ids := map[string]bool{}
	for _, s := range []*catalog.Snapshot{before, after} {
		for i := range s.Routes {
			if s.Routes[i].Enabled {
				ids[s.Routes[i].ID] = true
			}
		}
	}
	var pairs []pair
	var scores []*score
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		p, err := r.pair(ctx, before, after, id)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		pairs = append(pairs, p)
		scores = append(scores, newScore(err))
	}
	set, err := r.g.trial.filters.NewSet(ctx, r.filters, nil)
	if err != nil {
		return nil, err
	}
	defer set.Close()

	var mu sync.Mutex // guards next and scores
	next := 0
	work, workCtx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), (len(events)+rehearsalBatch-1)/rehearsalBatch) {
		work.Go(func() error {
			run, err := newComparison(set, pairs)
			if err != nil {
				return err
			}
			defer run.close()
			for {
				mu.Lock()
				from := next
				next += rehearsalBatch
				mu.Unlock()
				if from >= len(events) {
					break
				}
				if err := run.batch(workCtx, events[from:min(from+rehearsalBatch, len(events))]); err != nil {
					return err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for i := range scores {
				scores[i].add(run.scores[i])
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	r.g.trial.takeLines()
	show := exhibit{g: r.g, room: maxExampleBytes, routes: maxExplained}
	out := []catalog.RouteTraffic{}
	for i, s := range scores {
		traffic, err := show.route(ctx, pairs[i], s)
		if err != nil {
			return nil, err
		}
		out = append(out, traffic)
	}
	return out, nil
}

// rehearsalBatch is how many events go through a route at once.
const rehearsalBatch = 512

// comparison runs batches through pairs, for one goroutine.
type comparison struct {
	pairs   []pair
	scores  []*score
	matcher *matcher.Matcher
	// before and after hold, per pair, the events of the batch that a filter lets
	// pass; union those of the pair at hand that either does.
	before, after [][]pipeline.Item
	union         []pipeline.Item
	was, is       lane // of the pair at hand
}

// lane is one state of a route over one batch.
type lane struct {
	passed, made pipeline.Buffer
	verdicts     []verdict // per event of the batch
}

// verdict is what became of an event.
type verdict struct {
	let     bool // the filter lets it pass
	matched bool
	trapped bool
	outputs []pipeline.Item
}

func newComparison(set *matcher.Set, pairs []pair) (*comparison, error) {
	m, err := set.NewMatcher(context.Background())
	if err != nil {
		return nil, err
	}
	c := &comparison{
		pairs: pairs, matcher: m,
		before: make([][]pipeline.Item, len(pairs)), after: make([][]pipeline.Item, len(pairs)),
	}
	for range pairs {
		c.scores = append(c.scores, newScore(nil))
	}
	return c, nil
}

func (c *comparison) close() { c.matcher.Close() }

func (c *comparison) batch(ctx context.Context, events []pipeline.Item) error {
	for k := range c.pairs {
		c.before[k], c.after[k] = c.before[k][:0], c.after[k][:0]
	}
	for i, item := range events {
		item.Origin = i
		c.matcher.Load(item.Event)
		for k := range c.pairs {
			p := &c.pairs[k]
			if p.before != nil && c.matcher.Match(p.before.filter) {
				c.before[k] = append(c.before[k], item)
			}
			if p.after != nil && c.matcher.Match(p.after.filter) {
				c.after[k] = append(c.after[k], item)
			}
		}
	}
	for k, s := range c.scores {
		if s.err != nil || len(c.before[k])+len(c.after[k]) == 0 {
			continue
		}
		if err := c.run(ctx, k, len(events)); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.err = err
			continue
		}
		for _, item := range c.union {
			s.count(&c.was.verdicts[item.Origin], &c.is.verdicts[item.Origin], item)
		}
	}
	return nil
}

// run takes what either filter of a pair lets pass through its plugins.
func (c *comparison) run(ctx context.Context, k, n int) error {
	p, before, after := &c.pairs[k], c.before[k], c.after[k]
	c.union = merge(c.union[:0], before, after)
	c.was.reset(n)
	c.is.reset(n)
	if p.sameStages {
		// One run serves both.
		transforms := p.before.transforms
		if p.untouched {
			transforms = pipeline.Pipeline{}
		}
		if err := c.was.run(ctx, c.union, p.before.passes, transforms); err != nil {
			return err
		}
		copy(c.is.verdicts, c.was.verdicts)
		c.was.only(before, c.union)
		c.is.only(after, c.union)
		return nil
	}
	if p.before != nil {
		if err := c.was.run(ctx, before, p.before.passes, p.before.transforms); err != nil {
			return fmt.Errorf("before the change: %w", err)
		}
	}
	if p.after != nil {
		return c.is.run(ctx, after, p.after.passes, p.after.transforms)
	}
	return nil
}

// merge appends to out what is in a or in b, both of which ascend.
func merge(out, a, b []pipeline.Item) []pipeline.Item {
	for len(a) > 0 && len(b) > 0 {
		switch order := a[0].Origin - b[0].Origin; {
		case order < 0:
			out, a = append(out, a[0]), a[1:]
		case order > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func (l *lane) reset(n int) {
	l.verdicts = slices.Grow(l.verdicts[:0], n)[:n]
	clear(l.verdicts)
}

// only forgets the verdicts on those of all that are not in own.
func (l *lane) only(own, all []pipeline.Item) {
	for _, item := range all {
		if len(own) > 0 && own[0].Origin == item.Origin {
			own = own[1:]
			continue
		}
		l.verdicts[item.Origin] = verdict{}
	}
}

func (l *lane) run(ctx context.Context, in []pipeline.Item, passes, transforms pipeline.Pipeline) error {
	for i := range in {
		l.verdicts[in[i].Origin].let = true
	}
	passed, err := passes.Run(ctx, in, &l.passed)
	if err != nil {
		return err
	}
	for i := range passed {
		l.verdicts[passed[i].Origin].matched = true
	}
	out := passed
	if transforms.Len() > 0 {
		if out, err = transforms.Run(ctx, passed, &l.made); err != nil {
			return err
		}
	}
	for from := 0; from < len(out); {
		to := from + 1
		for to < len(out) && out[to].Origin == out[from].Origin {
			to++
		}
		v := &l.verdicts[out[from].Origin]
		v.outputs = out[from:to]
		v.trapped = slices.ContainsFunc(v.outputs, func(item pipeline.Item) bool { return item.Err != nil })
		from = to
	}
	return nil
}
