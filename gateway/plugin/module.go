package plugin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/headgate/headgate/gateway/plugin/meter"
)

// LoadOptions are what a plugin has of its own. The zero value works.
type LoadOptions struct {
	// Limits take the place of those of the runtime, up to its maximum.
	Limits Limits
	// Grant lists the capabilities that the plugin has when it wants them.
	Grant   []string
	Breaker Breaker
}

// Module is a loaded module and its instances. It is safe for use by many
// goroutines, and lives until everyone who loaded it has closed it and every
// binding is closed.
type Module struct {
	runtime *Runtime
	key     moduleKey
	limits  Limits
	breaker Breaker
	info    Info
	pool    pool
	configs configs

	users atomic.Int64 // loads and bindings; 0 is the end

	compiling sync.Mutex            // guards what follows until code is set
	metered   []byte                // until it is compiled
	code      wazero.CompiledModule // nil until it is needed
	marks     bool                  // it says which event it is at
	imports   int                   // functions
}

// moduleKey says what makes two loads the same.
type moduleKey struct {
	digest  string
	limits  Limits
	breaker Breaker
	grant   string
}

// newModule validates and describes wasm. What the cache knows of it spares the
// compilation until an instance is needed.
func newModule(ctx context.Context, r *Runtime, key moduleKey, wasm []byte) (*Module, error) {
	m := &Module{runtime: r, key: key, limits: key.limits, breaker: key.breaker}
	m.pool.init(m, m.limits.Instances)
	m.users.Store(1)
	if r.cache != nil && r.cache.restore(m) {
		return m, nil
	}
	if err := checkBytes(wasm, m.limits); err != nil {
		return nil, err
	}
	m.info = Info{Digest: key.digest, Size: len(wasm)}
	var err error
	m.metered, err = meter.Instrument(wasm, meter.Options{
		MemoryPages: m.limits.pages(), Begin: marker, Limits: m.limits.meter(),
	})
	if err != nil {
		return nil, refuse("not a valid module: %v", err)
	}
	metered := m.metered
	if err := m.compile(ctx); err != nil {
		return nil, err
	}
	if err := m.describe(ctx); err != nil {
		m.free()
		return nil, err
	}
	if r.cache != nil {
		r.cache.store(m, metered)
	}
	return m, nil
}

// compile makes code, once.
func (m *Module) compile(ctx context.Context) error {
	m.compiling.Lock()
	defer m.compiling.Unlock()
	if m.code != nil {
		return nil
	}
	code, err := m.runtime.compile(ctx, m.metered)
	if err != nil {
		return refuse("not a valid module: %v", err)
	}
	m.code, m.metered = code, nil
	m.imports = len(code.ImportedFunctions())
	for _, f := range code.ImportedFunctions() {
		if from, _, _ := f.Import(); from == meter.LedgerModule {
			m.marks = true
		}
	}
	return nil
}

func (r *Runtime) compile(ctx context.Context, wasm []byte) (wazero.CompiledModule, error) {
	f := func() (wazero.CompiledModule, error) { return r.wasm.CompileModule(ctx, wasm) }
	if r.cache == nil {
		return f()
	}
	return r.cache.compile(f)
}

// grants reports whether the module wants a capability and has it.
func (m *Module) grants(capability string) bool { return slices.Contains(m.info.Granted, capability) }

// describe checks imports and exports, starts an instance, and asks it what it
// is. It finds all that is wrong before it gives up.
func (m *Module) describe(ctx context.Context) error {
	c := check{code: m.code}
	c.imports()
	canStart := len(c.problems) == 0
	c.exports()
	if !canStart || !c.canDescribe() {
		return &InvalidError{Problems: c.problems}
	}
	i, err := newInstance(ctx, m, "", nil, nil)
	if err != nil {
		return invalid(c.problems, err)
	}
	text, err := i.describe()
	if err != nil {
		i.close()
		return invalid(c.problems, err)
	}
	c.description(text, &m.info)
	if len(c.problems) > 0 {
		i.close()
		return &InvalidError{Problems: c.problems}
	}
	for _, want := range m.info.Capabilities {
		if slices.Contains(strings.Split(m.key.grant, ","), want) {
			m.info.Granted = append(m.info.Granted, want)
		}
	}
	if len(m.info.Granted) > 0 {
		i.close() // it was started without them
		return nil
	}
	m.pool.put(i)
	return nil
}

// invalid adds err, which came last, to the problems found before it.
func invalid(problems []string, err error) error {
	if more := (*InvalidError)(nil); errors.As(err, &more) {
		return &InvalidError{Problems: append(problems, more.Problems...)}
	}
	if len(problems) == 0 {
		return err
	}
	return &InvalidError{Problems: append(problems, err.Error())}
}

// Limits are what the module's instances may use.
func (m *Module) Limits() Limits { return m.limits }

// Info is what the module says of itself.
func (m *Module) Info() Info { return m.info }

// Close ends one Load. It is called once for each.
func (m *Module) Close() { m.release() }

// retain adds a user, unless the last one has left.
func (m *Module) retain() bool {
	for {
		n := m.users.Load()
		if n == 0 {
			return false
		}
		if m.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (m *Module) release() {
	if m.users.Add(-1) == 0 {
		m.runtime.forget(m.key)
		m.pool.close()
	}
}

// free lets go of the compiled code, after the last instance.
func (m *Module) free() {
	if m.code != nil {
		_ = m.code.Close(context.Background())
	}
}
