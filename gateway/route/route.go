// Package route decides which routes an event takes.
//
// A [Table] is an immutable snapshot of the enabled routes, compiled: build
// one with [NewTable], swap it whole, never edit it. An [Evaluator] runs a
// chunk of events through it, for one goroutine at a time.
package route

import (
	"errors"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
)

// ErrClosed is returned by [Table.Acquire] once the table was closed: load the
// table in force and acquire from that.
var ErrClosed = errors.New("route table is closed")

// Filters is what a table needs of compiled filters: one goroutine's instances
// of all of them, over one shared memory.
type Filters interface {
	// Load makes e the event that Matches speaks of. It holds on to e until the
	// next Load.
	Load(e *event.Event)
	// Matches appends to dst the indexes of the filters that let the loaded event
	// pass, each once, in any order.
	Matches(dst []int) []int
	// Close frees the instances.
	Close() error
}

// Rule is one enabled route, compiled.
type Rule struct {
	ID       string
	Endpoint int // index into the endpoints that the table serves
	Filter   int // index into the table's filters
	Pipeline pipeline.Pipeline
	// ProducedBy names the route's revision and its plugins' digests.
	ProducedBy string
	// Tally is where the route is counted; nil counts nothing.
	Tally *Tally
}

// Table is an immutable set of rules. It is safe for concurrent use; it lives
// until it was closed and the last evaluator that was acquired is released.
type Table struct {
	rules     []Rule
	byFilter  [][]int // for each filter, the rules that it is the filter of
	endpoints int
	open      func() (Filters, error)
	onClose   func()

	mu     sync.Mutex // guards what follows
	idle   []*Evaluator
	out    int
	closed bool
}

// Options are the optional parts of a table.
type Options struct {
	// Warm is how many evaluators are made at once, so that making them does
	// not delay the first events after a swap.
	Warm int
	// OnClose is called once, when nothing uses the table any more.
	OnClose func()
}

// NewTable returns a table of rules over endpoints, numbered from 0. Open makes
// one goroutine's filters; an error of it is returned.
func NewTable(rules []Rule, endpoints int, open func() (Filters, error), opts Options) (*Table, error) {
	t := &Table{rules: rules, byFilter: byFilter(rules), endpoints: endpoints, open: open, onClose: opts.OnClose}
	if t.onClose == nil {
		t.onClose = func() {}
	}
	for range opts.Warm {
		ev, err := t.newEvaluator()
		if err != nil {
			t.Close()
			return nil, err
		}
		t.idle = append(t.idle, ev)
	}
	return t, nil
}

func byFilter(rules []Rule) [][]int {
	filters := 0
	for i := range rules {
		filters = max(filters, rules[i].Filter+1)
	}
	lists, all := make([][]int, filters), make([]int, len(rules))
	for i := range rules {
		f := rules[i].Filter
		if lists[f] == nil {
			lists[f] = all[i : i : i+1] // the usual one has its room already
		}
		lists[f] = append(lists[f], i)
	}
	return lists
}

// Rules returns the table's rules, which are not to be modified.
func (t *Table) Rules() []Rule { return t.rules }

// Acquire returns an evaluator for the calling goroutine, to be released.
func (t *Table) Acquire() (*Evaluator, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	if n := len(t.idle); n > 0 {
		ev := t.idle[n-1]
		t.idle = t.idle[:n-1]
		t.out++
		return ev, nil
	}
	ev, err := t.newEvaluator()
	if err != nil {
		return nil, err
	}
	t.out++
	return ev, nil
}

// Release gives ev back. What it returned is invalid from now on.
func (t *Table) Release(ev *Evaluator) {
	ev.reset()
	t.mu.Lock()
	t.out--
	last := t.closed && t.out == 0
	if t.closed {
		ev.close()
	} else {
		t.idle = append(t.idle, ev)
	}
	t.mu.Unlock()
	if last {
		t.onClose()
	}
}

// Close ends the table's use: evaluators that are out stay valid until they
// are released. It is idempotent.
func (t *Table) Close() {
	t.mu.Lock()
	first := !t.closed
	t.closed = true
	for _, ev := range t.idle {
		ev.close()
	}
	t.idle = nil
	last := first && t.out == 0
	t.mu.Unlock()
	if last {
		t.onClose()
	}
}

func (t *Table) newEvaluator() (*Evaluator, error) {
	filters, err := t.open()
	if err != nil {
		return nil, err
	}
	return &Evaluator{
		table:   t,
		filters: filters,
		matched: make([][]pipeline.Item, len(t.rules)),
		result: Result{
			Outputs: make([][]Output, t.endpoints),
			Errs:    make([]error, t.endpoints),
			Took:    make([]time.Duration, t.endpoints),
		},
	}, nil
}
