package sink

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxSnippet bounds, in bytes, what [Snippet] returns.
const MaxSnippet = 200

// Snippet makes what an endpoint answered fit for an error text: one line of
// printable UTF-8, runs of blanks and of anything else as one blank, cut at
// [MaxSnippet]. The given secrets, should the endpoint echo them, read "***".
func Snippet(answer []byte, secrets ...string) string {
	text := string(answer)
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	var b strings.Builder
	blank := false
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsPrint(r) || r == ' ' {
			blank = b.Len() > 0
			continue
		}
		size := utf8.RuneLen(r)
		if blank {
			size++
		}
		if b.Len()+size > MaxSnippet {
			return b.String() + "…"
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
