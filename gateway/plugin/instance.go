package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin/meter"
	"github.com/headgate/headgate/sdk/abi"
)

// instance is one live copy of a module, with a memory of its own. It serves
// one goroutine at a time. After any error it is closed, never used again.
type instance struct {
	module *Module
	limits *Limits
	born   time.Time
	// ctx is that of every call into the guest. It carries the instance to the
	// host functions and is never cancelled: fuel ends a call.
	ctx    context.Context
	mod    api.Module
	pages  api.Module   // of the ledger
	ledger meter.Ledger // nil when the guest does not say which event it is at
	fuel   api.MutableGlobal
	depth  api.MutableGlobal
	logs   *logs
	world  world
	tape   *tape // nil unless its calls are recorded

	alloc, open, shut, filter, transform api.Function

	arena   uint32 // address of the memory that alloc gave
	space   uint32 // its size
	handles map[*config]uint32
	swept   int64 // configs.evictions when handles were last looked over
	size    int64 // of its memory when it was made
	uses    int64 // batches
	retire  bool  // another is ready to take its place; guarded by the pool

	// What follows is of the current call.
	plugin  string          // the binding's name
	items   []pipeline.Item // its events
	tank    int64           // the fuel that it got
	calls   int64           // of host functions
	errs    []*GuestError   // of each event
	used    int64           // fuel of all of them, after the call
	spent   []int64         // fuel of each event, after the call
	kind    Kind            // what the guest is asked for
	opening bool
	// answered says that the call came to its end, so that what is wrong with
	// its answer is of no event in particular.
	answered bool
	refusal  string // the guest's words about a configuration

	stack [3]uint64 // arguments and results
}

