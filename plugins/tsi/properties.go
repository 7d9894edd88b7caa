package main

import (
	"bytes"
	"errors"
	"strings"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// properties gathers the properties that one event sets, each once, in the
// order in which they were first set; of several values for one the last
// counts. It is a tree of names: one level deep for flat keys.
type properties struct {
	nested bool

	nodes   []node // 0 is the root
	lengths uint64 // of the names, a bit each: most names are new by their length alone
	names   []byte // of all nodes, each with its colon: JSON strings in one form, so that equal names are equal bytes
	index   index

	pointer []byte // memory of setPath
	decoded []byte // memory of appendContent
}

// root is the number of the root node; no node has it as a child or sibling,
// so that it says "none" there.
const root = 0

type node struct {
	value      json.Value // nil for a node with children
	start, end int32      // the name, in names
	parent     int32

	first, last, next int32
}

// maxDepth bounds nested keys; Time Series Insights flattens ten levels.
const maxDepth = 64

var errDeep = errors.New("its path has more than 64 parts")

func newProperties(nested bool) properties {
	return properties{nested: nested, nodes: make([]node, 1, 16)}
}

// reset forgets everything but the memory.
func (p *properties) reset() {
	p.nodes = p.nodes[:1]
	p.nodes[root] = node{parent: -1}
	p.names, p.lengths = p.names[:0], 0
	p.index.reset()
}

// empty reports whether nothing was set.
func (p *properties) empty() bool { return len(p.nodes) == 1 }

// setPatched is set for an operation of a patch.
func (p *properties) setPatched(o *sdk.Operation) error {
	if !p.nested {
		start := len(p.names)
		p.names = append(o.AppendKey(p.names, '.'), ':')
		p.assign(p.child(root, start), o.Value)
		return nil
	}
	p.pointer = p.appendContent(p.pointer[:0], o.Path)
	return p.set(p.pointer, o.Value)
}

// setKey gives the property of a name, as names holds it, a value.
func (p *properties) setKey(key []byte, value json.Value) {
	start := len(p.names)
	p.names = append(p.names, key...)
	p.assign(p.child(root, start), value)
}

// set gives the property that pointer leads to a value, whole. The pointer is a
// JSON Pointer as appendContent writes it.
func (p *properties) set(pointer []byte, value json.Value) error {
	pointer = pointer[1:]
	if !p.nested {
		p.assign(p.child(root, p.push(pointer)), value)
		return nil
	}
	if bytes.Count(pointer, slash) >= maxDepth {
		return errDeep
	}
	at := int32(root)
	for more := true; more; {
		var part []byte
		part, pointer, more = bytes.Cut(pointer, slash)
		p.expand(at)
		at = p.child(at, p.push(part))
	}
	p.assign(at, value)
	return nil
}

// assign gives a node a value, in place of children.
func (p *properties) assign(at int32, value json.Value) {
	n := &p.nodes[at]
	for i := n.first; i != root; i = p.nodes[i].next {
		p.nodes[i].parent = -1 // not to be found again
	}
	n.value, n.first, n.last = value, root, root
}

var slash = []byte{'/'}

// expand makes children of the members that a node has as its value, so that
// one can be set. A value that is not an object gives way.
func (p *properties) expand(i int32) {
	value := p.nodes[i].value
	if value == nil {
		return
	}
	p.nodes[i].value = nil
	for k, v := range value.Members() {
		start := len(p.names)
		p.names = append(p.appendContent(append(p.names, '"'), json.Value(k)), '"', ':')
		p.nodes[p.child(i, start)].value = v
	}
}

// push puts the key that a pointer, less its first slash, stands for behind the
// names, and returns where: its slashes as dots, its escapes decoded.
func (p *properties) push(pointer []byte) (start int) {
	start = len(p.names)
	p.names = append(append(p.names, '"'), pointer...)
	key := p.names[start+1:]
	dot(key)
	if i := bytes.IndexByte(key, '~'); i >= 0 {
		p.names = append(p.names[:start+1+i], unescape(key[i:])...)
	}
	p.names = append(p.names, '"', ':')
	return start
}

// dot makes dots of slashes.
func dot(key []byte) {
	for i := bytes.IndexByte(key, '/'); i >= 0; i = bytes.IndexByte(key, '/') {
		key[i] = '.'
		key = key[i+1:]
	}
}

// unescape decodes the escapes of a JSON Pointer, in place.
func unescape(key []byte) []byte {
	out := key[:0]
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c == '~' && i+1 < len(key) && key[i+1]-'0' <= 1 {
			i++
			c = "~/"[key[i]-'0']
		}
		out = append(out, c)
	}
	return out
}

// child returns the child whose name was put at start behind the names, a new
// one if there is none.
func (p *properties) child(parent int32, start int) int32 {
	name := p.names[start:]
	if length := uint64(1) << (len(name) % 64); p.lengths&length == 0 {
		p.lengths |= length
	} else if i, ok := p.find(parent, name); ok {
		p.names = p.names[:start]
		return i
	}
	i := int32(len(p.nodes))
	p.nodes = append(p.nodes, node{start: int32(start), end: int32(len(p.names)), parent: parent})
	if up := &p.nodes[parent]; up.first == root {
		up.first, up.last = i, i
	} else {
		p.nodes[up.last].next = i
		up.last = i
	}
	if len(p.nodes) > few {
		p.index.catchUp(p)
	}
	return i
}

// few is how many nodes are searched one by one rather than by the index.
const few = 12

func (p *properties) find(parent int32, name []byte) (int32, bool) {
	if len(p.nodes) > few {
		return p.index.find(p, parent, name)
	}
	for i := range p.nodes {
		n := &p.nodes[i]
		if int(n.end-n.start) == len(name) && n.parent == parent && string(p.names[n.start:n.end]) == string(name) {
			return int32(i), true
		}
	}
	return root, false
}

func (p *properties) name(i int32) []byte { return p.names[p.nodes[i].start:p.nodes[i].end] }

// append appends the children of a node, of which there is one at least, as an
// object.
func (p *properties) append(dst []byte, of int32) []byte {
	dst = append(dst, '{')
	for i := p.nodes[of].first; i != root; i = p.nodes[i].next {
		n := &p.nodes[i]
		dst = append(dst, p.names[n.start:n.end]...)
		if n.value != nil {
			dst = append(dst, n.value...)
		} else {
			dst = p.append(dst, i)
		}
		dst = append(dst, ',')
	}
	dst[len(dst)-1] = '}'
	return dst
}

// appendName appends a name to a JSON Pointer.
func (p *properties) appendName(pointer []byte, name json.Key) []byte {
	start := len(pointer) + 1
	pointer = p.appendContent(append(pointer, '/'), json.Value(name))
	if bytes.IndexByte(pointer[start:], '~') < 0 && bytes.IndexByte(pointer[start:], '/') < 0 {
		return pointer
	}
	escaped := pointerEscapes.Replace(string(pointer[start:]))
	return append(pointer[:start], escaped...)
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// appendContent appends the content of a JSON string as JSON text, escaped no
// more than need be: one form for one content.
func (p *properties) appendContent(dst []byte, text json.Value) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return append(dst, text[1:len(text)-1]...)
	}
	p.decoded, _ = text.AppendString(p.decoded[:0])
	return appendUnquoted(dst, p.decoded)
}

// appendUnquoted is json.AppendQuoted without the quotes.
func appendUnquoted[T string | []byte](dst []byte, s T) []byte {
	start := len(dst)
	dst = json.AppendQuoted(dst, s)
	copy(dst[start:], dst[start+1:len(dst)-1])
	return dst[:len(dst)-2]
}
