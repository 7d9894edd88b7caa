// Package plugin is the Wasm host: it loads the modules that users upload and
// runs them, sandboxed, as stages of a pipeline.
//
// A [Runtime] loads bytes into a [Module], which is shared by everyone who
// loads the same bytes. [Module.Bind] ties a module to a configuration; the
// [Binding] is a pipeline stage. A module keeps a bounded pool of instances
// that serve all its bindings, a batch of events to a call.
//
// What a guest does is taken for hostile. It has no files, network,
// environment, clock or randomness of the real world (unless it is granted the
// last two); it stops when its memory or fuel is used up; every number that it
// answers is checked. An
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
	Config       json.RawMessage `json:",omitempty"` // JSON Schema; nil when it gave none
	Features     []string
	Capabilities []string // that it wants
	Granted      []string // of those, what [LoadOptions] grant
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
