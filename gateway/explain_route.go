package gateway

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// Bounds of a histogram.
const (
	histogramTime     = 20 * time.Second // then it says how far it came
	histogramExamples = 3                // of each line
	histogramValues   = 5                // of each condition, the most frequent
	histogramKept     = 500              // values that are told apart
	histogramBatch    = 256              // events that plugins run at once
)

// ExplainRoute counts why the events of a part of the journal match a route, as
// it is now, or do not; see [admin.Explainer].
func (g *Gateway) ExplainRoute(ctx context.Context, q catalog.ExplainQuery) (catalog.RouteExplanation, error) {
	snapshot := g.store.Snapshot()
	r, ok := snapshot.Route(q.Route)
	if !ok {
		return catalog.RouteExplanation{}, &catalog.NotFoundError{Kind: "route", Name: q.Route}
	}
	j, err := g.newJury(ctx, &snapshot, []catalog.Route{r})
	if err != nil {
		return catalog.RouteExplanation{}, err
	}
	defer j.Close()
	juror := &j.routes[0]
	if err := j.stages(ctx, juror); err != nil {
		return catalog.RouteExplanation{}, err
	}
	h := histogram{juror: juror, explain: j.explain, failed: map[int]*conditionCount{}}
	for _, s := range juror.stages {
		h.plugins = append(h.plugins, catalog.PluginCount{Plugin: s.name, Kind: s.kind.String(), Examples: []string{}})
	}
	out := catalog.RouteExplanation{Route: r.ID, Disabled: !r.Enabled, Revision: r.Revision, Filter: r.Filter}
	if err := g.scanFor(ctx, q, &out, h.add); err != nil {
		return out, err
	}
	if err := h.flush(ctx); err != nil {
		return out, err
	}
	h.report(&out)
	if !r.Enabled {
		out.Note = "the route is disabled: what it would match if it were not"
	} else if r.UpdatedAt.After(out.Covered.FromTime) && out.Events > 0 {
		out.Note = "the route was changed at " + r.UpdatedAt.UTC().Format(time.RFC3339) + ", after some of the events; all of this is by what it is now"
	}
	return out, nil
}

// scanFor calls fn for the events that q asks for, and notes in out which those
// were.
func (g *Gateway) scanFor(ctx context.Context, q catalog.ExplainQuery, out *catalog.RouteExplanation, fn func(context.Context, pipeline.Item) error) error {
	last := g.journal.Last()
	start, err := g.explainStart(ctx, q, last)
	if err != nil {
		return err
	}
	if last == 0 || start.Seq > last {
		out.Covered.Complete = true
		return nil
	}
	deadline := time.Now().Add(histogramTime)
	for chunk, err := range g.journal.Read(ctx, start.Seq) {
		if err != nil {
			return err
		}
		for i := range chunk.Events {
			at := event.Position{Seq: chunk.Seq, Index: i}
			if at.Compare(start) < 0 {
				continue
			}
			if past(q.To, at, chunk.Accepted) {
				out.Covered.Complete = true
				return nil
			}
			if out.Covered.Events == q.Limit || i == 0 && time.Now().After(deadline) {
				out.Next = out.Covered.To
				return nil
			}
			cover(&out.Covered, at, chunk.Accepted)
			e := &chunk.Events[i]
			if err := fn(ctx, pipeline.Item{Source: e, Event: e, Position: at}); err != nil {
				return err
			}
		}
		if chunk.Seq >= last {
			out.Covered.Complete = true
			return nil
		}
	}
	return ctx.Err()
}

// explainStart is the first position that is looked at: without a beginning, as
// far back as holds the events of the limit.
func (g *Gateway) explainStart(ctx context.Context, q catalog.ExplainQuery, last uint64) (event.Position, error) {
	if q.After != (event.Position{}) || !q.From.IsZero() {
		return g.scanStart(ctx, catalog.EventQuery{From: q.From, After: q.After})
	}
	first := max(g.journal.First(), 1)
	seq, found := last, 0
	for ; seq > first; seq-- {
		chunk, err := g.journal.Chunk(ctx, seq)
		if err != nil {
			return event.Position{}, err
		}
		if found += len(chunk.Events); found >= q.Limit {
			return event.Position{Seq: seq, Index: found - q.Limit}, nil
		}
	}
	return event.Position{Seq: max(seq, 1)}, nil
}

// histogram counts what a route makes of events.
type histogram struct {
	juror   *juror
	explain *matcher.Explainer

	events, matched int
	examples        []string
	failed          map[int]*conditionCount
	plugins         []catalog.PluginCount
	batch           []pipeline.Item // that the filter matches
	bytes           int
}

type conditionCount struct {
	count, undefined int
	values           map[string]int
	examples         []string
}

