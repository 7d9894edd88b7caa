package plugin

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin/meter"
	"github.com/headgate/headgate/sdk/abi"
)

// instance is one live copy of a module, with a memory of its own. It serves
// one goroutine at a time. After any error it is closed, never used again.
type instance struct {
	module *Module
	limits Limits
	// ctx is that of every call into the guest. It carries the instance to the
	// host functions and is never cancelled: fuel ends a call.
	ctx  context.Context
	mod  api.Module
	fuel api.MutableGlobal
	logs *logs

	// tank is what fuel was last filled to, and used what the fillings before
	// that have cost.
	tank, used int64

	alloc, open, shut, filter, transform api.Function

	arena   uint32 // address of the memory that alloc gave
	space   uint32 // its size
	handles map[*config]uint32
	swept   int64 // configs.evictions when handles were last looked over

	// What follows is of the current call.
	plugin  string          // the binding's name
	items   []pipeline.Item // its events
	begun   int             // how many of them the guest has turned to
	errs    []error         // of each event
	kind    Kind            // what the guest is asked for
	opening bool
	refusal string // the guest's words about a configuration

	stack [3]uint64 // arguments and results
}

// newInstance starts a copy of the module. What goes wrong is a GuestError.
func newInstance(ctx context.Context, m *Module) (*instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i := &instance{module: m, limits: m.runtime.limits, handles: map[*config]uint32{}}
	i.logs = newLogs(i.log)
	i.ctx = context.WithValue(context.Background(), instanceKey{}, i)
	i.logs.begin(i.limits.LogBytes)
	defer i.logs.end()
	mod, err := m.runtime.wasm.InstantiateModule(i.ctx, m.code, wazero.NewModuleConfig().
		WithName("").WithStartFunctions().
		WithStdout(&i.logs.stdout).WithStderr(&i.logs.stderr))
	if err != nil {
		return nil, i.trapped("start", err)
	}
	i.mod = mod
	i.fuel = mod.ExportedGlobal(meter.Fuel).(api.MutableGlobal)
	i.tank = int64(i.fuel.Get())
	i.alloc = mod.ExportedFunction(abi.ExportAlloc)
	i.open = mod.ExportedFunction(abi.ExportOpen)
	i.shut = mod.ExportedFunction(abi.ExportClose)
	i.filter = mod.ExportedFunction(abi.ExportFilter)
	i.transform = mod.ExportedFunction(abi.ExportTransform)
	if err := i.initialize(); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

// initialize runs the module's own start, where it has one.
func (i *instance) initialize() error {
	for _, e := range starters {
		f := i.mod.ExportedFunction(e.name)
		if f == nil {
			continue
		}
		i.refuel(i.limits.StartFuel)
		err := f.CallWithStack(i.ctx, nil)
		if err != nil && e.name == abi.ExportStart && i.mod.IsClosed() {
			return refuse("a command: its %s ends the instance. Build a reactor: in Go with -buildmode=c-shared, "+
				"in Rust as a cdylib, in C with -mexec-model=reactor", abi.ExportStart)
		}
		if err != nil {
			return i.trapped(e.name, err)
		}
		return nil // a reactor's _initialize excludes _start
	}
	return nil
}

func (i *instance) close() {
	if i.mod != nil {
		_ = i.mod.Close(i.ctx) // an error is the guest's exit code
	}
}

// call runs an export of the guest with the arguments that lie in i.stack.
func (i *instance) call(name string, f api.Function, fuel int64) error {
	i.refuel(fuel)
	i.logs.begin(i.limits.LogBytes)
	err := f.CallWithStack(i.ctx, i.stack[:])
	if err != nil {
		err = i.trapped(name, err)
	}
	i.logs.end()
	return err
}

// refuel fills the tank.
func (i *instance) refuel(n int64) {
	i.used += i.tank - int64(i.fuel.Get())
	i.tank = n
	i.fuel.Set(uint64(n))
}

// fuelUsed is what the guest has used in its life.
func (i *instance) fuelUsed() int64 { return i.used + i.tank - int64(i.fuel.Get()) }

// trapped makes a GuestError of what a call ended with.
func (i *instance) trapped(name string, err error) *GuestError {
	g := trap(err, i.fuel != nil && int64(i.fuel.Get()) < 0, i.logs.stderr.head)
	g.Plugin, g.Digest, g.Func = i.plugin, i.module.info.Digest, name
	return g
}

// fault is a GuestError that is not a trap.
func (i *instance) fault(f Fault, text string) *GuestError {
	return &GuestError{Plugin: i.plugin, Digest: i.module.info.Digest, Func: ofKind[i.kind].name, Fault: f, Text: text}
}

// log forwards a line.
func (i *instance) log(level abi.Level, text string) {
	l := Log{Plugin: i.plugin, Digest: i.module.info.Digest, Level: level, Text: text}
	if i.begun > 0 {
		l.Position = i.items[i.begun-1].Position
	}
	i.module.runtime.log(l)
}

// describe asks for the description.
func (i *instance) describe() ([]byte, error) {
	f := i.mod.ExportedFunction(abi.ExportDescribe)
	if err := i.call(abi.ExportDescribe, f, i.limits.StartFuel); err != nil {
		return nil, err
	}
	ptr, length := abi.Unpack(i.stack[0])
	if length > maxDescription {
		return nil, refuse("its description has %d bytes, the limit is %d", length, maxDescription)
	}
	b, ok := i.mod.Memory().Read(ptr, length)
	if !ok {
		return nil, refuse("its description at 0x%x of %d bytes leads out of the memory", ptr, length)
	}
	return append([]byte(nil), b...), nil
}

// reserve returns a view of n bytes of the guest's memory that are the host's
// to write. It is valid until the guest runs.
func (i *instance) reserve(n int) ([]byte, error) {
	if uint32(n) > i.space {
		i.stack[0] = uint64(n)
		if err := i.call(abi.ExportAlloc, i.alloc, i.limits.EventFuel); err != nil {
			return nil, err
		}
		ptr := uint32(i.stack[0])
		if _, ok := i.mod.Memory().Read(ptr, uint32(n)); !ok || ptr == 0 || ptr%abi.Alignment != 0 {
			return nil, i.trapped(abi.ExportAlloc, breachf(
				"address 0x%x for %d bytes, want a multiple of %d within the memory", ptr, n, abi.Alignment))
		}
		i.arena, i.space = ptr, uint32(n)
	}
	b, ok := i.mod.Memory().Read(i.arena, uint32(n))
	if !ok { // a memory never shrinks
		return nil, i.trapped(abi.ExportAlloc, breach("the memory is gone"))
	}
	return b, nil
}

// handle returns the guest's handle of cfg, opening it at first. A refused
// configuration is a ConfigError, and leaves the instance sound.
func (i *instance) handle(cfg *config) (uint32, error) {
	if n := i.module.configs.evictions.Load(); n != i.swept {
		if err := i.sweep(); err != nil {
			return 0, err
		}
		i.swept = n
	}
	h, ok := i.handles[cfg]
	if ok {
		return h, nil
	}
	b, err := i.reserve(len(cfg.text))
	if err != nil {
		return 0, err
	}
	copy(b, cfg.text)
	i.stack = [3]uint64{uint64(cfg.kind), uint64(i.arena), uint64(len(cfg.text))}
	i.opening, i.refusal = true, ""
	err = i.call(abi.ExportOpen, i.open, i.limits.StartFuel)
	i.opening = false
	if err != nil {
		return 0, err
	}
	h = uint32(i.stack[0])
	switch {
	case h == abi.InvalidHandle && i.refusal == "":
		return 0, &ConfigError{Plugin: i.plugin, Text: "it does not say why"}
	case h == abi.InvalidHandle:
		return 0, &ConfigError{Plugin: i.plugin, Text: i.refusal}
	case h > 1<<31-1:
		return 0, i.trapped(abi.ExportOpen, breachf("handle %d, want 0 to 2³¹−1, or −1", int32(h)))
	}
	i.handles[cfg] = h
	return h, nil
}

// sweep closes the handles of configurations that nobody uses any more.
func (i *instance) sweep() error {
	for cfg, h := range i.handles {
		if !cfg.gone.Load() {
			continue
		}
		delete(i.handles, cfg)
		i.stack[0] = uint64(h)
		if err := i.call(abi.ExportClose, i.shut, i.limits.EventFuel); err != nil {
			return err
		}
	}
	return nil
}

// run passes the items of a batch through the guest, as cfg says, and appends
// what becomes of them to out. A GuestError concerns the whole batch, and ends
// the instance.
func (i *instance) run(cfg *config, h uint32, in, out []pipeline.Item) ([]pipeline.Item, error) {
	n, err := i.write(in)
	if err != nil {
		return nil, err
	}
	i.items, i.begun = in, 0
	i.errs = append(i.errs[:0], make([]error, len(in))...)
	i.kind = cfg.kind
	defer i.finish()
	i.stack = [3]uint64{uint64(h), uint64(i.arena), uint64(n)}
	if cfg.kind == Filter {
		if err := i.call(abi.ExportFilter, i.filter, i.limits.EventFuel); err != nil {
			return nil, err
		}
		out, err = i.verdicts(n, out)
	} else {
		if err := i.call(abi.ExportTransform, i.transform, i.limits.EventFuel); err != nil {
			return nil, err
		}
		out, err = i.decode(n, out)
	}
	if err != nil {
		return nil, i.fault(Breach, err.Error())
	}
	return out, nil
}

// finish forgets the call's events, so that an idle instance holds none.
func (i *instance) finish() {
	i.items, i.begun = nil, 0
	clear(i.errs)
	i.errs = i.errs[:0]
}

// write lays the events out in the guest's memory and returns the arena's size.
func (i *instance) write(in []pipeline.Item) (int, error) {
	pairs, text := 0, 0
	for k := range in {
		e := in[k].Event
		pairs += len(e.Extensions)
		text += e.Size()
	}
	n := abi.InputBytes(len(in), pairs, text)
	b, err := i.reserve(n)
	if err != nil {
		return 0, err
	}
	w := abi.NewInputWriter(b, len(in), pairs)
	for k := range in {
		writeEvent(&w, in[k].Event)
	}
	return n, nil
}

func writeEvent(w *abi.InputWriter, e *event.Event) {
	w.Next()
	w.Set(abi.ID, e.ID)
	w.Set(abi.Source, e.Source)
	w.Set(abi.Type, e.Type)
	setOptional(w, abi.Subject, e.Subject)
	setOptional(w, abi.Time, e.Time)
	setOptional(w, abi.DataContentType, e.DataContentType)
	setOptional(w, abi.DataSchema, e.DataSchema)
	for j := range e.Extensions {
		x := &e.Extensions[j]
		w.Extension(x.Name, x.Value, abi.ValueKind(x.Kind))
	}
	if e.Data != nil {
		w.SetData(e.Data)
	}
}

func setOptional(w *abi.InputWriter, a abi.Attribute, s string) {
	if s != "" {
		w.Set(a, s)
	}
}

// input returns the view of the input arena of n bytes, after a call.
func (i *instance) input(n int) []byte {
	b, _ := i.mod.Memory().Read(i.arena, uint32(n)) // it was there, and a memory never shrinks
	return b
}

// record returns event k's record. The guest may have overwritten it, and the
// header, so its place is what the host knows.
func record(arena []byte, k int) abi.Record {
	at := abi.HeaderBytes + k*abi.InputRecordBytes
	return abi.Record(arena[at : at+abi.InputRecordBytes])
}

// verdicts appends the items that a filter lets pass, and those that failed.
func (i *instance) verdicts(n int, out []pipeline.Item) ([]pipeline.Item, error) {
	if status := abi.Status(i.stack[0]); status != abi.OK {
		return nil, breachf("status %d, want 0", status)
	}
	arena := i.input(n)
	for k := range i.items {
		item := i.items[k]
		v := record(arena, k).Verdict()
		switch {
		case i.errs[k] != nil:
			item.Err = i.errs[k]
		case v == abi.Drop:
			continue
		case v == abi.Unset:
			item.Err = i.fault(Failed, "it gave no verdict")
		case v != abi.Pass:
			item.Err = i.fault(Failed, fmt.Sprintf("it gave the verdict %d, want 0 or 1", v))
		}
		out = append(out, item)
	}
	return out, nil
}
