package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
	"github.com/headgate/headgate/gateway/store"
)

// tally counts, per endpoint, what came of the attempts since the start.
type tally struct {
	mu     sync.Mutex // guards what follows
	counts map[string]*count
	all    count // of endpoints that are gone too
}

type count struct {
	delivered, failed uint64
	lastDelivered     time.Time
}

// Record implements [dispatch.Recorder].
func (t *tally) Record(tries []delivery.Try) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]*count{}
	}
	for _, try := range tries {
		c := t.counts[try.Delivery.Endpoint]
		if c == nil {
			c = &count{}
			t.counts[try.Delivery.Endpoint] = c
		}
		if try.Outcome.Blame == delivery.None {
			c.delivered++
			t.all.delivered++
			c.lastDelivered = try.At
		} else {
			c.failed++
			t.all.failed++
		}
	}
}

func (t *tally) total() count {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all
}

func (t *tally) of(endpoint string) count {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.counts[endpoint]; c != nil {
		return *c
	}
	return count{}
}

// idleAfter is how long after its last delivery an endpoint that has nothing
// to do is called idle.
const idleAfter = time.Minute

// Status says how the gateway is doing.
func (g *Gateway) Status(context.Context) (catalog.Status, error) {
	snapshot := g.store.Snapshot()
	stats := g.journal.Stats()
	s := catalog.Status{
		State: catalog.Idle, Version: g.opts.Version, StartedAt: g.started, Revision: snapshot.Revision,
		Routes: len(snapshot.Routes), Plugins: len(snapshot.Plugins),
		Journal: catalog.JournalStatus{
			First: stats.First, Last: stats.Last,
			Bytes: uint64(stats.Bytes), LimitBytes: uint64(stats.MaxBytes),
		},
	}
	if err := g.journal.Healthy(); err != nil {
		s.Journal.Full, s.Journal.Reason = true, err.Error()
	}
	dead := g.letters.Counts()
	for _, e := range g.dispatch.Status() {
		configured, ok := snapshot.Endpoint(e.Endpoint)
		if !ok {
			continue // it was deleted a moment ago
		}
		status := endpointStatus(e, configured.Kind, dead[e.Endpoint], g.tally.of(e.Endpoint))
		status.DeadLetterError = g.copyError(e.Endpoint)
		s.Endpoints = append(s.Endpoints, status)
	}
	for _, config := range snapshot.Sources {
		s.Sources = append(s.Sources, g.sources.status(config))
	}
	for _, open := range g.builder.bindings.open() {
		s.Breakers = append(s.Breakers, catalog.BreakerStatus{Plugin: open.Plugin, Since: open.Since.UTC(), Until: open.Until.UTC(), Reason: open.Last.Error()})
	}
	s.State, s.Reason = summary(s)
	return s, nil
}

func endpointStatus(e dispatch.Status, kind string, dead int, c count) catalog.EndpointStatus {
	out := catalog.EndpointStatus{
		Name: e.Endpoint, Kind: kind, Since: e.Since, Reason: e.Reason,
		Backlog: e.Behind, Waiting: e.Queued, Retrying: e.Retrying, DeadLetters: dead,
		Delivered: c.delivered, Failed: c.failed, NextAttempt: e.RetryAt,
		LastRejection: e.Rejection, LastRejectedAt: e.RejectedAt,
	}
	switch {
	case e.State == dispatch.Paused:
		out.State = catalog.Paused
	case e.State == dispatch.Failing:
		out.State = catalog.Failing
	case e.State == dispatch.CatchingUp:
		out.State = catalog.CatchingUp
	case e.Queued == 0 && e.Retrying == 0 && time.Since(c.lastDelivered) > idleAfter:
		out.State, out.Since = catalog.Idle, c.lastDelivered
	default:
		out.State = catalog.Healthy
	}
	return out
}

