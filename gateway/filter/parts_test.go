package filter_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/filter"
)

func TestTypes(t *testing.T) {
	tests := []struct {
		text string
		want []string
		ok   bool
	}{
		{"type = 'a'", []string{"a"}, true},
		{"'a' = type", []string{"a"}, true},
		{"type = 'a' OR type = 'b'", []string{"a", "b"}, true},
		{"type IN ['a', 1, 'b'] AND true", []string{"a", "b"}, true},
		{"subject = 'x' AND (type = 'a' OR type = 'b' AND $body.x > 1)", []string{"a", "b"}, true},
		{"false", nil, true},
		{"true", nil, false},
		{"type = 'a' OR subject = 'b'", nil, false},
		{"NOT type = 'a'", nil, false},
		{"type != 'a'", nil, false},
		{"type = subject", nil, false},
		{"(type = 'a') = true", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, ok := parse(t, tt.text).Types()
			if ok != tt.ok || ok && !cmp.Equal(got, tt.want) {
				t.Errorf("Types = %q, %v, want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	f := parse(t, "type='a' AND ((NOT true) and (id = 'b' OR\n$body.x>1)) AND CHANGED ('/x')")
	type part struct{ Text, Canonical string }
	var got []part
	for _, c := range f.Conditions() {
		start, end := c.Span()
		got = append(got, part{c.Text()[start:end], c.String()})
	}
	want := []part{
		{"type='a'", "type = 'a'"},
		{"NOT true", "NOT true"},
		{"id = 'b' OR\n$body.x>1", "id = 'b' OR $body.x > 1"},
		{"CHANGED ('/x')", "CHANGED('/x')"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions, -want +got:\n%s", diff)
	}
}

func TestFields(t *testing.T) {
	f := parse(t, "site = 'x' AND $body.a.$b = 1 AND site = 'y' AND PATCH('/a~1b/~01') > $eventType AND CHANGED('') AND $body != null")
	var got []string
	for _, field := range f.Fields() {
		got = append(got, fmt.Sprintf("%d %s %q", field.From, field, field.Steps()))
	}
	want := []string{
		`0 site []`, `1 $body.a.$b ["a" "$b"]`, `2 PATCH('/a~1b/~01') ["a/b" "~1"]`, `4 $eventType []`, `3 CHANGED('') []`, `1 $body []`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields, -want +got:\n%s", diff)
	}
}

func TestNegated(t *testing.T) {
	for text, want := range map[string]string{
		"a = 1":          "NOT a = 1",
		"a = 1 OR b = 2": "NOT (a = 1 OR b = 2)",
		"NOT a":          "NOT NOT a",
	} {
		if got := parse(t, text).Negated(); got.String() != want {
			t.Errorf("Negated of %s = %s, want %s", text, got, want)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	const text = "type = 'Microsoft.DigitalTwins.Twin.Update' AND STARTS_WITH($body.modelId, 'dtmi:sample:') AND (subject = 'a' OR PATCH('/T') > 21.5)"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := filter.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	f := parse(b, "type = 'Microsoft.DigitalTwins.Twin.Update' AND STARTS_WITH($body.modelId, 'dtmi:sample:') AND (subject = 'a' OR PATCH('/T') > 21.5)")
	b.ReportAllocs()
	for b.Loop() {
		filter.Compile([]*filter.Filter{f})
	}
}

func parse(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
