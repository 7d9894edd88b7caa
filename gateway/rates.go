package gateway

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/rates"
	"github.com/headgate/headgate/gateway/route"
)

// intake counts what senders and sources bring.
type intake struct{ *Gateway }

// Accepted implements [ingress.Recorder].
func (i intake) Accepted(events int, took time.Duration) {
	i.accepted.Add(uint64(events))
	i.metrics.Accepted(events, took)
}

// Refused implements [ingress.Recorder].
func (i intake) Refused(status int) { i.metrics.Refused(status) }

// tallies are what the routes are counted in, over all tables.
type tallies struct {
	mu      sync.Mutex // guards what follows
	routes  map[string]*routeTally
	cleaned time.Time // when those were last forgotten that are not stored
}

// routeTally is one route's, with the events that it was asked about: as many
// as its endpoint's routes were, for as long as it is in force.
type routeTally struct {
	route.Tally
	since     time.Time
	endpoint  string // of which asked was read; "" while the route is not in force
	asked     uint64
	evaluated uint64
}

// of returns the tally of a route.
func (t *tallies) of(id string) *route.Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.routes == nil {
		t.routes = map[string]*routeTally{}
	}
	r := t.routes[id]
	if r == nil {
		r = &routeTally{since: time.Now()}
		t.routes[id] = r
	}
	return &r.Tally
}

// since is when a route was first in force; zero if it was not.
func (t *tallies) since(id string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.routes[id]; r != nil {
		return r.since
	}
	return time.Time{}
}

// forgetAfter is how long the tally of a route is kept that is not stored, since
// its creation may be under way, and how often those are looked for.
const forgetAfter = time.Minute

// read returns the counters of the routes that ever matched. Asked holds, by
// endpoint, the events that its routes were asked about.
func (t *tallies) read(snapshot *catalog.Snapshot, asked map[string]uint64) []rates.Route {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []rates.Route
	now := time.Now()
	clean := now.Sub(t.cleaned) > forgetAfter
	if clean {
		t.cleaned = now
	}
	for id, r := range t.routes {
		matched := r.Matched.Load()
		if matched == 0 && !clean {
			continue
		}
		stored, ok := snapshot.Route(id)
		if !ok {
			if clean && now.Sub(r.since) > forgetAfter {
				delete(t.routes, id)
			}
			continue
		}
		if matched == 0 {
			continue
		}
		endpoint := ""
		if stored.Enabled {
			endpoint = stored.EndpointName
		}
		if n := asked[endpoint]; endpoint != "" && endpoint == r.endpoint && n > r.asked {
			r.evaluated += n - r.asked
		}
		r.endpoint, r.asked = endpoint, asked[endpoint]
		all = append(all, rates.Route{
			ID: id, Endpoint: stored.EndpointName, Since: r.since,
			Evaluated: r.evaluated, Matched: matched, Outputs: r.Outputs.Load(), Errors: r.Errors.Load(),
		})
	}
	return all
}

// reading is all counters as they stand.
func (g *Gateway) reading() rates.Reading {
	snapshot := g.store.Snapshot()
	r := rates.Reading{In: g.accepted.Load()}
	asked := map[string]uint64{}
	total, dead := g.tally.total(), g.letters.causes.Kepts()
	r.Delivered, r.Failed = total.delivered, total.failed
	for _, n := range dead {
		r.Dead += n
	}
	for _, e := range g.dispatch.Status() {
		c := g.tally.of(e.Endpoint)
		asked[e.Endpoint] = e.Evaluated
		r.Waiting += uint64(e.Queued + e.Retrying)
		r.Endpoints = append(r.Endpoints, rates.Endpoint{
			Name: e.Endpoint, Delivered: c.delivered, Failed: c.failed, Dead: dead[e.Endpoint],
			Evaluated: e.Evaluated, Backlog: e.Behind, Retrying: uint64(e.Retrying),
		})
	}
	r.Routes = g.tallies.read(&snapshot, asked)
	for _, config := range snapshot.Sources {
		r.Sources = append(r.Sources, rates.Source{Name: config.Name, Received: uint64(g.sources.status(config).Received)})
	}
	return r
}

