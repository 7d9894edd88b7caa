package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/sdk/abi"
)

// Binding is a module bound to a configuration: a stage of a pipeline, safe
// for use by many goroutines.
type Binding struct {
	module *Module
	config *config
	name   string
	closed atomic.Bool
}

var _ pipeline.Stage = (*Binding)(nil)

// Bind ties the module to a configuration: JSON, or nothing, which the guest
// sees as {}. The guest is asked at once: a [*ConfigError] is its refusal in
// its own words. name is what errors and logs call the plugin, such as
// "tsi@3". The caller closes the binding, which keeps the module alive.
func (m *Module) Bind(ctx context.Context, kind Kind, text []byte, name string) (*Binding, error) {
	if !slices.Contains(m.info.Kinds, kind) {
		return nil, fmt.Errorf("plugin %s is no %v: it is a %v", name, kind, m.info.Kinds)
	}
	cfg, err := m.configs.retain(kind, text)
	if err != nil {
		return nil, &ConfigError{Plugin: name, Text: err.Error()}
	}
	if !m.retain() {
		m.configs.release(cfg)
		return nil, ErrClosed
	}
	b := &Binding{module: m, config: cfg, name: name}
	i, _, err := b.acquire(ctx)
	if err != nil {
		b.Close()
		return nil, err
	}
	m.pool.release(i)
	return b, nil
}

// Module is the one that is bound.
func (b *Binding) Module() *Module { return b.module }

// Close lets go of the configuration and the module. A Run that is under way
// ends properly. It is idempotent.
func (b *Binding) Close() {
	if !b.closed.Swap(true) {
		b.module.configs.release(b.config)
		b.module.release()
	}
}

// Run implements [pipeline.Stage]. It fails only when the guest cannot be
// started or opened, or ctx ends.
func (b *Binding) Run(ctx context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	for len(in) > 0 {
		n := b.take(in)
		next, err := b.batch(ctx, in[:n], out)
		if err != nil {
			return nil, err
		}
		in, out = in[n:], next
	}
	return out, nil
}

// RunOne is Run for one item, and returns the fuel that the guest used on it
// too: where it failed, on the try that came first.
func (b *Binding) RunOne(ctx context.Context, item pipeline.Item) (out []pipeline.Item, fuel int64, err error) {
	i, h, err := b.acquire(ctx)
	if err != nil {
		return nil, 0, err
	}
	in, before := []pipeline.Item{item}, i.fuelUsed()
	out, err = i.run(b.config, h, in, nil)
	fuel = i.fuelUsed() - before
	if err == nil {
		b.module.pool.release(i)
		return out, fuel, nil
	}
	out, err = b.isolate(ctx, i, err, in, nil)
	return out, fuel, err
}

// take returns how many of the items make one call.
func (b *Binding) take(in []pipeline.Item) int {
	l := &b.module.runtime.limits
	size := 0
	for k := range in {
		size += in[k].Event.Size()
		if k == l.BatchEvents || k > 0 && size > l.BatchBytes {
			return k
		}
	}
	return len(in)
}

// acquire returns an instance that has the configuration open.
func (b *Binding) acquire(ctx context.Context) (*instance, uint32, error) {
	i, err := b.module.pool.acquire(ctx)
	if err != nil {
		return nil, 0, b.unable(err)
	}
	return b.opened(i)
}

// opened returns i with its handle of the configuration. When that fails it has
// let go of i.
func (b *Binding) opened(i *instance) (*instance, uint32, error) {
	i.plugin = b.name
	h, err := i.handle(b.config)
	if err == nil {
		return i, h, nil
	}
	if sound := (*ConfigError)(nil); errors.As(err, &sound) {
		b.module.pool.release(i)
	} else {
		b.module.pool.drop(i)
	}
	return nil, 0, err
}

// unable names the plugin in an error of making an instance.
func (b *Binding) unable(err error) error {
	if g := (*GuestError)(nil); errors.As(err, &g) {
		g.Plugin = b.name
		return g
	}
	return fmt.Errorf("plugin %s: %w", b.name, err)
}

// batch makes one call. When the guest fails it, each event is run alone.
func (b *Binding) batch(ctx context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	i, h, err := b.acquire(ctx)
	if err != nil {
		return nil, err
	}
	next, err := i.run(b.config, h, in, out)
	if err == nil {
		b.module.pool.release(i)
		return next, nil
	}
	return b.isolate(ctx, i, err, in, out)
}

// isolate runs the events of a batch that failed on i by cause, one by one. An event
// fails only when it fails alone on a fresh instance.
func (b *Binding) isolate(ctx context.Context, i *instance, cause error, in, out []pipeline.Item) ([]pipeline.Item, error) {
	i, h, err := b.renew(ctx, i)
	if err != nil {
		return nil, err
	}
	fresh, failed := true, false
	for k := 0; k < len(in); {
		next, err := i.run(b.config, h, in[k:k+1], out)
		if err == nil {
			out, fresh = next, false
			k++
			continue
		}
		if fresh {
			item := in[k]
			item.Err = err
			out, failed = append(out, item), true
			if k++; k == len(in) {
				b.module.pool.drop(i)
				return out, nil
			}
		}
		if i, h, err = b.renew(ctx, i); err != nil {
			return nil, err
		}
		fresh = true
	}
	if !failed {
		i.log(abi.Warn, fmt.Sprintf("a batch of %d events failed (%v), and each of them passed alone: the plugin depends on what it saw before", len(in), cause))
	}
	b.module.pool.release(i)
	return out, nil
}

// renew replaces an instance that failed by a fresh one.
func (b *Binding) renew(ctx context.Context, i *instance) (*instance, uint32, error) {
	if err := ctx.Err(); err != nil {
		b.module.pool.drop(i)
		return nil, 0, err
	}
	i, err := b.module.pool.replace(ctx, i)
	if err != nil {
		return nil, 0, b.unable(err)
	}
	return b.opened(i)
}
