package plugin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"

	"github.com/headgate/headgate/gateway/event"
)

// ErrClosed is returned for the use of a runtime, module or binding after its
// Close.
var ErrClosed = errors.New("plugin is closed")

// InvalidError says why a module was refused at load: everything that is
// wrong with it, at once.
type InvalidError struct {
	Problems []string
}

// Error lists the problems.
func (e *InvalidError) Error() string {
	return "module refused: " + strings.Join(e.Problems, "; ")
}

func refuse(format string, args ...any) *InvalidError {
	return &InvalidError{Problems: []string{fmt.Sprintf(format, args...)}}
}

// ConfigError says that a guest refused a configuration, in the guest's words.
type ConfigError struct {
	Plugin string
	Text   string
}

// Error names the plugin and gives the guest's words.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("plugin %s refuses the configuration: %s", e.Plugin, e.Text)
}

// Fault is how a guest failed.
type Fault string

// The faults of a guest.
const (
	// Failed: the guest said so itself, in words.
	Failed Fault = "failed"
	// Trapped: the guest was stopped by the runtime, or exited.
	Trapped Fault = "trapped"
	// OutOfFuel: the guest was stopped because it worked too long.
	OutOfFuel Fault = "out of fuel"
	// TooDeep: the guest was stopped because its calls were too deep.
	TooDeep Fault = "over the call depth"
	// OverLimit: the guest was stopped at another limit.
	OverLimit Fault = "over the limit"
	// Breach: the guest's answer broke the ABI.
	Breach Fault = "broke the contract"
	// BadOutput: an output is not a valid event, or too large.
	BadOutput Fault = "made an invalid event"
)

// GuestError says how a guest failed on an event, or as a whole.
type GuestError struct {
	Plugin string // as given to Bind; empty while a module is loaded
	Digest string
	Func   string // the export that was called
	Fault  Fault
	Text   string // one line, for humans
	// Fuel is what the event used, as far as the guest came; where it did not
	// say which event it was at, what all the events of the call used.
	Fuel     int64
	Position event.Position // of the event, where it is known
	// At is the guest's function that trapped, below those of its language's
	// runtime; Trace is its stack, a function to a line, innermost first. Both
	// are empty where nothing is known.
	At    string
	Trace string

	cause error
}

// Unwrap returns the guest's exit, when it was one.
func (e *GuestError) Unwrap() error { return e.cause }

// Error is one line, without the trace.
func (e *GuestError) Error() string {
	var b strings.Builder
	b.WriteString("plugin ")
	if e.Plugin != "" {
		b.WriteString(e.Plugin + " ")
	}
	if n := len("sha256:") + 12; len(e.Digest) > n {
		b.WriteString("(" + e.Digest[:n] + ") ")
	}
	b.WriteString(string(e.Fault))
	if e.Fault != Failed {
		b.WriteString(" in " + e.Func)
	}
	if e.At != "" {
		b.WriteString(" at " + e.At)
	}
	if e.Text != "" {
		b.WriteString(": " + e.Text)
	}
	return b.String()
}

// breach is an answer that broke the ABI. Host functions panic with it, which
// traps the guest.
type breach string

func (b breach) Error() string { return string(b) }

func breachf(format string, args ...any) breach { return breach(fmt.Sprintf(format, args...)) }

// overLimit is what host functions panic with at a limit.
type overLimit string

func (o overLimit) Error() string { return string(o) }

// limitf is for a guest that did too many or too much of what, of which the
// limit of that name and value allows no more.
func limitf(what, name string, value int64) overLimit {
	return overLimit(fmt.Sprintf("too many %s: the limit of %s is %d", what, name, value))
}

// trap turns the error of a call into a GuestError. stderr is what the guest
// wrote to its standard error during the call.
func trap(err error, stderr []byte) *GuestError {
	text, trace, _ := strings.Cut(err.Error(), "\nwasm stack trace:\n")
	g := &GuestError{Fault: Trapped, Trace: strings.ReplaceAll(trace, "\t", "")}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "wasm error: "), " (recovered by wazero)")
	var b breach
	var o overLimit
	var exit *sys.ExitError
	switch {
	case errors.As(err, &b):
		g.Fault, text = Breach, string(b)
	case errors.As(err, &o):
		g.Fault, text = OverLimit, string(o)
	case errors.As(err, &exit):
		g.cause, text = exit, fmt.Sprintf("exit with code %d", exit.ExitCode())
	}
	if text == "stack overflow" { // wazero's own ceiling
		g.Fault = TooDeep
	}
	if line := lastWords(stderr); line != "" && g.Fault == Trapped {
		text = line + " (" + text + ")"
	}
	g.Text = text
	return g
}

// lastWords finds in what a guest wrote to its standard error the line with
// which a language runtime says why it stops.
func lastWords(stderr []byte) string {
	for line := range strings.Lines(string(stderr)) {
		for _, start := range []string{"panic: ", "fatal error: ", "runtime: out of memory", "thread '"} {
			if strings.HasPrefix(line, start) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}
