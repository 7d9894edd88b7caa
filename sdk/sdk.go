// Package sdk is what the author of a Headgate plugin imports.
//
// A plugin is a main package that registers a filter, a transform or both, and
// is built into a WebAssembly module with the standard Go toolchain:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o plugin.wasm
//
// The gateway opens it with a configuration, once for each different one, and
// then calls the function that was opened for every event:
//
//	func init() { sdk.Register(sdk.Plugin{Name: "loud", Filter: open}) }
//	func main() {}
//
//	func open(config json.Value) (sdk.FilterFunc, error) {
//		return func(e *sdk.Event) (bool, error) { return e.Type() == sdk.Telemetry, nil }, nil
//	}
//
// A plugin keeps no state that matters: the gateway may run an event again,
// alone, in another batch or on another instance, and may drop an instance at
// any time. Whatever it hands to a function (the event, its strings and bytes,
// the outputs) is memory that the next event reuses: copy what is to be kept.
//
// The package uses no reflection and allocates nothing for an event. It compiles
// natively too, so that `go test` tests a plugin; see package plugintest. The
// contract beneath it is ABI.md, beside this package.
package sdk

import (
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
)

// Types of the events of Azure Digital Twins.
const (
	TwinCreate         = "Microsoft.DigitalTwins.Twin.Create"
	TwinUpdate         = "Microsoft.DigitalTwins.Twin.Update"
	TwinDelete         = "Microsoft.DigitalTwins.Twin.Delete"
	RelationshipCreate = "Microsoft.DigitalTwins.Relationship.Create"
	RelationshipUpdate = "Microsoft.DigitalTwins.Relationship.Update"
	RelationshipDelete = "Microsoft.DigitalTwins.Relationship.Delete"
	Telemetry          = "microsoft.iot.telemetry"
)

// FilterFunc says whether an event passes. An error fails that one event: it
// becomes a dead letter with the error's words, and the others go on.
type FilterFunc func(e *Event) (bool, error)

// TransformFunc adds to out what becomes of an event: nothing, to drop it, one
// output or several. An error fails that one event, whatever was added.
type TransformFunc func(e *Event, out *Outputs) error

// Plugin is what a module offers. At least one of Filter and Transform is set.
type Plugin struct {
	Name        string
	Description string // one sentence
	// Config is the JSON Schema of the configuration, as text. Without one the
	// gateway lets every configuration through to the functions below.
	Config string
	// Capabilities are what the plugin would like to have beyond the sandbox. It
	// works without them too: whoever runs the gateway grants them or not.
	Capabilities []Capability

	// Filter and Transform bind a configuration, a JSON object that stays valid
	// and is {} when the user gave none, to the function that events are then
	// given to. An error refuses the configuration, in words for its author.
	Filter    func(config json.Value) (FilterFunc, error)
	Transform func(config json.Value) (TransformFunc, error)
}

// Capability is something beyond the sandbox.
type Capability string

// The capabilities that a gateway can grant.
const (
	Clock  Capability = "clock"  // the real time, instead of the event's
	Random Capability = "random" // random numbers that nobody can foresee
)

var registered *Plugin

// Register makes p the plugin of this module. It is called once, from an init
// function, since a module's main does not run; a second call panics, and so
// does a plugin without a function or with a Config that is not JSON.
func Register(p Plugin) {
	if registered != nil {
		panic("sdk: Register was called before, for plugin " + registered.Name)
	}
	p.check()
	registered = &p
}

// Registered returns the plugin of this module, and whether there is one. Tests
// of a plugin reach it by this.
func Registered() (Plugin, bool) {
	if registered == nil {
		return Plugin{}, false
	}
	return *registered, true
}

func (p *Plugin) check() {
	if p.Filter == nil && p.Transform == nil {
		panic("sdk: plugin " + p.Name + " has neither a Filter nor a Transform")
	}
	if p.Config == "" {
		return
	}
	if _, err := json.Parse([]byte(p.Config)); err != nil {
		panic("sdk: plugin " + p.Name + ": Config: " + err.Error())
	}
}

// Level is the severity of a log line.
type Level = abi.Level

// The levels of a log line.
const (
	Debug = abi.Debug
	Info  = abi.Info
	Warn  = abi.Warn
	Error = abi.Error
)

// Log writes a line to the plugin's log, which the gateway bounds. In a native
// test it goes to standard error.
func Log(level Level, text string) { hostLog(uint32(level), text) }
