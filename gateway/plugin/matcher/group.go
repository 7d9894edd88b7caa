package matcher

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/headgate/headgate/gateway/filter"
)

// group is up to [filter.MaxFilters] members in one compiled module, shared by
// the sets and matchers that use it. The last to release it closes the module.
type group struct {
	members []*member // by bit, in their order
	data    uint64    // the bits of members that read the event's data
	users   atomic.Int64

	once sync.Once // makes what follows
	program
	err error
}

// program is what a group's members are compiled to.
type program struct {
	fields   []filter.Field
	literals []filter.Value
	compiled wazero.CompiledModule
}

// newGroup returns a group of members with one user, to be compiled.
func newGroup(members []*member) *group {
	g := &group{members: members}
	for bit, m := range members {
		if slices.ContainsFunc(m.filter.Fields(), readsData) {
			g.data |= 1 << bit
		}
	}
	g.users.Store(1)
	return g
}

// compile compiles the group, unless that was done before. It returns when it is
// done, whoever does it.
func (g *group) compile(r *Runtime) error {
	g.once.Do(func() {
		filters := make([]*filter.Filter, len(g.members))
		for bit, m := range g.members {
			filters[bit] = m.filter
		}
		p := filter.Compile(filters)
		g.fields, g.literals = p.Fields, p.Literals
		if g.compiled, g.err = r.wasm.CompileModule(context.Background(), p.Module); g.err != nil {
			g.err = fmt.Errorf("compile %d filters, the first of them %.100q: %w", len(filters), filters[0], g.err)
		}
	})
	return g.err
}

func (g *group) retain() { g.users.Add(1) }

// hold is retain for one who is no user yet; it reports false when the last user
// has gone.
func (g *group) hold() bool {
	for {
		n := g.users.Load()
		if n == 0 {
			return false
		}
		if g.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *group) release() {
	if g.users.Add(-1) == 0 && g.compiled != nil {
		g.compiled.Close(context.Background())
	}
}
