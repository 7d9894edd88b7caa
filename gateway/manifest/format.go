package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/headgate/headgate/gateway/catalog"
)

// Format writes a document as YAML, as a person would: members in their order,
// and for each secret that is masked a reference to a variable, of which a
// comment says that it is to be set. module, unless empty, is where a plugin's
// module lies, relative to the document.
func Format(doc catalog.Document, module string) ([]byte, error) {
	roots, err := parseJSON(doc.Spec)
	if err != nil {
		return nil, err
	}
	if len(roots) != 1 || roots[0].kind != object {
		return nil, fmt.Errorf("its spec is no object")
	}
	f := formatter{prefix: variable(doc.Kind + "_" + doc.Name)}
	spec := roots[0]
	if module != "" {
		at := member{name: "file", value: &node{kind: text, text: module}}
		spec.members = append([]member{at}, spec.members...)
	}
	f.escape(spec, "")
	var out bytes.Buffer
	fmt.Fprintf(&out, "apiVersion: %s\nkind: %s\nname: %s\n", catalog.APIVersion, doc.Kind, scalarText(doc.Name))
	out.WriteString("spec:\n")
	f.members(&out, spec, 1)
	if len(f.names) == 0 {
		return out.Bytes(), nil
	}
	head := "# Set what the server does not tell, or write *** to keep it: " + strings.Join(f.names, ", ") + "\n"
	return append([]byte(head), out.Bytes()...), nil
}

type formatter struct {
	prefix string
	names  []string // of the variables that are to be set
}

// escape puts references in the place of secrets, and keeps what looks like one
// from being read as one.
func (f *formatter) escape(n *node, path string) {
	switch n.kind {
	case object:
		for _, m := range n.members {
			f.escape(m.value, join(path, m.name))
		}
	case array:
		for i, item := range n.items {
			f.escape(item, fmt.Sprintf("%s_%d", path, i))
		}
	case text:
		n.text = strings.ReplaceAll(n.text, "${", "$${")
		if !strings.HasPrefix(path, "settings.") {
			return
		}
		for strings.Contains(n.text, catalog.Mask) {
			n.text = strings.Replace(n.text, catalog.Mask, "${"+f.name(strings.TrimPrefix(path, "settings."), n.text)+"}", 1)
		}
	}
}

// name makes the variable for the first secret in the text at a path. What
// stands before it tells it from others: the key of a connection string or the
// parameter of a URL.
func (f *formatter) name(path, text string) string {
	before, _, _ := strings.Cut(text, catalog.Mask)
	name := f.prefix + "_" + variable(path)
	if key, ok := strings.CutSuffix(before, "="); ok {
		name += "_" + variable(key[strings.LastIndexAny(key, ";?&")+1:])
	}
	taken := func(name string) bool {
		for _, have := range f.names {
			if have == name {
				return true
			}
		}
		return false
	}
	unique := name
	for n := 2; taken(unique); n++ {
		unique = fmt.Sprintf("%s_%d", name, n)
	}
	f.names = append(f.names, unique)
	return unique
}

// variable makes the name of a variable of s: "settings.accessKey" is
// SETTINGS_ACCESS_KEY.
func variable(s string) string {
	var b strings.Builder
	lower := false
	for _, r := range s {
		switch {
		case 'A' <= r && r <= 'Z':
			if lower {
				b.WriteByte('_')
			}
			b.WriteRune(r)
			lower = false
		case 'a' <= r && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
			lower = true
		case '0' <= r && r <= '9':
			b.WriteRune(r)
			lower = true
		default:
			if b.Len() > 0 && !strings.HasSuffix(b.String(), "_") {
				b.WriteByte('_')
			}
			lower = false
		}
	}
	return strings.TrimSuffix(b.String(), "_")
}

// members writes the members of an object, each on a line of its own.
func (f *formatter) members(out *bytes.Buffer, n *node, depth int) {
	for _, m := range n.members {
		out.WriteString(strings.Repeat("  ", depth) + scalarText(m.name) + ":")
		f.value(out, m.value, depth)
	}
}

// value writes what stands behind a colon or a hyphen.
func (f *formatter) value(out *bytes.Buffer, n *node, depth int) {
	switch {
	case n.kind == object && len(n.members) > 0:
		out.WriteByte('\n')
		f.members(out, n, depth+1)
	case n.kind == array && len(n.items) > 0:
		out.WriteByte('\n')
		for _, item := range n.items {
			f.item(out, item, depth+1)
		}
	case n.kind == object:
		out.WriteString(" {}\n")
	case n.kind == array:
		out.WriteString(" []\n")
	case n.kind == text:
		out.WriteString(" " + scalarText(n.text) + "\n")
	default:
		out.WriteString(" " + n.text + "\n")
	}
}

func (f *formatter) item(out *bytes.Buffer, n *node, depth int) {
	indent := strings.Repeat("  ", depth)
	if n.kind != object || len(n.members) == 0 {
		out.WriteString(indent + "-")
		f.value(out, n, depth)
		return
	}
	var inner bytes.Buffer
	f.members(&inner, n, depth+1)
	// The first member stands behind the hyphen.
	out.WriteString(indent + "- " + strings.TrimPrefix(inner.String(), indent+"  "))
}

// scalarText writes a text plain where YAML reads it back as the same text, and
// quoted as in JSON, which YAML reads too, where it would not.
func scalarText(s string) string {
	if isPlain(s) {
		return s
	}
	var buf bytes.Buffer
	quote(&buf, s)
	return buf.String()
}

// isPlain is narrow on purpose: what may be taken for anything else is quoted.
func isPlain(s string) bool {
	if s == "" || len(s) > 200 || json.Valid([]byte(s)) {
		return false
	}
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789._-/@$", r)) {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan":
		return false
	}
	return !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "-")
}
