package admin

import (
	"context"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// Bounds of what a follower asks for.
const (
	maxSample = 10_000
	maxToldOf = 16_384 // events whose deliveries are told, the latest
)

// How often a follower is told.
const (
	samplePace = 100 * time.Millisecond // what it gets, when it asks for a sample
	leftPace   = time.Second            // else, what its filter left out
)

// screen picks what a follower is told out of what waits for it. It is the
// follower's own, so that a filter costs nobody else any time.
type screen struct {
	matcher   Matcher // nil without a filter
	sample    int     // events a second; 0 without a limit
	budget    float64 // events that may be told now
	refreshed time.Time
	told      *recent         // of the events told; nil when all are
	left      catalog.Dropped // since the follower was told
}

func (s *Server) newScreen(ctx context.Context, q catalog.TailQuery) (*screen, error) {
	sc := &screen{sample: q.Sample, budget: float64(q.Sample), refreshed: time.Now()}
	if q.Filter != "" {
		var err error
		if sc.matcher, err = s.Filters.NewMatcher(ctx, q.Filter); err != nil {
			return nil, err
		}
	}
	if q.Deliveries && sc.limits() {
		sc.told = &recent{known: map[event.Position]bool{}}
	}
	return sc, nil
}

// Close frees the filter.
func (s *screen) Close() {
	if s.matcher != nil {
		s.matcher.Close()
	}
}

func (s *screen) limits() bool { return s.sample > 0 || s.matcher != nil }

func (s *screen) every() time.Duration {
	if s.limits() {
		return samplePace
	}
	return leftPace
}

// pick returns those of items that are told, in order, and counts the others
// in left.
func (s *screen) pick(items []tailItem, now time.Time) []tailItem {
	if !s.limits() {
		return items
	}
	items = s.matching(items)
	if s.sample > 0 {
		items = s.sampled(items, now)
	}
	if s.told == nil {
		return items
	}
	kept := items[:0]
	for _, item := range items {
		if item.accepted != nil {
			s.told.add(item.accepted.ID)
		} else if !s.told.known[item.delivery.ID] {
			continue
		}
		kept = append(kept, item)
	}
	return kept
}

// matching leaves out the events that the filter does not match.
func (s *screen) matching(items []tailItem) []tailItem {
	if s.matcher == nil {
		return items
	}
	kept := items[:0]
	for _, item := range items {
		if item.accepted != nil && !s.matcher.Matches(&item.accepted.Event.Event) {
			s.left.Unmatched++
			continue
		}
		kept = append(kept, item)
	}
	return kept
}

// sampled leaves out events beyond the budget, evenly, so that the ones told
// stand for all that came.
func (s *screen) sampled(items []tailItem, now time.Time) []tailItem {
	s.budget = min(float64(s.sample), s.budget+now.Sub(s.refreshed).Seconds()*float64(s.sample))
	s.refreshed = now
	events := 0
	for _, item := range items {
		if item.accepted != nil {
			events++
		}
	}
	room := min(int(s.budget), events)
	s.budget -= float64(room)
	kept := items[:0]
	due := 0
	for _, item := range items {
		if item.accepted != nil {
			if due += room; due < events {
				s.left.Sampled++
				continue
			}
			due -= events
		}
		kept = append(kept, item)
	}
	return kept
}

// recent remembers the latest positions.
type recent struct {
	known map[event.Position]bool
	order []event.Position
	next  int // in order, once that is full
}

func (r *recent) add(p event.Position) {
	if r.known[p] {
		return
	}
	r.known[p] = true
	if len(r.order) < maxToldOf {
		r.order = append(r.order, p)
		return
	}
	delete(r.known, r.order[r.next])
	r.order[r.next] = p
	r.next = (r.next + 1) % maxToldOf
}
