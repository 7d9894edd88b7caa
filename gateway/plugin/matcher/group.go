package matcher

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/headgate/headgate/gateway/filter"
)

// group is up to [filter.MaxFilters] members in one compiled module, shared by
// the sets and matchers that use it. The last to release it closes the module.
type group struct {
	members  []*member // by bit, in their order
	program  *filter.Program
	compiled wazero.CompiledModule
	data     uint64 // the bits of members that read the event's data
	users    atomic.Int64
}

// newGroup compiles members into a group with one user.
func (r *Runtime) newGroup(ctx context.Context, members []*member) (*group, error) {
	g := &group{members: members}
	filters := make([]*filter.Filter, len(members))
	for bit, m := range members {
		filters[bit] = m.filter
		if slices.ContainsFunc(m.filter.Fields(), readsData) {
			g.data |= 1 << bit
		}
	}
	g.program = filter.Compile(filters)
	var err error
	if g.compiled, err = r.wasm.CompileModule(ctx, g.program.Module); err != nil {
		return nil, fmt.Errorf("compile %d filters, the first of them %.100q: %w", len(filters), filters[0], err)
	}
	g.program.Module = nil // it is not needed any more
	g.users.Store(1)
	return g, nil
}

func (g *group) retain() { g.users.Add(1) }

func (g *group) release() {
	if g.users.Add(-1) == 0 {
		g.compiled.Close(context.Background())
	}
}
