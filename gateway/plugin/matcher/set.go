package matcher

import (
	"context"
	"runtime"
	"slices"
	"sort"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/filter"
)

// Set is a list of compiled filters. It is immutable and safe for concurrent
// use. Filters with the same canonical text are compiled once.
type Set struct {
	runtime *Runtime
	groups  []*group // in the order of their members
	made    []*group // of groups, those that the set before did not have
	members map[*filter.Filter]*member
	index   *index

	// A place is a member's group·filter.MaxFilters + its bit.
	places   []uint32 // of each filter
	firstUse []uint32 // by place, where its filters begin in uses
	uses     []uint32 // indexes of filters, by place

	close sync.Once
}

// NewSet compiles filters, whose indexes a [Matcher] of the set answers with.
// What prev, which may be nil, has compiled already is shared with it, so that
// one change among thousands of filters costs a few milliseconds, the more so
// when the others are the very same [filter.Filter]. The caller closes both sets,
// in any order, but prev not before NewSet returns.
func (r *Runtime) NewSet(ctx context.Context, filters []*filter.Filter, prev *Set) (*Set, error) {
	s := r.NewSetLater(filters, prev)
	if err := s.Compile(ctx, runtime.GOMAXPROCS(0)); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// NewSetLater is NewSet for filters that are known to compile: each is compiled
// when [Set.Compile] comes to it, or when it is first needed.
func (r *Runtime) NewSetLater(filters []*filter.Filter, prev *Set) *Set {
	if prev == nil {
		prev = &Set{}
	}
	s := &Set{runtime: r, members: make(map[*filter.Filter]*member, len(filters))}
	wanted := make(map[*member]bool, len(filters))
	var added []*member
	for _, f := range filters {
		m := prev.members[f]
		if m == nil {
			if m = s.members[f]; m != nil {
				continue
			}
			m = r.newMember(f)
			added = append(added, m)
		}
		s.members[f] = m
		wanted[m] = true
	}
	added = s.unify(added, wanted, prev.groups)
	for _, u := range arrange(prev.groups, wanted, added) {
		if u.group != nil {
			u.group.retain()
			s.groups = append(s.groups, u.group)
		} else {
			g := newGroup(u.members)
			s.groups, s.made = append(s.groups, g), append(s.made, g)
		}
	}
	s.place(filters, wanted)
	return s
}

// unify replaces those of added that are the same filter as another one, or one
// of groups, and returns the others, in their order.
func (s *Set) unify(added []*member, wanted map[*member]bool, groups []*group) []*member {
	slices.SortFunc(added, compareMembers)
	var fresh []*member
	for _, m := range added {
		same := find(groups, m)
		if last := len(fresh) - 1; last >= 0 && compareMembers(fresh[last], m) == 0 {
			same = fresh[last]
		}
		if same == nil {
			fresh = append(fresh, m)
			continue
		}
		delete(wanted, m)
		wanted[same] = true
		s.members[m.filter] = same
	}
	return fresh
}

// find returns the member of groups that is the same filter as m, or nil.
func find(groups []*group, m *member) *member {
	// The last group that begins at or before it.
	i := sort.Search(len(groups), func(i int) bool { return compareMembers(groups[i].members[0], m) > 0 }) - 1
	if i < 0 {
		return nil
	}
	at, ok := slices.BinarySearchFunc(groups[i].members, m, compareMembers)
	if !ok {
		return nil
	}
	return groups[i].members[at]
}

// Compile compiles what the set did not get from the one before, unless that is
// done, with that many goroutines, until ctx ends. The set may be closed meanwhile.
func (s *Set) Compile(ctx context.Context, workers int) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(workers)
	for _, g := range s.made {
		work.Go(func() error {
			if ctx.Err() != nil || !g.hold() {
				return ctx.Err()
			}
			defer g.release()
			return g.compile(s.runtime)
		})
	}
	return work.Wait()
}

// place notes where the verdict of each filter will be, and which filters each
// verdict is for, and indexes the members.
func (s *Set) place(filters []*filter.Filter, wanted map[*member]bool) {
	members := make([]*member, len(s.groups)*filter.MaxFilters)
	places := make(map[*member]uint32, len(wanted))
	for i, g := range s.groups {
		for bit, m := range g.members {
			if wanted[m] {
				place := uint32(i*filter.MaxFilters + bit)
				members[place], places[m] = m, place
			}
		}
	}
	s.places = make([]uint32, len(filters))
	s.firstUse = make([]uint32, len(members)+1)
	for i, f := range filters {
		place := places[s.members[f]]
		s.places[i] = place
		s.firstUse[place+1]++
	}
	for place := range members {
		s.firstUse[place+1] += s.firstUse[place]
	}
	s.uses = make([]uint32, len(filters))
	next := slices.Clone(s.firstUse)
	for i, place := range s.places {
		s.uses[next[place]] = uint32(i)
		next[place]++
	}
	s.index = newIndex(members)
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
