package migration

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// YAML is the document in YAML.
func (d Document) YAML() []byte {
	var b bytes.Buffer
	writeMembers(&b, "", []Member{{"kind", d.Kind}, {"name", d.Name}, {"spec", d.Spec}})
	return b.Bytes()
}

func writeMembers(b *bytes.Buffer, indent string, members []Member) {
	for _, m := range members {
		b.WriteString(indent + scalar(m.Name) + ":")
		if nested, ok := m.Value.([]Member); ok {
			b.WriteString("\n")
			writeMembers(b, indent+"  ", nested)
			continue
		}
		b.WriteString(" " + scalar(m.Value.(string)) + "\n")
	}
}

// plain are the strings that YAML reads as they are, whatever its version …
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// … but for these.
var reserved = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}

// scalar writes a string, in quotes unless it needs none.
func scalar(s string) string {
	if plain.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return quote(s)
}

// quote writes a string as JSON does, which YAML reads likewise.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	// YAML allows no delete and no C1 controls, which JSON leaves as they are.
	var out strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			out.WriteString(escape(r))
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func escape(r rune) string {
	const digits = "0123456789abcdef"
	return `\u` + string([]byte{digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15]})
}
