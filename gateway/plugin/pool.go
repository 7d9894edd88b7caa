package plugin

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// pool holds a module's instances: at most a fixed number, the last used
// first, so that a module with little work keeps few warm.
//
// A caller holds a token from acquire to release or drop; there are as many
// tokens as instances may serve. An instance that is worn out goes on serving
// until another, made beside it, is ready.
type pool struct {
	module *Module
	tokens chan struct{}

	mu      sync.Mutex // guards what follows, and instance.retire
	idle    []*instance
	busy    int
	warming bool      // a replacement is being made
	notYet  time.Time // when the next may be, after one failed
	closed  bool
}

func (p *pool) init(m *Module, size int64) {
	p.module = m
	p.tokens = make(chan struct{}, size)
}

// acquire waits for a token and returns an instance for its holder alone. A
// new one is made for the plugin of that name.
func (p *pool) acquire(ctx context.Context, name string) (*instance, error) {
	select {
	case p.tokens <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	i, err := p.take()
	if i == nil && err == nil {
		i, err = newInstance(ctx, p.module, name, nil, nil)
		if err != nil {
			p.drop(nil)
		}
	}
	return i, err
}

// take returns an idle instance, or nil when there is none. It gives back the
// token when the pool is closed.
func (p *pool) take() (*instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		<-p.tokens
		return nil, ErrClosed
	}
	p.busy++
	n := len(p.idle)
	if n == 0 {
		return nil, nil
	}
	i := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return i, nil
}

// release gives back an instance on which nothing went wrong, and the token.
func (p *pool) release(i *instance) {
	i.tape = nil
	worn := p.worn(i)
	p.mu.Lock()
	keep := !p.closed && !i.retire && p.room(i)
	if keep {
		p.idle = append(p.idle, i)
	}
	if keep && worn && !p.warming && time.Now().After(p.notYet) {
		p.renew(i)
	}
	p.mu.Unlock()
	if keep {
		i = nil
	}
	p.drop(i)
}

// renew has a replacement made for worn, which serves until then.
func (p *pool) renew(worn *instance) {
	open := slices.Collect(maps.Keys(worn.handles))
	if p.warming = p.module.runtime.start(func() { p.warm(worn, open) }); p.warming {
		p.busy++ // so that the module is not freed meanwhile
	}
}

// worn reports whether i has served long enough: by its uses, its age, or the
// memory that it has grown to.
func (p *pool) worn(i *instance) bool {
	l := &p.module.limits
	most := int64(l.pages()) * pageBytes
	return i.uses >= l.InstanceUses || time.Since(i.born) >= l.InstanceAge || i.bytes() > i.size+(most-i.size)/4*3
}

// room reports whether i may wait for work beside those that do.
func (p *pool) room(i *instance) bool {
	bytes := i.bytes()
	for _, other := range p.idle {
		bytes += other.bytes()
	}
	return len(p.idle) == 0 || bytes <= p.module.limits.IdleBytes
}

// warm makes an instance with the configurations open that worn has, and lets
// it take its place.
func (p *pool) warm(worn *instance, open []*config) {
	fresh, err := newInstance(context.Background(), p.module, "", nil, nil)
	for _, cfg := range open {
		if err == nil {
			_, err = fresh.handle(cfg)
		}
	}
	p.mu.Lock()
	p.warming = false
	spare := fresh
	switch {
	case err != nil:
		p.notYet = time.Now().Add(time.Minute) // worn goes on, which it can
	case !p.closed:
		p.idle = append(p.idle, fresh)
		worn.retire = true
		spare = nil
		if k := slices.Index(p.idle, worn); k >= 0 {
			p.idle = slices.Delete(p.idle, k, k+1)
			spare = worn
		}
	}
	p.mu.Unlock()
	if spare != nil {
		spare.close()
	}
	p.leave()
}

// drop closes an instance, which may be nil, and gives back the token.
func (p *pool) drop(i *instance) {
	if i != nil {
		i.close()
	}
	p.leave()
	<-p.tokens
}

// leave is the end of someone who was busy.
func (p *pool) leave() {
	p.mu.Lock()
	p.busy--
	last := p.closed && p.busy == 0
	p.mu.Unlock()
	if last {
		p.module.free()
	}
}

// replace closes i and makes a fresh instance for the same holder, whose calls
// of the host are recorded. When that fails the token is given back.
func (p *pool) replace(ctx context.Context, i *instance, name string) (*instance, error) {
	i.close()
	fresh, err := newInstance(ctx, p.module, name, &tape{}, nil)
	if err != nil {
		p.drop(nil)
	}
	return fresh, err
}

// put adds an instance that was made without a token, before the pool is used.
func (p *pool) put(i *instance) { p.idle = append(p.idle, i) }

// close closes the idle instances now and the others as they come back; the
// last one frees the module.
func (p *pool) close() {
	p.mu.Lock()
	idle, last := p.idle, p.busy == 0 && !p.closed
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, i := range idle {
		i.close()
	}
	if last {
		p.module.free()
	}
}
