package matcher_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// subjects returns filters for the subjects from up to, not including, to.
func subjects(from, to int) (texts []string) {
	for i := from; i < to; i++ {
		texts = append(texts, fmt.Sprintf("subject = 'twin-%d'", i))
	}
	return texts
}

// Sets that grow, shrink, change and repeat filters answer as sets made anew.
func TestNewSetFromPrevious(t *testing.T) {
	steps := []struct {
		name  string
		texts []string
	}{
		{"none", nil},
		{"one", subjects(0, 1)},
		{"same", subjects(0, 1)},
		{"more than a group", subjects(0, 150)},
		{"one more", subjects(0, 151)},
		{"one changed", append(subjects(1, 151), "subject = 'other'")},
		{"equal filters", append(subjects(10, 100), append(subjects(50, 60), "subject='twin-55'", "(subject = 'twin-55')")...)},
		{"few left", subjects(140, 145)},
		{"many new", subjects(100, 400)},
		{"none again", nil},
	}
	rt := newRuntime(t)
	var set *matcher.Set
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			next := newSet(t, rt, set, step.texts...)
			if set != nil {
				set.Close()
			}
			set = next
			if set.Len() != len(step.texts) {
				t.Fatalf("Len = %d, want %d", set.Len(), len(step.texts))
			}
			m := newMatcherOf(t, set)
			defer m.Close()
			filters := parseAll(t, step.texts)
			for twin := range 400 {
				e := event.Event{Subject: fmt.Sprintf("twin-%d", twin)}
				requireOracle(t, m, filters, e)
			}
		})
	}
}

// requireOracle demands the oracle's verdicts on e of m.
func requireOracle(t *testing.T, m *matcher.Matcher, filters []*filter.Filter, e event.Event) {
	t.Helper()
	m.Load(&e)
	o := newOracle(e)
	matched := make([]int, len(filters))
	for _, i := range m.Matches(nil) {
		matched[i]++
	}
	for i, f := range filters {
		want := o.matches(f)
		if matched[i] > 1 || matched[i] == 1 != want {
			t.Fatalf("filter %d, %s\non %+v\nwith data %s\nis %d times among the matches, want %v", i, f, e, e.Data, matched[i], want)
		}
		if got := m.Match(i); got != want {
			t.Fatalf("filter %d, %s\non %+v\nwith data %s\n= %v, want %v", i, f, e, e.Data, got, want)
		}
	}
}

func parseAll(t testing.TB, texts []string) (filters []*filter.Filter) {
	t.Helper()
	for _, text := range texts {
		filters = append(filters, parse(t, text))
	}
	return filters
}

// Groups of filters that name their types are passed over for other types; no
// verdict may change by that.
func TestMatchByType(t *testing.T) {
	const types = 150 // more than a word of the bitmap and than a group
	var texts []string
	for i := range types {
		texts = append(texts, fmt.Sprintf("type = 'type-%d' AND $body.n = 1", i))
	}
	texts = append(texts, "type IN ['type-3', 'type-140']", "false")
	m, filters := newMatcher(t, texts...), parseAll(t, texts)
	for i := range types + 1 { // the last is a type that no filter names
		for n := range 2 {
			e := event.Event{Type: fmt.Sprintf("type-%d", i), Data: fmt.Appendf(nil, `{"n":%d}`, n)}
			requireOracle(t, m, filters, e)
		}
	}
}

// Filters of very different lengths share groups as far as they fit.
func TestNewSetOfLongFilters(t *testing.T) {
	rt := newRuntime(t)
	var texts []string
	for i := range 12 {
		texts = append(texts, fmt.Sprintf("subject = 'twin-%d'", i),
			fmt.Sprintf("subject IN ['twin-%d', '%s']", i, strings.Repeat("x", i*4000)))
	}
	half := newSet(t, rt, nil, texts[:12]...)
	m := newMatcherOf(t, newSet(t, rt, half, texts...))
	m.Load(&event.Event{Subject: "twin-7"})
	for i := range texts {
		if got, want := m.Match(i), i/2 == 7; got != want {
			t.Errorf("filter %d = %v, want %v", i, got, want)
		}
	}
}

