package event_test

import (
	"testing"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/event"
)

// TestEncodeHeader holds the encoding to section 3.1.3.2 of the CloudEvents HTTP
// binding 1.0.2.
func TestEncodeHeader(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"the binding's example", "Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"},
		{"empty", "", ""},
		{"first and last printable", "!~", "!~"},
		{"space, quote, percent", ` "%`, "%20%22%25"},
		{"what looks encoded", "%20", "%2520"},
		{"control characters", "a\x00\t\r\n\x1fb\x7f", "a%00%09%0D%0A%1Fb%7F"},
		{"upper-case hexadecimal", "ü", "%C3%BC"},
		{"other punctuation stays", `'()*+,-./:;<=>?@[\]^_{|}#$&`, `'()*+,-./:;<=>?@[\]^_{|}#$&`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := event.EncodeHeader(tt.value); got != tt.want {
				t.Errorf("EncodeHeader(%q) = %q, want %q", tt.value, got, tt.want)
			}
			if got := string(event.AppendHeader([]byte("x"), tt.value)); got != "x"+tt.want {
				t.Errorf("AppendHeader(%q) = %q, want %q", tt.value, got, "x"+tt.want)
			}
			if got, err := event.DecodeHeader(tt.want); err != nil || got != tt.value {
				t.Errorf("DecodeHeader(%q) = %q, %v, want %q", tt.want, got, err, tt.value)
			}
		})
	}
}

func TestDecodeHeader(t *testing.T) {
	tests := []struct {
		name, header, want string
		ok                 bool
	}{
		{"lower-case hexadecimal", "%e2%82%ac", "€", true},
		{"encoded without need", "%41%62c", "Abc", true},
		{"one round only", "%2541", "%41", true},
		{"overlong space", "%C0%A0", "", false},
		{"half a character", "%E2%82", "", false},
		{"surrogate", "%ED%A0%80", "", false},
		{"raw UTF-8", "Euro €", "Euro €", true},
		{"raw bytes", "\xff", "", false},
		{"quoted", `"a b"`, "a b", true},
		{"quoted with escapes", `"a \"b\" \\ \c"`, `a "b" \ c`, true},
		{"quoted, then decoded once", `"50%25"`, "50%", true},
		{"quoted nothing", `""`, "", true},
		{"encoded quote does not quote", "%22a%22", `"a"`, true},
		{"quote that is not closed", `"a`, `"a`, true},
		{"quote that closes early", `"a"b`, `"a"b`, true},
		{"quote that is escaped away", `"a\"`, `"a\"`, true},
		{"quotes inside", `a "b"`, `a "b"`, true},
		{"percent alone", "100%", "100%", true},
		{"percent and one digit", "100%2", "100%2", true},
		{"percent and no digits", "100%zz", "100%zz", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := event.DecodeHeader(tt.header)
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("DecodeHeader(%q) = %q, %v, want %q, ok %v", tt.header, got, err, tt.want, tt.ok)
			}
		})
	}
}

func FuzzHeader(f *testing.F) {
	f.Add("Euro € 😀")
	f.Add(`"a\"b" %41%C0%A0`)
	f.Fuzz(func(t *testing.T, s string) {
		encoded := event.EncodeHeader(s)
		for i := range len(encoded) {
			if c := encoded[i]; c <= ' ' || c > '~' || c == '"' {
				t.Fatalf("EncodeHeader(%q) = %q holds byte %d", s, encoded, c)
			}
		}
		if got, err := event.DecodeHeader(encoded); utf8.ValidString(s) && (err != nil || got != s) {
			t.Errorf("DecodeHeader(%q) = %q, %v, want %q", encoded, got, err, s)
		}
		if got, err := event.DecodeHeader(s); err == nil && !utf8.ValidString(got) {
			t.Errorf("DecodeHeader(%q) = %q, which is not UTF-8", s, got)
		}
	})
}
