package gateway

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// Bounds of what a plan shows.
const (
	maxExplained    = 200     // routes of which examples are shown
	maxExampleBytes = 4 << 20 // of all of them, as JSON
)

// exhibit shows examples of what a change does, within bounds.
type exhibit struct {
	trial        *trial
	routes, room int // that are left
}

// route returns what was counted of a pair, with examples.
func (x *exhibit) route(ctx context.Context, p pair, s *score) (catalog.RouteTraffic, error) {
	out := catalog.RouteTraffic{
		Route: p.id, Before: s.before.of(p.before), After: s.after.of(p.after),
		Gained: s.gained, Lost: s.lost, Changed: s.changed, Same: s.same, Trapped: s.trapped,
		Untouched: p.untouched, Examples: []catalog.TrafficExample{},
	}
	if s.err != nil {
		out.Error = s.err.Error()
		return out, nil
	}
	if len(s.examples) == 0 || x.routes == 0 {
		return out, nil
	}
	x.routes--
	before, err := x.open(ctx, p.before)
	if err != nil {
		return out, err
	}
	defer before.close()
	after, err := x.open(ctx, p.after)
	if err != nil {
		return out, err
	}
	defer after.close()
	for _, what := range []string{catalog.ExampleTrapped, catalog.ExampleLost, catalog.ExampleGained, catalog.ExampleChanged} {
		for _, item := range s.examples[what] {
			e := catalog.TrafficExample{
				What: what, ID: item.Position, EventID: item.Event.ID, Type: item.Event.Type, Subject: item.Event.Subject,
			}
			if e.Before, err = before.try(ctx, item); err != nil {
				return out, err
			}
			if e.After, err = after.try(ctx, item); err != nil {
				return out, err
			}
			if what == catalog.ExampleChanged {
				e.Diff = catalog.Diff(outputsOf(e.Before), outputsOf(e.After))
			}
			text, err := json.Marshal(e)
			if err != nil {
				return out, err
			}
			if x.room -= len(text); x.room < 0 {
				x.routes = 0
				return out, nil
			}
			out.Examples = append(out.Examples, e)
		}
	}
	return out, nil
}

// outputsOf are the outputs of a result as JSON, without how they differ from
// what was accepted.
func outputsOf(r *catalog.TestResult) json.RawMessage {
	if r == nil {
		return nil
	}
	outputs := slices.Clone(r.Outputs)
	for i := range outputs {
		outputs[i].Diff = nil
	}
	text, err := json.Marshal(outputs)
	if err != nil {
		return nil
	}
	return text
}

// tried is one state of a route that tells about single events; nil is one that
// takes none.
type tried struct {
	trial     *trial
	explainer *matcher.Explainer
	side      *rehearsed
}

func (x *exhibit) open(ctx context.Context, side *rehearsed) (*tried, error) {
	if side == nil {
		return nil, nil
	}
	explainer, err := x.trial.filters.NewExplainer(ctx, side.text)
	if err != nil {
		return nil, err
	}
	return &tried{x.trial, explainer, side}, nil
}

func (t *tried) close() {
	if t != nil {
		t.explainer.Close()
	}
}

func (t *tried) try(ctx context.Context, item pipeline.Item) (*catalog.TestResult, error) {
	if t == nil {
		return nil, nil
	}
	t.explainer.Load(item.Event)
	res, err := t.trial.explain(ctx, t.explainer, 0, t.side.stages, item)
	return &res, err
}
