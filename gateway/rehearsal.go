package gateway

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
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
	bindings trialBindings
	filters  []*filter.Filter
	index    map[string]int // of filters, by their canonical text
	chains   map[string]*chain
}

func newRehearsal(g *Gateway, bytes modules) *rehearsal {
	return &rehearsal{g: g, modules: bytes, bindings: trialBindings{}, index: map[string]int{}, chains: map[string]*chain{}}
}

func (r *rehearsal) close() { r.bindings.Close() }

// rehearsed is one state of a route, ready to run.
type rehearsed struct {
	endpoint string
	text     *filter.Filter
	filter   int // in the rehearsal's filters
	chain    *chain
	stages   []trialStage // of the chain, to say what became of an example
}

// chain is a sequence of plugins that routes share: what comes of an event
// depends on nothing else.
type chain struct {
	index      int
	passes     pipeline.Pipeline // the filter plugins
	transforms pipeline.Pipeline
}

// stages binds the plugins of a route, which is whole: with the transform that
// its endpoint implies.
func (r *rehearsal) stages(ctx context.Context, s *catalog.Snapshot, route catalog.Route) (*rehearsed, error) {
	side := &rehearsed{endpoint: route.EndpointName}
	var err error
	if side.stages, err = r.g.trialStagesFrom(ctx, s, route, r.modules, r.bindings); err != nil {
		return nil, err
	}
	var passes, transforms []pipeline.Stage
	var name strings.Builder
	for _, stage := range side.stages {
		fmt.Fprintf(&name, "%p ", stage.Binding) // one for each use that differs
		if stage.kind == plugin.Filter {
			passes = append(passes, stage)
		} else {
			transforms = append(transforms, stage)
		}
	}
	if side.chain = r.chains[name.String()]; side.chain == nil {
		side.chain = &chain{len(r.chains), pipeline.New(passes...), pipeline.New(transforms...)}
		r.chains[name.String()] = side.chain
	}
	return side, nil
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
	// sameChain says that what comes of an event that both match cannot differ;
	// untouched that nothing can.
	sameChain, untouched bool
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
		p.sameChain = p.before.chain == p.after.chain
		p.untouched = p.sameChain && p.before.filter == p.after.filter && p.before.endpoint == p.after.endpoint
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
	set, err := r.compile(ctx)
	if err != nil {
		return nil, err
	}
	defer set.Close()

	size := batchFor(len(r.chains))
	var mu sync.Mutex // guards next and scores
	next := 0
	work, workCtx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), (len(events)+size-1)/size) {
		work.Go(func() error {
			run, err := newComparison(set, pairs, r.chains)
			if err != nil {
				return err
			}
			defer run.close()
			for {
				mu.Lock()
				from := next
				next += size
				mu.Unlock()
				if from >= len(events) {
					break
				}
				if err := run.batch(workCtx, events[from:min(from+size, len(events))]); err != nil {
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
	show := exhibit{trial: &r.g.trial, room: maxExampleBytes, routes: maxExplained}
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

// compile compiles the filters of both states. Those in force are compiled
// already, and shared.
func (r *rehearsal) compile(ctx context.Context) (*matcher.Set, error) {
	r.g.changing.Lock()
	defer r.g.changing.Unlock()
	return r.g.trial.filters.NewSet(ctx, r.filters, r.g.builder.current.set)
}

// batchFor is how many events go through at once: for each of them and each
// chain there is a verdict in memory.
func batchFor(chains int) int { return min(max(100_000/(chains+1), 32), 512) }
