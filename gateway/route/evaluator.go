package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
	// events, then of the rules, then of their outputs. An output whose error
	// has a method RetryAfter is to go through its rule later.
	Outputs [][]Output
	// Errs holds for each endpoint why its rules could not run; its outputs
	// are then empty, and the chunk is to be evaluated again for it.
	Errs []error
	// Took holds for each endpoint how long the stages of its rules ran.
	Took []time.Duration
	// Counts holds what each rule did that matched anything, also those of an
	// endpoint whose rules could not all run.
	Counts []Count
}

// Evaluator runs chunks through a table, for one goroutine at a time.
type Evaluator struct {
	table   *Table
	filters Filters
	buf     pipeline.Buffer
	hits    []int             // the filters that an event matches
	active  []int             // the rules that the chunk matches, ascending
	matched [][]pipeline.Item // per rule
	result  Result
}

// Evaluate runs chunk through the rules of those endpoints whose want is
// true. The result is valid until the evaluator is used again or released.
func (ev *Evaluator) Evaluate(ctx context.Context, chunk *event.Chunk, want []bool) *Result {
	ev.reset()
	if len(ev.table.rules) > 0 && slices.Contains(want, true) {
		ev.match(chunk, want)
	}
	for _, i := range ev.active {
		ev.run(ctx, &ev.table.rules[i], ev.matched[i])
	}
	for _, outputs := range ev.result.Outputs {
		// Rules ran one after the other; an endpoint's events leave in theirs.
		if len(outputs) > 1 && outputs[0].Rule != outputs[len(outputs)-1].Rule {
			slices.SortStableFunc(outputs, func(a, b Output) int {
				return cmp.Compare(a.Item.Origin, b.Item.Origin)
			})
		}
	}
	return &ev.result
}

// reset forgets the last chunk, whose events would else stay in memory for as
// long as no other one matches the same rules.
func (ev *Evaluator) reset() {
	for _, i := range ev.active {
		clear(ev.matched[i])
		ev.matched[i] = ev.matched[i][:0]
	}
	ev.active = ev.active[:0]
	for i, outputs := range ev.result.Outputs {
		clear(outputs)
		ev.result.Outputs[i] = outputs[:0]
	}
	clear(ev.result.Errs)
	clear(ev.result.Took)
	ev.result.Counts = ev.result.Counts[:0]
	ev.buf.Reset()
}

// match collects, per rule of an endpoint that wants, the events that its
// filter lets pass.
func (ev *Evaluator) match(chunk *event.Chunk, want []bool) {
	for i := range chunk.Events {
		e := &chunk.Events[i]
		ev.filters.Load(e)
		ev.hits = ev.filters.Matches(ev.hits[:0])
		item := pipeline.Item{
			Origin:   i,
			Source:   e,
			Position: event.Position{Seq: chunk.Seq, Index: i},
			Event:    e,
		}
		for _, f := range ev.hits {
			for _, r := range ev.table.byFilter[f] {
				if !want[ev.table.rules[r].Endpoint] {
					continue
				}
				if len(ev.matched[r]) == 0 {
					ev.active = append(ev.active, r)
				}
				ev.matched[r] = append(ev.matched[r], item)
			}
		}
	}
	slices.Sort(ev.active)
}

// run takes items through the stages of rule, unless another rule of its
// endpoint failed before.
func (ev *Evaluator) run(ctx context.Context, rule *Rule, items []pipeline.Item) {
	at := rule.Endpoint
	if ev.result.Errs[at] != nil {
		return
	}
	out := items
	if rule.Pipeline.Len() > 0 {
		var err error
		start := time.Now()
		out, err = rule.Pipeline.Run(ctx, items, &ev.buf)
		ev.result.Took[at] += time.Since(start)
		if wait := (waiting)(nil); errors.As(err, &wait) {
			out = held(items, fmt.Errorf("route %s: %w", rule.ID, err))
		} else if err != nil {
			ev.result.Errs[at] = fmt.Errorf("route %s: %w", rule.ID, err)
			clear(ev.result.Outputs[at])
			ev.result.Outputs[at] = ev.result.Outputs[at][:0]
			return
		}
	}
	outputs := slices.Grow(ev.result.Outputs[at], len(out))
	count := Count{Rule: rule, Matched: len(items)}
	index, origin := 0, -1
	for i := range out {
		if out[i].Origin != origin {
			index, origin = 0, out[i].Origin
		}
		outputs = append(outputs, Output{Rule: rule, Index: index, Item: out[i]})
		index++
		switch {
		case out[i].Err == nil:
			count.Outputs++
		case !waits(out[i].Err):
			count.Errors++
		}
	}
	ev.result.Outputs[at] = outputs
	ev.result.Counts = append(ev.result.Counts, count)
}

// waiting is the error of a stage that asks for time, for the events of its
// route alone.
type waiting interface {
	error
	RetryAfter() time.Duration
}

func waits(err error) bool {
	w := waiting(nil)
	return errors.As(err, &w)
}

// held returns items with err, as they entered the pipeline: they are to go
// through it later.
func held(items []pipeline.Item, err error) []pipeline.Item {
	out := make([]pipeline.Item, len(items))
	for i, item := range items {
		item.Err = err
		out[i] = item
	}
	return out
}

func (ev *Evaluator) close() { ev.filters.Close() }
