package catalog

import (
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// VersionStats are what a version did since the server started.
type VersionStats struct {
	Events  uint64 `json:"events"`
	Calls   uint64 `json:"calls"`   // of a batch of events each
	Traps   uint64 `json:"traps"`   // calls that ended an instance
	Fuel    int64  `json:"fuel"`    // that the events used
	MaxFuel int64  `json:"maxFuel"` // that one of them used
	// P50Micros and P99Micros are the time that so many percent of the events
	// took at most, in microseconds.
	P50Micros float64 `json:"p50Micros"`
	P99Micros float64 `json:"p99Micros"`
}

// LogLevels are the levels of a plugin's lines, in order.
var LogLevels = []string{"debug", "info", "warn", "error"}

// PluginLogs are the latest lines of a plugin.
type PluginLogs struct {
	Items   []PluginLogLine `json:"items"`   // the latest first
	Dropped uint64          `json:"dropped"` // lines that made room for later ones
}

// PluginLogLine is a line that a plugin wrote, or that the server says of it.
type PluginLogLine struct {
	At       time.Time      `json:"at"`
	Version  int            `json:"version"`
	Level    string         `json:"level"`
	Text     string         `json:"text"`
	From     string         `json:"from"` // "plugin" or "server"
	Position event.Position `json:"position,omitzero"`
	Trap     string         `json:"trap,omitempty"` // that the line is about
}

// TrapGroup is the traps of one version of a plugin with one cause.
type TrapGroup struct {
	ID     string    `json:"id"`
	Plugin string    `json:"plugin"` // "name@version"
	Digest string    `json:"digest"`
	Kind   string    `json:"kind"`
	Fault  string    `json:"fault"`
	Cause  string    `json:"cause"` // what the plugin said, without what differs
	At     string    `json:"at,omitempty"`
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Latest Trap      `json:"latest"`
}
