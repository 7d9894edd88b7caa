package rates

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
)

// Query asks for what was counted from From to To, in steps of Step.
type Query struct {
	From, To time.Time
	Step     time.Duration
	Routes   []Asked // only these, unless nil
	Top      int     // without Routes: so many, those that matched the most
	// Endpoints are the only ones asked for, unless nil.
	Endpoints []string
}

// Asked is a route that a query is about.
type Asked struct {
	ID, Endpoint string
	Since        time.Time // when it was first in force
}

// Answer is what was counted. All series have the same length.
type Answer struct {
	From, To  time.Time
	Gateway   []Series // in, delivered, failed, dead, waiting
	Routes    []Named  // evaluated, matched, outputs, errors; the most matches first
	Endpoints []Named  // delivered, failed, dead, backlog, retrying; by name
	Sources   []Named  // received; by name
}

// Named are the series of one thing.
type Named struct {
	Name   string
	Series []Series
}

// Series is a number for each step, the oldest first; [Unknown] where nothing is
// known.
type Series []int64

// Unknown stands in a series for a step of which nothing is known.
const Unknown = -1

// What a query may not be.
var (
	ErrStep  = errors.New("want a multiple of 10s, or of 1m for what is older than an hour; at most 1h")
	ErrRange = errors.New("want a range of at most a day that ends after it begins")
	ErrLarge = errors.New("the answer would be too large; ask for longer steps, or for fewer routes")
)

// maxNumbers bounds those of an answer. Leeway is how much more than is promised
// can be asked for: who computes an hour ago, asks a moment later.
const (
	maxNumbers = 2_000_000
	leeway     = 5 * time.Minute
)

// Query returns what q asks for, up to now. Its errors are those above.
func (b *Book) Query(q Query, now time.Time) (Answer, error) {
	if q.To.After(now) {
		q.To = now
	}
	length := int64(q.Step / time.Second)
	coarse := now.Sub(q.From) > fineSteps*fineSeconds*time.Second+leeway
	switch unit := int64(fineSeconds); {
	case coarse && length%coarseSeconds != 0, length < unit || length%unit != 0 || q.Step%time.Second != 0 || q.Step > time.Hour:
		return Answer{}, ErrStep
	case !q.From.Before(q.To), now.Sub(q.From) > coarseSteps*coarseSeconds*time.Second+leeway:
		return Answer{}, ErrRange
	}
	reading := b.read()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.enter(reading)
	w := window{now: b.step, length: length / fineSeconds, coarse: coarse}
	w.first = stepOf(q.From) / w.length * w.length
	w.steps = int((stepOf(q.To.Add(-1))-w.first)/w.length) + 1

	routes := q.Routes
	if routes == nil {
		routes = b.top(w, q.Top)
	}
	if (5+4*len(routes)+5*len(b.endpoints)+len(b.sources))*w.steps > maxNumbers {
		return Answer{}, ErrLarge
	}
	a := Answer{From: timeOf(w.first), To: q.To, Gateway: w.read(b.gateway, 5), Routes: []Named{}}
	for _, asked := range routes {
		a.Routes = append(a.Routes, Named{asked.ID, w.read(b.route(asked), 4)})
	}
	a.Endpoints = w.readAll(b.endpoints, 5, q.Endpoints)
	a.Sources = w.readAll(b.sources, 1, nil)
	return a, nil
}

// route returns the row of a route; one that never matched has none of its own.
func (b *Book) route(asked Asked) *row {
	if r := b.routes[asked.ID]; r != nil {
		return r
	}
	r := newRow(max(stepOf(asked.Since), stepOf(b.started)), routeColumns)
	if endpoint := b.endpoints[asked.Endpoint]; endpoint != nil {
		r.fine[0], r.coarse[0], r.grown[0] = endpoint.fine[endpointEvaluated], endpoint.coarse[endpointEvaluated], endpoint.grown[endpointEvaluated]
	}
	return r
}

// top returns the n routes that matched the most within w.
func (b *Book) top(w window, n int) []Asked {
	type matches struct {
		id string
		n  uint64
	}
	all := make([]matches, 0, len(b.routes))
	for id, r := range b.routes {
		count, _ := r.at(1, w.first, w.first+int64(w.steps)*w.length, w.now, w.coarse)
		all = append(all, matches{id, count})
	}
	slices.SortFunc(all, func(x, y matches) int { return cmp.Or(cmp.Compare(y.n, x.n), strings.Compare(x.id, y.id)) })
	most := []Asked{}
	for _, m := range all[:min(n, len(all))] {
		most = append(most, Asked{ID: m.id})
	}
	return most
}

// window is the steps of an answer, in fine steps.
type window struct {
	first, length int64
	steps         int
	now           int64 // the one under way
	coarse        bool
}

// read returns the first n columns of r.
func (w window) read(r *row, n int) []Series {
	out := make([]Series, n)
	for i := range out {
		out[i] = make(Series, w.steps)
		for k := range out[i] {
			from := w.first + int64(k)*w.length
			count, known := r.at(i, from, from+w.length, w.now, w.coarse)
			if out[i][k] = int64(count); !known {
				out[i][k] = Unknown
			}
		}
	}
	return out
}

// readAll returns the rows, only those called names unless that is nil, by name.
func (w window) readAll(rows map[string]*row, n int, names []string) []Named {
	all := []Named{}
	for name, r := range rows {
		if names == nil || slices.Contains(names, name) {
			all = append(all, Named{name, w.read(r, n)})
		}
	}
	slices.SortFunc(all, func(x, y Named) int { return strings.Compare(x.Name, y.Name) })
	return all
}
