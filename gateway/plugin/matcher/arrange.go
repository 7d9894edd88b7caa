package matcher

import (
	"slices"
	"sort"

	"github.com/headgate/headgate/gateway/filter"
)

// groupBytes bounds the texts of a group together, beyond its first filter:
// compiling takes some microseconds for each byte.
const groupBytes = 32 << 10

// fewMembers is how many members neighbouring groups have when they are worth
// compiling anew as one.
const fewMembers = filter.MaxFilters * 3 / 4

// unit is a group to keep as it is, or the members of one to compile.
type unit struct {
	group   *group
	members []*member // in their order; of a group, those that are wanted
	fresh   int       // how many of them no group has had
	low     *member   // none of members comes before it, nor after that of the next unit
}

// arrange divides the wanted members into groups by their order, so that those
// that one event matches stand in few of them. Old groups, which are in that
// order too, are kept but for those that get some of added, which are then
// compiled anew, and those that lost half of their members.
func arrange(old []*group, wanted map[*member]bool, added []*member) []unit {
	units := make([]unit, 0, len(old)+1)
	for _, g := range old {
		u := unit{group: g, low: g.members[0], members: make([]*member, 0, len(g.members))}
		for _, m := range g.members {
			if wanted[m] {
				u.members = append(u.members, m)
			}
		}
		if len(u.members) > 0 {
			units = append(units, u)
		}
	}
	if len(units) == 0 {
		return split(unit{members: added, fresh: len(added)})
	}
	for start := 0; start < len(added); {
		// The last unit that begins before it, or the first one.
		i := max(0, sort.Search(len(units), func(i int) bool { return compareMembers(units[i].low, added[start]) > 0 })-1)
		end := start + 1
		for end < len(added) && (i+1 == len(units) || compareMembers(added[end], units[i+1].low) < 0) {
			end++
		}
		units[i].members = append(units[i].members, added[start:end]...)
		units[i].fresh = end - start
		start = end
	}
	var out []unit
	for _, u := range join(units) {
		if u.group != nil {
			out = append(out, u)
			continue
		}
		out = append(out, split(u)...)
	}
	return out
}

// join says which units to compile anew, and makes one of neighbours that are
// small, if one of them is compiled anyway.
func join(units []unit) []unit {
	var out []unit
	for _, u := range units {
		if u.fresh > 0 || len(u.members)*2 <= len(u.group.members) {
			u.group = nil
		}
		if last := len(out) - 1; last >= 0 && (u.group == nil || out[last].group == nil) && len(out[last].members)+len(u.members) <= fewMembers {
			out[last] = unit{members: append(out[last].members, u.members...), fresh: out[last].fresh + u.fresh}
			continue
		}
		out = append(out, u)
	}
	return out
}

// split divides u, whose members need not be in order yet, into units that are
// not too large.
func split(u unit) (out []unit) {
	ascending := slices.IsSortedFunc(u.members, compareMembers) // what is new came last, as in a list that is sent route by route
	slices.SortFunc(u.members, compareMembers)
	most := filter.MaxFilters
	if n := len(u.members); n > most && n <= 2*most && !ascending {
		most = (n + 1) / 2 // both halves have room for more
	}
	room := 0 // bytes of text that the last unit may still take
	for _, m := range u.members {
		last := len(out) - 1
		if last < 0 || len(m.text) > room || len(out[last].members) == most {
			out = append(out, unit{})
			last, room = last+1, groupBytes
		}
		out[last].members = append(out[last].members, m)
		room -= len(m.text)
	}
	return out
}
