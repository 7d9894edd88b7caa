package gateway

import (
	"bytes"
	"errors"
	"reflect"
	"slices"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
)

// sameOutputs reports whether the same would be delivered.
func sameOutputs(a, b *verdict) bool {
	return slices.EqualFunc(a.outputs, b.outputs, func(x, y pipeline.Item) bool {
		if x.Err != nil || y.Err != nil {
			return x.Err != nil && y.Err != nil
		}
		return sameEvent(x.Event, y.Event) && (x.Properties == y.Properties || reflect.DeepEqual(x.Properties, y.Properties))
	})
}

func sameEvent(a, b *event.Event) bool {
	return a == b || a.ID == b.ID && a.Source == b.Source && a.Type == b.Type && a.Subject == b.Subject && a.Time == b.Time &&
		a.DataContentType == b.DataContentType && a.DataSchema == b.DataSchema &&
		slices.Equal(a.Extensions, b.Extensions) && bytes.Equal(a.Data, b.Data)
}

// score is what was counted of a pair.
type score struct {
	before, after                        catalog.RouteSide
	gained, lost, changed, same, trapped int
	examples                             map[string][]pipeline.Item // the first few of each kind
	err                                  error
}

// maxExamples bounds the examples of a kind and route.
const maxExamples = 3

func newScore(err error) *score {
	return &score{err: err, examples: map[string][]pipeline.Item{}}
}

// count counts an event, by what became of it before and after.
func (s *score) count(was, is *verdict, e pipeline.Item) {
	countSide(&s.before, was)
	countSide(&s.after, is)
	var what string
	switch {
	case was.matched && !is.matched:
		what = catalog.ExampleLost
		s.lost++
	case !was.matched && is.matched:
		what = catalog.ExampleGained
		s.gained++
	case was.matched && sameOutputs(was, is):
		s.same++
	case was.matched:
		what = catalog.ExampleChanged
		s.changed++
	}
	if is.trapped {
		what = catalog.ExampleTrapped // which says more of it
		s.trapped++
	}
	if what != "" && len(s.examples[what]) < maxExamples {
		s.examples[what] = append(s.examples[what], e)
	}
}

func countSide(side *catalog.RouteSide, v *verdict) {
	switch {
	case !v.let:
		return
	case v.matched:
		side.Matched++
	}
	if len(v.outputs) == 0 {
		side.Dropped++
	}
	if v.trapped {
		side.Trapped++
	}
	for _, item := range v.outputs {
		if item.Err == nil {
			side.Outputs++
		}
	}
}

// add adds what another goroutine counted.
func (s *score) add(o *score) {
	addSide(&s.before, o.before)
	addSide(&s.after, o.after)
	s.gained += o.gained
	s.lost += o.lost
	s.changed += o.changed
	s.same += o.same
	s.trapped += o.trapped
	for what, list := range o.examples {
		all := append(s.examples[what], list...)
		slices.SortFunc(all, func(a, b pipeline.Item) int { return a.Position.Compare(b.Position) })
		s.examples[what] = all[:min(len(all), maxExamples)]
	}
	s.err = errors.Join(s.err, o.err)
}

func addSide(s *catalog.RouteSide, o catalog.RouteSide) {
	s.Matched += o.Matched
	s.Dropped += o.Dropped
	s.Outputs += o.Outputs
	s.Trapped += o.Trapped
}
