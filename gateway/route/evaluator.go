package route

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
)

// Output is what a rule made of one accepted event: an event to deliver, or
// the error that stopped it.
type Output struct {
	Rule *Rule
	// Index counts, from 0, what the rule made of this event.
	Index int
	Item  pipeline.Item
}

// Result is what a table made of a chunk.
type Result struct {
	// Outputs holds for each endpoint what it is to get, in the order of the
	// events, then of the rules, then of their outputs.
	Outputs [][]Output
	// Errs holds for each endpoint why its rules could not run; its outputs
	// are then empty, and the chunk is to be evaluated again for it.
	Errs []error
}

// Evaluator runs chunks through a table, for one goroutine at a time.
type Evaluator struct {
	table   *Table
	filters Filters
	buf     pipeline.Buffer
	matched [][]pipeline.Item // per rule
	result  Result
}

// Evaluate runs chunk through the rules of those endpoints whose want is
// true. The result is valid until the evaluator is used again or released.
func (ev *Evaluator) Evaluate(ctx context.Context, chunk *event.Chunk, want []bool) *Result {
	ev.reset()
	ev.match(chunk, want)
	for i := range ev.table.rules {
		rule := &ev.table.rules[i]
		if len(ev.matched[i]) == 0 || ev.result.Errs[rule.Endpoint] != nil {
			continue
		}
		if err := ev.run(ctx, rule, ev.matched[i]); err != nil {
			ev.result.Errs[rule.Endpoint] = fmt.Errorf("route %s: %w", rule.ID, err)
			ev.result.Outputs[rule.Endpoint] = ev.result.Outputs[rule.Endpoint][:0]
		}
	}
	for i, outputs := range ev.result.Outputs {
		// Rules ran one after the other; an endpoint's events leave in theirs.
		if len(outputs) > 1 && outputs[0].Rule != outputs[len(outputs)-1].Rule {
			slices.SortStableFunc(ev.result.Outputs[i], func(a, b Output) int {
				return cmp.Compare(a.Item.Origin, b.Item.Origin)
			})
		}
	}
	return &ev.result
}

func (ev *Evaluator) reset() {
	for i := range ev.matched {
		ev.matched[i] = ev.matched[i][:0]
	}
	for i := range ev.result.Outputs {
		clear(ev.result.Outputs[i])
		ev.result.Outputs[i] = ev.result.Outputs[i][:0]
		ev.result.Errs[i] = nil
	}
}

// match collects, per rule, the events that its filter lets pass.
func (ev *Evaluator) match(chunk *event.Chunk, want []bool) {
	for i := range chunk.Events {
		e := &chunk.Events[i]
		ev.filters.Load(e)
		for r := range ev.table.rules {
			rule := &ev.table.rules[r]
			if !want[rule.Endpoint] || !ev.filters.Match(rule.Filter) {
				continue
			}
			ev.matched[r] = append(ev.matched[r], pipeline.Item{
				Origin:   i,
				Source:   e,
				Position: event.Position{Seq: chunk.Seq, Index: i},
				Event:    e,
			})
		}
	}
}

func (ev *Evaluator) run(ctx context.Context, rule *Rule, items []pipeline.Item) error {
	out, err := rule.Pipeline.Run(ctx, items, &ev.buf)
	if err != nil {
		return err
	}
	index, origin := 0, -1
	for _, item := range out {
		if item.Origin != origin {
			index, origin = 0, item.Origin
		}
		ev.result.Outputs[rule.Endpoint] = append(ev.result.Outputs[rule.Endpoint], Output{Rule: rule, Index: index, Item: item})
		index++
	}
	return nil
}

func (ev *Evaluator) close() { ev.filters.Close() }
