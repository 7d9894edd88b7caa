package sink_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/sink"
)

func TestSnippet(t *testing.T) {
	tests := []struct {
		name, answer string
		secrets      []string
		want         string
	}{
		{"nothing", "", nil, ""},
		{"blanks", " \r\n\t ", nil, ""},
		{"words", "no such twin", nil, "no such twin"},
		{"lines", "{\r\n  \"error\": \"bad\"\n}\n", nil, `{ "error": "bad" }`},
		{"control characters", "a\x00\x1b[31mb\u202ec", nil, "a [31mb c"},
		{"not UTF-8", "a\xff\xfeb", nil, "a b"},
		{"secret", "bad key s3cret!", []string{"", "s3cret"}, "bad key ***!"},
		{"exactly full", strings.Repeat("x", sink.MaxSnippet), nil, strings.Repeat("x", sink.MaxSnippet)},
		{"too long", strings.Repeat("x", sink.MaxSnippet+1), nil, strings.Repeat("x", sink.MaxSnippet) + "…"},
		{"cut between characters", strings.Repeat("€", 100), nil, strings.Repeat("€", 66) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sink.Snippet([]byte(tt.answer), tt.secrets...); got != tt.want {
				t.Errorf("Snippet(%q) = %q, want %q", tt.answer, got, tt.want)
			}
		})
	}
}

func FuzzSnippet(f *testing.F) {
	f.Add([]byte("a\xff b"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		got := sink.Snippet(answer)
		if len(got) > sink.MaxSnippet+len("…") || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\t\x00\x1b") {
			t.Errorf("Snippet(%q) = %q", answer, got)
		}
	})
}
