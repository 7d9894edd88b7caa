package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// ExplainEvent says what the routes in force make of an accepted event and where
// its deliveries are; see [admin.Explainer].
func (g *Gateway) ExplainEvent(ctx context.Context, q catalog.EventExplainQuery) (catalog.EventExplanation, error) {
	stored, err := g.Event(ctx, q.ID)
	if err != nil {
		return catalog.EventExplanation{}, err
	}
	out := catalog.EventExplanation{StoredEvent: stored}
	snapshot := g.store.Snapshot()
	out.Revision = snapshot.Revision
	states, err := g.deliveries(ctx, stored)
	if err != nil {
		return out, err
	}
	routes, next := selectedRoutes(&snapshot, q)
	out.Next = next
	if q.Route != "" && len(routes) == 0 && !states.knows(q.Route) {
		return out, &catalog.NotFoundError{Kind: "route", Name: q.Route}
	}
	j, err := g.newJury(ctx, &snapshot, routes)
	if err != nil {
		return out, err
	}
	defer j.Close()
	e := stored.Event.Event
	if out.Routes, err = j.judge(ctx, pipeline.Item{Source: &e, Event: &e, Position: q.ID}); err != nil {
		return out, err
	}
	for i := range out.Routes {
		v := &out.Routes[i]
		v.Note = g.newerThan(routes[i], v.ProducedBy, stored.AcceptedAt)
		v.Deliveries = states.of(v, q.ID)
	}
	if q.After == "" {
		out.Routes = append(out.Routes, states.gone(&snapshot, q.Route)...)
	}
	return out, nil
}

// selectedRoutes are those that q asks for, and the id behind which there are
// more.
func selectedRoutes(s *catalog.Snapshot, q catalog.EventExplainQuery) (routes []catalog.Route, next string) {
	if q.Route != "" {
		if r, ok := s.Route(q.Route); ok {
			return []catalog.Route{r}, ""
		}
		return nil, ""
	}
	from, found := slices.BinarySearchFunc(s.Routes, q.After, func(r catalog.Route, id string) int {
		switch {
		case r.ID < id:
			return -1
		case r.ID > id:
			return 1
		}
		return 0
	})
	if found {
		from++
	}
	routes = s.Routes[from:]
	if len(routes) > q.Limit {
		routes = routes[:q.Limit]
		next = routes[q.Limit-1].ID
	}
	return routes, next
}

// ExplainEvents says what the routes in force, or one of them, make of events
// that nobody sent; see [admin.Explainer].
func (g *Gateway) ExplainEvents(ctx context.Context, route string, events []event.Event) ([]catalog.Explained, error) {
	snapshot := g.store.Snapshot()
	routes := snapshot.Routes
	if route != "" {
		r, ok := snapshot.Route(route)
		if !ok {
			return nil, &catalog.NotFoundError{Kind: "route", Name: route}
		}
		routes = []catalog.Route{r}
	}
	if n := len(routes) * len(events); n > catalog.MaxExplained {
		return nil, &catalog.FieldError{Field: "events", Reason: fmt.Sprintf(
			"%d events on %d routes are more than %d verdicts: send fewer, or name a route", len(events), len(routes), catalog.MaxExplained)}
	}
	j, err := g.newJury(ctx, &snapshot, routes)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	out := make([]catalog.Explained, len(events))
	for i := range events {
		if out[i].Routes, err = j.judge(ctx, pipeline.Item{Source: &events[i], Event: &events[i]}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newerThan says that what gives the verdict of r came after an event that was
// accepted then; empty when it did not.
func (g *Gateway) newerThan(r catalog.Route, producedBy string, accepted time.Time) string {
	since, what := r.UpdatedAt, "the route was changed"
	if !r.CreatedAt.Before(r.UpdatedAt) {
		what = "the route was made"
	}
	if producedBy != "" {
		if p, err := g.Provenance(producedBy); err == nil && p.Since.After(since) {
			since, what = p.Since, "a plugin of the route was changed"
		}
	}
	if !since.After(accepted) {
		return ""
	}
	return what + " after the event was accepted, at " + since.UTC().Format(time.RFC3339) + "; the verdict is by what is in force now"
}

// jury judges events by routes, on instances of plugins that are its own. It
// holds the gateway's one place for tests until it is closed.
type jury struct {
	g        *Gateway
	snapshot *catalog.Snapshot
	routes   []juror
	explain  *matcher.Explainer
	bound    trialBindings
}

// juror is a route, with its plugins once they are needed.
type juror struct {
	catalog.Route
	producedBy string
	stages     []trialStage
	bound      bool
	err        error // why its plugins cannot run
}

func (g *Gateway) newJury(ctx context.Context, s *catalog.Snapshot, routes []catalog.Route) (*jury, error) {
	j := &jury{g: g, snapshot: s, bound: trialBindings{}}
	filters := make([]*filter.Filter, 0, len(routes))
	for _, r := range routes {
		f, err := parseFilter(r.Filter)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.ID, err)
		}
		filters = append(filters, f)
		j.routes = append(j.routes, juror{Route: r})
	}
	var err error
	if j.explain, err = g.trial.filters.NewExplainer(ctx, filters...); err != nil {
		return nil, err
	}
	g.trial.running.Lock()
	g.trial.takeLines()
	return j, nil
}

// Close lets the next test run.
func (j *jury) Close() {
	j.explain.Close()
	j.bound.Close()
	j.g.trial.running.Unlock()
}

// judge returns what each route makes of the event of item.
func (j *jury) judge(ctx context.Context, item pipeline.Item) ([]catalog.RouteVerdict, error) {
	out := make([]catalog.RouteVerdict, len(j.routes))
	j.explain.Load(item.Event)
	for i := range j.routes {
		r := &j.routes[i]
		v := &out[i]
		*v = catalog.RouteVerdict{Route: r.ID, Endpoint: r.EndpointName, Filter: r.Filter, Disabled: !r.Enabled, Deliveries: []catalog.DeliveryState{}}
		v.Outputs = []catalog.Output{}
		e := j.explain.Explain(i)
		switch {
		case !e.Matched:
			describeFailure(&v.TestResult, j.explain.Condition(i, e.Condition), e)
			if v.Disabled {
				v.Why = "the route is disabled; " + v.Why
			}
		case v.Disabled:
			v.Why = "the route is disabled; its filter matches"
		default:
			if err := j.stages(ctx, r); err != nil {
				v.Matched, v.Why, v.Error = true, "the filter matches, and the plugins of the route cannot run", err.Error()
				continue
			}
			if err := j.g.trial.run(ctx, item, r.stages, &v.TestResult); err != nil {
				return nil, err
			}
			v.Logs = j.g.trial.takeLines()
			v.ProducedBy = r.producedBy
		}
	}
	return out, ctx.Err()
}

// stages binds the plugins of r, which takes an event.
func (j *jury) stages(ctx context.Context, r *juror) error {
	if r.bound {
		return r.err
	}
	r.bound = true
	whole, err := j.g.builder.mapped(j.snapshot, r.Route)
	if err != nil {
		r.err = err
		return err
	}
	origin, err := j.snapshot.Provenance(whole)
	if err == nil {
		r.producedBy = origin.ID()
		r.stages, err = j.g.trialStages(ctx, j.snapshot, whole, j.bound)
	}
	r.err = err
	return err
}
