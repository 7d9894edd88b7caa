// Package plugin is the Wasm host: it loads the modules that users upload and
// runs them, sandboxed, as stages of a pipeline.
//
// A [Runtime] loads bytes into a [Module], which is shared by everyone who
// loads the same bytes. [Module.Bind] ties a module to a configuration; the
// [Binding] is a pipeline stage. A module keeps a bounded pool of instances
// that serve all its bindings, a batch of events to a call.
//
// What a guest does is taken for hostile. It has no files, network,
// environment, clock or randomness of the real world; it stops when its
// memory or fuel is used up; every number that it answers is checked. An
// instance on which anything went wrong is never used again, and of the batch
// only the events that fail alone, on a fresh instance, are failed.
//
// The contract with guests is sdk/ABI.md.
package plugin

import (
	"encoding/json"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/sdk/abi"
)

// Kind is what a plugin does to events.
type Kind = abi.Kind

// The kinds of a plugin; one module may be both.
const (
	Filter    = abi.Filter
	Transform = abi.Transform
)

// Info is what is known of a module once it is loaded.
type Info struct {
	// Digest names the module's bytes: "sha256:" and 64 hex digits.
	Digest string
	Size   int // of the uploaded module, in bytes

	// What the module says of itself.
	Name         string
	Description  string
	Kinds        []Kind
	Config       json.RawMessage // JSON Schema; nil when it gave none
	Features     []string
	Capabilities []string
}

// Log is a line that a guest wrote, by the ABI or to its standard output
// (level Info) or standard error (level Error), or that the host wrote about it.
type Log struct {
	// Plugin is the name given to [Module.Bind]; empty while the module is
	// loaded or an instance is made.
	Plugin string
	Digest string
	Level  abi.Level
	// Position is that of the event that the guest was at; zero when it was at
	// none, or did not say.
	Position event.Position
	Text     string
}

// Limits bound what a guest may use. A zero field takes its value from
// [DefaultLimits].
type Limits struct {
	ModuleBytes int // of an uploaded module
	MemoryBytes int // linear memory of an instance; rounded down to pages of 64 KiB
	Instances   int // of a module; more calls wait

	BatchEvents int // events in a call
	BatchBytes  int // size of the events in a call; a larger event is alone
	OutputBytes int // what a call of a transform may answer, copies included
	LogBytes    int // text of the log lines kept of a call

	// Fuel is counted in WebAssembly instructions, roughly: see package meter.
	EventFuel int64 // for one event
	StartFuel int64 // for starting an instance or opening a configuration
}

// DefaultLimits are generous for honest plugins. EventFuel is some tens of
// milliseconds of work.
func DefaultLimits() Limits {
	return Limits{
		ModuleBytes: 32 << 20,
		MemoryBytes: 64 << 20,
		Instances:   4,
		BatchEvents: 256,
		BatchBytes:  2 << 20,
		OutputBytes: 16 << 20,
		LogBytes:    64 << 10,
		EventFuel:   50_000_000,
		StartFuel:   2_000_000_000,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orDefault(&l.ModuleBytes, d.ModuleBytes)
	orDefault(&l.MemoryBytes, d.MemoryBytes)
	orDefault(&l.Instances, d.Instances)
	orDefault(&l.BatchEvents, d.BatchEvents)
	orDefault(&l.BatchBytes, d.BatchBytes)
	orDefault(&l.OutputBytes, d.OutputBytes)
	orDefault(&l.LogBytes, d.LogBytes)
	orDefault(&l.EventFuel, d.EventFuel)
	orDefault(&l.StartFuel, d.StartFuel)
	return l
}

func orDefault[T int | int64](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
