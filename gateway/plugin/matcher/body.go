package matcher

import (
	"bytes"

	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/sdk/json"
)

// loadBody puts what the event's data holds into the slots for it. Data that
// is not JSON holds nothing.
func (m *Matcher) loadBody() {
	for _, slot := range m.bodySlots {
		m.putKind(slot, filter.Undefined)
	}
	for _, slot := range m.changedSlots {
		m.putKind(slot, filter.False)
	}
	if len(m.event.Data) == 0 {
		return
	}
	body, err := json.Parse(m.event.Data)
	if err != nil {
		return
	}
	m.patch.member = nil
	m.assign(&m.body, body)
	if m.patched && m.patch.member.Kind() == json.Array {
		m.applyPatch(m.patch.member)
	}
}

// assign stores v, which stands at n, and what filters ask for below it.
func (m *Matcher) assign(n *node, v json.Value) {
	if n.slot != 0 {
		m.putJSON(n.slot, v)
	}
	m.spread(n, v)
	for _, c := range n.children {
		if c.member != nil {
			m.assign(c, c.member)
		}
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
		if n = n.child(unescapeStep(step)); n == nil {
			return
		}
		n.touched = true
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
		m.putJSON(n.slot, value)
	}
	if n.changed != 0 && (above || n.touched) {
		m.putKind(n.changed, filter.True)
	}
	n.seq, n.patched, n.touched = 0, nil, false
	m.spread(n, value)
	for _, c := range n.children {
		m.settle(c, seq, c.member, above)
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
