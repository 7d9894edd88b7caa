package sdk

import (
	"unsafe"

	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
)

// Guest is a plugin behind the exports of the ABI: what a host sees of it. A
// module drives its own; package plugintest drives one natively. It serves one
// goroutine, and panics on a breach of the contract by its host.
type Guest struct {
	plugin Plugin
	host   Host

	description []byte
	arena       []byte
	bindings    []binding
	event       Event
	outputs     Outputs
}

// Host is what a guest calls back while it looks at a batch.
type Host interface {
	// Begin says which event the guest turns to.
	Begin(event uint32)
	// Fail says in words why that event fails, or with [abi.NoEvent] why the
	// configuration is refused.
	Fail(event uint32, words string)
}

// binding is a function with its configuration; none is set once it is closed.
type binding struct {
	filter    FilterFunc
	transform TransformFunc
}

// NewGuest returns p as host sees it. It panics for what [Register] refuses.
func NewGuest(p Plugin, host Host) *Guest {
	p.check()
	return &Guest{plugin: p, host: host}
}

// Describe returns the description of the plugin, which stays valid.
func (g *Guest) Describe() []byte {
	if g.description != nil {
		return g.description
	}
	var w json.Writer
	w.BeginObject()
	w.Name("name")
	w.String(g.plugin.Name)
	if g.plugin.Description != "" {
		w.Name("description")
		w.String(g.plugin.Description)
	}
	w.Name("kinds")
	w.BeginArray()
	if g.plugin.Filter != nil {
		w.String(abi.Filter.String())
	}
	if g.plugin.Transform != nil {
		w.String(abi.Transform.String())
	}
	w.EndArray()
	if g.plugin.Config != "" {
		w.Name("config")
		w.Value(json.Value(g.plugin.Config))
	}
	if len(g.plugin.Capabilities) > 0 {
		w.Name("capabilities")
		w.BeginArray()
		for _, c := range g.plugin.Capabilities {
			w.String(string(c))
		}
		w.EndArray()
	}
	w.EndObject()
	g.description = w.Bytes()
	return g.description
}

// arenaStep keeps the sizes of arenas few, and their addresses aligned.
const arenaStep = 16 << 10

// Alloc returns n bytes for the host to write, the same memory as before where
// it is large enough.
func (g *Guest) Alloc(n int) []byte {
	if g.arena == nil || n > cap(g.arena) {
		g.arena = make([]byte, (n+n/2+arenaStep)/arenaStep*arenaStep)
	}
	return g.arena[:n]
}

// lent returns the bytes at address ptr, which must be what Alloc returned.
func (g *Guest) lent(ptr uintptr, n int) []byte {
	if ptr != uintptr(unsafe.Pointer(unsafe.SliceData(g.arena))) || n > cap(g.arena) {
		panic("sdk: the host passed memory that was not allocated")
	}
	return g.arena[:n:n]
}

// Open binds config, JSON text, and returns a handle, or −1 after saying why not.
func (g *Guest) Open(kind abi.Kind, config []byte) int32 {
	b, err := g.bind(kind, config)
	if err != nil {
		g.host.Fail(abi.NoEvent, err.Error())
		return -1
	}
	for i := range g.bindings {
		if g.bindings[i].filter == nil && g.bindings[i].transform == nil {
			g.bindings[i] = b
			return int32(i)
		}
	}
	g.bindings = append(g.bindings, b)
	return int32(len(g.bindings) - 1)
}

func (g *Guest) bind(kind abi.Kind, config []byte) (b binding, err error) {
	value, err := json.Parse(append([]byte(nil), config...))
	if err != nil {
		return b, wrap("config is not JSON", err)
	}
	if value.Kind() != json.Object {
		return b, errConfig
	}
	switch {
	case kind == abi.Filter && g.plugin.Filter != nil:
		b.filter, err = g.plugin.Filter(value)
	case kind == abi.Transform && g.plugin.Transform != nil:
		b.transform, err = g.plugin.Transform(value)
	default:
		return b, errKind
	}
	if err == nil && b.filter == nil && b.transform == nil {
		return b, errNoFunc
	}
	return b, err
}

// Close ends the use of a handle.
func (g *Guest) Close(handle int32) { g.bindings[handle] = binding{} }

// Filter judges the events of an input arena: the verdicts are written there.
func (g *Guest) Filter(handle int32, arena []byte) {
	in := input(arena)
	filter := g.bindings[handle].filter
	for i := range in.Count() {
		g.host.Begin(uint32(i))
		g.event.reset(in, i)
		pass, err := filter(&g.event)
		switch {
		case err != nil:
			g.host.Fail(uint32(i), err.Error())
		case pass:
			g.event.record.SetVerdict(abi.Pass)
			continue
		}
		g.event.record.SetVerdict(abi.Drop)
	}
}

// Transform returns the output arena for an input arena, valid until the next
// call; nil when there are no outputs.
func (g *Guest) Transform(handle int32, arena []byte) []byte {
	in := input(arena)
	transform := g.bindings[handle].transform
	out := &g.outputs
	out.reset()
	for i := range in.Count() {
		g.host.Begin(uint32(i))
		g.event.reset(in, i)
		out.begin(&g.event, i)
		before := out.arena.Count()
		if err := transform(&g.event, out); err != nil {
			out.discard(before)
			g.host.Fail(uint32(i), err.Error())
		}
		out.seal()
	}
	if out.arena.Count() == 0 {
		return nil
	}
	return out.arena.Finish()
}

func input(arena []byte) abi.Input {
	in := abi.Input(arena)
	if err := in.Check(); err != nil {
		panic("sdk: the host passed " + err.Error())
	}
	return in
}
