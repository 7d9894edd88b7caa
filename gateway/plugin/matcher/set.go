package matcher

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/filter"
)

// Set is a list of compiled filters. It is immutable and safe for concurrent
// use. Filters with the same canonical text are compiled once.
type Set struct {
	runtime *Runtime
	groups  []*group
	places  []place        // of each filter
	types   map[string]int // every type that a group asks for, numbered
	accepts [][]uint64     // per group, a bitmap of types; nil accepts all
	close   sync.Once
}

// place is where a filter's verdict is found.
type place struct {
	group uint32
	bit   uint8
}

// NewSet compiles filters, whose indexes a [Matcher] of the set answers for.
// What prev, which may be nil, has compiled already is shared with it, so that
// one change among thousands of filters costs a few milliseconds. The caller
// closes both sets, in any order, but prev not before NewSet returns.
func (r *Runtime) NewSet(ctx context.Context, filters []*filter.Filter, prev *Set) (*Set, error) {
	wanted := make(map[string]*filter.Filter, len(filters))
	for _, f := range filters {
		wanted[f.String()] = f
	}
	s := &Set{runtime: r}
	if prev != nil {
		s.groups = reusable(prev.groups, wanted)
	}
	for _, g := range s.groups {
		g.retain()
		for _, text := range g.texts {
			delete(wanted, text)
		}
	}
	if err := s.compile(ctx, wanted); err != nil {
		s.Close()
		return nil, err
	}
	s.place(filters)
	s.indexTypes()
	return s, nil
}

// reusable picks the groups to share. A group that lost half of its filters
// costs more to run than to compile anew; and when there are filters to add,
// those that have room are compiled again with them, so that groups stay few.
func reusable(groups []*group, wanted map[string]*filter.Filter) []*group {
	live, found := make([]int, len(groups)), 0
	for i, g := range groups {
		for _, text := range g.texts {
			if wanted[text] != nil {
				live[i]++
			}
		}
		found += live[i]
	}
	grows := found < len(wanted)
	var out []*group
	for i, g := range groups {
		if live[i]*2 > len(g.texts) && (g.full() || !grows) {
			out = append(out, g)
		}
	}
	return out
}

// compile adds groups of wanted.
func (s *Set) compile(ctx context.Context, wanted map[string]*filter.Filter) error {
	chunks := chunk(wanted)
	compiled := make([]*group, len(chunks))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, filters := range chunks {
		work.Go(func() (err error) {
			compiled[i], err = s.runtime.newGroup(ctx, filters)
			return err
		})
	}
	err := work.Wait()
	for _, g := range compiled {
		if g != nil {
			s.groups = append(s.groups, g)
		}
	}
	return err
}

// chunk divides filters into groups, in which those for the same event types
// stand together.
func chunk(wanted map[string]*filter.Filter) (chunks [][]*filter.Filter) {
	type sortable struct {
		filter *filter.Filter
		types  []string
	}
	list := make([]sortable, 0, len(wanted))
	for _, f := range wanted {
		types, _ := f.Types()
		list = append(list, sortable{f, types})
	}
	slices.SortFunc(list, func(a, b sortable) int {
		return cmp.Or(slices.Compare(a.types, b.types), cmp.Compare(a.filter.String(), b.filter.String()))
	})
	room := 0 // bytes of text that the last chunk may still take
	for _, x := range list {
		last := len(chunks) - 1
		size := len(x.filter.String())
		if last < 0 || size > room || len(chunks[last]) == filter.MaxFilters {
			chunks = append(chunks, nil)
			last, room = last+1, groupBytes
		}
		chunks[last] = append(chunks[last], x.filter)
		room -= size
	}
	return chunks
}

// place notes where the verdict of each filter will be.
func (s *Set) place(filters []*filter.Filter) {
	places := make(map[string]place, len(filters))
	for i, g := range s.groups {
		for bit, text := range g.texts {
			places[text] = place{uint32(i), uint8(bit)}
		}
	}
	s.places = make([]place, len(filters))
	for i, f := range filters {
		s.places[i] = places[f.String()]
	}
}

// indexTypes numbers the types that groups ask for.
func (s *Set) indexTypes() {
	s.types = make(map[string]int)
	for _, g := range s.groups {
		for _, typ := range g.types {
			if _, ok := s.types[typ]; !ok {
				s.types[typ] = len(s.types)
			}
		}
	}
	s.accepts = make([][]uint64, len(s.groups))
	for i, g := range s.groups {
		if g.anyType {
			continue
		}
		s.accepts[i] = make([]uint64, len(s.types)/64+1)
		for _, typ := range g.types {
			n := s.types[typ]
			s.accepts[i][n/64] |= 1 << (n % 64)
		}
	}
}

// Len is the number of filters.
func (s *Set) Len() int { return len(s.places) }

// Close releases the set. Matchers of it stay usable.
func (s *Set) Close() {
	s.close.Do(func() {
		for _, g := range s.groups {
			g.release()
		}
	})
}