// summary is the state of the whole, and the sentence that an operator came
// for.
func summary(s catalog.Status) (catalog.State, string) {
	rank := map[catalog.State]int{catalog.Idle: 0, catalog.Healthy: 1, catalog.CatchingUp: 2, catalog.Paused: 3, catalog.Failing: 4}
	worst := catalog.EndpointStatus{State: catalog.Idle}
	bad, paused := 0, 0
	for _, e := range s.Endpoints {
		switch e.State {
		case catalog.Failing:
			bad++
		case catalog.Paused:
			paused++
		}
		if rank[e.State] > rank[worst.State] {
			worst = e
		}
	}
	var failing *catalog.SourceStatus
	for i := range s.Sources {
		if state := s.Sources[i].State; failing == nil && (state == catalog.SourceFailing || state == catalog.SourceStopped) {
			failing = &s.Sources[i]
		}
	}
	switch {
	case s.Journal.Full:
		return catalog.Failing, "No events are accepted: " + s.Journal.Reason
	case bad == 1:
		return catalog.Failing, fmt.Sprintf("Endpoint %s is failing since %s: %s", worst.Name, worst.Since.UTC().Format(time.RFC3339), worst.Reason)
	case bad > 1:
		return catalog.Failing, fmt.Sprintf("%d of %d endpoints are failing, %s among them: %s", bad, len(s.Endpoints), worst.Name, worst.Reason)
	case failing != nil:
		return catalog.Failing, fmt.Sprintf("Source %s is %s since %s: %s", failing.Name, failing.State, failing.Since.UTC().Format(time.RFC3339), failing.Reason)
	case len(s.Breakers) > 0:
		b := s.Breakers[0]
		return catalog.Failing, fmt.Sprintf("Plugin %s kept trapping and is left alone until %s: %s", b.Plugin, b.Until.Format(time.RFC3339), b.Reason)
	case paused == 1:
		return worst.State, fmt.Sprintf("Endpoint %s is paused: what it is owed waits", worst.Name)
	case paused > 1:
		return worst.State, fmt.Sprintf("%d of %d endpoints are paused, %s among them", paused, len(s.Endpoints), worst.Name)
	case worst.State == catalog.CatchingUp:
		return worst.State, fmt.Sprintf("Endpoint %s is catching up", worst.Name)
	case len(s.Endpoints) == 0:
		return catalog.Idle, "No endpoint is configured"
	case len(s.Endpoints) == 1:
		return worst.State, fmt.Sprintf("Endpoint %s is well", s.Endpoints[0].Name)
	}
	return worst.State, fmt.Sprintf("All %d endpoints are well", len(s.Endpoints))
}

// scanChunks bounds how much of the journal one scan looks at, scanBytes how
// much it answers.
const (
	scanChunks = 1000
	scanBytes  = 8 << 20
)

// Scan looks through part of the journal; see [admin.Events].
func (g *Gateway) Scan(ctx context.Context, q catalog.EventQuery) (catalog.EventPage, error) {
	if q.Latest {
		return g.scanLatest(ctx, q)
	}
	page := catalog.EventPage{Items: []catalog.StoredEvent{}}
	start, err := g.scanStart(ctx, q)
	if err != nil {
		return page, err
	}
	last := g.journal.Last()
	if last == 0 || start.Seq > last {
		page.Covered.Complete = true
		return page, nil
	}
	end := min(last, start.Seq+scanChunks-1)
	size := 0
	for chunk, err := range g.journal.Read(ctx, start.Seq) {
		if err != nil {
			return page, err
		}
		for i := range chunk.Events {
			at := event.Position{Seq: chunk.Seq, Index: i}
			if at.Compare(start) < 0 {
				continue
			}
			if past(q.To, at, chunk.Accepted) {
				page.Covered.Complete = true
				return page, nil
			}
			if len(page.Items) == q.Limit || size > scanBytes {
				page.Next = page.Covered.To
				return page, nil
			}
			cover(&page.Covered, at, chunk.Accepted)
			if e := &chunk.Events[i]; q.Matches(e) {
				size += e.Size()
				page.Items = append(page.Items, catalog.StoredEvent{ID: at, AcceptedAt: chunk.Accepted, Event: catalog.CloudEvent{Event: *e}})
			}
		}
		if chunk.Seq >= last {
			page.Covered.Complete = true
			return page, nil
		}
		if chunk.Seq >= end {
			page.Next = page.Covered.To
			return page, nil
		}
	}
	return page, ctx.Err()
}

