// Package admission takes a module apart and tries it out before it is let in:
// what it is, what it needs, what it costs, and what could be better.
package admission

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/schema"
	"github.com/headgate/headgate/sdk/abi"
)

// Report is what is known of a module.
type Report struct {
	// What the module says of itself; empty when it is refused.
	Name         string          `json:"name,omitempty"`
	Description  string          `json:"description,omitempty"`
	Kinds        []string        `json:"kinds"`
	Config       json.RawMessage `json:"configSchema,omitempty"`
	Features     []string        `json:"features,omitempty"`
	Capabilities []string        `json:"capabilities,omitempty"` // that it wants

	// What its bytes tell.
	Digest    string   `json:"digest"`
	Size      int      `json:"size"`
	Functions int      `json:"functions"`
	Imports   []string `json:"imports"`
	Exports   []string `json:"exports"`
	MinMemory uint64   `json:"minMemory"`           // bytes that an instance starts with
	MaxMemory uint64   `json:"maxMemory,omitempty"` // that the module itself allows; 0 for no bound

	// How long it took here to compile it, and to start an instance of it.
	Compile time.Duration `json:"compileNs,omitempty"`
	Start   time.Duration `json:"startNs,omitempty"`

	// Trials are what it made of events.
	Trials []Trial `json:"trials,omitempty"`

	// Refused is why a gateway would not take it; empty when it would.
	Refused  []string  `json:"refused,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
}

// Warning is something about a module that works but could be better, or why
// it does not, and what to do about it.
type Warning struct {
	Text string `json:"text"`
	Hint string `json:"hint"`
}

// Options say how a module is to be loaded and tried.
type Options struct {
	// CacheDir and the limits are as in [plugin.Options]. Without a cache, the
	// module is compiled for each run anew.
	CacheDir          string
	Limits, MaxLimits plugin.Limits
	// Load is how the gateway will load it; its breaker does not count, since a
	// trial shows each event's own fate.
	Load plugin.LoadOptions
	// Uses are what it will be used for; none stands for each of its kinds, with
	// the configuration {}, on Events.
	Uses   []Use
	Events []pipeline.Item
	// Time bounds each of the two runs of a trial; 0 means 5 seconds.
	Time time.Duration
}

// Inspect takes a module apart and tries it. A module that a gateway would
// refuse has a report too, which says why; an error is about something else.
func Inspect(ctx context.Context, wasm []byte, o Options) (*Report, error) {
	sum := sha256.Sum256(wasm)
	r := &Report{
		Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: len(wasm),
		Kinds: []string{}, Imports: []string{}, Exports: []string{},
	}
	a, unreadable := dissect(wasm)
	r.Functions, r.MinMemory, r.MaxMemory = a.functions, a.minPages*pageBytes, a.maxPages*pageBytes
	r.Imports, r.Exports = append(r.Imports, a.imports...), append(r.Exports, a.exports...)
	if err := r.judge(ctx, wasm, o); err != nil {
		return nil, err
	}
	if unreadable == nil {
		r.warn(a)
	}
	return r, nil
}

const pageBytes = 64 << 10

// judge has the host load the module, and tries it when it can be loaded.
func (r *Report) judge(ctx context.Context, wasm []byte, o Options) error {
	o.Load.Breaker = plugin.Breaker{Traps: -1, DeadLetter: true}
	rt, err := plugin.NewRuntime(ctx, plugin.Options{CacheDir: o.CacheDir, Limits: o.Limits, MaxLimits: o.MaxLimits})
	if err != nil {
		return err
	}
	defer rt.Close(context.WithoutCancel(ctx))
	begin := time.Now()
	m, err := rt.LoadWith(ctx, wasm, o.Load)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if invalid := (*plugin.InvalidError)(nil); errors.As(err, &invalid) {
		r.Refused = invalid.Problems
		return nil
	}
	if err != nil {
		r.Refused = []string{err.Error()}
		return nil
	}
	r.Compile = time.Since(begin)
	info := m.Info()
	m.Close()
	r.Name, r.Description, r.Kinds, r.Config = info.Name, info.Description, KindNames(info.Kinds), info.Config
	r.Features, r.Capabilities = info.Features, info.Capabilities
	if info.Config != nil {
		if _, err := schema.Parse(info.Config); err != nil {
			r.Refused = []string{"the JSON Schema of its configuration cannot be used: " + err.Error()}
			return nil
		}
	}
	return r.try(ctx, rt, wasm, info, o)
}

// KindNames are the kinds as a description writes them.
func KindNames(kinds []plugin.Kind) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.String()
	}
	return names
}

// What is unusually large for a plugin: one in Go is 2 MB.
const (
	largeModule = 8 << 20
	largeMemory = 16 << 20
)

// warn looks for what authors overlook.
func (r *Report) warn(a anatomy) {
	add := func(hint, format string, args ...any) {
		r.Warnings = append(r.Warnings, Warning{fmt.Sprintf(format, args...), hint})
	}
	if a.starts {
		add("Build a reactor. Go: -buildmode=c-shared, which 'headgate plugin build' uses; Rust: crate-type cdylib; C: -mexec-model=reactor.",
			"it is a command: it exports _start, which runs once and ends")
	}
	if missing := missingExports(a.exports); len(missing) > 0 {
		add("Link the SDK of your language, or export them as sdk/ABI.md says.", "it lacks the exports %s", strings.Join(missing, ", "))
	}
	if a.debug > 0 {
		add("Go: -ldflags=-w; Rust: strip = true; C: -g0; or run wasm-strip.", "%d KiB of it are debug information, which no gateway reads", (a.debug+1023)>>10)
	}
	if a.names > 0 {
		add("Keep them for traces of traps with the functions' names; else build with 'headgate plugin build', or -ldflags=-s.",
			"%d KiB of it are names of functions", (a.names+1023)>>10)
	}
	if r.Size > largeModule {
		add("Look for what it links: in Go, fmt, encoding/json and reflect are most of many modules.", "it has %d MiB", r.Size>>20)
	}
	if r.MinMemory > largeMemory {
		add("Every instance has that much. Make large tables when they are needed.", "an instance starts with %d MiB of memory", r.MinMemory>>20)
	}
	if len(r.Refused) == 0 && r.Config == nil {
		add("Describe it (sdk.Plugin.Config), and a route with a misspelt member is refused when it is put.", "it has no schema of its configuration")
	}
	r.warnOfTrials(add)
	if len(r.Capabilities) > 0 {
		add("Whoever installs it must grant them.", "it wants %s", strings.Join(r.Capabilities, ", "))
	}
}

// missingExports are those that every plugin needs.
func missingExports(exports []string) (missing []string) {
	have := map[string]bool{}
	for _, e := range exports {
		name, _, _ := strings.Cut(e, " ")
		have[name] = true
	}
	for _, name := range []string{abi.ExportMemory, abi.ExportDescribe, abi.ExportAlloc, abi.ExportOpen, abi.ExportClose} {
		if !have[name] {
			missing = append(missing, name)
		}
	}
	if !have[abi.ExportFilter] && !have[abi.ExportTransform] {
		missing = append(missing, abi.ExportFilter+" or "+abi.ExportTransform)
	}
	return missing
}
