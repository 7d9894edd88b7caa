package matcher

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/sdk/json"
)

// Matcher tries events on the filters of a set. It serves one goroutine at a
// time.
//
// Verdicts are found when they are first asked for: data is not parsed unless a
// filter that reads it may match, and a group's module is instantiated by the
// first event that its members may match.
type Matcher struct {
	set    *Set
	groups []instance
	keys   []key // of the index's fields
	asked  []uint32

	event  *event.Event
	serial uint64 // of the event; that of an instance says how fresh its bits are
	parsed bool   // whether loadBody has run for the event

	module    api.Module
	importing context.Context // modules instantiated in it import the memory
	memory    []byte          // a view, taken again when it grows
	first     uint32          // where the room for an event's strings begins
	top       uint32          // where what is left of it begins
	longest   uint32          // length of the longest string in a slot
	lasting   uint32          // length of the longest string among the literals

	attributes []attribute       // of every event
	extensions map[string]uint32 // slots of the others
	extended   []uint32          // those of extensions that hold something

	body       node       // what filters ask of the data
	patch      *node      // its member "patch"
	operations json.Value // what the event's data has at patch
	patched    bool       // whether filters ask for PATCH or CHANGED
	pointers   node       // what they ask of the operations
	filled     []uint32   // slots that the event's data filled
	changed    []uint32   // slots that the event's data set to True
	found      []uint32   // fields of the index that the event's data has values for
	members    []*node    // scratch of assign
	slots      map[filter.Field]uint32

	name []byte // scratch, for names with escapes
}

// instance is a group's module over the matcher's memory.
type instance struct {
	group  *group
	module api.Module // nil until it is first needed
	match  api.Function
	table  uint32
	stack  [2]uint64

	wanted     uint64 // serial of the event that candidates are for
	candidates uint64
	serial     uint64 // of the event that done and bits are for
	done, bits uint64 // which members were tried, and matched
}

// attribute is a CloudEvents attribute that filters ask for.
type attribute struct {
	name string
	slot uint32
}

// NewMatcher returns a matcher of s, which the caller closes.
func (s *Set) NewMatcher(ctx context.Context) (*Matcher, error) {
	m := &Matcher{set: s, slots: make(map[filter.Field]uint32), extensions: make(map[string]uint32)}
	var err error
	if m.module, m.importing, err = s.runtime.newMemory(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	m.patch = m.body.add([]string{"patch"})
	m.memory = view(m.module.Memory())
	m.top = filter.SlotBytes // the word of the scratch address, and alignment
	m.keys = make([]key, len(s.index.fields))
	for i, f := range s.index.fields {
		m.keys[i] = key{slot: m.slotFor(f), field: s.runtime.hashField(f)}
		m.note(f, uint32(i))
	}
	m.align()
	m.first = m.top
	m.groups = make([]instance, len(s.groups))
	for i, g := range s.groups {
		g.retain()
		m.groups[i].group = g
	}
	return m, nil
}

// instantiate makes in's module and lays out its table. It lets the event's
// values be put again, behind what stays.
func (m *Matcher) instantiate(in *instance) {
	err := in.group.compile(m.set.runtime)
	var module api.Module
	if err == nil {
		module, err = m.set.runtime.wasm.InstantiateModule(m.importing, in.group.compiled, wazero.NewModuleConfig().WithName(""))
	}
	if err != nil {
		// Trusted code that imports nothing but the memory: only a closed runtime
		// comes here, and no answer would be right.
		panic(fmt.Sprintf("matcher: instantiate %d filters: %v", len(in.group.members), err))
	}
	in.module, in.match = module, module.ExportedFunction(filter.ExportMatch)
	m.top, m.longest = m.first, m.lasting
	program := &in.group.program
	addresses := make([]uint32, 0, len(program.fields)+len(program.literals))
	for _, f := range program.fields {
		addresses = append(addresses, m.slotFor(f))
	}
	for _, v := range program.literals {
		slot := m.newSlot()
		m.putValue(slot, v)
		addresses = append(addresses, slot)
	}
	m.align()
	in.table = m.reserve(4 * len(addresses))
	for i, a := range addresses {
		m.putWord(in.table+uint32(4*i), a)
	}
	m.align()
	m.first, m.lasting = m.top, m.longest
	m.fill()
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
		if isCommon(f.Path) {
			m.attributes = append(m.attributes, attribute{f.Path, slot})
		} else {
			m.extensions[f.Path] = slot
		}
	case filter.Body:
		m.body.add(f.Steps()).slot = slot
	case filter.Patch:
		m.pointers.add(f.Steps()).slot = slot
		m.patched = true
	case filter.Changed:
		m.putKind(slot, filter.False)
		m.pointers.add(f.Steps()).changed = slot
		m.patched = true
	}
	return slot
}

