package filter_test

import (
	"fmt"
	"strings"
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

func TestRequirement(t *testing.T) {
	tests := []struct{ text, want string }{
		{"true", "anything"},
		{"false", "never"},
		{"NOT true", "never"},
		{"'text'", "never"},
		{"$eventType = 'x' OR $eventType != 'x'", "never"},
		{"STARTS_WITH($eventType, 'x')", "never"},
		{"type = 'a'", "type = 'a'"},
		{"'a' = type", "type = 'a'"},
		{"type != 'a'", "anything"},
		{"NOT type != 'a'", "type = 'a'"},
		{"NOT type = 'a'", "anything"},
		{"NOT NOT type = 'a'", "type = 'a'"},
		{"subject = 3", "never"}, // an attribute is text
		{"$body.n = 1.0", "$body.n = 1"},
		{"$body.n = null", "$body.n = null"},
		{"$body.on", "$body.on = true"},
		{"NOT $body.on", "$body.on = false"},
		{"$body.on != true", "anything"}, // null is not true
		{"CHANGED('/a')", "CHANGED('/a') = true"},
		{"NOT CHANGED('/a')", "anything"},
		{"CHANGED('/a') = null", "never"},
		{"type = 'a' AND $body.n > 1", "type = 'a'"},
		{"type = 'a' AND (subject = 'b' AND $body.n = 1)", "all(type = 'a', subject = 'b', $body.n = 1)"},
		{"type = 'a' AND $eventType = 'b'", "never"},
		{"type = 'a' OR $eventType = 'b'", "type = 'a'"},
		{"type = 'a' OR subject = 'b'", "any(type = 'a', subject = 'b')"},
		{"type = 'a' OR $body.n > 1", "anything"},
		{"type IN ['a', 'b']", "any(type = 'a', type = 'b')"},
		{"NOT type IN ['a', 'b']", "anything"},
		{"NOT (type != 'a' AND subject != 'b')", "any(type = 'a', subject = 'b')"},
		{"NOT (type != 'a' OR subject != 'b')", "all(type = 'a', subject = 'b')"},
		{"(type = 'a' OR subject = 'b') AND id = 'c'", "all(any(type = 'a', subject = 'b'), id = 'c')"},
		{"(type = 'a') = true", "type = 'a'"},
		{"(type = 'a') != false", "type = 'a'"},
		{"(type != 'a') = false", "type = 'a'"},
		{"(type = 'a') = false", "anything"},
		{"(type = 'a') = $body.on", "anything"},
		{"'a' = 'a' AND type = 'b'", "type = 'b'"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if got := requirement(parse(t, tt.text).Requirement()); got != tt.want {
				t.Errorf("Requirement = %s, want %s", got, tt.want)
			}
		})
	}
}

func requirement(r filter.Requirement) string {
	var parts []string
	for _, p := range r.Parts {
		parts = append(parts, requirement(p))
	}
	switch r.Kind {
	case filter.Never:
		return "never"
	case filter.Equals:
		return r.Field.String() + " = " + r.Value.Text()
	case filter.AllOf:
		return "all(" + strings.Join(parts, ", ") + ")"
	case filter.AnyOf:
		return "any(" + strings.Join(parts, ", ") + ")"
	}
	return "anything"
}
