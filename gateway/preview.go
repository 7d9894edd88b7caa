package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/journal"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// previewBytes bounds what one preview answers.
const previewBytes = 8 << 20

// Preview says what a redrive would send; see [admin.Previews]. It runs the
// routes in force on the trial's instances, so that no event sees anything of it.
func (g *Gateway) Preview(ctx context.Context, r catalog.PreviewRequest) (catalog.Preview, error) {
	p := &preview{
		Gateway: g, snapshot: g.store.Snapshot(), bound: trialBindings{}, routes: map[string]*previewRoute{},
		out: catalog.Preview{Items: []catalog.PreviewedLetter{}, Counts: map[string]int{}},
	}
	refs, err := g.selected(ctx, r.Selection)
	if err != nil {
		return p.out, err
	}
	if p.out.Selected = len(refs); len(refs) == 0 {
		return p.out, g.knows(r.Endpoint)
	}
	g.trial.running.Lock()
	defer g.trial.running.Unlock()
	g.trial.takeLines()
	defer p.close()
	size := 0
	for _, ref := range refs[:min(len(refs), r.Limit)] {
		letter, err := g.letters.Get(ctx, ref)
		if errors.Is(err, journal.ErrNotFound) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return p.out, err
		}
		if size += 3 * letter.Delivery.Event.Size(); size > previewBytes && len(p.out.Items) > 0 {
			break
		}
		item, err := p.letter(ctx, delivery.Kept{Ref: ref, DeadLetter: letter})
		if err != nil {
			return p.out, fmt.Errorf("dead letter %s: %w", ref, err)
		}
		p.out.Items = append(p.out.Items, item)
		p.out.Counts[item.Result]++
	}
	return p.out, nil
}

// preview is one preview under way.
type preview struct {
	*Gateway
	snapshot catalog.Snapshot
	bound    trialBindings
	routes   map[string]*previewRoute
	out      catalog.Preview
}

// previewRoute is a route that is ready to be tried.
type previewRoute struct {
	explainer *matcher.Explainer
	stages    []trialStage
}

func (p *preview) close() {
	for _, r := range p.routes {
		r.explainer.Close()
	}
	p.bound.Close()
}

// letter says what would become of one letter.
func (p *preview) letter(ctx context.Context, k delivery.Kept) (catalog.PreviewedLetter, error) {
	d := &k.Delivery
	item := catalog.PreviewedLetter{
		ID: k.Ref, Endpoint: d.Endpoint, Route: d.Route, Reason: k.Reason, Outputs: []catalog.Output{},
	}
	if !d.Unrendered {
		item.Before = &catalog.CloudEvent{Event: d.Event}
	}
	if item.Result, item.Why = p.stays(d); item.Result != "" {
		return item, nil
	}
	r, err := p.route(ctx, d.Route)
	if err != nil {
		return item, err
	}
	origin := dispatch.Accepted(d)
	r.explainer.Load(&origin)
	res, err := p.trial.explain(ctx, r.explainer, 0, r.stages, pipeline.Item{Source: &origin, Event: &origin, Position: d.Position})
	switch {
	case err != nil:
		return item, err
	case res.Error != "":
		item.Result, item.Why = catalog.PreviewFails, res.Error
	case len(res.Outputs) == 0:
		item.Result, item.Why = catalog.PreviewNothing, res.Why
	case d.Output >= len(res.Outputs):
		item.Result = catalog.PreviewNothing
		item.Why = fmt.Sprintf("the letter is output %d of its event, counted from 0, and route %s makes %d of it now", d.Output, d.Route, len(res.Outputs))
	case d.Unrendered:
		item.Result, item.Outputs = catalog.PreviewNew, res.Outputs[d.Output:]
	default:
		compare(&item, d, res.Outputs[d.Output])
	}
	return item, nil
}

// compare holds what would be sent to what failed.
func compare(item *catalog.PreviewedLetter, d *delivery.Delivery, out catalog.Output) {
	before, after := dispatch.Unstamped(d.Event), dispatch.Unstamped(out.Event.Event)
	out.Diff = catalog.DiffOutputs(&before, catalog.NewProperties(d.Properties), &after, out.Properties)
	item.Outputs = []catalog.Output{out}
	if item.Result = catalog.PreviewSame; len(out.Diff) > 0 {
		item.Result = catalog.PreviewChanged
	}
}

// stays says why a letter stays that needs not be tried for it; "" when it does.
func (p *preview) stays(d *delivery.Delivery) (result, why string) {
	if _, ok := p.snapshot.Endpoint(d.Endpoint); !ok {
		return catalog.PreviewRefused, fmt.Sprintf("endpoint %s does not exist any more", d.Endpoint)
	}
	route, ok := p.snapshot.Route(d.Route)
	switch {
	case !ok:
		return catalog.PreviewNothing, fmt.Sprintf("route %s does not exist any more", d.Route)
	case !route.Enabled:
		return catalog.PreviewNothing, fmt.Sprintf("route %s is disabled", d.Route)
	case route.EndpointName != d.Endpoint:
		return catalog.PreviewNothing, fmt.Sprintf("route %s goes to the endpoint %s now", d.Route, route.EndpointName)
	}
	return "", ""
}

// route returns a route that is ready to be tried.
func (p *preview) route(ctx context.Context, id string) (*previewRoute, error) {
	if r := p.routes[id]; r != nil {
		return r, nil
	}
	stored, _ := p.snapshot.Route(id)
	parsed, err := parseFilter(stored.Filter)
	if err != nil {
		return nil, err
	}
	mapped, err := p.builder.mapped(&p.snapshot, stored)
	if err != nil {
		return nil, err
	}
	stages, err := p.trialStages(ctx, &p.snapshot, mapped, p.bound)
	if err != nil {
		return nil, err
	}
	explainer, err := p.trial.filters.NewExplainer(ctx, parsed)
	if err != nil {
		return nil, err
	}
	r := &previewRoute{explainer, stages}
	p.routes[id] = r
	return r, nil
}
