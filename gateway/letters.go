package gateway

import (
	"context"
	"errors"
	"slices"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/journal"
)

// letterPage is how many dead letters are read at once.
const letterPage = 256

// DeadLetters returns those that q asks for; see [admin.Letters].
func (g *Gateway) DeadLetters(ctx context.Context, q admin.LetterQuery) ([]delivery.Kept, error) {
	if q.Group != "" {
		return g.lettersOfGroup(ctx, q)
	}
	found := []delivery.Kept{}
	after := q.After
	for len(found) < q.Limit {
		// Letters hold whole events, so no more are read than may be asked for.
		limit := min(q.Limit-len(found), letterPage)
		page, err := g.letters.Page(ctx, after, limit, q.Endpoint)
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
	letter, err := g.letters.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return delivery.Kept{}, &catalog.NotFoundError{Kind: "dead letter", Name: id.String()}
	}
	return delivery.Kept{Ref: id, DeadLetter: letter}, err
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
	return len(refs), g.letters.Remove(ctx, refs)
}

// selected returns the letters that s is about, in order.
func (g *Gateway) selected(ctx context.Context, s catalog.Selection) ([]delivery.Ref, error) {
	refs, err := g.candidates(ctx, s)
	if s.Through != (delivery.Ref{}) {
		refs = slices.DeleteFunc(refs, func(ref delivery.Ref) bool { return ref.Compare(s.Through) > 0 })
	}
	return refs, err
}

// candidates returns the letters that s is about, and those that came since.
func (g *Gateway) candidates(ctx context.Context, s catalog.Selection) ([]delivery.Ref, error) {
	if s.Group != "" {
		return g.letters.ofGroup(ctx, s.Group)
	}
	for _, id := range s.IDs {
		if !g.letters.Has(id) {
			return nil, &catalog.NotFoundError{Kind: "dead letter", Name: id.String()}
		}
	}
	if len(s.IDs) > 0 {
		return s.IDs, nil
	}
	var refs []delivery.Ref
	for after := (delivery.Ref{}); ; {
		const page = 4096
		some := g.letters.Refs(after, page, s.Endpoint)
		refs = append(refs, some...)
		if len(some) < page {
			return refs, ctx.Err()
		}
		after = some[page-1]
	}
}
