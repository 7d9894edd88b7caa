package matcher

import "slices"

// GroupsBeside counts the groups of s that other, which may be nil, does not have.
func (s *Set) GroupsBeside(other *Set) int {
	n := 0
	for _, g := range s.groups {
		if other == nil || !slices.Contains(other.groups, g) {
			n++
		}
	}
	return n
}
