package matcher_test

import (
	"fmt"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
)

// twinUpdate is a typical event of 560 bytes.
var twinUpdate = update(`{"modelId":"dtmi:sample:aqueduct:device:FlowSensor;1","patch":[` +
	`{"value":71.5,"path":"/Front/Temperature","op":"replace"},{"value":{"roll":20,"pitch":15,"yaw":45},"path":"/Orientation","op":"add"},` +
	`{"path":"/Obsolete","op":"remove"}]}`)

// mixes are filters of 100 routes each.
var mixes = []struct {
	name   string
	filter func(i int) string
}{
	{"type", func(i int) string {
		types := []string{event.TwinCreate, event.TwinUpdate, event.TwinDelete, event.Telemetry}
		return fmt.Sprintf("type = '%s' AND subject != 'none-%d'", types[i%len(types)], i)
	}},
	{"body", func(i int) string {
		return fmt.Sprintf("type = '%s' AND $body.modelId = 'dtmi:sample:aqueduct:device:FlowSensor;%d'", event.TwinUpdate, i)
	}},
	{"patch", func(i int) string {
		return fmt.Sprintf("CHANGED('/Front') AND PATCH('/Front/Temperature') > %d", i)
	}},
	{"rich", func(i int) string {
		return fmt.Sprintf("type = '%s' AND STARTS_WITH($body.modelId, 'dtmi:sample:aqueduct:device:') AND (subject = 'room-%d' OR $body.other%d > 5)", event.TwinUpdate, i, i%10)
	}},
}

// BenchmarkMatch finds which of 100 different filters match an event.
func BenchmarkMatch(b *testing.B) {
	for _, mix := range mixes {
		b.Run(mix.name, func(b *testing.B) {
			const routes = 100
			var texts []string
			for i := range routes {
				texts = append(texts, mix.filter(i))
			}
			benchmarkMatches(b, texts, -1)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*routes), "ns/route")
		})
	}
}

// benchmarkMatches finds the matches of one event, of which there are as many as
// want says, unless it is negative. It returns the nanoseconds that that takes.
func benchmarkMatches(b *testing.B, texts []string, want int) float64 {
	m := newMatcher(b, texts...)
	defer m.Close()
	m.Load(&twinUpdate)
	matches := m.Matches(nil)
	if want >= 0 && len(matches) != want {
		b.Fatalf("%d filters match, want %d", len(matches), want)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Load(&twinUpdate)
		matches = m.Matches(matches[:0])
	}
	return float64(b.Elapsed().Nanoseconds()) / float64(b.N)
}

// tables are filters of which one in a hundred matches twinUpdate.
var tables = []struct {
	name   string
	most   int // routes: the largest takes long to compile
	filter func(i int) string
}{
	{"type and model", 100_000, func(i int) string { // four types times 25 models, neither of which tells enough
		types := []string{event.TwinUpdate, event.TwinCreate, event.TwinDelete, event.Telemetry}
		return fmt.Sprintf("type = '%s' AND $body.modelId = 'dtmi:sample:aqueduct:device:FlowSensor;%d' AND PATCH('/Front/Temperature') > %g", types[i%4], 1+i/4%25, float64(i)/1e4)
	}},
	{"subject", 10_000, func(i int) string {
		return fmt.Sprintf("type = '%s' AND subject = 'room-%d' AND NOT CHANGED('/Property%d')", event.TwinUpdate, 1+i%100, i)
	}},
	{"one of two", 10_000, func(i int) string {
		return fmt.Sprintf("($body.modelId = 'dtmi:sample:aqueduct:device:FlowSensor;%d' OR subject = 'floor-%d') AND PATCH('/Front/Temperature') > %g", 1+i%100, i%100, float64(i)/1e4)
	}},
}

// BenchmarkRoutes draws how the time for an event grows with the routes of a
// table of which one in a hundred matches, beside what it is when those that
// match are alone.
func BenchmarkRoutes(b *testing.B) {
	for _, table := range tables {
		for _, routes := range []int{10, 100, 1000, 10_000, 100_000} {
			if routes > table.most {
				continue
			}
			var all, alone []string
			for i := range routes {
				all = append(all, table.filter(i))
				if i%100 == 0 {
					alone = append(alone, all[i])
				}
			}
			var least float64
			b.Run(fmt.Sprintf("%s/alone/%d", table.name, len(alone)), func(b *testing.B) {
				least = benchmarkMatches(b, alone, len(alone))
			})
			b.Run(fmt.Sprintf("%s/%d of %d", table.name, len(alone), routes), func(b *testing.B) {
				took := benchmarkMatches(b, all, len(alone))
				b.ReportMetric(took/float64(len(alone)), "ns/match")
				if least > 0 {
					b.ReportMetric(took/least, "times-alone")
				}
			})
		}
	}
}

// BenchmarkPlainGo is the same by the evaluator in plain Go, which is handed
// the values that a filter asks for: evaluation alone, without finding them.
func BenchmarkPlainGo(b *testing.B) {
	for _, mix := range mixes {
		b.Run(mix.name, func(b *testing.B) {
			const routes = 100
			o := newOracle(twinUpdate)
			o.known = make(map[*filter.Ref]filter.Value)
			var filters []*filter.Filter
			for i := range routes {
				f := parse(b, mix.filter(i))
				filters = append(filters, f)
				for e := range filter.Walk(f.Root()) {
					if ref, ok := e.(*filter.Ref); ok {
						o.known[ref] = o.field(ref.Field)
					}
				}
			}
			matched := 0
			b.ReportAllocs()
			for b.Loop() {
				for _, f := range filters {
					if o.matches(f) {
						matched++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*routes), "ns/route")
		})
	}
}

// BenchmarkNewSet builds the set of a table and a matcher of it: anew, and
// after one filter changed.
func BenchmarkNewSet(b *testing.B) {
	for _, routes := range []int{100, 10_000} {
		filters := make([]*filter.Filter, routes)
		for i := range filters {
			filters[i] = parse(b, mixes[i%len(mixes)].filter(i))
		}
		rt := newRuntime(b)
		b.Run(fmt.Sprintf("anew/%d", routes), func(b *testing.B) {
			for b.Loop() {
				set, err := rt.NewSet(b.Context(), filters, nil)
				if err != nil {
					b.Fatal(err)
				}
				set.Close()
			}
		})
		b.Run(fmt.Sprintf("change/%d", routes), func(b *testing.B) {
			set, err := rt.NewSet(b.Context(), filters, nil)
			if err != nil {
				b.Fatal(err)
			}
			round := 0
			for b.Loop() {
				round++
				filters[round%routes] = parse(b, fmt.Sprintf("id = '%d'", round))
				next, err := rt.NewSet(b.Context(), filters, set)
				if err != nil {
					b.Fatal(err)
				}
				set.Close()
				set = next
			}
		})
		b.Run(fmt.Sprintf("matcher/%d", routes), func(b *testing.B) {
			set, err := rt.NewSet(b.Context(), filters, nil)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m, err := set.NewMatcher(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				m.Close()
			}
		})
	}
}
