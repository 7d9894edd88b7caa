package gateway

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
	"github.com/headgate/headgate/gateway/trail"
)

// maxLettersRead bounds the dead letters that are read for one event.
const maxLettersRead = 5000

// states is where the deliveries of one event are.
type states struct {
	found map[outputKey]*catalog.DeliveryState
	owed  map[string]dispatch.Whereabouts // by endpoint
	// forgot says that attempts as old as the event may be forgotten, unread that
	// there are dead letters that were not looked at.
	forgot, unread bool
}

// outputKey names one output of a route.
type outputKey struct {
	route, endpoint string
	output          int
}

// deliveries says where the deliveries of an event are: by the latest attempts,
// the retries and the dead letters.
func (g *Gateway) deliveries(ctx context.Context, e catalog.StoredEvent) (*states, error) {
	s := &states{found: map[outputKey]*catalog.DeliveryState{}, owed: map[string]dispatch.Whereabouts{}}
	where := g.dispatch.Find(e.ID)
	tries := g.trail.Of(e.ID)
	oldest, forgotten := g.trail.Since()
	s.forgot = e.AcceptedAt.Before(g.started) || forgotten && e.AcceptedAt.Before(oldest)
	for _, t := range tries {
		s.tried(t)
	}
	for _, w := range where {
		s.owed[w.Endpoint] = w
		for _, r := range w.Retries {
			if err := g.retrying(ctx, s, w.Endpoint, r); err != nil {
				return nil, err
			}
		}
	}
	return s, g.lettersOf(ctx, s, e)
}

func (s *states) at(k outputKey) *catalog.DeliveryState {
	d := s.found[k]
	if d == nil {
		d = &catalog.DeliveryState{Endpoint: k.endpoint, Output: k.output, State: catalog.StateUnknown, Attempts: []catalog.DeliveryAttempt{}}
		s.found[k] = d
	}
	return d
}

// tried notes an attempt that is remembered.
func (s *states) tried(t trail.Attempt) {
	d := s.at(outputKey{t.Route, t.Endpoint, t.Output})
	d.Attempts = append(d.Attempts, attemptOf(t))
	d.Tries = max(d.Tries, t.Number, len(d.Attempts))
	d.ProducedBy = cmp.Or(t.ProducedBy, d.ProducedBy)
	switch {
	case t.Blame == delivery.None:
		d.State, d.Reason = catalog.StateDelivered, ""
	case t.Dead:
		d.State, d.Reason = catalog.StateDead, t.Error
	default:
		d.State = catalog.StateRetrying
	}
}

func attemptOf(t trail.Attempt) catalog.DeliveryAttempt {
	return catalog.DeliveryAttempt{
		Attempt: t.Number, At: t.At.UTC(), Took: catalog.Duration(t.Took), Outcome: t.Blame.String(), Error: t.Error,
	}
}

