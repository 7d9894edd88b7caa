package manifest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// place is where a value begins.
type place struct{ line, column int }

// node is a value of a document, with its place.
type node struct {
	place
	kind    kind
	members []member
	items   []*node
	text    string // of a string, or the JSON text of another scalar
}

type kind uint8

const (
	scalar kind = iota
	text
	object
	array
)

// String says what kind of value it is, in a user's words.
func (k kind) String() string {
	return [...]string{"a number, true, false or null", "a text", "a mapping", "a list"}[k]
}

type member struct {
	place // of the name
	name  string
	value *node
}

// find returns the place of the member at a path, or of the last one on the way
// there that exists.
func (n *node) find(path string) place {
	at := n.place
	for n != nil && path != "" {
		next, where, rest := n.step(path)
		if next == nil {
			break
		}
		n, at, path = next, where, rest
	}
	return at
}

// step goes to a member or an element. A member's name may hold dots, so the
// longest that fits counts.
func (n *node) step(path string) (next *node, at place, rest string) {
	switch n.kind {
	case array:
		digits, after, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
		i, err := strconv.Atoi(digits)
		if !ok || err != nil || i < 0 || i >= len(n.items) {
			return nil, at, ""
		}
		return n.items[i], n.items[i].place, strings.TrimPrefix(after, ".")
	case object:
		best := -1
		for i, m := range n.members {
			after, ok := strings.CutPrefix(path, m.name)
			if ok && (after == "" || after[0] == '.' || after[0] == '[') && (best < 0 || len(m.name) > len(n.members[best].name)) {
				best = i
				rest = strings.TrimPrefix(after, ".")
			}
		}
		if best >= 0 {
			return n.members[best].value, n.members[best].place, rest
		}
	}
	return nil, at, ""
}

// maxExpanded bounds a document as JSON, with all its aliases written out.
const maxExpanded = 16 << 20

// maxDepth bounds the nesting of a document.
const maxDepth = 128

// writer writes a document as JSON.
type writer struct {
	dir  string // that references to files are relative to
	env  func(string) (string, bool)
	room int
	refs []reference
	errs []error
}

// value writes n, which is at path.
func (w *writer) value(n *node, path string, depth int) json.RawMessage {
	var buf bytes.Buffer
	w.write(&buf, n, path, depth)
	return buf.Bytes()
}

func (w *writer) write(buf *bytes.Buffer, n *node, path string, depth int) {
	if w.room < 0 {
		return // it was said
	}
	if depth > maxDepth {
		w.room = -1
		w.fail(n.place, path, "is nested deeper than "+strconv.Itoa(maxDepth)+" levels")
		return
	}
	w.room -= len(n.text) + 8
	if w.room < 0 {
		w.fail(n.place, path, "makes the document larger than "+strconv.Itoa(maxExpanded>>20)+" MiB, aliases written out")
		return
	}
	switch n.kind {
	case object:
		buf.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				buf.WriteByte(',')
			}
			w.room -= len(m.name)
			quote(buf, m.name)
			buf.WriteByte(':')
			w.write(buf, m.value, join(path, m.name), depth+1)
		}
		buf.WriteByte('}')
	case array:
		buf.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				buf.WriteByte(',')
			}
			w.write(buf, item, path+"["+strconv.Itoa(i)+"]", depth+1)
		}
		buf.WriteByte(']')
	case text:
		quote(buf, w.expand(n, path))
	default:
		buf.WriteString(n.text)
	}
}

func (w *writer) fail(at place, path, reason string) {
	w.errs = append(w.errs, &Error{Line: at.line, Column: at.column, Field: path, Reason: reason})
}

func join(outer, inner string) string {
	if outer == "" {
		return inner
	}
	return outer + "." + inner
}

func quote(buf *bytes.Buffer, s string) {
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	buf.Truncate(buf.Len() - 1) // the line break
}
