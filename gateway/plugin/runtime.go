package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/gateway/plugin/meter"
)

// Options configure a [Runtime]. The zero value works.
type Options struct {
	// CacheDir keeps compiled code over restarts; empty keeps none. It must be
	// writable by nobody else: what lies there is run as native code.
	CacheDir string
	// CacheBytes bounds what is kept there, 4 GiB by default.
	CacheBytes int64

	// Limits are those of a module whose LoadOptions have none; zero fields are
	// as in [DefaultLimits]. MaxLimits are the most that LoadOptions can ask for;
	// zero fields are as in Limits.
	Limits    Limits
	MaxLimits Limits

	// TrapDir keeps a bundle of each trap, by which [Replay] can reproduce it;
	// empty keeps none. When there are more than TrapFiles (100) or TrapBytes
	// (64 MiB) the oldest go.
	TrapDir   string
	TrapFiles int
	TrapBytes int64

	// The functions below are called while the guest waits, from many
	// goroutines, and must not call back into this package. Each may be nil.

	// Log receives the lines that guests write.
	Log func(Log)
	// Notify receives what whoever runs the gateway should know.
	Notify func(Notice)
	// Measure receives what each call of a guest took.
	Measure func(Use)
}

// Runtime compiles modules and holds what they share. It is safe for use by
// many goroutines.
type Runtime struct {
	options Options
	most    Limits
	log     func(Log)
	traps   *bundles // nil without TrapDir

	wasm   wazero.Runtime
	ledger wazero.CompiledModule
	cache  *cache // nil without CacheDir

	background sync.WaitGroup // instances being made

	mu      sync.Mutex // guards what follows
	closed  bool
	modules map[moduleKey]*loading
}

// loading is a module that is being loaded, or was.
type loading struct {
	done   chan struct{} // closed when module and err are set
	module *Module
	err    error
}

// NewRuntime makes a runtime. The caller closes it.
func NewRuntime(ctx context.Context, o Options) (*Runtime, error) {
	o.Limits = o.Limits.Or(DefaultLimits())
	r := &Runtime{options: o, most: o.MaxLimits.Or(o.Limits), log: o.Log, modules: map[moduleKey]*loading{}}
	if err := o.Limits.within(r.most); err != nil {
		return nil, err
	}
	if most := (&LimitError{"batchEvents", r.most.BatchEvents, meter.LedgerEvents}); most.Value > most.Max {
		return nil, most
	}
	if r.log == nil {
		r.log = func(Log) {}
	}
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithMemoryLimitPages(r.most.pages())
	if o.CacheDir != "" {
		c, err := openCache(o.CacheDir, o.CacheBytes)
		if err != nil {
			return nil, fmt.Errorf("plugin cache: %w", err)
		}
		r.cache = c
		config = config.WithCompilationCache(c.code)
	}
	r.wasm = wazero.NewRuntimeWithConfig(ctx, config)
	if err := r.provide(ctx); err != nil {
		_ = r.Close(ctx)
		return nil, err
	}
	return r, nil
}

// provide makes what all instances share.
func (r *Runtime) provide(ctx context.Context) (err error) {
	if err := provideHost(ctx, r.wasm); err != nil {
		return fmt.Errorf("plugin host functions: %w", err)
	}
	if r.ledger, err = r.compile(ctx, meter.NewLedger()); err != nil {
		return fmt.Errorf("plugin ledger: %w", err)
	}
	if r.options.TrapDir != "" {
		if r.traps, err = openBundles(r.options); err != nil {
			return fmt.Errorf("plugin traps: %w", err)
		}
	}
	return nil
}

// Limits are those of a module whose LoadOptions have none.
func (r *Runtime) Limits() Limits { return r.options.Limits }

// MaxLimits are the most that LoadOptions can ask for.
func (r *Runtime) MaxLimits() Limits { return r.most }

// Allows returns a [*LimitError] when l asks for more than MaxLimits.
func (r *Runtime) Allows(l Limits) error { return l.within(r.most) }

// Load is [Runtime.LoadWith] without options.
func (r *Runtime) Load(ctx context.Context, wasm []byte) (*Module, error) {
	return r.LoadWith(ctx, wasm, LoadOptions{})
}

// LoadWith validates and compiles a module, asks it to describe itself, and
// returns it. Loading the same bytes with the same options again returns the
// same module; each load is ended by one [Module.Close]. The caller does not
// modify wasm.
//
// An [*InvalidError] lists everything that is wrong with the module; a
// [*GuestError] says how it failed when it was started or asked; a
// [*LimitError] that the options ask for too much.
func (r *Runtime) LoadWith(ctx context.Context, wasm []byte, o LoadOptions) (*Module, error) {
	if err := o.Limits.within(r.most); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(wasm)
	grant := slices.Sorted(slices.Values(o.Grant))
	key := moduleKey{
		digest:  "sha256:" + hex.EncodeToString(sum[:]),
		limits:  o.Limits.Or(r.options.Limits),
		breaker: o.Breaker.withDefaults(),
		grant:   strings.Join(slices.Compact(grant), ","),
	}
	for {
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return nil, ErrClosed
		}
		l, found := r.modules[key]
		if !found {
			l = &loading{done: make(chan struct{})}
			r.modules[key] = l
		}
		r.mu.Unlock()
		if !found {
			return r.load(ctx, key, wasm, l)
		}
		select {
		case <-l.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if l.err != nil {
			return nil, l.err
		}
		if l.module.retain() {
			return l.module, nil
		} // else its last user left meanwhile, and forget made room
	}
}

// load does the work of the first load of a key.
func (r *Runtime) load(ctx context.Context, key moduleKey, wasm []byte, l *loading) (*Module, error) {
	defer close(l.done)
	if l.module, l.err = newModule(ctx, r, key, wasm); l.err != nil {
		r.forget(key)
	}
	return l.module, l.err
}

// forget makes the next load of key start anew.
func (r *Runtime) forget(key moduleKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.modules, key)
}

// start runs f beside the callers, unless the runtime is closed. Close waits
// for it.
func (r *Runtime) start(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.background.Go(f)
	return true
}

// Close ends everything that the runtime holds, modules in use included, so it
// comes after their last user. It is idempotent.
func (r *Runtime) Close(ctx context.Context) error {
	r.mu.Lock()
	closed := r.closed
	r.closed = true
	r.mu.Unlock()
	if closed {
		return nil
	}
	r.background.Wait()
	err := r.wasm.Close(ctx)
	if r.cache != nil {
		err = firstError(err, r.cache.close(ctx))
	}
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