// newInstance starts a copy of the module for the plugin of that name. What
// goes wrong is a GuestError. What the guest asks of the host is recorded on t,
// if any; script is a recording to be played back.
func newInstance(ctx context.Context, m *Module, plugin string, t, script *tape) (*instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.compile(ctx); err != nil {
		return nil, err
	}
	i := &instance{module: m, limits: &m.limits, plugin: plugin, born: time.Now(), tape: t, handles: map[*config]uint32{}}
	i.world = world{clock: m.grants(CapabilityClock), random: m.grants(CapabilityRandom), script: script}
	i.logs = newLogs(i.log)
	i.ctx = context.WithValue(context.Background(), instanceKey{}, i)
	linked, err := i.withLedger()
	if err == nil {
		i.mod, err = m.runtime.wasm.InstantiateModule(linked, m.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	}
	if err != nil {
		i.close()
		return nil, i.trapped("instantiation", err)
	}
	i.size = i.bytes()
	i.fuel = i.mod.ExportedGlobal(meter.Fuel).(api.MutableGlobal)
	i.depth = i.mod.ExportedGlobal(meter.Depth).(api.MutableGlobal)
	i.depth.Set(uint64(i.limits.CallDepth))
	i.alloc = i.mod.ExportedFunction(abi.ExportAlloc)
	i.open = i.mod.ExportedFunction(abi.ExportOpen)
	i.shut = i.mod.ExportedFunction(abi.ExportClose)
	i.filter = i.mod.ExportedFunction(abi.ExportFilter)
	i.transform = i.mod.ExportedFunction(abi.ExportTransform)
	if err := i.start(); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

// withLedger gives the instance a ledger, if the module needs one, and returns
// the context in which the module finds it.
func (i *instance) withLedger() (context.Context, error) {
	if !i.module.marks {
		return i.ctx, nil
	}
	var err error
	i.pages, err = i.module.runtime.wasm.InstantiateModule(context.Background(), i.module.runtime.ledger, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, err
	}
	view, _ := i.pages.Memory().Read(0, meter.LedgerBytes) // it never grows, so the view stays
	i.ledger = view
	return experimental.WithImportResolver(i.ctx, func(name string) api.Module {
		if name == meter.LedgerModule {
			return i.pages
		}
		return nil
	}), nil
}

// start runs the module's own start, where it has one.
func (i *instance) start() error {
	for _, name := range [...]string{meter.Start, abi.ExportInitialize, abi.ExportStart} {
		f := i.mod.ExportedFunction(name)
		if f == nil {
			continue
		}
		shown := name
		if name == meter.Start {
			shown = "start"
		}
		err := i.call(shown, f, i.limits.StartFuel)
		if exit := (*sys.ExitError)(nil); errors.As(err, &exit) && name == abi.ExportStart {
			return refuse("a command: its %s ends the instance. Build a reactor: in Go with -buildmode=c-shared, "+
				"in Rust as a cdylib, in C with -mexec-model=reactor", abi.ExportStart)
		}
		if err != nil {
			return err
		}
		if name == abi.ExportInitialize {
			break // a reactor has no _start
		}
	}
	return nil
}

func (i *instance) close() {
	for _, m := range [...]api.Module{i.mod, i.pages} {
		if m != nil {
			_ = m.Close(i.ctx) // an error is the guest's exit code
		}
	}
}

// bytes is what the instance holds of memory.
func (i *instance) bytes() int64 { return int64(i.mod.Memory().Size()) }

// begun is how many of the call's events the guest has turned to.
func (i *instance) begun() int {
	if i.ledger == nil || len(i.items) == 0 {
		return 0
	}
	return i.ledger.Begun()
}

// call runs an export of the guest with the arguments that lie in i.stack.
func (i *instance) call(name string, f api.Function, fuel int64) error {
	i.fuel.Set(uint64(fuel))
	i.tank, i.calls = fuel, 0
	i.world.forget()
	i.logs.begin(int(i.limits.LogBytes))
	err := f.CallWithStack(i.ctx, i.stack[:])
	if err != nil {
		err = i.trapped(name, err)
	}
	i.logs.end()
	return err
}

// trapped makes a GuestError of what a call ended with.
func (i *instance) trapped(name string, err error) *GuestError {
	g := trap(err, i.logs.stderr.head)
	switch {
	case i.fuel == nil:
	case int64(i.fuel.Get()) < 0:
		g.Fault, g.Text = OutOfFuel, i.limits.outOfFuel()
		if i.tank == i.limits.StartFuel {
			g.Text = fmt.Sprintf("the limit of startFuel is %d", i.tank)
		}
	case int64(i.depth.Get()) < 0:
		g.Fault, g.Text = TooDeep, fmt.Sprintf("the limit of callDepth is %d", i.limits.CallDepth)
	case i.ledger != nil && i.items != nil:
		if e, wrong := i.ledger.Wrong(); wrong {
			g.Fault, g.Text = Breach, fmt.Sprintf("begin(%d) where begin(%d) of %d is due", e, i.begun(), len(i.items))
		}
	case i.ledger != nil:
		if e, wrong := i.ledger.Wrong(); wrong {
			g.Fault, g.Text = Breach, fmt.Sprintf("begin(%d) where there are no events", e)
		}
	}
	g.Plugin, g.Digest, g.Func = i.plugin, i.module.info.Digest, name
	if i.mod != nil {
		g.Trace, g.At = symbolise(g.Trace, i.mod.Memory(), i.module.imports)
	}
	if i.fuel != nil {
		g.Fuel = i.using()
	}
	if i.items != nil {
		if n := i.begun(); n > 0 {
			g.Position = i.items[n-1].Position
		}
	}
	return g
}

// using is the fuel that the current event has used so far; without a ledger,
// that all have.
func (i *instance) using() int64 {
	return i.tank - max(int64(i.fuel.Get()), 0)
}

// fault is a GuestError that is not a trap.
func (i *instance) fault(f Fault, text string) *GuestError {
	return &GuestError{Plugin: i.plugin, Digest: i.module.info.Digest, Func: ofKind[i.kind].name, Fault: f, Text: text}
}

// log forwards a line.
func (i *instance) log(level abi.Level, text string) {
	l := Log{Plugin: i.plugin, Digest: i.module.info.Digest, Level: level, Text: text}
	if n := i.begun(); n > 0 {
		l.Position = i.items[n-1].Position
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
// to write, which the guest may use so much fuel to find. It is valid until the
// guest runs.
func (i *instance) reserve(n int, fuel int64) ([]byte, error) {
	if uint32(n) > i.space {
		i.stack[0] = uint64(n)
		if err := i.call(abi.ExportAlloc, i.alloc, fuel); err != nil {
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
	b, err := i.reserve(len(cfg.text), i.limits.StartFuel)
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