// A set that is to be compiled later answers at once, and may be closed while it is
// compiled.
func TestNewSetLater(t *testing.T) {
	rt := newRuntime(t)
	filters := parseAll(t, subjects(0, 1000))
	set := rt.NewSetLater(filters, nil)
	m := newMatcherOf(t, set)
	var work sync.WaitGroup
	work.Go(func() {
		if err := set.Compile(t.Context(), 2); err != nil {
			t.Error(err)
		}
	})
	for twin := 999; twin > 0; twin -= 90 {
		requireOracle(t, m, filters, event.Event{Subject: fmt.Sprintf("twin-%d", twin)})
	}
	next := newSet(t, rt, set, subjects(0, 1001)...)
	set.Close()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	work.Wait()
	m = newMatcherOf(t, next)
	m.Load(&event.Event{Subject: "twin-1000"})
	if got := m.Matches(nil); len(got) != 1 || got[0] != 1000 {
		t.Errorf("Matches = %v, want the last filter alone", got)
	}
	next.Close()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// A matcher outlives its set and sets made from it, in any order of closing.
func TestCloseInAnyOrder(t *testing.T) {
	rt := newRuntime(t)
	first := newSet(t, rt, nil, subjects(0, 64)...)
	second := newSet(t, rt, first, subjects(0, 65)...)
	old, young := newMatcherOf(t, first), newMatcherOf(t, second)
	first.Close()
	first.Close()
	requireTwin := func(m *matcher.Matcher) {
		t.Helper()
		m.Load(&event.Event{Subject: "twin-5"})
		if !m.Match(5) || m.Match(6) {
			t.Error("the matcher lost its filters")
		}
	}
	requireTwin(old)
	second.Close()
	requireTwin(young)
	for range 2 {
		if err := old.Close(); err != nil {
			t.Error(err)
		}
	}
	requireTwin(young)
	if err := young.Close(); err != nil {
		t.Error(err)
	}
}

// Each goroutine has a matcher; they share nothing that changes.
func TestMatchersAreIndependent(t *testing.T) {
	rt := newRuntime(t)
	set := newSet(t, rt, nil, append(subjects(0, 100), "$body.n = 1")...)
	defer set.Close()
	var work sync.WaitGroup
	for g := range 8 {
		work.Go(func() {
			m, err := set.NewMatcher(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer m.Close()
			for i := range 500 {
				twin := (g*31 + i) % 100
				m.Load(&event.Event{Subject: fmt.Sprintf("twin-%d", twin), Data: fmt.Appendf(nil, `{"n":%d}`, i%2)})
				if !m.Match(twin) || m.Match((twin+1)%100) || m.Match(100) != (i%2 == 1) {
					t.Errorf("goroutine %d, round %d: wrong verdict", g, i)
				}
			}
		})
	}
	work.Wait()
}

// Filters that come one by one, in any order, are compiled into few groups, and a
// change makes few of them anew.
func TestNewSetOneByOne(t *testing.T) {
	rt := newRuntime(t)
	const filters = 300
	for name, order := range map[string]func(i int) int{
		"ascending": func(i int) int { return i },
		"any":       func(i int) int { return i * 77 % filters },
	} {
		t.Run(name, func(t *testing.T) {
			var texts []string
			var set *matcher.Set
			for i := range filters {
				texts = append(texts, fmt.Sprintf("subject = 'twin-%03d'", order(i)))
			}
			list := parseAll(t, texts)
			for i := range list {
				next, err := rt.NewSet(t.Context(), list[:i+1], set)
				if err != nil {
					t.Fatal(err)
				}
				if set != nil {
					if made := next.GroupsBeside(set); made > 2 {
						t.Fatalf("filter %d made %d groups", i, made)
					}
					set.Close()
				}
				set = next
			}
			defer set.Close()
			if n := set.GroupsBeside(nil); n > filters/24 {
				t.Errorf("%d filters are in %d groups", filters, n)
			}
			m := newMatcherOf(t, set)
			defer m.Close()
			for twin := range 40 {
				requireOracle(t, m, list, event.Event{Subject: fmt.Sprintf("twin-%03d", twin*7)})
			}
		})
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	var texts []string
	for _, mix := range mixes {
		for i := range 50 {
			texts = append(texts, mix.filter(i))
		}
	}
	m := newMatcher(t, texts...)
	escaped := update(`{"mode\u006cId":"a\u00e4b","patch":[{"op":"add","path":"\/Front","value":{"Temperature":1e2}}],"other1":12345678901234567890.5}`)
	for _, e := range []*event.Event{&twinUpdate, &escaped} {
		var matches []int
		if allocs := testing.AllocsPerRun(100, func() {
			m.Load(e)
			matches = m.Matches(matches[:0])
			for i := range texts {
				m.Match(i)
			}
		}); allocs != 0 {
			t.Errorf("%v allocations for %s, want none", allocs, e.Data)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	x, err := newRuntime(b).NewExplainer(b.Context(), parse(b, mixes[1].filter(2)))
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	b.ReportAllocs()
	for b.Loop() {
		x.Load(&twinUpdate)
		x.Explain(0)
	}
}
