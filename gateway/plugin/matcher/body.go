package matcher

import (
	"bytes"

	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/sdk/json"
)

// loadBody puts what the event's data holds into the slots for it, which hold
// nothing yet. Data that is not JSON holds nothing.
func (m *Matcher) loadBody() {
	if len(m.event.Data) == 0 {
		return
	}
	body, err := json.Parse(m.event.Data)
	if err != nil {
		return
	}
	m.operations = nil
	m.assign(&m.body, body)
	if m.patched && m.operations.Kind() == json.Array {
		m.applyPatch(m.operations)
	}
	m.operations = nil
}

// assign stores v, which stands at n, and what filters ask for below it.
func (m *Matcher) assign(n *node, v json.Value) {
	if n.slot != 0 {
		m.fillSlot(n, v)
	}
	if n == m.patch {
		m.operations = v
	}
	start := len(m.members)
	m.members = m.spread(m.members, n, v)
	for i := start; i < len(m.members); i++ {
		c := m.members[i]
		v, c.member = c.member, nil
		m.assign(c, v)
	}
	m.members = m.members[:start]
}

// fillSlot stores v as the value at n.
func (m *Matcher) fillSlot(n *node, v json.Value) {
	m.putJSON(n.slot, v)
	m.filled = append(m.filled, n.slot)
	if n.key != 0 {
		m.found = append(m.found, n.key-1)
	}
}

// applyPatch finds what the operations of a JSON Patch did to the places that
// filters ask about: first it notes each operation at its place, then it
// carries the latest one down to everything below.
func (m *Matcher) applyPatch(operations json.Value) {
	for i, op := range operations.Elements() {
		m.noteOperation(i+1, op)
	}
	m.settle(&m.pointers, 0, nil, false)
}

func (m *Matcher) noteOperation(seq int, op json.Value) {
	var name, path, value json.Value
	for key, member := range op.Members() {
		switch {
		case key.Equal("op"):
			name = member
		case key.Equal("path"):
			path = member
		case key.Equal("value"):
			value = member
		}
	}
	if name.Is("remove") {
		value = nil
	} else if !name.Is("add") && !name.Is("replace") {
		return
	}
	pointer, ok := path.AppendString(m.name[:0])
	m.name = pointer
	if !ok || len(pointer) > 0 && pointer[0] != '/' {
		return
	}
	n := &m.pointers
	n.touched = true
	for len(pointer) > 0 {
		step := pointer[1:]
		if end := bytes.IndexByte(step, '/'); end >= 0 {
			step = step[:end]
		}
		pointer = pointer[1+len(step):]
		c := n.child(unescapeStep(step))
		if c == nil {
			return
		}
		if !c.touched {
			c.touched = true
			n.below = append(n.below, c)
		}
		n = c
	}
	n.seq, n.patched = seq, value
}

// settle stores what became of n and of all below it. The latest operation
// above n was number seq and left value here, nil for nothing; above says
// whether there was one. It clears the notes of noteOperation.
func (m *Matcher) settle(n *node, seq int, value json.Value, above bool) {
	if n.seq > 0 {
		above = true
	}
	if n.seq > seq {
		seq, value = n.seq, n.patched
	}
	if n.slot != 0 && value != nil {
		m.fillSlot(n, value)
	}
	if n.changed != 0 && (above || n.touched) {
		m.putKind(n.changed, filter.True)
		m.changed = append(m.changed, n.changed)
		if n.changedKey != 0 {
			m.found = append(m.found, n.changedKey-1)
		}
	}
	below := n.below
	n.seq, n.patched, n.touched, n.below = 0, nil, false, n.below[:0]
	if !above {
		for _, c := range below {
			m.settle(c, 0, nil, false)
		}
		return
	}
	start := len(m.members)
	m.members = m.spread(m.members, n, value)[:start]
	for _, c := range n.children {
		v := c.member
		c.member = nil
		m.settle(c, seq, v, true)
	}
}

// unescapeStep decodes the escapes of a JSON Pointer in place.
func unescapeStep(s []byte) []byte {
	if bytes.IndexByte(s, '~') < 0 {
		return s
	}
	out := s[:0]
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '~' && i+1 < len(s) && (s[i+1] == '0' || s[i+1] == '1') {
			i++
			c = "~/"[s[i]-'0']
		}
		out = append(out, c)
	}
	return out
}
