package gateway

import (
	"context"
	"errors"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/journal"
)

// BlockedKeys lists what holds up the deliveries of an endpoint; see
// [admin.Endpoints].
func (g *Gateway) BlockedKeys(ctx context.Context, endpoint string, limit int) (catalog.BlockedKeys, error) {
	if err := g.knows(endpoint); err != nil {
		return catalog.BlockedKeys{}, err
	}
	keys, total, _ := g.dispatch.Blocked(endpoint, limit)
	out := catalog.BlockedKeys{Items: []catalog.BlockedKey{}, Keys: total}
	for _, k := range keys {
		item, err := g.blockedKey(ctx, k)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func (g *Gateway) blockedKey(ctx context.Context, k dispatch.Blocked) (catalog.BlockedKey, error) {
	item := catalog.BlockedKey{
		Key: k.Key, Behind: k.Behind, UnderWay: k.UnderWay, Next: k.First.Due.UTC(),
		DeliveryName: catalog.DeliveryName{Position: k.Position, Route: k.First.Route, Output: k.First.Output},
	}
	if k.First.Waits {
		item.Note = "a plugin of the route is left alone for a while, or it has not been tried yet"
	}
	d, err := g.retryOf(ctx, k.First.Kept)
	if d == nil {
		return item, err
	}
	item.Tries = d.AllAttempts()
	if n := len(d.History); n > 0 {
		item.Error, item.TriedAt = d.History[n-1].Error, d.History[n-1].At.UTC()
	}
	return item, nil
}

// retryOf reads a retry; nil for one that is not on disk.
func (g *Gateway) retryOf(ctx context.Context, ref delivery.Ref) (*delivery.Delivery, error) {
	if ref == (delivery.Ref{}) {
		return nil, nil
	}
	kept, err := g.journal.Retries().Get(ctx, ref)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &kept.Delivery, nil
}

// skipped is the reason of a dead letter that somebody asked for.
const skipped = "skipped by hand"

// SkipDelivery gives up what holds up its key; see [admin.Endpoints].
func (g *Gateway) SkipDelivery(ctx context.Context, endpoint string, n catalog.DeliveryName) (catalog.SkippedDelivery, error) {
	out := catalog.SkippedDelivery{Endpoint: endpoint, DeliveryName: n, Reason: skipped}
	if err := g.knows(endpoint); err != nil {
		return out, err
	}
	for _, w := range g.dispatch.Find(n.Position) {
		for _, r := range w.Retries {
			if w.Endpoint != endpoint || r.Route != n.Route || r.Output != n.Output {
				continue
			}
			d, err := g.retryOf(ctx, r.Kept)
			if err != nil {
				return out, err
			}
			if d != nil && len(d.History) > 0 {
				out.Reason += ", after it failed with: " + d.History[len(d.History)-1].Error
			}
		}
	}
	switch err := g.dispatch.GiveUp(endpoint, n.Route, n.Position, n.Output, out.Reason); {
	case errors.Is(err, dispatch.ErrUnderWay):
		return out, &catalog.UnderWayError{What: n.String()}
	case errors.Is(err, dispatch.ErrNotBlocking):
		return out, &catalog.NotFoundError{Kind: "delivery that holds up its key", Name: n.String()}
	case err != nil:
		return out, err
	}
	g.log.Info("delivery skipped by hand", "endpoint", endpoint, "route", n.Route, "event", n.Position, "output", n.Output)
	return out, nil
}

// RetryEndpoint tries at once what rests; see [admin.Endpoints].
func (g *Gateway) RetryEndpoint(endpoint string) (catalog.Retried, error) {
	if err := g.knows(endpoint); err != nil {
		return catalog.Retried{}, err
	}
	out := catalog.Retried{Endpoint: endpoint}
	for _, s := range g.dispatch.Status() {
		if s.Endpoint == endpoint {
			out.Retrying = s.Retrying
		}
	}
	g.dispatch.Retry(endpoint)
	return out, nil
}
