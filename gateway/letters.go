package gateway

import (
	"context"
	"errors"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/journal"
)

// letterPage is how many dead letters are read at once.
const letterPage = 256

// DeadLetters returns those that q asks for; see [admin.Letters].
func (g *Gateway) DeadLetters(ctx context.Context, q admin.LetterQuery) ([]delivery.Kept, error) {
	found := []delivery.Kept{}
	after := q.After
	for len(found) < q.Limit {
		// Letters hold whole events, so no more are read than may be asked for.
		limit := min(q.Limit-len(found), letterPage)
		page, err := g.journal.DeadLetters().Page(ctx, after, limit, q.Endpoint)
		if err != nil {
			return nil, err
		}
		for _, k := range page {
			if len(found) < q.Limit && (q.Route == "" || k.Delivery.Route == q.Route) {
				found = append(found, k)
			}
			after = k.Ref
		}
		if len(page) < limit {
			break
		}
	}
	return found, nil
}

// DeadLetter returns one.
func (g *Gateway) DeadLetter(ctx context.Context, id delivery.Ref) (delivery.Kept, error) {
	letter, err := g.journal.DeadLetters().Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return delivery.Kept{}, &catalog.NotFoundError{Kind: "dead letter", Name: id.String()}
	}
	return delivery.Kept{Ref: id, DeadLetter: letter}, err
}

// Redrive sends dead letters again, under the routes in force. Few are on
// their way when it returns; many follow in the background, as fast as their
// endpoint takes them.
func (g *Gateway) Redrive(ctx context.Context, s catalog.Selection) (catalog.Redriven, error) {
	var out catalog.Redriven
	refs, err := g.selected(ctx, s)
	if err != nil {
		return out, err
	}
	if len(refs) == 0 {
		return out, g.knows(s.Endpoint)
	}
	if len(refs) > letterPage {
		g.wg.Go(func() {
			done, err := g.dispatch.Redrive(g.background, refs)
			g.log.Info("redrive ended", "asked", len(refs), "started", done.Started, "refused", len(done.Refused), "err", err)
		})
		out.Redriving = len(refs)
		return out, nil
	}
	done, err := g.dispatch.Redrive(ctx, refs)
	out.Redriving = done.Started
	for _, r := range done.Refused {
		out.Refused = append(out.Refused, catalog.RefusedLetter{ID: r.Letter, Reason: r.Reason})
	}
	return out, err
}

// knows returns an error for the name of an endpoint that does not exist, so
// that a slip of the pen does not look like an empty list.
func (g *Gateway) knows(endpoint string) error {
	snapshot := g.store.Snapshot()
	if _, ok := snapshot.Endpoint(endpoint); endpoint != "" && !ok {
		return &catalog.NotFoundError{Kind: "endpoint", Name: endpoint}
	}
	return nil
}

// Purge removes dead letters for good.
func (g *Gateway) Purge(ctx context.Context, s catalog.Selection) (int, error) {
	refs, err := g.selected(ctx, s)
	if err != nil {
		return 0, err
	}
	if len(refs) == 0 {
		return 0, g.knows(s.Endpoint)
	}
	return len(refs), g.journal.DeadLetters().Remove(ctx, refs)
}

// selected returns the letters that s is about, in order.
func (g *Gateway) selected(ctx context.Context, s catalog.Selection) ([]delivery.Ref, error) {
	if len(s.IDs) > 0 {
		for _, id := range s.IDs {
			if _, err := g.DeadLetter(ctx, id); err != nil {
				return nil, err
			}
		}
		return s.IDs, nil
	}
	var refs []delivery.Ref
	var after delivery.Ref
	for {
		page, err := g.journal.DeadLetters().Page(ctx, after, letterPage, s.Endpoint)
		if err != nil {
			return nil, err
		}
		for _, k := range page {
			refs = append(refs, k.Ref)
			after = k.Ref
		}
		if len(page) < letterPage {
			return refs, nil
		}
	}
}
