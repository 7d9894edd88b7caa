package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
)

// scanLatest looks back from the end of what q asks for, within the bounds of a
// scan, and answers the latest events that match, the oldest first.
func (g *Gateway) scanLatest(ctx context.Context, q catalog.EventQuery) (catalog.EventPage, error) {
	page := catalog.EventPage{Items: []catalog.StoredEvent{}}
	page.Covered.Complete = true
	seq, err := g.lastOf(ctx, q.To)
	if err != nil {
		return page, err
	}
	size := 0
scan:
	for looked := 0; seq > 0 && seq >= g.journal.First(); seq-- {
		if looked++; looked > scanChunks {
			page.Covered.Complete = false
			break
		}
		chunk, err := g.journal.Chunk(ctx, seq)
		if errors.Is(err, journal.ErrNotFound) {
			break // purged meanwhile, with all that is older
		}
		if err != nil {
			return page, err
		}
		for i := range slices.Backward(chunk.Events) {
			at := event.Position{Seq: seq, Index: i}
			if past(q.To, at, chunk.Accepted) {
				continue
			}
			if before(q.From, at, chunk.Accepted) {
				break scan
			}
			if len(page.Items) == q.Limit || size > scanBytes {
				page.Covered.Complete = false
				break scan
			}
			coverBack(&page.Covered, at, chunk.Accepted)
			if e := &chunk.Events[i]; q.Matches(e) {
				size += e.Size()
				page.Items = append(page.Items, catalog.StoredEvent{ID: at, AcceptedAt: chunk.Accepted, Event: catalog.CloudEvent{Event: *e}})
			}
		}
	}
	slices.Reverse(page.Items)
	return page, ctx.Err()
}

// lastOf is the last chunk that holds something not past to.
func (g *Gateway) lastOf(ctx context.Context, to catalog.Bound) (uint64, error) {
	last := g.journal.Last()
	switch {
	case to.Position != (event.Position{}):
		last = min(last, to.Position.Seq)
	case !to.Time.IsZero():
		after, err := g.journal.SeqAt(ctx, to.Time.Add(1))
		if err != nil {
			return 0, err
		}
		last = min(last, after-min(after, 1))
	}
	return last, nil
}

// before reports whether an event lies in front of the beginning of a scan.
func before(from catalog.Bound, at event.Position, accepted time.Time) bool {
	switch {
	case from.Position != (event.Position{}):
		return at.Compare(from.Position) < 0
	case !from.Time.IsZero():
		return accepted.Before(from.Time)
	}
	return false
}

// coverBack notes that a scan that goes back looked at an event.
func coverBack(c *catalog.Covered, at event.Position, accepted time.Time) {
	if c.Events == 0 {
		c.To, c.ToTime = at.String(), accepted
	}
	c.From, c.FromTime = at.String(), accepted
	c.Events++
}
