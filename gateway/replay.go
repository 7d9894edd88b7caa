package gateway

import (
	"cmp"
	"context"
	"fmt"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// Replay delivers an endpoint everything from a position or a time on once
// more, under the routes in force; see [admin.Replays].
func (g *Gateway) Replay(ctx context.Context, endpoint string, from catalog.Bound) (catalog.Replay, error) {
	if err := g.knows(endpoint); err != nil {
		return catalog.Replay{}, err
	}
	at := from.Position
	if !from.Time.IsZero() {
		seq, err := g.journal.SeqAt(ctx, from.Time)
		if err != nil {
			return catalog.Replay{}, err
		}
		at = event.Position{Seq: seq}
	}
	if last := g.journal.Last(); at.Seq > last {
		return catalog.Replay{}, &catalog.FieldError{Field: "from", Reason: fmt.Sprintf("no event was accepted at or after %s", from)}
	}
	begin := at
	if first := g.journal.First(); at.Seq < first {
		begin = event.Position{Seq: first}
	}
	chunk, err := g.journal.Chunk(ctx, begin.Seq)
	if err != nil {
		return catalog.Replay{}, fmt.Errorf("event %s: %w", begin, err)
	}
	if n := len(chunk.Events); begin.Index >= n {
		return catalog.Replay{}, &catalog.FieldError{Field: "from", Reason: fmt.Sprintf("there is no event %s: the last of its batch is %d-%d", begin, begin.Seq, n-1)}
	}
	if err := g.dispatch.Replay(ctx, endpoint, begin); err != nil {
		return catalog.Replay{}, err
	}
	g.log.Info("replay begins", "endpoint", endpoint, "from", begin, "accepted", chunk.Accepted)
	return catalog.Replay{
		Endpoint: endpoint, From: begin, AcceptedAt: chunk.Accepted,
		Truncated: cmp.Compare(at.Seq, begin.Seq) < 0 && at.Seq > 0,
	}, nil
}
