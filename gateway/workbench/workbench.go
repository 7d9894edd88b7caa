// Package workbench is where a plugin's author works: it starts a plugin
// ([New]), compiles it ([Compile]), runs its golden tests and takes it apart on
// a [Bench], which has the host that a gateway has, and watches its source
// ([Watch]).
package workbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/headgate/headgate/gateway/demo"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/admission"
)

// Bench runs modules in the real host, with its real limits. It serves one
// goroutine.
type Bench struct {
	runtime *plugin.Runtime
	cache   string

	mu    sync.Mutex // guards lines
	lines []string   // that modules logged
}

// maxLines bounds the log lines that are kept between two uses.
const maxLines = 1000

// Open makes a bench. It keeps compiled code in a temporary directory until it
// is closed, so that a module is compiled once and each test starts it afresh.
func Open(ctx context.Context) (*Bench, error) {
	dir, err := os.MkdirTemp("", "headgate-bench-")
	if err != nil {
		return nil, err
	}
	b := &Bench{cache: dir}
	b.runtime, err = plugin.NewRuntime(ctx, plugin.Options{CacheDir: dir, Log: b.log})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

func (b *Bench) log(l plugin.Log) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines) < maxLines {
		b.lines = append(b.lines, l.Level.String()+": "+l.Text)
	}
}

// takeLines returns what was logged since it was last called.
func (b *Bench) takeLines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := b.lines
	b.lines = nil
	return lines
}

// Close ends everything that the bench holds. It is idempotent.
func (b *Bench) Close() error {
	return errors.Join(b.runtime.Close(context.Background()), os.RemoveAll(b.cache))
}

// load loads a module as a gateway does, but for the breaker, which would keep
// the later events of a test from a module that traps on the earlier ones.
func (b *Bench) load(ctx context.Context, wasm []byte) (*plugin.Module, error) {
	return b.runtime.LoadWith(ctx, wasm, plugin.LoadOptions{Breaker: plugin.Breaker{Traps: -1, DeadLetter: true}})
}

// Check loads a module as a gateway does when it is uploaded, and returns what
// it says of itself. The error lists all that is wrong with it.
func (b *Bench) Check(ctx context.Context, wasm []byte) (plugin.Info, error) {
	m, err := b.load(ctx, wasm)
	if err != nil {
		return plugin.Info{}, err
	}
	defer m.Close()
	return m.Info(), nil
}

// Inspect takes a module apart and tries it on events, or on those of a
// simulated factory when there are none.
func (b *Bench) Inspect(ctx context.Context, wasm []byte, events []event.Event) (*admission.Report, error) {
	if len(events) == 0 {
		events = demo.Samples()
	}
	items := make([]pipeline.Item, len(events))
	for i := range events {
		items[i] = pipeline.Item{Source: &events[i], Event: &events[i], Position: event.Position{Seq: 1, Index: i}}
	}
	return admission.Inspect(ctx, wasm, admission.Options{CacheDir: b.cache, Events: items})
}

// ParseKind reads "filter" or "transform".
func ParseKind(s string) (plugin.Kind, error) {
	for _, k := range []plugin.Kind{plugin.Filter, plugin.Transform} {
		if k.String() == s {
			return k, nil
		}
	}
	return 0, fmt.Errorf("kind %q: want filter or transform", s)
}
