package plugin

import (
	"context"
	"sync"
)

// pool holds a module's instances: at most a fixed number, the last used
// first, so that a module with little work keeps few warm.
//
// A caller holds a token from acquire to release or drop; there are as many
// tokens as instances may live.
type pool struct {
	module *Module
	tokens chan struct{}

	mu     sync.Mutex // guards what follows
	idle   []*instance
	busy   int
	closed bool
}

func (p *pool) init(m *Module, size int) {
	p.module = m
	p.tokens = make(chan struct{}, size)
}

// acquire waits for a token and returns an instance for its holder alone.
func (p *pool) acquire(ctx context.Context) (*instance, error) {
	select {
	case p.tokens <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	i, err := p.take()
	if i == nil && err == nil {
		i, err = newInstance(ctx, p.module)
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
	p.mu.Lock()
	keep := !p.closed
	if keep {
		p.idle = append(p.idle, i)
	}
	p.mu.Unlock()
	if keep {
		i = nil
	}
	p.drop(i)
}

// drop closes an instance, which may be nil, and gives back the token.
func (p *pool) drop(i *instance) {
	if i != nil {
		i.close()
	}
	p.mu.Lock()
	p.busy--
	last := p.closed && p.busy == 0
	p.mu.Unlock()
	<-p.tokens
	if last {
		p.module.free()
	}
}

// replace closes i and makes a fresh instance for the same holder. When that
// fails the token is given back.
func (p *pool) replace(ctx context.Context, i *instance) (*instance, error) {
	i.close()
	fresh, err := newInstance(ctx, p.module)
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