// scanStart is the first position that a scan looks at.
func (g *Gateway) scanStart(ctx context.Context, q catalog.EventQuery) (event.Position, error) {
	first := event.Position{Seq: max(g.journal.First(), 1)}
	var start event.Position
	switch {
	case q.After != (event.Position{}):
		start = event.Position{Seq: q.After.Seq, Index: q.After.Index + 1}
	case q.From.Position != (event.Position{}):
		start = q.From.Position
	case !q.From.Time.IsZero():
		seq, err := g.journal.SeqAt(ctx, q.From.Time)
		if err != nil {
			return start, err
		}
		start.Seq = seq
	default:
		if last := g.journal.Last(); last > scanChunks {
			start.Seq = last - scanChunks + 1
		}
	}
	if start.Compare(first) < 0 {
		return first, nil
	}
	return start, nil
}

// past reports whether an event lies behind the end of a scan.
func past(to catalog.Bound, at event.Position, accepted time.Time) bool {
	switch {
	case to.Position != (event.Position{}):
		return at.Compare(to.Position) > 0
	case !to.Time.IsZero():
		return accepted.After(to.Time)
	}
	return false
}

func cover(c *catalog.Covered, at event.Position, accepted time.Time) {
	if c.Events == 0 {
		c.From, c.FromTime = at.String(), accepted
	}
	c.To, c.ToTime = at.String(), accepted
	c.Events++
}

// Event returns the accepted event at a position.
func (g *Gateway) Event(ctx context.Context, id event.Position) (catalog.StoredEvent, error) {
	chunk, err := g.journal.Chunk(ctx, id.Seq)
	if errors.Is(err, journal.ErrNotFound) || err == nil && id.Index >= len(chunk.Events) {
		return catalog.StoredEvent{}, &catalog.NotFoundError{Kind: "event", Name: id.String()}
	}
	if err != nil {
		return catalog.StoredEvent{}, err
	}
	return catalog.StoredEvent{ID: id, AcceptedAt: chunk.Accepted, Event: catalog.CloudEvent{Event: chunk.Events[id.Index]}}, nil
}

// EndpointHistory returns the states that an endpoint has had.
func (g *Gateway) EndpointHistory(name string) (h []catalog.Revision[catalog.Endpoint], err error) {
	err = g.store.View(func(tx *store.Tx) error {
		h, err = tx.EndpointHistory(name)
		return err
	})
	return h, err
}

// RouteHistory returns the states that a route has had.
func (g *Gateway) RouteHistory(id string) (h []catalog.Revision[catalog.Route], err error) {
	err = g.store.View(func(tx *store.Tx) error {
		h, err = tx.RouteHistory(id)
		return err
	})
	return h, err
}

// Audit returns who changed what, the latest first.
func (g *Gateway) Audit(limit int) (entries []catalog.AuditEntry, err error) {
	err = g.store.View(func(tx *store.Tx) error {
		entries, err = tx.Audit(limit)
		return err
	})
	return entries, err
}

// Provenance resolves a value of the extension attribute producedby.
func (g *Gateway) Provenance(id string) (p catalog.Provenance, err error) {
	err = g.store.View(func(tx *store.Tx) error {
		p, err = tx.Provenance(id)
		return err
	})
	return p, err
}

// ready reports why the gateway is not ready for traffic; nil when it is.
func (g *Gateway) ready() error {
	return cmp.Or(g.background.Err(), g.journal.Healthy())
}
