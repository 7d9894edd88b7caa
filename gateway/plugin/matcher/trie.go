package matcher

import (
	"bytes"

	"github.com/headgate/headgate/sdk/json"
)

// node is a step on the way from the root of a JSON document to the values
// that filters ask for. A matcher owns its nodes; the lower fields are scratch.
type node struct {
	name     string
	children []*node
	index    map[string]*node // of children, once there are many

	slot    uint32 // where the value goes; 0 for nowhere
	changed uint32 // where it goes whether a patch touched the value; 0 for nowhere
	// Which fields of the index these are, plus one; 0 for none.
	key, changedKey uint32

	member  json.Value // what the document, or an operation above, has here
	patched json.Value // what the last operation at this very place gave
	seq     int        // the number of that operation; 0 for none
	touched bool       // whether an operation is at this place or below
	below   []*node    // the children that are touched
}

// fewChildren can be compared one by one faster than looked up.
const fewChildren = 8

// add returns the node that steps lead to, creating what is missing.
func (n *node) add(steps []string) *node {
	for _, step := range steps {
		next := n.child([]byte(step))
		if next == nil {
			next = &node{name: step}
			n.children = append(n.children, next)
			n.reindex()
		}
		n = next
	}
	return n
}

func (n *node) reindex() {
	if len(n.children) <= fewChildren {
		return
	}
	if n.index == nil {
		n.index = make(map[string]*node)
		for _, c := range n.children {
			n.index[c.name] = c
		}
	}
	last := n.children[len(n.children)-1]
	n.index[last.name] = last
}

// child returns the child of that name, or nil.
func (n *node) child(name []byte) *node {
	if n.index != nil {
		return n.index[string(name)]
	}
	for _, c := range n.children {
		if c.name == string(name) {
			return c
		}
	}
	return nil
}

// spread gives each child of n the member of v with its name, the last one if
// there are several. It appends those children to list.
func (m *Matcher) spread(list []*node, n *node, v json.Value) []*node {
	if len(n.children) == 0 {
		return list
	}
	for key, member := range v.Members() {
		name := key[1 : len(key)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			m.name = key.AppendString(m.name[:0])
			name = m.name
		}
		if c := n.child(name); c != nil {
			if c.member == nil {
				list = append(list, c)
			}
			c.member = member
		}
	}
	return list
}
