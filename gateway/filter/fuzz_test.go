package filter_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/filter"
)

// FuzzParse holds Parse to its promises: it does not panic, its errors point
// into the text, its canonical texts parse to themselves, and what it accepts
// compiles.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"true", "type = 'Microsoft.DigitalTwins.Twin.Update' AND (subject = 'a' OR NOT $body.x > -1.5e3)",
		"this is not a valid filter", `source = "it''s" AND id = 'it''s'`, "type IN ['a', 2, null]",
		"CHANGED('/a~1b') AND PATCH('/x') >= 1 OR IS_DEFINED($body.$metadata.$model)", "CONTAINS($body.patch[0].path, 'T')",
		"(type = 'a') = (id = 'b')", "x IN[0]", "$body.a.b-c = .5", "a\n=\n'b", "((((", "NOT NOT NOT true", "größe = 'ä'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := filter.Parse(text)
		if err != nil {
			requirePosition(t, text, err)
			return
		}
		requireRoundTrip(t, parsed)
		requireSpans(t, parsed)
		if p := filter.Compile([]*filter.Filter{parsed, parsed.Negated()}); len(p.Fields) != len(parsed.Fields()) {
			t.Errorf("the program reads %v, the filter %v", p.Fields, parsed.Fields())
		}
	})
}

func requirePosition(t *testing.T, text string, err error) {
	t.Helper()
	var syntax *filter.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("error %v is no *SyntaxError", err)
	}
	lines := strings.Split(text, "\n")
	if syntax.Line < 1 || syntax.Line > len(lines) ||
		syntax.Position < 1 || syntax.Position > utf8.RuneCountInString(lines[syntax.Line-1])+1 {
		t.Fatalf("%v: no such place in %q", err, text)
	}
}

// requireSpans checks that each condition's span is a filter of its own, the
// same one.
func requireSpans(t *testing.T, f *filter.Filter) {
	t.Helper()
	for _, part := range f.Conditions() {
		start, end := part.Span()
		again, err := filter.Parse(f.Text()[start:end])
		if err != nil {
			t.Fatalf("condition %s at [%d:%d] of %q: %v", part, start, end, f.Text(), err)
		}
		if again.String() != part.String() {
			t.Fatalf("condition %s at [%d:%d] of %q reads %s", part, start, end, f.Text(), again)
		}
	}
}
