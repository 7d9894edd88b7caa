package plugin

import (
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// Notice is something about a plugin that whoever runs the gateway should know.
type Notice struct {
	What     What
	Plugin   string // as given to [Module.Bind]; empty while a module is loaded
	Digest   string
	Position event.Position // of the event that it is about, if any
	Err      error          // what the guest did: a [*GuestError]
	// Bundle names the file in Options.TrapDir that reproduces it; empty when
	// there is none.
	Bundle string
	// Until is when an open breaker lets the next events through.
	Until time.Time
}

// What a notice is about.
type What string

// The kinds of notices.
const (
	// EventTrapped: an event failed alone, on a fresh instance.
	EventTrapped What = "trap"
	// StartTrapped: an instance could not be started, or a configuration opened.
	StartTrapped What = "startTrap"
	// StateDependent: a batch failed at an event that then passed alone, on a
	// fresh instance: the plugin depends on what it saw before.
	StateDependent What = "stateDependent"
	// BreakerOpened and BreakerClosed: a plugin with its configuration trapped
	// too often, and works again.
	BreakerOpened What = "breakerOpened"
	BreakerClosed What = "breakerClosed"
)

// Use is what one call of a guest took.
type Use struct {
	Plugin, Digest string
	Kind           Kind
	Events         int   // that the call was about
	Fuel           int64 // that they used together
	MostFuel       int64 // that one of them used
	Elapsed        time.Duration
	Failed         bool // the call ended in a trap
}

func (m *Module) notify(n Notice) {
	n.Digest = m.info.Digest
	if f := m.runtime.options.Notify; f != nil {
		f(n)
	}
}
