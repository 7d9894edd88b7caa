package main

import (
	"bytes"
	"errors"
	"iter"

	"github.com/headgate/headgate/sdk/json"
)

// properties gathers the properties that one event sets, each once, in the
// order in which they were first set; of several values for one the last
// counts. It is a tree of names: one level deep for flat keys.
type properties struct {
	nested bool

	nodes []node // 0 is the root
	names []byte // of all nodes
	index index

	at     place
	path   []byte // flat: the name of the current place
	filled bool
}

// place is where descend led to.
type place struct {
	depth int
	node  int // nested
	path  int // flat: the length of the name
}

// root is the number of the root node; no node has it as a child or sibling,
// so that it says "none" there.
const root = 0

type node struct {
	name   span
	parent int
	value  json.Value // nil for a node with children

	first, last, next int
}

type span struct{ start, end int }

// maxDepth bounds nested keys; Time Series Insights flattens ten levels.
const maxDepth = 64

var errDeep = errors.New("its path has more than 64 parts")

func newProperties(nested bool) properties {
	return properties{nested: nested, nodes: make([]node, 1, 16)}
}

// reset forgets everything but the memory.
func (p *properties) reset() {
	p.nodes = p.nodes[:1]
	p.nodes[root] = node{}
	p.names, p.path = p.names[:0], p.path[:0]
	p.index.reset()
	p.at = place{}
	p.filled = false
}

// empty reports whether nothing was set.
func (p *properties) empty() bool { return !p.filled }

// descendPath goes to what the JSON Pointer path, less its first slash, leads
// to beneath the current place, and returns the place that it left. It decodes
// path in place.
func (p *properties) descendPath(path []byte) (place, error) {
	from := p.at
	if p.nested && bytes.Count(path, slash) >= maxDepth {
		return from, errDeep
	}
	for more := true; more; {
		var part []byte
		part, path, more = bytes.Cut(path, slash)
		p.descend(unescape(part))
	}
	return from, nil
}

var slash = []byte{'/'}

// unescape decodes a part of a JSON Pointer, in place.
func unescape(part []byte) []byte {
	i := bytes.IndexByte(part, '~')
	if i < 0 {
		return part
	}
	out := part[:i]
	for ; i < len(part); i++ {
		c := part[i]
		if c == '~' && i+1 < len(part) && part[i+1]-'0' <= 1 {
			i++
			c = "~/"[part[i]-'0']
		}
		out = append(out, c)
	}
	return out
}

// descend goes to the property name beneath the current place, and returns the
// place that it left.
func (p *properties) descend(name []byte) place {
	from := p.at
	p.at.depth++
	if p.nested {
		p.expand(from.node)
		p.at.node = p.child(from.node, name)
		return from
	}
	if from.depth > 0 {
		p.path = append(p.path, '.')
	}
	p.path = append(p.path, name...)
	p.at.path = len(p.path)
	return from
}

// ascend goes back to a place that descend left.
func (p *properties) ascend(to place) {
	p.at = to
	p.path = p.path[:to.path]
}

// set gives the property at the current place a value, whole.
func (p *properties) set(value json.Value) {
	p.filled = true
	at := p.at.node
	if !p.nested {
		at = p.child(root, p.path)
	}
	for i := range p.children(at) {
		p.nodes[i].parent = -1 // not to be found again
	}
	n := &p.nodes[at]
	n.value, n.first, n.last = value, root, root
}

// expand makes children of the members that a node has as its value, so that
// one can be set. A value that is not an object gives way.
func (p *properties) expand(i int) {
	value := p.nodes[i].value
	if value == nil {
		return
	}
	p.nodes[i].value = nil
	for k, v := range value.Members() {
		p.path = k.AppendString(p.path[:0])
		p.nodes[p.child(i, p.path)].value = v
	}
	p.path = p.path[:0]
}

// child returns the child of that name, a new one if there is none.
func (p *properties) child(parent int, name []byte) int {
	if i, ok := p.index.find(p, parent, name); ok {
		return i
	}
	i := len(p.nodes)
	start := len(p.names)
	p.names = append(p.names, name...)
	p.nodes = append(p.nodes, node{name: span{start, len(p.names)}, parent: parent})
	if up := &p.nodes[parent]; up.first == root {
		up.first, up.last = i, i
	} else {
		p.nodes[up.last].next = i
		up.last = i
	}
	p.index.add(p, i)
	return i
}

// children yields the children of a node in order.
func (p *properties) children(of int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := p.nodes[of].first; i != root; i = p.nodes[i].next {
			if !yield(i) {
				return
			}
		}
	}
}

func (p *properties) name(i int) []byte { return p.names[p.nodes[i].name.start:p.nodes[i].name.end] }

// write writes all properties as one object.
func (p *properties) write(w *json.Writer) { p.writeChildren(w, root) }

func (p *properties) writeChildren(w *json.Writer, of int) {
	w.BeginObject()
	for i := range p.children(of) {
		w.NameBytes(p.name(i))
		if value := p.nodes[i].value; value != nil {
			w.Value(value)
		} else {
			p.writeChildren(w, i)
		}
	}
	w.EndObject()
}
