package workbench // white-box: the differ

import (
	"strings"
	"testing"
)

func TestDiffLines(t *testing.T) {
	tests := []struct{ name, a, b, want string }{
		{"one changed", "a b c d e f g h i", "a b c d X f g h i", "  …|  b|  c|  d|- e|+ X|  f|  g|  h|  …"},
		{"inserted", "a b", "a x b", "  a|+ x|  b"},
		{"removed at the end", "a b", "a", "  a|- b"},
		{"all new", "", "a", "- |+ a"},
		{"two places", "a 1 2 3 4 5 6 7 8 9 b", "A 1 2 3 4 5 6 7 8 9 B", "- a|+ A|  1|  2|  3|  …|  7|  8|  9|- b|+ B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := diffLines(strings.Split(tt.a, " "), strings.Split(tt.b, " "))
			if got = strings.ReplaceAll(strings.TrimSuffix(got, "\n"), "\n", "|"); got != tt.want {
				t.Errorf("diff %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzDiff holds that a diff, read one way or the other, gives both texts back.
func FuzzDiff(f *testing.F) {
	f.Add("a b c", "a c d")
	f.Fuzz(func(t *testing.T, a, b string) {
		from, to := strings.Split(a, " "), strings.Split(b, " ")
		var left, right []string
		for _, e := range middle(from, to) {
			if e.mark != '+' {
				left = append(left, e.text)
			}
			if e.mark != '-' {
				right = append(right, e.text)
			}
		}
		if strings.Join(left, " ") != a || strings.Join(right, " ") != b {
			t.Errorf("middle(%q, %q) reads %q and %q", a, b, left, right)
		}
	})
}
