package filter_test

import (
	"errors"
	"testing"

	"github.com/headgate/headgate/gateway/filter"
)

func TestParseCanonical(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"whole-filter literal", "TRUE", "true"},
		{"no blanks", "type='a'", "type = 'a'"},
		{"keywords in any case", "type = 'a' or not subject = 'b' aNd time != nUlL", "type = 'a' OR NOT subject = 'b' AND time != null"},
		{"lines are blanks", "type = 'a'\r\nAND\n\t$body.x > 0.1", "type = 'a' AND $body.x > 0.1"},
		{"needless parentheses", "((type = 'a') AND ((true)))", "type = 'a' AND true"},
		{"needed parentheses", "(type = 'a' OR true) AND NOT (true AND false)", "(type = 'a' OR true) AND NOT (true AND false)"},
		{"nested terms stay nested", "(true AND false) AND true", "(true AND false) AND true"},
		{"double quotes", `source = "it's"`, "source = 'it''s'"},
		{"doubled quotes", `source = 'it''s' AND id = "a""b"`, `source = 'it''s' AND id = 'a"b'`},
		{"backslash is itself", `subject = 'a\'`, `subject = 'a\'`},
		{"numbers", "$body.x IN [1, -2.50, .5, 1e3, 1E-9]", "$body.x IN [1, -2.5, 0.5, 1000, 1e-09]"},
		{"dollar names", "STARTS_WITH($body.$metadata.$model, 'dtmi:')", "STARTS_WITH($body.$metadata.$model, 'dtmi:')"},
		{"keywords as names in a path", "$body.and.null = 1", "$body.and.null = 1"},
		{"index", "contains($body.patch[0].path,'T')", "CONTAINS($body.patch[0].path, 'T')"},
		{"unquoted type", "type = Microsoft.DigitalTwins.Twin.Create", "type = Microsoft.DigitalTwins.Twin.Create"},
		{"in without a blank", "type in['a',\"b\"]", "type IN ['a', 'b']"},
		{"condition as operand", "(type = 'a') = CONTAINS(id, 'b')", "(type = 'a') = CONTAINS(id, 'b')"},
		{"own functions", "is_defined($body) and changed( '/a~1b' ) and patch('') > 1", "IS_DEFINED($body) AND CHANGED('/a~1b') AND PATCH('') > 1"},
		{"function names are names too", "contains = 'a' OR patch = 'b'", "contains = 'a' OR patch = 'b'"},
		{"letters beyond ASCII", "$body.größe > 1", "$body.größe > 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := filter.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.String(); got != tt.want {
				t.Errorf("String = %s\nwant     %s", got, tt.want)
			}
			if f.Text() != tt.text {
				t.Errorf("Text = %q, want it verbatim", f.Text())
			}
			requireRoundTrip(t, f)
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"as the service says it", "this is not a valid filter", "Parsing error, Line=1, Position=6, Message=Unexpected input 'is'"},
		{"empty", "", "Parsing error, Line=1, Position=1, Message=Unexpected end of input"},
		{"blank", " \n ", "Parsing error, Line=2, Position=2, Message=Unexpected end of input"},
		{"cut off", "type =", "Parsing error, Line=1, Position=7, Message=Unexpected end of input"},
		{"second line", "type = 'a'\nAND AND", "Parsing error, Line=2, Position=5, Message=Unexpected input 'AND'"},
		{"position counts characters", "'äöü' 'x'", "Parsing error, Line=1, Position=7, Message=Unexpected input ''x''"},
		{"other languages", "type == 'a'", "Parsing error, Line=1, Position=7, Message=Unexpected input '='"},
		{"other not equal", "type <> 'a'", "Parsing error, Line=1, Position=7, Message=Unexpected input '>'"},
		{"other and", "true && true", "Parsing error, Line=1, Position=6, Message=Unexpected input '&'"},
		{"chained comparison", "1 < 2 < 3", "Parsing error, Line=1, Position=7, Message=Unexpected input '<'"},
		{"open parenthesis", "(true", "Parsing error, Line=1, Position=6, Message=Unexpected end of input"},
		{"closing parenthesis", "true)", "Parsing error, Line=1, Position=5, Message=Unexpected input ')'"},
		{"unterminated", "type = 'a OR", "Parsing error, Line=1, Position=8, Message=Unterminated string"},
		{"keyword as value", "type = or", "Parsing error, Line=1, Position=8, Message=Unexpected input 'or'"},
		{"unknown function", "LENGTH(subject) > 2", "Parsing error, Line=1, Position=1, Message=Unknown function 'LENGTH'"},
		{"one argument short", "CONTAINS(subject)", "Parsing error, Line=1, Position=17, Message=Unexpected input ')'"},
		{"one argument more", "IS_DEFINED(id, id)", "Parsing error, Line=1, Position=14, Message=Unexpected input ','"},
		{"empty list", "type IN []", "Parsing error, Line=1, Position=10, Message=Unexpected input ']'"},
		{"list of names", "type IN [source]", "Parsing error, Line=1, Position=10, Message=Unexpected input 'source'"},
		{"list for a condition", "(id = 'a') IN [true]", "Parsing error, Line=1, Position=12, Message=Unexpected input 'IN'"},
		{"bad number", "$body.x > 1.2.3", "Parsing error, Line=1, Position=11, Message='1.2.3' is not a number, or too large for one"},
		{"hexadecimal", "$body.x > 0x10p1", "Parsing error, Line=1, Position=11, Message='0x10p1' is not a number, or too large for one"},
		{"huge number", "$body.x > 1e999", "Parsing error, Line=1, Position=11, Message='1e999' is not a number, or too large for one"},
		{"path that is no pointer", "CHANGED('Temperature')", "Parsing error, Line=1, Position=9, Message=CHANGED needs a JSON Pointer such as '/Temperature', not 'Temperature'"},
		{"bad escape in a pointer", "patch('/a~2') = 1", "Parsing error, Line=1, Position=7, Message=PATCH needs a JSON Pointer such as '/Temperature', not '/a~2'"},
		{"pointer from a field", "CHANGED(subject)", "Parsing error, Line=1, Position=9, Message=Unexpected input 'subject'"},
		{"dangling dot", "$body. = 1", "Parsing error, Line=1, Position=6, Message=Unexpected input '.'"},
		{"open index", "$body.a[x] = 1", "Parsing error, Line=1, Position=8, Message=Unexpected input '['"},
		{"not UTF-8", "type = '\xff'", "Parsing error, Line=1, Position=9, Message=The text is not valid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := filter.Parse(tt.text)
			var syntax *filter.SyntaxError
			if !errors.As(err, &syntax) || syntax.Error() != tt.want {
				t.Errorf("Parse = %v\nwant    %s", err, tt.want)
			}
		})
	}
}

func requireRoundTrip(t *testing.T, f *filter.Filter) {
	t.Helper()
	again, err := filter.Parse(f.String())
	if err != nil {
		t.Fatalf("canonical text %q: %v", f, err)
	}
	if again.String() != f.String() {
		t.Fatalf("canonical text %q parses as %q", f, again)
	}
}