// Rates returns what was counted over time; see [admin.Rates].
func (g *Gateway) Rates(_ context.Context, q catalog.RatesQuery) (catalog.Rates, error) {
	now := time.Now()
	if q.From.IsZero() {
		q.From = now.Add(-time.Hour)
	}
	if q.To.IsZero() {
		q.To = now
	}
	if q.Step == 0 {
		q.Step = 10 * time.Second
		if now.Sub(q.From) > time.Hour+time.Minute {
			q.Step = time.Minute
		}
	}
	ask := rates.Query{From: q.From, To: q.To, Step: q.Step, Top: q.Top, Endpoints: q.Endpoints}
	if q.Routes != nil {
		snapshot := g.store.Snapshot()
		ask.Routes = []rates.Asked{}
		for _, id := range q.Routes {
			if r, ok := snapshot.Route(id); ok {
				ask.Routes = append(ask.Routes, rates.Asked{ID: id, Endpoint: r.EndpointName, Since: cmp.Or(g.tallies.since(id), now)})
			}
		}
	}
	a, err := g.book.Query(ask, now)
	switch {
	case errors.Is(err, rates.ErrStep):
		return catalog.Rates{}, &catalog.FieldError{Field: "step", Reason: err.Error()}
	case errors.Is(err, rates.ErrRange):
		return catalog.Rates{}, &catalog.FieldError{Field: "from", Reason: err.Error()}
	case err != nil:
		return catalog.Rates{}, &catalog.FieldError{Reason: err.Error()}
	}
	out := catalog.Rates{
		StartedAt: g.book.Started(), From: a.From, To: a.To, StepSeconds: int(q.Step / time.Second),
		Gateway: catalog.GatewayRates{
			In: catalog.Series(a.Gateway[0]), Delivered: catalog.Series(a.Gateway[1]), Failed: catalog.Series(a.Gateway[2]),
			Dead: catalog.Series(a.Gateway[3]), Waiting: catalog.Series(a.Gateway[4]),
		},
		Routes: []catalog.RouteRates{}, Endpoints: []catalog.EndpointRates{}, Sources: []catalog.SourceRates{},
	}
	for _, r := range a.Routes {
		s := r.Series
		out.Routes = append(out.Routes, catalog.RouteRates{ID: r.Name,
			Evaluated: catalog.Series(s[0]), Matched: catalog.Series(s[1]), Outputs: catalog.Series(s[2]), Errors: catalog.Series(s[3])})
	}
	for _, e := range a.Endpoints {
		s := e.Series
		out.Endpoints = append(out.Endpoints, catalog.EndpointRates{Name: e.Name,
			Delivered: catalog.Series(s[0]), Failed: catalog.Series(s[1]), Dead: catalog.Series(s[2]), Backlog: catalog.Series(s[3]), Retrying: catalog.Series(s[4])})
	}
	for _, s := range a.Sources {
		out.Sources = append(out.Sources, catalog.SourceRates{Name: s.Name, Received: catalog.Series(s.Series[0])})
	}
	return out, nil
}

// FollowRates returns what tells, at each call, what was counted since the one
// before; see [admin.Rates].
func (g *Gateway) FollowRates(q catalog.RatesQuery) func() catalog.RatesTick {
	f := ratesFollower{query: q, at: time.Now(), last: g.reading()}
	return func() catalog.RatesTick { return f.tick(time.Now(), g.reading()) }
}

// ratesFollower knows what it told last.
type ratesFollower struct {
	query catalog.RatesQuery
	at    time.Time
	last  rates.Reading
}

func (f *ratesFollower) tick(now time.Time, r rates.Reading) catalog.RatesTick {
	before := f.last
	t := catalog.RatesTick{
		At: now.UTC(), Seconds: now.Sub(f.at).Seconds(),
		Gateway: catalog.GatewayTick{
			In: r.In - before.In, Delivered: r.Delivered - before.Delivered, Failed: r.Failed - before.Failed,
			Dead: r.Dead - before.Dead, Waiting: r.Waiting,
		},
		Endpoints: map[string][5]uint64{}, Sources: map[string]uint64{},
	}
	endpoints := byName(before.Endpoints, func(e rates.Endpoint) string { return e.Name })
	for _, e := range r.Endpoints {
		if f.query.Endpoints == nil || slices.Contains(f.query.Endpoints, e.Name) {
			old := endpoints[e.Name]
			t.Endpoints[e.Name] = [5]uint64{
				grown(old.Delivered, e.Delivered), grown(old.Failed, e.Failed), grown(old.Dead, e.Dead), e.Backlog, e.Retrying,
			}
		}
	}
	sources := byName(before.Sources, func(s rates.Source) string { return s.Name })
	for _, s := range r.Sources {
		t.Sources[s.Name] = grown(sources[s.Name].Received, s.Received)
	}
	t.Routes = f.routes(before.Routes, r.Routes)
	f.at, f.last = now, r
	return t
}

// routes are those that matched since the last tick and are asked for.
func (f *ratesFollower) routes(before, now []rates.Route) map[string][4]uint64 {
	old := byName(before, func(r rates.Route) string { return r.ID })
	told := map[string][4]uint64{}
	for _, r := range now {
		o := old[r.ID]
		if matched := grown(o.Matched, r.Matched); matched > 0 && (f.query.Routes == nil || slices.Contains(f.query.Routes, r.ID)) {
			told[r.ID] = [4]uint64{max(matched, grown(o.Evaluated, r.Evaluated)), matched, grown(o.Outputs, r.Outputs), grown(o.Errors, r.Errors)}
		}
	}
	if f.query.Routes != nil || len(told) <= f.query.Top {
		return told
	}
	most := slices.SortedFunc(maps.Keys(told), func(a, b string) int {
		return cmp.Or(cmp.Compare(told[b][1], told[a][1]), strings.Compare(a, b))
	})
	for _, id := range most[f.query.Top:] {
		delete(told, id)
	}
	return told
}

func byName[T any](list []T, name func(T) string) map[string]T {
	m := make(map[string]T, len(list))
	for _, t := range list {
		m[name(t)] = t
	}
	return m
}

// grown is by how much a counter grew; one that is smaller began anew.
func grown(before, now uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}
