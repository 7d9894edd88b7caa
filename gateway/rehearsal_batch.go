package gateway

import (
	"context"
	"fmt"
	"slices"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// comparison runs batches of events through pairs, for one goroutine.
type comparison struct {
	pairs   []pair
	scores  []*score
	matcher *matcher.Matcher
	lanes   []*lane // by the index of their chain
	// before and after hold, per pair, the indexes of the events in the batch that
	// a filter lets pass.
	before, after [][]int
	// usedBefore and usedAfter are the pairs of which a filter is one.
	usedBefore, usedAfter [][]int
	found                 []int // filters that match the event at hand
}

// lane is a chain over one batch.
type lane struct {
	*chain
	passed, made pipeline.Buffer
	in, onward   []pipeline.Item
	verdicts     []verdict // per event
	err          error
}

// verdict is what a chain makes of an event.
type verdict struct {
	wanted  bool // its filter plugins are to be asked
	whole   bool // and its transforms are to be run
	passed  bool
	trapped bool
	outputs []pipeline.Item
}

func newComparison(set *matcher.Set, pairs []pair, chains map[string]*chain) (*comparison, error) {
	m, err := set.NewMatcher(context.Background())
	if err != nil {
		return nil, err
	}
	c := &comparison{
		pairs: pairs, matcher: m, lanes: make([]*lane, len(chains)),
		before: make([][]int, len(pairs)), after: make([][]int, len(pairs)),
		usedBefore: make([][]int, set.Len()), usedAfter: make([][]int, set.Len()),
	}
	for k, p := range pairs {
		if p.before != nil {
			c.usedBefore[p.before.filter] = append(c.usedBefore[p.before.filter], k)
		}
		if p.after != nil {
			c.usedAfter[p.after.filter] = append(c.usedAfter[p.after.filter], k)
		}
	}
	for _, chain := range chains {
		c.lanes[chain.index] = &lane{chain: chain}
	}
	for range pairs {
		c.scores = append(c.scores, newScore(nil))
	}
	return c, nil
}

func (c *comparison) close() { c.matcher.Close() }

func (c *comparison) batch(ctx context.Context, events []pipeline.Item) error {
	c.match(events)
	for _, l := range c.lanes {
		l.reset(len(events))
	}
	for k := range c.pairs {
		c.ask(&c.pairs[k], c.before[k], c.after[k])
	}
	for _, l := range c.lanes {
		if l.err = l.run(ctx, events); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for k := range c.pairs {
		c.count(k, events)
	}
	return nil
}

// match finds out which events the filters let pass.
func (c *comparison) match(events []pipeline.Item) {
	for k := range c.pairs {
		c.before[k], c.after[k] = c.before[k][:0], c.after[k][:0]
	}
	for i := range events {
		c.matcher.Load(events[i].Event)
		c.found = c.matcher.Matches(c.found[:0])
		for _, f := range c.found {
			for _, k := range c.usedBefore[f] {
				c.before[k] = append(c.before[k], i)
			}
			for _, k := range c.usedAfter[f] {
				c.after[k] = append(c.after[k], i)
			}
		}
	}
}

// ask notes what of the chains of p has to run. Where what comes of an event
// cannot differ, its transforms need not.
func (c *comparison) ask(p *pair, before, after []int) {
	each(before, after, func(i int, was, is bool) {
		if was {
			v := &c.lanes[p.before.chain.index].verdicts[i]
			v.wanted, v.whole = true, v.whole || !p.sameChain || !is
		}
		if is {
			v := &c.lanes[p.after.chain.index].verdicts[i]
			v.wanted, v.whole = true, v.whole || !p.sameChain || !was
		}
	})
}

// each calls fn for what is in a or in b, both of which ascend.
func each(a, b []int, fn func(i int, inA, inB bool)) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			fn(a[0], true, false)
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			fn(b[0], false, true)
			b = b[1:]
		default:
			fn(a[0], true, true)
			a, b = a[1:], b[1:]
		}
	}
}

func (l *lane) reset(n int) {
	l.verdicts = slices.Grow(l.verdicts[:0], n)[:n]
	clear(l.verdicts)
}

// run takes what is wanted through the chain.
func (l *lane) run(ctx context.Context, events []pipeline.Item) error {
	l.in = l.in[:0]
	for i := range events {
		if l.verdicts[i].wanted {
			item := events[i]
			item.Origin = i
			l.in = append(l.in, item)
		}
	}
	if len(l.in) == 0 {
		return nil
	}
	passed, err := l.passes.Run(ctx, l.in, &l.passed)
	if err != nil {
		return err
	}
	l.onward = l.onward[:0]
	for _, item := range passed {
		v := &l.verdicts[item.Origin]
		v.passed = true
		if v.whole || item.Err != nil {
			l.onward = append(l.onward, item)
		}
	}
	out := l.onward
	if l.transforms.Len() > 0 && len(out) > 0 {
		if out, err = l.transforms.Run(ctx, out, &l.made); err != nil {
			return err
		}
	}
	for from := 0; from < len(out); {
		to := from + 1
		for to < len(out) && out[to].Origin == out[from].Origin {
			to++
		}
		v := &l.verdicts[out[from].Origin]
		v.outputs = out[from:to]
		v.trapped = slices.ContainsFunc(v.outputs, func(item pipeline.Item) bool { return item.Err != nil })
		from = to
	}
	return nil
}

// count compares what became of the events of a pair.
func (c *comparison) count(k int, events []pipeline.Item) {
	p, s := &c.pairs[k], c.scores[k]
	var before, after *lane
	if p.before != nil {
		if before = c.lanes[p.before.chain.index]; before.err != nil && s.err == nil {
			s.err = fmt.Errorf("before the change: %w", before.err)
		}
	}
	if p.after != nil {
		if after = c.lanes[p.after.chain.index]; after.err != nil && s.err == nil {
			s.err = after.err
		}
	}
	if s.err != nil {
		return
	}
	var none verdict
	each(c.before[k], c.after[k], func(i int, inBefore, inAfter bool) {
		was, is := &none, &none
		if inBefore {
			was = &before.verdicts[i]
			s.before.count(was)
		}
		if inAfter {
			is = &after.verdicts[i]
			s.after.count(is)
		}
		s.count(was, is, events[i])
	})
}
