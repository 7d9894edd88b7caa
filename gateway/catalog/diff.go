package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Difference is one member that differs between two states of a resource.
type Difference struct {
	// Path is the member's, such as "settings.url" or "transforms[0].config.min".
	Path string `json:"path"`
	// Before and After are its values, with "***" for what is secret; nil where
	// there is none.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	// Secret says that what differs is masked.
	Secret bool `json:"secret,omitempty"`
}

// Diff returns what differs between two JSON values, leaf by leaf, in the order
// of the paths' names. Either may be nil, for nothing.
func Diff(before, after json.RawMessage) []Difference {
	return appendDiff(nil, "", before, after)
}

func appendDiff(out []Difference, path string, before, after json.RawMessage) []Difference {
	if bytes.Equal(before, after) {
		return out
	}
	oldMembers, oldIsObject := object(before)
	newMembers, newIsObject := object(after)
	oldItems, oldIsArray := array(before)
	newItems, newIsArray := array(after)
	switch {
	case (oldIsObject || before == nil) && (newIsObject || after == nil) && len(oldMembers)+len(newMembers) > 0:
		names := maps.Clone(oldMembers)
		if names == nil {
			names = map[string]json.RawMessage{}
		}
		maps.Copy(names, newMembers)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			out = appendDiff(out, join(path, name), oldMembers[name], newMembers[name])
		}
		return out
	case (oldIsArray || before == nil) && (newIsArray || after == nil) && len(oldItems)+len(newItems) > 0:
		for i := range max(len(oldItems), len(newItems)) {
			var a, b json.RawMessage
			if i < len(oldItems) {
				a = oldItems[i]
			}
			if i < len(newItems) {
				b = newItems[i]
			}
			out = appendDiff(out, path+index(i), a, b)
		}
		return out
	}
	return append(out, Difference{Path: path, Before: before, After: after})
}

// object returns the members of b, without blanks, and whether it is an object.
func object(b json.RawMessage) (map[string]json.RawMessage, bool) {
	if len(b) == 0 || b[0] != '{' {
		return nil, false
	}
	members, err := readMembers(b)
	if err != nil {
		return nil, false
	}
	all := make(map[string]json.RawMessage, len(members))
	for _, m := range members {
		all[m.name] = compact(m.value)
	}
	return all, true
}

func array(b json.RawMessage) ([]json.RawMessage, bool) {
	var items []json.RawMessage
	if len(b) == 0 || b[0] != '[' || json.Unmarshal(b, &items) != nil {
		return nil, false
	}
	for i := range items {
		items[i] = compact(items[i])
	}
	return items, true
}

// DiffMasked is Diff of two states that are shown masked: where only what the
// mask hides differs, the difference is marked as secret.
func DiffMasked(before, after, shownBefore, shownAfter json.RawMessage) []Difference {
	shown := Diff(shownBefore, shownAfter)
	seen := map[string]bool{}
	for _, d := range shown {
		seen[d.Path] = true
	}
	for _, d := range Diff(before, after) {
		if seen[d.Path] {
			continue
		}
		a, b := at(shownBefore, d.Path), at(shownAfter, d.Path)
		if a == nil && b == nil {
			a, b = quote(Mask), quote(Mask) // the mask hides all around it
		}
		seen[d.Path] = true
		shown = append(shown, Difference{Path: d.Path, Before: a, After: b, Secret: true})
	}
	slices.SortStableFunc(shown, func(a, b Difference) int { return compareText(a.Path, b.Path) })
	return shown
}

// at returns the leaf of b at a path that Diff wrote.
func at(b json.RawMessage, path string) json.RawMessage {
	for _, leaf := range Diff(nil, b) {
		if leaf.Path == path {
			return leaf.After
		}
	}
	return nil
}

func compareText(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) }