// EndpointAttempts returns the latest tries of an endpoint; see
// [admin.Endpoints].
func (g *Gateway) EndpointAttempts(name string, failed bool, limit int) ([]catalog.EndpointAttempt, error) {
	snapshot := g.store.Snapshot()
	if _, ok := snapshot.Endpoint(name); !ok {
		return nil, &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	attempts := []catalog.EndpointAttempt{}
	for _, m := range g.trail.Latest(name, failed, limit) {
		attempts = append(attempts, catalog.EndpointAttempt{
			Position: m.Event, Route: m.Route, Output: m.Output, DeliveryAttempt: attemptOf(m.Attempt), Dead: m.Dead,
		})
	}
	return attempts, nil
}

// retrying notes a delivery that is among the retries.
func (g *Gateway) retrying(ctx context.Context, s *states, endpoint string, r dispatch.Retrying) error {
	d := s.at(outputKey{r.Route, endpoint, r.Output})
	d.State, d.Next = catalog.StateRetrying, r.Due.UTC()
	if r.Waits {
		d.State, d.Note = catalog.StateWaiting, "an earlier delivery of the same key is to go first, or a plugin of the route is left alone for a while"
	}
	kept, err := g.retryOf(ctx, r.Kept)
	if kept != nil {
		s.history(d, kept)
	}
	return err
}

// history notes what a delivery that is on disk tells of its attempts.
func (s *states) history(d *catalog.DeliveryState, kept *delivery.Delivery) {
	d.Tries = max(d.Tries, kept.AllAttempts())
	if by, ok := kept.Event.Extension("producedby"); ok && !kept.Unrendered {
		d.ProducedBy = by
	}
	if len(d.Attempts) >= len(kept.History) {
		return
	}
	d.Attempts = d.Attempts[:0]
	first := kept.AllAttempts() - len(kept.History) + 1
	for i, a := range kept.History {
		d.Attempts = append(d.Attempts, catalog.DeliveryAttempt{Attempt: max(first+i, 0), At: a.At.UTC(), Error: a.Error})
	}
}

// lettersOf notes the dead letters of the event. They are in the order in which
// they were written, none before the event was accepted.
func (g *Gateway) lettersOf(ctx context.Context, s *states, e catalog.StoredEvent) error {
	letters := g.journal.DeadLetters()
	if letters.Len() == 0 {
		return nil
	}
	after, err := lettersSince(ctx, letters, e.AcceptedAt.Add(-time.Minute))
	if err != nil {
		return err
	}
	for read := 0; ; {
		page, err := letters.Page(ctx, after, letterPage, "")
		if err != nil {
			return err
		}
		for _, k := range page {
			after = k.Ref
			if k.Delivery.Position == e.ID {
				s.letter(k)
			}
		}
		if read += len(page); len(page) < letterPage {
			return nil
		}
		if read >= maxLettersRead {
			s.unread = true
			return nil
		}
	}
}

func (s *states) letter(k delivery.Kept) {
	d := s.at(outputKey{k.Delivery.Route, k.Delivery.Endpoint, k.Delivery.Output})
	ref := event.Position(k.Ref)
	if d.State == catalog.StateRetrying || d.State == catalog.StateWaiting {
		d.Letter, d.Note = &ref, "a dead letter that is being sent again"
		return
	}
	d.State, d.Letter, d.Reason = catalog.StateDead, &ref, k.Reason
	s.history(d, &k.Delivery)
}

// lettersSince is a reference behind which are all letters that were written
// since then.
func lettersSince(ctx context.Context, letters *journal.Spool, since time.Time) (delivery.Ref, error) {
	low, high := uint64(0), uint64(1)
	older := func(seq uint64) (bool, error) {
		page, err := letters.Page(ctx, delivery.Ref{Seq: seq}, 1, "")
		if err != nil || len(page) == 0 {
			return false, err
		}
		return page[0].DeadAt.Before(since), nil
	}
	for {
		is, err := older(high)
		if err != nil {
			return delivery.Ref{}, err
		}
		if !is {
			break
		}
		low, high = high, high*2
	}
	for low+1 < high {
		mid := low + (high-low)/2
		is, err := older(mid)
		if err != nil {
			return delivery.Ref{}, err
		}
		if is {
			low = mid
		} else {
			high = mid
		}
	}
	return delivery.Ref{Seq: low}, nil
}

// knows reports whether anything is known of deliveries by the route.
func (s *states) knows(route string) bool {
	for k := range s.found {
		if k.route == route {
			return true
		}
	}
	return false
}

// of returns the deliveries of v: what is known of them, and what v would have
// made of which nothing is known.
func (s *states) of(v *catalog.RouteVerdict, id event.Position) []catalog.DeliveryState {
	list := s.by(v.Route)
	outputs := len(v.Outputs)
	if v.Error != "" {
		outputs = 1 // it becomes a dead letter as it was accepted
	}
	for n := range outputs {
		if slices.ContainsFunc(list, func(d catalog.DeliveryState) bool { return d.Output == n && d.Endpoint == v.Endpoint }) {
			continue
		}
		list = append(list, s.missing(v, n))
	}
	for i := range list {
		if d := &list[i]; d.Note == "" && v.ProducedBy != "" && d.ProducedBy != "" && d.ProducedBy != v.ProducedBy {
			d.Note = "made by another state of the route than is in force now"
		}
	}
	slices.SortStableFunc(list, func(a, b catalog.DeliveryState) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Output, b.Output))
	})
	return list
}

// missing is the state of an output of which no attempt, retry or dead letter is
// known.
func (s *states) missing(v *catalog.RouteVerdict, output int) catalog.DeliveryState {
	d := catalog.DeliveryState{Endpoint: v.Endpoint, Output: output, State: catalog.StateUnknown, Attempts: []catalog.DeliveryAttempt{}}
	w, ok := s.owed[v.Endpoint]
	switch {
	case ok && w.Owed:
		d.State = catalog.StateWaiting
		if !w.Taken {
			d.Note = "the endpoint has not come to the event yet"
		}
	case v.Note != "":
		d.Note = "the endpoint owes nothing of the event; " + v.Note
	case s.unread:
		d.Note = fmt.Sprintf("the endpoint owes nothing of the event any more; of the dead letters since then, the first %d were looked through", maxLettersRead)
	case s.forgot:
		d.Note = "the endpoint owes nothing of the event any more, and it is not among the dead letters; attempts that long ago are not remembered"
	default:
		d.Note = "the endpoint owes nothing of the event, and no attempt was made since the start"
	}
	return d
}

// by returns what is known of the deliveries by a route.
func (s *states) by(route string) []catalog.DeliveryState {
	list := []catalog.DeliveryState{}
	for k, d := range s.found {
		if k.route == route {
			list = append(list, *d)
		}
	}
	return list
}

// gone returns the routes that are not in snapshot and of whose deliveries
// something is known; of one route alone, unless that is empty.
func (s *states) gone(snapshot *catalog.Snapshot, only string) []catalog.RouteVerdict {
	names := map[string]bool{}
	for k := range s.found {
		if _, ok := snapshot.Route(k.route); !ok && (only == "" || only == k.route) {
			names[k.route] = true
		}
	}
	var out []catalog.RouteVerdict
	for _, name := range slices.Sorted(maps.Keys(names)) {
		v := catalog.RouteVerdict{Route: name, Gone: true, Deliveries: s.by(name)}
		v.Why, v.Outputs = "there is no such route any more", []catalog.Output{}
		slices.SortFunc(v.Deliveries, func(a, b catalog.DeliveryState) int {
			return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Output, b.Output))
		})
		v.Endpoint = v.Deliveries[0].Endpoint
		out = append(out, v)
	}
	return out
}
