package filter_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/filter"
)

func text(s string, n int) filter.SeenValue {
	return filter.SeenValue{Value: filter.Value{Kind: filter.String, String: s}, Events: n}
}

// known is what a small stream of events holds.
var known = filter.Known{Events: 20, Seen: []filter.Seen{
	{Field: filter.Field{From: filter.Attribute, Path: "type"}, Events: 20, Values: []filter.SeenValue{text("Twin.Update", 15), text("it's", 5)}},
	{Field: filter.Field{From: filter.Attribute, Path: "site"}, Events: 9, Values: []filter.SeenValue{text("north", 9)}},
	{Field: filter.Field{From: filter.Body, Path: "Front.Temperature"}, Events: 4, Values: []filter.SeenValue{{Value: filter.Value{Kind: filter.Number, Number: 21.5}, Events: 4}}},
	{Field: filter.Field{From: filter.Body, Path: "has blank"}, Events: 4},
	{Field: filter.Field{From: filter.Patch, Path: "/a~1b"}, Events: 3, Values: []filter.SeenValue{text("x", 3)}},
}}

// The place of completion is marked by |.
func TestComplete(t *testing.T) {
	const after = "= != > >= < <= IN AND OR"
	const operands = "type subject source dataschema datacontenttype id time specversion site $body.Front.Temperature PATCH('/a~1b') CHANGED('/a~1b') STARTS_WITH ENDS_WITH CONTAINS IS_DEFINED CHANGED PATCH"
	tests := []struct{ name, text, replaced, want string }{
		{"at the start", "|", "", operands + " NOT true false null ("},
		{"a word begun", "sub|", "sub", "subject"},
		{"a word in its middle", "ty|pes = 'a'", "types", "type datacontenttype"},
		{"a path by a part of it", "temp| > 3", "temp", "$body.Front.Temperature"},
		{"after an operand", "type |", "", after},
		{"after an operand, a word begun", "type = 'a' a|", "a", "AND"},
		{"half of an operator", "type !|", "!", "!="},
		{"types", "type = |", "", "'Twin.Update' 'it''s' " + operands + " true false null ("},
		{"types in a string", "type = 'tw|", "'tw", "'Twin.Update'"},
		{"the rest of the line is no string", "type = 'tw| AND subject = 'x'", "'tw", "'Twin.Update'"},
		{"a closed string is replaced whole", "type = 'tw|in' AND true", "'twin'", "'Twin.Update'"},
		{"values", "$body.Front.Temperature > |", "", "21.5 " + operands + " true false null ("},
		{"values of a patch", "PATCH('/a~1b') != '|'", "''", "'x'"},
		{"values in a list", "site IN ['a', |", "", "'north' true false null"},
		{"the list", "site IN |", "", "["},
		{"behind a value in a list", "site IN ['a' |", "", ", ]"},
		{"the first argument", "STARTS_WITH(|", "", operands + " true false null ("},
		{"between arguments", "STARTS_WITH(site |", "", ","},
		{"the second argument", "STARTS_WITH(site, '|", "'", "'north'"},
		{"behind the arguments", "STARTS_WITH(site, 'a' |", "", ")"},
		{"pointers", "CHANGED(|", "", "'/a~1b'"},
		{"pointers in quotes", "CHANGED('|')", "''", "'/a~1b'"},
		{"in parentheses", "(site = 'a' |", "", "AND OR )"},
		{"no blank before", "(site = 'a')|", "", "= != > >= < <= AND OR"},
		{"a path with a dot at its end", "$body.|", "$body.", "$body.Front.Temperature"},
		{"a path in its middle", "site = 'a' AND $body.Front.| = 3", "$body.Front.", "$body.Front.Temperature"},
		{"after a fault", "site == 'a' AND type = 'tw|", "'tw", "'Twin.Update'"},
		{"a function that has its parenthesis", "starts|(site, 'a')", "starts", "STARTS_WITH"},
		{"letters beyond ASCII", "site = 'ä' AND sub|", "sub", "subject"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, behind, _ := strings.Cut(tt.text, "|")
			whole := before + behind
			c := filter.Complete(whole, len(before), known)
			if got := whole[c.From:c.To]; got != tt.replaced {
				t.Errorf("replaced is %q, want %q", got, tt.replaced)
			}
			var labels []string
			for _, item := range c.Items {
				labels = append(labels, item.Label)
			}
			if got := strings.Join(labels, " "); got != tt.want {
				t.Errorf("items are %s\nwant      %s", got, tt.want)
			}
			requireCompletions(t, whole, len(before))
		})
	}
}

// requireCompletions holds Complete to its promise.
func requireCompletions(t *testing.T, text string, position int) {
	t.Helper()
	c := filter.Complete(text, position, known)
	if c.From < 0 || c.From > position || c.To < position || c.To > len(text) {
		t.Fatalf("Complete(%q, %d) replaces [%d:%d]", text, position, c.From, c.To)
	}
	before := text[:c.From]
	reached := reaches(t, before)
	for _, item := range c.Items {
		prefix := before + item.Insert
		switch now := reaches(t, prefix); {
		case reached == len(before) && now < len(prefix):
			t.Fatalf("Complete(%q, %d): with %q the text is a beginning up to %d, want %d", text, position, item.Insert, now, len(prefix))
		case now < reached:
			t.Fatalf("Complete(%q, %d): with %q the text is a beginning up to %d, without it up to %d", text, position, item.Insert, now, reached)
		}
	}
}

