package plugin

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/headgate/headgate/gateway/plugin/meter"
)

// Module is a loaded module and its instances. It is safe for use by many
// goroutines, and lives until everyone who loaded it has closed it and every
// binding is closed.
type Module struct {
	runtime *Runtime
	info    Info
	code    wazero.CompiledModule
	pool    pool
	configs configs

	users atomic.Int64 // loads and bindings; 0 is the end
}

// newModule validates, compiles and describes wasm.
func newModule(ctx context.Context, r *Runtime, digest string, wasm []byte) (*Module, error) {
	limits := r.limits
	if err := checkBytes(wasm, limits); err != nil {
		return nil, err
	}
	metered, err := meter.Instrument(wasm, meter.Options{
		Fuel:        limits.StartFuel,
		Depth:       1 << 15,
		MemoryPages: uint32(max(limits.MemoryBytes/pageBytes, 1)),
	})
	if err != nil {
		return nil, refuse("not a valid module: %v", err)
	}
	code, err := r.compile(ctx, metered)
	if err != nil {
		return nil, refuse("not a valid module: %v", err)
	}
	m := &Module{runtime: r, code: code, info: Info{Digest: digest, Size: len(wasm)}}
	m.pool.init(m, limits.Instances)
	m.users.Store(1)
	if err := m.describe(ctx); err != nil {
		_ = code.Close(ctx)
		return nil, err
	}
	return m, nil
}

func (r *Runtime) compile(ctx context.Context, wasm []byte) (wazero.CompiledModule, error) {
	f := func() (wazero.CompiledModule, error) { return r.wasm.CompileModule(ctx, wasm) }
	if r.cache == nil {
		return f()
	}
	return r.cache.compile(f)
}

// describe checks imports and exports, starts an instance, and asks it what it
// is. It finds all that is wrong before it gives up.
func (m *Module) describe(ctx context.Context) error {
	c := check{code: m.code, allows: m.runtime.allows}
	c.imports()
	canStart := len(c.problems) == 0
	c.exports()
	if !canStart || !c.canDescribe() {
		return &InvalidError{Problems: c.problems}
	}
	i, err := newInstance(ctx, m)
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
		m.runtime.forget(m.info.Digest)
		m.pool.close()
	}
}

// free lets go of the compiled code, after the last instance.
func (m *Module) free() { _ = m.code.Close(context.Background()) }
