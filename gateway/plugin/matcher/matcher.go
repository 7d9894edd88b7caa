package matcher

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
)

// Matcher tries events on the filters of a set. It serves one goroutine at a
// time.
//
// Verdicts are found group by group, when one of the group is first asked for:
// an event whose type no filter of a group wants costs that group nothing, and
// data is not parsed unless a filter that reads it may match.
type Matcher struct {
	set    *Set
	groups []instance

	event  *event.Event
	serial uint64 // of the event; that of an instance says how fresh its bits are
	typ    int    // the event's type in set.types; -1 when no filter names it
	parsed bool   // whether loadBody has run for the event

	module  api.Module
	memory  []byte // a view, taken again when it grows
	first   uint32 // where the room for an event's strings begins
	top     uint32 // where what is left of it begins
	longest uint32 // length of the longest string in a slot
	lasting uint32 // length of the longest string among the literals

	attributes   []attribute
	body         node  // what filters ask of the data
	patch        *node // its member "patch"
	patched      bool  // whether filters ask for PATCH or CHANGED
	pointers     node  // what they ask of the operations
	bodySlots    []uint32
	changedSlots []uint32
	slots        map[filter.Field]uint32

	name []byte // scratch, for names with escapes
}

// instance is a group's module over the matcher's memory.
type instance struct {
	match  api.Function
	table  uint32
	body   bool
	bits   uint64
	serial uint64
	module api.Module
	group  *group
	stack  [1]uint64
}

// attribute is a CloudEvents attribute that filters ask for.
type attribute struct {
	name string
	slot uint32
}

// NewMatcher returns a matcher of s, which the caller closes.
func (s *Set) NewMatcher(ctx context.Context) (*Matcher, error) {
	m := &Matcher{set: s, slots: make(map[filter.Field]uint32)}
	memory, importing, err := s.runtime.newMemory(ctx)
	if err != nil {
		return nil, err
	}
	m.module = memory
	m.patch = m.body.add([]string{"patch"})
	m.memory = view(memory.Memory())
	m.top = filter.SlotBytes // the word of the scratch address, and alignment
	m.groups = make([]instance, 0, len(s.groups))
	for _, g := range s.groups {
		if err := m.add(importing, g); err != nil {
			return nil, errors.Join(err, m.Close())
		}
	}
	m.align()
	m.first, m.lasting = m.top, m.longest
	return m, nil
}

// add instantiates g and lays out its table.
func (m *Matcher) add(ctx context.Context, g *group) error {
	module, err := m.set.runtime.wasm.InstantiateModule(ctx, g.compiled, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return fmt.Errorf("instantiate %d filters: %w", len(g.texts), err)
	}
	g.retain()
	in := instance{match: module.ExportedFunction(filter.ExportMatch), body: g.body, module: module, group: g}
	addresses := make([]uint32, 0, len(g.program.Fields)+len(g.program.Literals))
	for _, f := range g.program.Fields {
		addresses = append(addresses, m.slotFor(f))
	}
	for _, v := range g.program.Literals {
		slot := m.newSlot()
		m.putValue(slot, v)
		addresses = append(addresses, slot)
	}
	m.align()
	in.table = m.reserve(4 * len(addresses))
	for i, a := range addresses {
		m.putWord(in.table+uint32(4*i), a)
	}
	m.groups = append(m.groups, in)
	return nil
}

// slotFor returns the slot of f, and sees to it that it will be filled.
func (m *Matcher) slotFor(f filter.Field) uint32 {
	if slot, ok := m.slots[f]; ok {
		return slot
	}
	slot := m.newSlot()
	m.slots[f] = slot
	switch f.From {
	case filter.Attribute:
		m.attributes = append(m.attributes, attribute{f.Path, slot})
	case filter.Body:
		m.body.add(f.Steps()).slot = slot
		m.bodySlots = append(m.bodySlots, slot)
	case filter.Patch:
		m.pointers.add(f.Steps()).slot = slot
		m.bodySlots = append(m.bodySlots, slot)
		m.patched = true
	case filter.Changed:
		m.pointers.add(f.Steps()).changed = slot
		m.changedSlots = append(m.changedSlots, slot)
		m.patched = true
	}
	return slot
}

// Load makes e the event that Match speaks of. The matcher reads e until the
// next Load.
func (m *Matcher) Load(e *event.Event) {
	m.event, m.parsed = e, false
	m.serial++
	m.typ = -1
	if n, ok := m.set.types[e.Type]; ok {
		m.typ = n
	}
	m.top, m.longest = m.first, m.lasting
	for _, a := range m.attributes {
		m.putText(a.slot, attributeOf(e, a.name))
	}
	m.setScratch()
}

// Match reports whether filter i of the set matches the event.
func (m *Matcher) Match(i int) bool {
	p := m.set.places[i]
	g := &m.groups[p.group]
	if g.serial != m.serial {
		g.serial = m.serial
		g.bits = m.evaluate(g, m.set.accepts[p.group])
	}
	return g.bits>>p.bit&1 != 0
}

// evaluate returns the verdicts of g, whose filters ask for the types in
// accepts.
func (m *Matcher) evaluate(g *instance, accepts []uint64) uint64 {
	if accepts != nil && (m.typ < 0 || accepts[m.typ/64]>>(m.typ%64)&1 == 0) {
		return 0
	}
	if g.body {
		m.parse()
	}
	g.stack[0] = uint64(g.table)
	if err := g.match.CallWithStack(context.Background(), g.stack[:]); err != nil {
		// Trusted code on memory of our own: a trap is a mistake in package filter,
		// and both answers would be wrong.
		panic(fmt.Sprintf("matcher: compiled filters: %v", err))
	}
	return g.stack[0]
}

// parse sees to it that the slots of the event's data are filled.
func (m *Matcher) parse() {
	if !m.parsed {
		m.parsed = true
		m.loadBody()
		m.setScratch()
	}
}

// Close frees the memory and the instances. The matcher must not be used
// afterwards, except to close it again.
func (m *Matcher) Close() error {
	ctx := context.Background()
	var errs []error
	for _, g := range m.groups {
		errs = append(errs, g.module.Close(ctx))
		g.group.release()
	}
	m.groups = nil
	return errors.Join(append(errs, m.module.Close(ctx))...)
}

// attributeOf is the attribute name of e, empty when e has none.
func attributeOf(e *event.Event, name string) string {
	switch name {
	case "type":
		return e.Type
	case "source":
		return e.Source
	case "subject":
		return e.Subject
	case "id":
		return e.ID
	case "time":
		return e.Time
	case "datacontenttype":
		return e.DataContentType
	case "dataschema":
		return e.DataSchema
	case "specversion":
		return event.SpecVersion
	}
	value, _ := e.Extension(name)
	return value
}
