package filter_test

import (
	"slices"
	"testing"

	"github.com/headgate/headgate/gateway/filter"
)

func anyTypes([]string) bool { return true }

func TestSplitTypes(t *testing.T) {
	tests := []struct {
		text   string
		types  []string
		rest   string
		joined string
	}{
		{"true", nil, "", "true"},
		{"false", nil, "false", "false"},
		{"$body.x > 1", nil, "$body.x > 1", "$body.x > 1"},
		{"type = 'a'", []string{"a"}, "", "type = 'a'"},
		{"'it''s' = type", []string{"it's"}, "", "type = 'it''s'"},
		{"type IN ['a', \"b\", 'a']", []string{"a", "b"}, "", "type = 'a' OR type = 'b'"},
		{"(type = 'a' OR type = 'b') AND x  =  1", []string{"a", "b"}, "x  =  1", "(type = 'a' OR type = 'b') AND x  =  1"},
		{"x = 1 and (y = 2 OR\n z) AND type = 'a'", []string{"a"}, "x = 1 AND (y = 2 OR\n z)", "type = 'a' AND x = 1 AND (y = 2 OR\n z)"},
		{"type = 'a' AND (x = 1 OR y)", []string{"a"}, "x = 1 OR y", "type = 'a' AND (x = 1 OR y)"},
		{"type = 'a' AND type = 'b'", []string{"a"}, "type = 'b'", "type = 'a' AND type = 'b'"},
		{"type = 'a' AND true", []string{"a"}, "true", "type = 'a'"},
		{"type = 'a' OR x", nil, "type = 'a' OR x", "type = 'a' OR x"},
		{"type = 'a' AND x OR type = 'b'", nil, "type = 'a' AND x OR type = 'b'", "type = 'a' AND x OR type = 'b'"},
		{"type IN ['a', 1]", nil, "type IN ['a', 1]", "type IN ['a', 1]"},
		{"NOT type = 'a'", nil, "NOT type = 'a'", "NOT type = 'a'"},
		{"type != 'a'", nil, "type != 'a'", "type != 'a'"},
	}
	for _, tt := range tests {
		types, rest := parse(t, tt.text).SplitTypes(anyTypes)
		if !slices.Equal(types, tt.types) || rest != tt.rest {
			t.Errorf("%s splits into %q and %q, want %q and %q", tt.text, types, rest, tt.types, tt.rest)
		}
		if joined := join(t, types, rest); joined != tt.joined {
			t.Errorf("%s joins to %s, want %s", tt.text, joined, tt.joined)
		}
	}
	f := parse(t, "type = 'a' AND type = 'b'")
	types, rest := f.SplitTypes(func(types []string) bool { return types[0] == "b" })
	if !slices.Equal(types, []string{"b"}) || rest != "type = 'a'" {
		t.Errorf("split of what is accepted: %q and %q", types, rest)
	}
}

func join(t *testing.T, types []string, rest string) string {
	t.Helper()
	if rest == "" {
		return filter.JoinTypes(types, nil)
	}
	return filter.JoinTypes(types, parse(t, rest))
}

// FuzzSplitTypes takes filters apart and together again: a second time changes
// nothing, and what must be true is the same.
func FuzzSplitTypes(f *testing.F) {
	for _, seed := range []string{
		"true", "type = 'a' AND (x OR y) AND (z)", "type = 'a' OR type = 'b'", "(type IN ['a','b'] AND a) AND NOT b", "type='a' AND x='it''s' OR false",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := filter.Parse(text)
		if err != nil || len(text) > filter.MaxBytes/4 {
			return
		}
		types, rest := parsed.SplitTypes(anyTypes)
		joined := parse(t, join(t, types, rest))
		want, got := conditions(parsed), conditions(joined)
		if types == nil {
			types = []string{}
		}
		again, left := joined.SplitTypes(anyTypes)
		if !slices.Equal(again, types) {
			t.Fatalf("%q joins to %s, which has the types %q, want %q", text, joined, again, types)
		}
		if twice := join(t, again, left); twice != joined.Text() {
			t.Fatalf("%q joins to %s, and then to %s", text, joined, twice)
		}
		if len(types) == 0 && !slices.Equal(want, got) {
			t.Fatalf("%q has the conditions %q, joined %q", text, want, got)
		}
		if n := len(want) - len(got); len(types) > 0 && n != 0 && !slices.Contains(want, "true") {
			t.Fatalf("%q has the conditions %q, joined %q", text, want, got)
		}
	})
}

// conditions are the canonical conditions of f, sorted.
func conditions(f *filter.Filter) (list []string) {
	for _, c := range f.Conditions() {
		list = append(list, c.String())
	}
	slices.Sort(list)
	return list
}
