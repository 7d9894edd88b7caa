package route_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
)

// byType is a set of filters, each of which matches one event type.
type byType struct {
	types  []string
	loaded *event.Event
	closed *int
}

func (f *byType) Load(e *event.Event) { f.loaded = e }
func (f *byType) Matches(dst []int) []int {
	for i, typ := range slices.Backward(f.types) {
		if typ == "*" || typ == f.loaded.Type {
			dst = append(dst, i)
		}
	}
	return dst
}
func (f *byType) Close() error { *f.closed++; return nil }

func table(t *testing.T, closed *int, opts route.Options, endpoints int, types []string, rules ...route.Rule) *route.Table {
	t.Helper()
	tbl, err := route.NewTable(rules, endpoints, func() (route.Filters, error) { return &byType{types: types, closed: closed}, nil }, opts)
	if err != nil {
		t.Fatal(err)
	}
	return tbl
}

type stageFunc func([]pipeline.Item, []pipeline.Item) ([]pipeline.Item, error)

func (f stageFunc) Run(_ context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	return f(in, out)
}

var twice = stageFunc(func(in, out []pipeline.Item) ([]pipeline.Item, error) {
	for _, item := range in {
		out = append(out, item, item)
	}
	return out, nil
})

func show(outputs []route.Output) string {
	var s []string
	for _, out := range outputs {
		s = append(s, fmt.Sprintf("%s/%s#%d", out.Item.Event.ID, out.Rule.ID, out.Index))
	}
	return strings.Join(s, " ")
}

func TestEvaluate(t *testing.T) {
	var closed int
	broken := stageFunc(func([]pipeline.Item, []pipeline.Item) ([]pipeline.Item, error) { return nil, errors.New("no instance") })
	tbl := table(t, &closed, route.Options{Warm: 1}, 3, []string{"x", "y", "*"},
		route.Rule{ID: "all", Endpoint: 0, Filter: 2},
		route.Rule{ID: "x", Endpoint: 0, Filter: 0, Pipeline: pipeline.New(twice)},
		route.Rule{ID: "y", Endpoint: 1, Filter: 1},
		route.Rule{ID: "broken", Endpoint: 2, Filter: 1, Pipeline: pipeline.New(broken)},
		route.Rule{ID: "beside", Endpoint: 2, Filter: 2},
	)
	defer tbl.Close()
	ev, err := tbl.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer tbl.Release(ev)
	chunk := event.Chunk{Seq: 7, Events: []event.Event{{ID: "1", Type: "x"}, {ID: "2", Type: "y"}, {ID: "3", Type: "x"}}}
	for range 2 { // an evaluator is used again and again
		result := ev.Evaluate(t.Context(), &chunk, []bool{true, true, true})
		if got, want := show(result.Outputs[0]), "1/all#0 1/x#0 1/x#1 2/all#0 3/all#0 3/x#0 3/x#1"; got != want {
			t.Errorf("endpoint 0 got  %s\nwant %s", got, want)
		}
		if got, want := show(result.Outputs[1]), "2/y#0"; got != want {
			t.Errorf("endpoint 1 got %s, want %s", got, want)
		}
		if err := result.Errs[2]; err == nil || !strings.Contains(err.Error(), "route broken: no instance") {
			t.Errorf("endpoint 2: err = %v, want the route that cannot run", err)
		}
		if got := show(result.Outputs[2]); got != "" {
			t.Errorf("endpoint 2 got %s beside its error", got)
		}
		if got := result.Outputs[1][0].Item.Position; got != (event.Position{Seq: 7, Index: 1}) {
			t.Errorf("position = %s", got)
		}
	}
	result := ev.Evaluate(t.Context(), &chunk, []bool{false, true, false})
	if len(result.Outputs[0]) != 0 || len(result.Outputs[1]) != 1 || result.Errs[2] != nil {
		t.Errorf("endpoints that want nothing got something: %v", result)
	}
}

func TestTableLivesUntilItsLastEvaluatorIsReleased(t *testing.T) {
	var closed, ended int
	tbl := table(t, &closed, route.Options{Warm: 2, OnClose: func() { ended++ }}, 0, nil)
	a, _ := tbl.Acquire()
	b, _ := tbl.Acquire()
	c, err := tbl.Acquire() // more than were warm
	if err != nil {
		t.Fatal(err)
	}
	tbl.Release(c)
	tbl.Close()
	tbl.Close()
	if closed != 1 || ended != 0 {
		t.Errorf("after Close: %d evaluators closed, OnClose called %d times; want 1 and 0", closed, ended)
	}
	if _, err := tbl.Acquire(); !errors.Is(err, route.ErrClosed) {
		t.Errorf("Acquire after Close = %v, want ErrClosed", err)
	}
	tbl.Release(a)
	tbl.Release(b)
	if closed != 3 || ended != 1 {
		t.Errorf("after the last release: %d closed, OnClose called %d times; want 3 and 1", closed, ended)
	}
}

func TestNewTableReportsFiltersThatCannotBeMade(t *testing.T) {
	want := errors.New("no memory")
	_, err := route.NewTable(nil, 0, func() (route.Filters, error) { return nil, want }, route.Options{Warm: 1})
	if !errors.Is(err, want) {
		t.Errorf("err = %v, want %v", err, want)
	}
}

func TestEvaluatorKeepsNoChunk(t *testing.T) {
	var closed int
	tbl := table(t, &closed, route.Options{Warm: 1}, 1, []string{"x"}, route.Rule{ID: "r", Pipeline: pipeline.New(twice)})
	defer tbl.Close()
	data := new([1 << 10]byte)
	held := weak.Make(data)
	func() {
		ev, err := tbl.Acquire()
		if err != nil {
			t.Fatal(err)
		}
		defer tbl.Release(ev)
		chunk := event.Chunk{Seq: 1, Events: []event.Event{{ID: "1", Type: "x", Data: data[:]}}}
		if n := len(ev.Evaluate(t.Context(), &chunk, []bool{true}).Outputs[0]); n != 2 {
			t.Errorf("%d outputs, want 2", n)
		}
		// The filters hold on to the event that they were given last.
		ev.Evaluate(t.Context(), &event.Chunk{Seq: 2, Events: []event.Event{{ID: "2", Type: "y"}}}, []bool{true})
	}()
	data = nil
	runtime.GC()
	if held.Value() != nil {
		t.Error("an evaluator keeps the last chunk that its rules matched")
	}
}
