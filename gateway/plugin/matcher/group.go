package matcher

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/tetratelabs/wazero"

	"github.com/headgate/headgate/gateway/filter"
)

// groupBytes bounds the texts of a group together, beyond its first filter:
// compiling takes some microseconds for each byte.
const groupBytes = 32 << 10

// group is up to [filter.MaxFilters] filters in one compiled module, shared by
// the sets and matchers that use it. The last to release it closes the module.
type group struct {
	texts    []string // canonical, by bit
	bytes    int      // of all texts
	program  *filter.Program
	compiled wazero.CompiledModule
	body     bool     // whether any filter reads the event's data
	types    []string // the event types that any filter can match …
	anyType  bool     // … unless one of them can match any
	users    atomic.Int64
}

// newGroup compiles filters into a group with one user.
func (r *Runtime) newGroup(ctx context.Context, filters []*filter.Filter) (*group, error) {
	g := &group{program: filter.Compile(filters)}
	var err error
	if g.compiled, err = r.wasm.CompileModule(ctx, g.program.Module); err != nil {
		return nil, fmt.Errorf("compile %d filters, the first of them %.100q: %w", len(filters), filters[0], err)
	}
	for _, f := range filters {
		g.texts = append(g.texts, f.String())
		g.bytes += len(f.String())
		types, ok := f.Types()
		g.types = append(g.types, types...)
		g.anyType = g.anyType || !ok
	}
	g.body = slices.ContainsFunc(g.program.Fields, readsData)
	g.users.Store(1)
	return g, nil
}

// full reports whether g is not worth compiling again to add to it.
func (g *group) full() bool {
	return len(g.texts) == filter.MaxFilters || g.bytes > groupBytes/2
}

func (g *group) retain() { g.users.Add(1) }

func (g *group) release() {
	if g.users.Add(-1) == 0 {
		g.compiled.Close(context.Background())
	}
}
