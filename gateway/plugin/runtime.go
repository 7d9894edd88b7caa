package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Options configure a [Runtime]. The zero value works.
type Options struct {
	// CacheDir keeps compiled code over restarts; empty keeps none. It must be
	// writable by nobody else: what lies there is run as native code.
	CacheDir string
	// Limits are those of every module.
	Limits Limits
	// Log receives the lines that guests write; nil discards them. It is called
	// while the guest waits, from many goroutines.
	Log func(Log)
}

// Runtime compiles modules and holds what they share. It is safe for use by
// many goroutines.
type Runtime struct {
	limits Limits
	log    func(Log)

	wasm   wazero.Runtime
	cache  *cache              // nil without CacheDir
	allows map[string]imported // what guests may import, by module

	mu      sync.Mutex // guards what follows
	closed  bool
	modules map[string]*loading // by digest
}

// imported is a host module: its functions by name.
type imported map[string]api.FunctionDefinition

// loading is a module that is being loaded, or was.
type loading struct {
	done   chan struct{} // closed when module and err are set
	module *Module
	err    error
}

// NewRuntime makes a runtime. The caller closes it.
func NewRuntime(ctx context.Context, o Options) (*Runtime, error) {
	r := &Runtime{limits: o.Limits.withDefaults(), log: o.Log, modules: map[string]*loading{}}
	if r.log == nil {
		r.log = func(Log) {}
	}
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithMemoryLimitPages(uint32(max(r.limits.MemoryBytes/pageBytes, 1)))
	if o.CacheDir != "" {
		c, err := openCache(o.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("plugin cache: %w", err)
		}
		r.cache = c
		config = config.WithCompilationCache(c.code)
	}
	r.wasm = wazero.NewRuntimeWithConfig(ctx, config)
	if err := r.provide(ctx); err != nil {
		_ = r.Close(ctx)
		return nil, fmt.Errorf("plugin host functions: %w", err)
	}
	return r, nil
}

const pageBytes = 64 << 10

// provide instantiates the modules that guests import from.
func (r *Runtime) provide(ctx context.Context) error {
	wasi, err := wasi_snapshot_preview1.Instantiate(ctx, r.wasm)
	if err != nil {
		return err
	}
	host, err := instantiateHost(ctx, r.wasm)
	if err != nil {
		return err
	}
	r.allows = map[string]imported{}
	for name, m := range map[string]interface {
		ExportedFunctionDefinitions() map[string]api.FunctionDefinition
	}{wasi_snapshot_preview1.ModuleName: wasi.(api.Module), host.Name(): host} {
		r.allows[name] = m.ExportedFunctionDefinitions()
	}
	return nil
}

// Limits are those of every module.
func (r *Runtime) Limits() Limits { return r.limits }

// Load validates and compiles a module, asks it to describe itself, and
// returns it. Loading the same bytes again returns the same module; each Load
// is ended by one [Module.Close].
//
// An [*InvalidError] lists everything that is wrong with the module; a
// [*GuestError] says how it failed when it was started or asked.
func (r *Runtime) Load(ctx context.Context, wasm []byte) (*Module, error) {
	sum := sha256.Sum256(wasm)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	for {
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			return nil, ErrClosed
		}
		l, found := r.modules[digest]
		if !found {
			l = &loading{done: make(chan struct{})}
			r.modules[digest] = l
		}
		r.mu.Unlock()
		if !found {
			return r.load(ctx, digest, wasm, l)
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

// load does the work of the first Load of a digest.
func (r *Runtime) load(ctx context.Context, digest string, wasm []byte, l *loading) (*Module, error) {
	defer close(l.done)
	if l.module, l.err = newModule(ctx, r, digest, wasm); l.err != nil {
		r.forget(digest)
	}
	return l.module, l.err
}

// forget makes the next Load of digest start anew.
func (r *Runtime) forget(digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.modules, digest)
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