// note lets the value of f, if it is one of the data, be found as field i of the
// index.
func (m *Matcher) note(f filter.Field, i uint32) {
	switch f.From {
	case filter.Body:
		m.body.add(f.Steps()).key = i + 1
	case filter.Patch:
		m.pointers.add(f.Steps()).key = i + 1
	case filter.Changed:
		m.pointers.add(f.Steps()).changedKey = i + 1
	}
}

// Load makes e the event that Match and Matches speak of. The matcher reads e
// until the next Load.
func (m *Matcher) Load(e *event.Event) {
	m.event = e
	m.serial++
	m.forget()
	m.parsed = false
	m.putAttributes()
	m.setScratch()
}

// fill puts the values of the event, once more, into their slots.
func (m *Matcher) fill() {
	if m.event == nil {
		return
	}
	m.forget()
	m.putAttributes()
	if m.parsed {
		m.loadBody()
	}
	m.setScratch()
}

// forget empties the slots that an event filled.
func (m *Matcher) forget() {
	m.top, m.longest = m.first, m.lasting
	for _, slot := range m.extended {
		m.putKind(slot, filter.Undefined)
	}
	for _, slot := range m.filled {
		m.putKind(slot, filter.Undefined)
	}
	for _, slot := range m.changed {
		m.putKind(slot, filter.False)
	}
	m.extended, m.filled, m.changed, m.found = m.extended[:0], m.filled[:0], m.changed[:0], m.found[:0]
}

func (m *Matcher) putAttributes() {
	for _, a := range m.attributes {
		m.putText(a.slot, attributeOf(m.event, a.name))
	}
	if len(m.extensions) == 0 {
		return
	}
	for i := range m.event.Extensions {
		x := &m.event.Extensions[i]
		if slot, ok := m.extensions[x.Name]; ok {
			m.putText(slot, x.Value)
			m.extended = append(m.extended, slot)
		}
	}
}

// Match reports whether filter i of the set matches the event.
func (m *Matcher) Match(i int) bool {
	place := m.set.places[i]
	in := &m.groups[place/filter.MaxFilters]
	// Its neighbours are likely to be asked for next.
	return m.verdicts(in, ^uint64(0))>>(place%filter.MaxFilters)&1 != 0
}

// verdicts returns which of the members of in in mask match.
func (m *Matcher) verdicts(in *instance, mask uint64) uint64 {
	if in.serial != m.serial {
		in.serial, in.done, in.bits = m.serial, 0, 0
	}
	mask &= 1<<len(in.group.members) - 1
	if ask := mask &^ in.done; ask != 0 {
		in.done |= ask
		in.bits |= m.evaluate(in, ask)
	}
	return in.bits & mask
}

// evaluate tries the members of in in mask.
func (m *Matcher) evaluate(in *instance, mask uint64) uint64 {
	if in.module == nil {
		m.instantiate(in)
	}
	if in.group.data&mask != 0 {
		m.parse()
	}
	in.stack = [2]uint64{uint64(in.table), mask}
	if err := in.match.CallWithStack(context.Background(), in.stack[:]); err != nil {
		// Trusted code on memory of our own: a trap is a mistake in package filter,
		// and both answers would be wrong.
		panic(fmt.Sprintf("matcher: compiled filters: %v", err))
	}
	return in.stack[0]
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
	for i := range m.groups {
		in := &m.groups[i]
		if in.module != nil {
			errs = append(errs, in.module.Close(ctx))
		}
		in.group.release()
	}
	m.groups = nil
	return errors.Join(append(errs, m.module.Close(ctx))...)
}

// isCommon reports whether name is an attribute that is not an extension.
func isCommon(name string) bool {
	switch name {
	case "type", "source", "subject", "id", "time", "datacontenttype", "dataschema", "specversion":
		return true
	}
	return false
}

// attributeOf is the attribute of e called name, which is common; empty when e
// has none.
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
	}
	return event.SpecVersion
}
