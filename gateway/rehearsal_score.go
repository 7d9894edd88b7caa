package gateway

import (
	"bytes"
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
	before, after                        sideScore
	gained, lost, changed, same, trapped int
	examples                             map[string][]pipeline.Item // the first few of each kind
	err                                  error
}

// maxExamples bounds the examples of a kind and route.
const maxExamples = 3

func newScore(err error) *score {
	return &score{err: err, examples: map[string][]pipeline.Item{}}
}

// count counts an event that a filter lets pass, by what becomes of it before
// and after.
func (s *score) count(was, is *verdict, e pipeline.Item) {
	var what string
	switch {
	case was.passed && !is.passed:
		what = catalog.ExampleLost
		s.lost++
	case !was.passed && is.passed:
		what = catalog.ExampleGained
		s.gained++
	case was.passed && sameOutputs(was, is):
		s.same++
	case was.passed:
		what = catalog.ExampleChanged
		s.changed++
	}
	if is.trapped && !was.trapped {
		what = catalog.ExampleTrapped // which says more of it
		s.trapped++
	}
	if what != "" && len(s.examples[what]) < maxExamples {
		s.examples[what] = append(s.examples[what], e)
	}
}

// sideScore is what was counted of one state of a route.
type sideScore struct{ matched, dropped int }

func (s *sideScore) count(v *verdict) {
	if v.passed {
		s.matched++
	} else {
		s.dropped++
	}
}

func (s *sideScore) add(o sideScore) {
	s.matched += o.matched
	s.dropped += o.dropped
}

func (s *sideScore) of(side *rehearsed) *catalog.RouteSide {
	if side == nil {
		return nil
	}
	return &catalog.RouteSide{Endpoint: side.endpoint, Matched: s.matched, Dropped: s.dropped}
}

// add adds what another goroutine counted.
func (s *score) add(o *score) {
	s.before.add(o.before)
	s.after.add(o.after)
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
	if s.err == nil {
		s.err = o.err
	}
}