// reaches is how far text is the beginning of a filter.
func reaches(t *testing.T, text string) int {
	t.Helper()
	_, err := filter.Parse(text)
	var syntax *filter.SyntaxError
	if !errors.As(err, &syntax) {
		return len(text)
	}
	if syntax.Start < 0 || syntax.End < syntax.Start || syntax.End > len(text) {
		t.Fatalf("the fault of %q is at [%d:%d]", text, syntax.Start, syntax.End)
	}
	return syntax.Start
}

// FuzzComplete holds completions and suggestions to their promises for any text
// and place.
func FuzzComplete(f *testing.F) {
	for _, seed := range []string{
		"", "type = 'Tw", "STARTS_WITH(subject, 'a') AND (x IN ['a', 2", "CHANGED('/a') OR PATCH(", "a == b AND c", "NOT NOT (", "x <", "'it''s", "ä = 'ö' AND", "type IN[0", "$body.a[0].b ", `"`, "a.b.", "((((type",
	} {
		for position := range len(seed) + 1 {
			f.Add(seed, position)
		}
	}
	f.Fuzz(func(t *testing.T, text string, position int) {
		if position < 0 || position > len(text) || position < len(text) && !utf8.RuneStart(text[position]) {
			return
		}
		requireCompletions(t, text, position)
		parsed, err := filter.Parse(text)
		if err == nil {
			for _, h := range parsed.Hints(known) {
				requireHint(t, text, h)
			}
			return
		}
		syntax := err.(*filter.SyntaxError)
		h, ok := filter.Suggest(text, syntax)
		if !ok {
			return
		}
		requireHint(t, text, h)
		changed := text[:h.Start] + h.Insert + text[h.End:]
		if left := len(changed) - reaches(t, changed); left > len(text)-syntax.Start {
			t.Fatalf("%q suggests %q, of which more is no filter", text, changed)
		}
	})
}

func requireHint(t *testing.T, text string, h filter.Hint) {
	t.Helper()
	if h.Start < 0 || h.End < h.Start || h.End > len(text) || h.Message == "" {
		t.Fatalf("hint %+v of %q", h, text)
	}
}

func TestSuggest(t *testing.T) {
	tests := []struct{ text, want string }{
		{"type == 'a'", "type = 'a'"},
		{"type <> 'a'", "type != 'a'"},
		{"type => 'a'", "type >= 'a'"},
		{"a && b", "a AND b"},
		{"a || b", "a OR b"},
		{"type = 'a' adn b", "type = 'a' AND b"},
		{"type is 'a'", "type = 'a'"},
		{"startswith(id, 'a')", "STARTS_WITH(id, 'a')"},
		{"isdefined(id)", "IS_DEFINED(id)"},
		{"id IN ('a')", "id IN ['a')"},
		{"id IN ['a')", "id IN ['a']"},
		{"(id = 'a'", "(id = 'a')"},
		{"id IN ['a'", "id IN ['a']"},
		{"id = 'a", "id = 'a'"},
		{`id = "a`, `id = "a"`},
		{"CHANGED('Front.T')", "CHANGED('/Front/T')"},
		{"LENGTH(id) > 2", ""},
		{"id =", ""},
		{"1 < x < 3", ""},
		{"x = \xff", ""},
		{"", ""},
	}
	for _, tt := range tests {
		_, err := filter.Parse(tt.text)
		if err == nil {
			t.Errorf("%q parses", tt.text)
			continue
		}
		h, ok := filter.Suggest(tt.text, err.(*filter.SyntaxError))
		got := ""
		if ok {
			got = tt.text[:h.Start] + h.Insert + tt.text[h.End:]
		}
		if got != tt.want {
			t.Errorf("%q suggests %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestHints(t *testing.T) {
	tests := []struct {
		text string
		want []string // what the text becomes
	}{
		{"type = 'Twin.Update' AND site = 'a' AND $body.Front.Temperature > 1", nil},
		{"type = 'twin.update'", []string{"type = 'Twin.Update'"}},
		{"type IN ['Twin.Updat', 'x']", []string{"type IN ['Twin.Update', 'x']"}},
		{"type = Twin.Update", []string{"type = 'Twin.Update'"}},
		{"$eventType = 'a'", []string{"type = 'a'"}},
		{"Subject = 'a'", []string{"subject = 'a'"}},
		{"body.a = 'a'", []string{"$body.a = 'a'"}},
		{"$body.Front.temperature > 1", []string{"$body.Front.Temperature > 1"}},
		{"CHANGED('/a~1c')", []string{"CHANGED('/a~1b')"}},
		{"sit = 'a'", []string{"site = 'a'"}},
		{"$body.list[0] = 1", []string{"$body.list[0] = 1"}},
		{"$body.quite.another = 1", nil},
	}
	for _, tt := range tests {
		var got []string
		for _, h := range parse(t, tt.text).Hints(known) {
			got = append(got, tt.text[:h.Start]+h.Insert+tt.text[h.End:])
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: hints lead to %q, want %q", tt.text, got, tt.want)
		}
	}
}
