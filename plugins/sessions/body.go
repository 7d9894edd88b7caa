package main

import (
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// body looks up, in one pass over the data, whatever the configuration names
// beneath it.
type body struct {
	root  name
	found []json.Value // by number of the path; nil for none

	read bool // found is that of the event at hand
}

// name is a member, or the whole of data, and what is wanted beneath it.
type name struct {
	text    string
	number  int // of the path that ends here, −1 for none
	beneath []name
}

func newBody() *body { return &body{root: name{number: -1}} }

// add returns the number of a path.
func (b *body) add(path []string) int {
	at := &b.root
	for _, text := range path {
		at = at.child(text)
	}
	if at.number < 0 {
		at.number = len(b.found)
		b.found = append(b.found, nil)
	}
	return at.number
}

func (n *name) child(text string) *name {
	for i := range n.beneath {
		if n.beneath[i].text == text {
			return &n.beneath[i]
		}
	}
	n.beneath = append(n.beneath, name{text: text, number: -1})
	return &n.beneath[len(n.beneath)-1]
}

// text is that of the member of data which a path leads to, if it is a string,
// a number or a truth. Data that is not JSON has no members.
func (b *body) text(e *sdk.Event, number int) string {
	if !b.read {
		b.read = true
		b.look(e.Data())
	}
	switch v := b.found[number]; v.Kind() {
	case json.String:
		s, _ := v.String()
		return s
	case json.Number, json.Bool:
		return string(v)
	}
	return ""
}

func (b *body) look(data []byte) {
	clear(b.found)
	r := json.NewReader(data)
	b.members(&r, &b.root)
	if r.End() != nil {
		clear(b.found)
	}
}

// members reads the object that comes next.
func (b *body) members(r *json.Reader, of *name) {
	if !r.Object() {
		return
	}
	for r.Member() {
		for i := range of.beneath {
			n := &of.beneath[i]
			if !r.Is(n.text) {
				continue
			}
			b.forget(n) // of several members of one name the last counts
			if len(n.beneath) > 0 && r.Kind() == json.Object {
				b.members(r, n) // an object is no text for a path that ends here
			} else if v := r.Value(); n.number >= 0 {
				b.found[n.number] = v
			}
			break
		}
	}
}

func (b *body) forget(n *name) {
	if n.number >= 0 {
		b.found[n.number] = nil
	}
	for i := range n.beneath {
		b.forget(&n.beneath[i])
	}
}