func (h *histogram) add(ctx context.Context, item pipeline.Item) error {
	h.events++
	h.explain.Load(item.Event)
	n, verdict := h.explain.Failing(0)
	if n < 0 {
		item.Origin = len(h.batch)
		h.batch = append(h.batch, item)
		h.bytes += item.Event.Size()
		if len(h.batch) == histogramBatch || h.bytes > maxBatchBytes {
			return h.flush(ctx)
		}
		return nil
	}
	c := h.failed[n]
	if c == nil {
		c = &conditionCount{values: map[string]int{}}
		h.failed[n] = c
	}
	c.count++
	if verdict == filter.Undefined {
		c.undefined++
	}
	c.examples = exampled(c.examples, item.Position)
	text := ""
	for _, v := range h.explain.Values(h.explain.Condition(0, n)) {
		if text != "" {
			text += ", "
		}
		text += v.Field.String() + " is " + clipText(v.Value.Text(), 100)
	}
	if _, ok := c.values[text]; text != "" && (ok || len(c.values) < histogramKept) {
		c.values[text]++
	}
	return nil
}

// maxBatchBytes bounds the events that plugins run at once.
const maxBatchBytes = 4 << 20

func exampled(list []string, p event.Position) []string {
	if len(list) < histogramExamples {
		list = append(list, p.String())
	}
	return list
}

// flush runs the events that the filter matches through the plugins.
func (h *histogram) flush(ctx context.Context) error {
	items, positions := h.batch, make([]event.Position, len(h.batch))
	for i, item := range items {
		positions[i] = item.Position
	}
	passed := make([]bool, len(items)) // by the filters
	for i := range passed {
		passed[i] = true
	}
	for i, stage := range h.juror.stages {
		if len(items) == 0 {
			break
		}
		next, err := stage.Run(ctx, items, nil)
		if err != nil {
			return err
		}
		items = h.counted(i, stage.kind, items, next, positions, passed)
	}
	for i, ok := range passed {
		if ok {
			h.matched++
			h.examples = exampled(h.examples, positions[i])
		}
	}
	clear(h.batch)
	h.batch, h.bytes = h.batch[:0], 0
	return nil
}

// counted counts what plugin i made of in, and returns what goes on.
func (h *histogram) counted(i int, kind plugin.Kind, in, out []pipeline.Item, positions []event.Position, passed []bool) []pipeline.Item {
	p := &h.plugins[i]
	left := map[int]error{}
	kept := make([]pipeline.Item, 0, len(out))
	for _, item := range out {
		if before, ok := left[item.Origin]; !ok || before == nil {
			left[item.Origin] = item.Err
		}
		if item.Err == nil {
			kept = append(kept, item)
		}
	}
	seen := -1
	for _, item := range in {
		if item.Origin == seen {
			continue
		}
		seen = item.Origin
		err, ok := left[item.Origin]
		switch {
		case err != nil:
			p.Failed++
			p.Error = cmp.Or(p.Error, clipText(err.Error(), maxShownValue))
		case ok:
			p.Passed++
			continue
		default:
			p.Dropped++
			if kind == plugin.Filter {
				passed[item.Origin] = false
			}
		}
		p.Examples = exampled(p.Examples, positions[item.Origin])
	}
	return slices.DeleteFunc(kept, func(item pipeline.Item) bool { return left[item.Origin] != nil })
}

// report writes what was counted.
func (h *histogram) report(out *catalog.RouteExplanation) {
	share := func(n int) float64 { return float64(n) / float64(max(h.events, 1)) }
	out.Events, out.Matched, out.Share = h.events, h.matched, share(h.matched)
	out.Example = append([]string{}, h.examples...)
	out.Conditions = []catalog.ConditionCount{}
	for _, n := range slices.Sorted(maps.Keys(h.failed)) {
		c := h.failed[n]
		f := h.explain.Condition(0, n)
		start, end := f.Span()
		out.Conditions = append(out.Conditions, catalog.ConditionCount{
			Text: f.String(), Start: start, End: end, Count: c.count, Undefined: c.undefined, Share: share(c.count),
			Values: mostFrequent(c.values), Examples: c.examples,
		})
	}
	slices.SortStableFunc(out.Conditions, func(a, b catalog.ConditionCount) int { return cmp.Compare(b.Count, a.Count) })
	out.Plugins = h.plugins
	if out.Plugins == nil {
		out.Plugins = []catalog.PluginCount{}
	}
	for i := range out.Plugins {
		out.Plugins[i].Share = share(out.Plugins[i].Dropped + out.Plugins[i].Failed)
	}
}

func mostFrequent(values map[string]int) []catalog.ValueCount {
	list := []catalog.ValueCount{}
	for text, n := range values {
		list = append(list, catalog.ValueCount{Text: text, Count: n})
	}
	slices.SortFunc(list, func(a, b catalog.ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text))
	})
	return list[:min(len(list), histogramValues)]
}
