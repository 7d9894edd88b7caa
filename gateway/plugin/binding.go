package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/headgate/headgate/gateway/pipeline"
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
	b, err := m.BindLater(kind, text, name)
	if err != nil {
		return nil, err
	}
	if err := b.Warm(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// BindLater is [Module.Bind] of a configuration that the guest has taken
// before: it is asked when the binding is first used, or by [Binding.Warm].
func (m *Module) BindLater(kind Kind, text []byte, name string) (*Binding, error) {
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
	return &Binding{module: m, config: cfg, name: name}, nil
}

// Warm makes sure that there is an instance which has the configuration open.
func (b *Binding) Warm(ctx context.Context) error {
	i, _, err := b.acquire(ctx)
	if err == nil {
		b.module.pool.release(i)
	}
	return err
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
// started or opened, when it kept trapping and the events are to wait (a
// [*BreakerError]), or when ctx ends.
func (b *Binding) Run(ctx context.Context, in, out []pipeline.Item) ([]pipeline.Item, error) {
	probe, open := b.config.breaker.enter()
	if open != nil {
		return b.wait(open, in, out)
	}
	a := attempt{b: b, ctx: ctx}
	defer a.end()
	return a.run(probe, in, out)
}

// RunOne is Run for one item, and returns the fuel that the guest used on it
// too, also when it dropped the event.
func (b *Binding) RunOne(ctx context.Context, item pipeline.Item) (out []pipeline.Item, fuel int64, err error) {
	in := []pipeline.Item{item}
	probe, open := b.config.breaker.enter()
	if open != nil {
		out, err = b.wait(open, in, nil)
		return out, 0, err
	}
	a := attempt{b: b, ctx: ctx}
	defer a.end()
	out, err = a.run(probe, in, nil)
	return out, a.fuel, err
}

// wait is what becomes of events while the breaker is open.
func (b *Binding) wait(open *BreakerError, in, out []pipeline.Item) ([]pipeline.Item, error) {
	if !b.module.breaker.DeadLetter {
		return nil, open
	}
	for _, item := range in {
		item.Err = open
		out = append(out, item)
	}
	return out, nil
}

// Open reports the error that events get because the plugin kept trapping with
// this configuration; nil while it runs.
func (b *Binding) Open() *BreakerError { return b.config.breaker.state() }

// take returns how many of the items make one call.
func (b *Binding) take(in []pipeline.Item) int {
	l := &b.module.limits
	size := int64(0)
	for k := range in {
		size += int64(in[k].Event.Size())
		if int64(k) == l.BatchEvents || k > 0 && size > l.BatchBytes {
			return k
		}
	}
	return len(in)
}

// acquire returns an instance that has the configuration open.
func (b *Binding) acquire(ctx context.Context) (*instance, uint32, error) {
	i, err := b.module.pool.acquire(ctx, b.name)
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
		b.startTrapped(err, i)
	}
	return nil, 0, err
}

// unable names the plugin in an error of making an instance.
func (b *Binding) unable(err error) error {
	if g := (*GuestError)(nil); errors.As(err, &g) {
		b.startTrapped(g, nil)
		return g
	}
	return fmt.Errorf("plugin %s: %w", b.name, err)
}

// startTrapped reports that an instance could not be started, or on i the
// configuration not opened.
func (b *Binding) startTrapped(err error, i *instance) {
	if g := (*GuestError)(nil); errors.As(err, &g) {
		b.module.notify(Notice{What: StartTrapped, Plugin: b.name, Err: g, Bundle: b.bundle(i, nil, g)})
	}
}
