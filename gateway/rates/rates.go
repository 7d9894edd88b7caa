// Package rates keeps what was counted over time.
//
// Whoever counts does no more than that: a [Book] reads the counters at the end
// of every step and writes down by how much they grew. It holds ten-second steps
// of the last hour and one-minute steps of the last day; nothing over a restart.
package rates

import (
	"context"
	"sync"
	"time"
)

// Reading is all counters at one moment, since the start. A counter that is
// smaller than in the reading before began anew.
type Reading struct {
	In, Delivered, Failed, Dead uint64 // of the whole gateway
	Waiting                     uint64 // deliveries that wait, now
	Endpoints                   []Endpoint
	Routes                      []Route
	Sources                     []Source
}

// Endpoint is what was counted of one endpoint.
type Endpoint struct {
	Name                    string
	Delivered, Failed, Dead uint64
	Evaluated               uint64 // events that its routes were asked about
	Backlog, Retrying       uint64 // now
}

// Route is what was counted of one route. A reading holds those alone that ever
// matched an event: what is to be known of all others, their endpoints tell.
type Route struct {
	ID, Endpoint                        string
	Since                               time.Time // when it was first in force
	Evaluated, Matched, Outputs, Errors uint64
}

// Source is what was counted of one source.
type Source struct {
	Name     string
	Received uint64
}

// MaxRoutes bounds the routes that are kept, each of which takes some 7 KB once
// it has counted for a day. Further ones are in the figures of the gateway and
// of their endpoints alone.
const MaxRoutes = 20_000

// Book is what was counted. Its methods may be called from any goroutine.
type Book struct {
	read    func() Reading
	started time.Time

	mu        sync.Mutex // guards what follows
	step      int64      // the one under way
	gateway   *row
	endpoints map[string]*row
	routes    map[string]*row
	sources   map[string]*row
}

// NewBook returns a book that begins now. It calls read, which must be cheap and
// may be called from any goroutine, for the counters as they stand.
func NewBook(now time.Time, read func() Reading) *Book {
	return &Book{
		read: read, started: now, step: stepOf(now), gateway: newRow(stepOf(now), gatewayColumns),
		endpoints: map[string]*row{}, routes: map[string]*row{}, sources: map[string]*row{},
	}
}

// Started is when the book began.
func (b *Book) Started() time.Time { return b.started }

// Run writes down every step as it ends, until ctx does.
func (b *Book) Run(ctx context.Context) {
	for {
		timer := time.NewTimer(time.Until(timeOf(stepOf(time.Now()) + 1)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			b.Sample(time.Now())
		}
	}
}

// Sample writes down the steps that ended by now.
func (b *Book) Sample(now time.Time) {
	reading := b.read()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enter(reading)
	step := stepOf(now)
	if step <= b.step {
		return // it is under way still, or the clock was set back
	}
	same := interned{}
	b.gateway.write(b.step, step, same)
	for _, rows := range []map[string]*row{b.endpoints, b.routes, b.sources} {
		for _, r := range rows {
			r.write(b.step, step, same)
		}
	}
	b.step = step
}

// enter brings the rows up to a reading: what they hold for the step under way
// grows, and those of what is gone go.
func (b *Book) enter(r Reading) {
	b.gateway.count(r.In, r.Delivered, r.Failed, r.Dead, r.Waiting)
	seen := make(map[string]bool, len(r.Endpoints))
	for _, e := range r.Endpoints {
		seen[e.Name] = true
		b.rowOf(b.endpoints, e.Name, endpointColumns).count(e.Delivered, e.Failed, e.Dead, e.Backlog, e.Retrying, e.Evaluated)
	}
	forget(b.endpoints, seen)
	seen = make(map[string]bool, len(r.Routes))
	for _, e := range r.Routes {
		seen[e.ID] = true
		if known := b.routes[e.ID]; known != nil {
			known.count(e.Evaluated, e.Matched, e.Outputs, e.Errors)
		} else if len(b.routes) < MaxRoutes {
			b.routes[e.ID] = b.newRoute(e)
		}
	}
	forget(b.routes, seen)
	seen = make(map[string]bool, len(r.Sources))
	for _, e := range r.Sources {
		seen[e.Name] = true
		b.rowOf(b.sources, e.Name, sourceColumns).count(e.Received)
	}
	forget(b.sources, seen)
}

// newRoute returns the row of a route that matched for the first time. Before,
// it was asked about what all routes of its endpoint were.
func (b *Book) newRoute(e Route) *row {
	r := newRow(max(stepOf(e.Since), stepOf(b.started)), routeColumns)
	asked := e.Matched
	if endpoint := b.endpoints[e.Endpoint]; endpoint != nil {
		r.fine[0] = endpoint.fine[endpointEvaluated].clone()
		r.coarse[0] = endpoint.coarse[endpointEvaluated].clone()
		asked = max(asked, endpoint.grown[endpointEvaluated])
	}
	r.count(e.Evaluated, e.Matched, e.Outputs, e.Errors)
	r.grown[0] = asked
	return r
}

// rowOf returns the row called name, which begins now if there was none.
func (b *Book) rowOf(rows map[string]*row, name string, c columns) *row {
	r := rows[name]
	if r == nil {
		r = newRow(b.step, c)
		rows[name] = r
	}
	return r
}

func forget(rows map[string]*row, seen map[string]bool) {
	for name := range rows {
		if !seen[name] {
			delete(rows, name)
		}
	}
}
