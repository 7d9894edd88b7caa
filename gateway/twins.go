package gateway

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/twin"
)

// Bounds of the series of a twin.
const (
	maxTwinSeries = 100
	maxTwinPoints = 2000 // of one series
)

// Twin looks for the events of one twin in a part of the journal, from its end
// back; see [admin.Twins].
func (g *Gateway) Twin(ctx context.Context, q catalog.TwinQuery) (catalog.TwinPage, error) {
	page := catalog.TwinPage{Key: q.Key, Items: []catalog.TwinEvent{}, Series: []catalog.TwinSeries{}}
	w, err := g.twinWindow(ctx, q)
	if err != nil {
		return page, err
	}
	if w.end.Compare(w.from) <= 0 {
		page.Covered.Complete = true
		return page, nil
	}
	if err := g.scanTwin(ctx, q, w, &page); err != nil {
		return page, err
	}
	slices.Reverse(page.Items)
	wanted := make([]event.Position, len(page.Items))
	for i, item := range page.Items {
		wanted[i] = item.ID
	}
	tries := g.trail.Among(wanted)
	for i := range page.Items {
		item := &page.Items[i]
		for _, t := range tries[item.ID] {
			item.Deliveries = append(item.Deliveries, catalog.DeliveryReport{
				ID: item.ID, EventID: item.Event.ID, Route: t.Route, Endpoint: t.Endpoint, Output: t.Output, Attempt: t.Number,
				At: t.At.UTC(), Took: catalog.Duration(t.Took), Outcome: t.Blame.String(), Error: t.Error, Dead: t.Dead,
			})
		}
	}
	page.Series = twinSeries(page.Items)
	return page, nil
}

// twinWindow is the part of the journal that one request looks at.
type twinWindow struct {
	from   event.Position // the first event of the window
	end    event.Position // the first one behind it
	bottom bool           // nothing that was asked for lies before it
}

func (g *Gateway) twinWindow(ctx context.Context, q catalog.TwinQuery) (w twinWindow, err error) {
	last := g.journal.Last()
	w.end = event.Position{Seq: last + 1}
	switch {
	case q.After != (event.Position{}):
		w.end = q.After
	case q.To.Position != (event.Position{}):
		w.end = event.Position{Seq: q.To.Position.Seq, Index: q.To.Position.Index + 1}
	case !q.To.Time.IsZero():
		seq, err := g.journal.SeqAt(ctx, q.To.Time.Add(time.Nanosecond))
		if err != nil {
			return w, err
		}
		w.end = event.Position{Seq: seq}
	}
	if w.end.Seq > last {
		w.end = event.Position{Seq: last + 1}
	}
	least := event.Position{Seq: max(g.journal.First(), 1)}
	asked := q.From.Position
	if !q.From.Time.IsZero() {
		seq, err := g.journal.SeqAt(ctx, q.From.Time)
		if err != nil {
			return w, err
		}
		asked = event.Position{Seq: seq}
	}
	if asked.Compare(least) > 0 {
		least = asked
	}
	w.from = event.Position{Seq: w.end.Seq - min(w.end.Seq-1, scanChunks)}
	if w.from.Compare(least) <= 0 {
		w.from, w.bottom = least, true
	}
	return w, nil
}

// scanTwin collects the latest events of the twin within w, the oldest first,
// and says what was covered by that.
func (g *Gateway) scanTwin(ctx context.Context, q catalog.TwinQuery, w twinWindow, page *catalog.TwinPage) error {
	bytes, looked, dropped := 0, 0, false
	c := &page.Covered
	counts := []int{} // how many events were looked at before each item
scan:
	for chunk, err := range g.journal.Read(ctx, w.from.Seq) {
		if err != nil {
			return err
		}
		for i := range chunk.Events {
			at := event.Position{Seq: chunk.Seq, Index: i}
			if at.Compare(w.end) >= 0 {
				break scan
			}
			if at.Compare(w.from) < 0 {
				continue
			}
			if looked == 0 {
				c.From, c.FromTime = at.String(), chunk.Accepted
			}
			looked++
			c.To, c.ToTime = at.String(), chunk.Accepted
			e := &chunk.Events[i]
			if e.TwinKey() != q.Key {
				continue
			}
			bytes += e.Size()
			counts = append(counts, looked-1)
			page.Items = append(page.Items, newTwinEvent(at, chunk.Accepted, e))
			for len(page.Items) > q.Limit || bytes > scanBytes && len(page.Items) > 1 {
				bytes -= page.Items[0].Event.Size()
				page.Items, counts, dropped = page.Items[1:], counts[1:], true
			}
		}
		if chunk.Seq >= w.end.Seq || chunk.Seq+1 == w.end.Seq && w.end.Index == 0 {
			break // the journal would wait for more
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.Events = looked
	switch {
	case dropped: // what is older than the items was not told
		first := page.Items[0]
		c.From, c.FromTime, c.Events = first.ID.String(), first.AcceptedAt, looked-counts[0]
		page.Next = first.ID.String()
	case w.bottom:
		c.Complete = true
	default:
		page.Next = w.from.String()
	}
	return nil
}

func newTwinEvent(at event.Position, accepted time.Time, e *event.Event) catalog.TwinEvent {
	t := catalog.TwinEvent{
		StoredEvent: catalog.StoredEvent{ID: at, AcceptedAt: accepted, Event: catalog.CloudEvent{Event: *e}},
		Time:        accepted, Deliveries: []catalog.DeliveryReport{},
	}
	if happened, err := time.Parse(time.RFC3339, e.Time); err == nil && happened.Year() > 1 {
		t.Time = happened
	}
	return t
}

// twinSeries gathers the numbers that events tell, which are the latest first.
func twinSeries(events []catalog.TwinEvent) []catalog.TwinSeries {
	found := map[string][]catalog.TwinPoint{}
	for i := range slices.Backward(events) {
		at := float64(events[i].Time.UnixMilli())
		for path, v := range twin.Numbers(&events[i].Event.Event) {
			if found[path] != nil || len(found) < 10*maxTwinSeries {
				found[path] = append(found[path], catalog.TwinPoint{at, v})
			}
		}
	}
	// Of very many properties, those are shown that change the most often.
	paths := slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(found[b]), len(found[a])), cmp.Compare(a, b))
	})
	paths = paths[:min(len(paths), maxTwinSeries)]
	slices.Sort(paths)
	all := []catalog.TwinSeries{}
	for _, path := range paths {
		s := catalog.TwinSeries{Path: path, Points: found[path]}
		slices.SortStableFunc(s.Points, func(a, b catalog.TwinPoint) int { return cmp.Compare(a[0], b[0]) })
		if n := len(s.Points); n > maxTwinPoints {
			s.Points, s.Truncated = s.Points[n-maxTwinPoints:], true
		}
		all = append(all, s)
	}
	return all
}
