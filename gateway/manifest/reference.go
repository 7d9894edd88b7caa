package manifest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reference is a string that holds at least one ${…}.
type reference struct {
	path     string // in the document
	template string // as it is written
	values   []value
}

// value is what one ${…} stands for.
type value struct{ name, text string }

// maxReferenced bounds a file that a reference names.
const maxReferenced = 1 << 20

// expand returns the text of n with what its references stand for. References
// are read within spec alone.
func (w *writer) expand(n *node, path string) string {
	if !strings.HasPrefix(path, "spec") || !strings.Contains(n.text, "${") {
		return n.text
	}
	ref := reference{path: path, template: n.text}
	var out strings.Builder
	rest := n.text
	for {
		before, after, ok := strings.Cut(rest, "${")
		if !ok {
			out.WriteString(rest)
			break
		}
		if literal, escaped := strings.CutSuffix(before, "$"); escaped {
			out.WriteString(literal + "${")
			rest = after
			continue
		}
		out.WriteString(before)
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			w.fail(n.place, path, "has a ${ without a }; write $${ for a ${ that is no reference")
			return n.text
		}
		text, reason := w.look(name)
		if reason != "" {
			w.fail(n.place, path, reason)
			return n.text
		}
		out.WriteString(text)
		ref.values = append(ref.values, value{"${" + name + "}", text})
		rest = tail
	}
	w.room -= out.Len()
	if len(ref.values) > 0 {
		w.refs = append(w.refs, ref)
	}
	return out.String()
}

// look returns what the reference name stands for, or why it stands for nothing.
func (w *writer) look(name string) (text, reason string) {
	if file, ok := strings.CutPrefix(name, "file:"); ok {
		return w.lookFile(name, file)
	}
	if !isVariable(name) {
		return "", "${" + clip(name) + "} is no reference: write ${NAME} for a variable of the environment, ${file:PATH} for a file, and $${ for a ${ that is meant so"
	}
	text, ok := w.env(name)
	switch {
	case !ok:
		return "", "${" + name + "} is not set in the environment"
	case !utf8.ValidString(text):
		return "", "${" + name + "} holds what is not UTF-8"
	}
	return text, ""
}

func (w *writer) lookFile(name, file string) (text, reason string) {
	if file == "" {
		return "", "${file:} names no file"
	}
	at := filepath.FromSlash(file)
	if !filepath.IsAbs(at) {
		at = filepath.Join(w.dir, at)
	}
	b, err := readFile(at, maxReferenced)
	switch {
	case err != nil:
		return "", "${" + clip(name) + "}: " + at + ": " + reasonOf(err)
	case !utf8.Valid(b):
		return "", "${" + clip(name) + "} holds what is not UTF-8"
	}
	// Editors end a file with a line break, which no secret ends with.
	text = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	return text, ""
}

func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

func clip(s string) string {
	if len(s) > 60 {
		return strconv.QuoteToASCII(s[:60]) + "…"
	}
	return s
}

// Template returns what the document says at a path where it holds a
// reference, as it is written, and whether it does.
func (d *Document) Template(path string) (string, bool) {
	for _, ref := range d.refs {
		if "spec."+path == ref.path {
			return ref.template, true
		}
	}
	return "", false
}

// shortest is the length from which on a value is looked for in texts: a
// shorter one is in many that do not tell it.
const shortest = 4

// Redact returns s with "${NAME}" in place of what the references of all
// documents stand for.
func (s *Set) Redact(text string) string {
	for i := range s.Documents {
		text = s.Documents[i].redact(text)
	}
	return text
}

func (d *Document) redact(s string) string {
	var all []value
	for _, ref := range d.refs {
		for _, v := range ref.values {
			all = append(all, v)
			if quoted := strconv.Quote(v.text); quoted[1:len(quoted)-1] != v.text {
				all = append(all, value{v.name, quoted[1 : len(quoted)-1]})
			}
			if b, err := json.Marshal(v.text); err == nil && string(b[1:len(b)-1]) != v.text {
				all = append(all, value{v.name, string(b[1 : len(b)-1])})
			}
		}
	}
	// A value that holds another one goes first.
	slices.SortStableFunc(all, func(a, b value) int { return len(b.text) - len(a.text) })
	for _, v := range all {
		if len(v.text) >= shortest {
			s = strings.ReplaceAll(s, v.text, v.name)
		}
	}
	return s
}

// redactAt redacts a reason that is about the member at path. One that still
// holds a piece of what a reference there stands for is not told at all.
func (d *Document) redactAt(path, reason string) string {
	reason = d.redact(reason)
	for _, ref := range d.refs {
		if !strings.HasPrefix(path, ref.path) && !strings.HasPrefix(ref.path, path) {
			continue
		}
		for _, v := range ref.values {
			if holdsPiece(reason, v.text) {
				return "is not valid; why is not said here, since it would tell what " + v.name + " stands for"
			}
		}
	}
	return reason
}

// holdsPiece reports whether s holds a run of a secret that is long enough to
// be one of it.
func holdsPiece(s, secret string) bool {
	const piece = 8
	if len(secret) < piece {
		return false
	}
	for i := 0; i+piece <= len(secret); i++ {
		if strings.Contains(s, secret[i:i+piece]) {
			return true
		}
	}
	return false
}
