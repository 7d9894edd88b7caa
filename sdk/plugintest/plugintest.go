// Package plugintest tests plugins.
//
// A [Guest] runs a plugin natively, inside `go test`, through the same arenas
// that the gateway uses, so that a test needs no WebAssembly. [Build] makes the
// WebAssembly module for tests that do.
package plugintest

import (
	"reflect"
	"testing"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
)

// Guest runs a plugin for a test. Every method runs the events twice, as one
// batch and each alone on a fresh guest, and fails the test where the answers
// differ, since the gateway may do either.
type Guest struct {
	t      testing.TB
	plugin sdk.Plugin
}

// New returns a guest that runs p.
func New(t testing.TB, p sdk.Plugin) *Guest { return &Guest{t: t, plugin: p} }

// Registered returns a guest that runs the plugin that the package under test
// has registered, or an import of it.
func Registered(t testing.TB) *Guest {
	t.Helper()
	p, ok := sdk.Registered()
	if !ok {
		t.Fatal("plugintest: no plugin was registered; import its package")
	}
	return New(t, p)
}

// Verdict is what a filter says of an event. With Err the event failed.
type Verdict struct {
	Pass bool
	Err  string
}

// Result is what a transform makes of an event. With Err the event failed.
type Result struct {
	Outputs []Output
	Err     string
}

// Filter returns the verdict on each event.
func (g *Guest) Filter(config string, events ...Event) []Verdict {
	g.t.Helper()
	return both(g, events, func(events []Event) []Verdict { return g.filter(config, events) })
}

// Transform returns what becomes of each event.
func (g *Guest) Transform(config string, events ...Event) []Result {
	g.t.Helper()
	return both(g, events, func(events []Event) []Result { return g.transform(config, events) })
}

// Refusal returns why the plugin refuses config, and fails the test if it does not.
func (g *Guest) Refusal(kind abi.Kind, config string) string {
	g.t.Helper()
	var s script
	if handle := sdk.NewGuest(g.plugin, &s).Open(kind, []byte(config)); handle >= 0 {
		g.t.Fatalf("plugintest: the %s takes config %s, want a refusal", kind, config)
	}
	return s.refusal
}

// Description returns the description that the gateway reads, JSON text.
func (g *Guest) Description() string { return string(sdk.NewGuest(g.plugin, &script{}).Describe()) }

func both[T any](g *Guest, events []Event, run func([]Event) []T) []T {
	g.t.Helper()
	if len(events) == 0 {
		return nil
	}
	got := run(events)
	for i := range events {
		if alone := run(events[i : i+1])[0]; !reflect.DeepEqual(alone, got[i]) {
			g.t.Errorf("plugintest: event %d: %+v alone, %+v in a batch; a plugin keeps no state", i, alone, got[i])
		}
	}
	return got
}

func (g *Guest) filter(config string, events []Event) []Verdict {
	g.t.Helper()
	guest, s, handle := g.open(abi.Filter, config, len(events))
	arena := guest.Alloc(arenaBytes(events))
	writeArena(arena, events)
	guest.Filter(handle, arena)

	verdicts := make([]Verdict, len(events))
	for i := range verdicts {
		verdicts[i] = Verdict{Pass: abi.Input(arena).Record(i).Verdict() == abi.Pass, Err: s.failures[i]}
	}
	return verdicts
}

func (g *Guest) transform(config string, events []Event) []Result {
	g.t.Helper()
	guest, s, handle := g.open(abi.Transform, config, len(events))
	arena := guest.Alloc(arenaBytes(events))
	writeArena(arena, events)
	out, err := abi.NewOutput(arena, guest.Transform(handle, arena))
	if err != nil {
		g.t.Fatalf("plugintest: %v", err)
	}
	results := make([]Result, len(events))
	for i := range results {
		results[i].Err = s.failures[i]
	}
	for i := range out.Count() {
		r := out.Record(i)
		result := &results[r.Input()]
		result.Outputs = append(result.Outputs, readOutput(g.t, &out, r))
	}
	return results
}

func (g *Guest) open(kind abi.Kind, config string, events int) (*sdk.Guest, *script, int32) {
	g.t.Helper()
	s := &script{failures: make([]string, events)}
	guest := sdk.NewGuest(g.plugin, s)
	handle := guest.Open(kind, []byte(config))
	if handle < 0 {
		g.t.Fatalf("plugintest: the %s refuses config %s: %s", kind, config, s.refusal)
	}
	return guest, s, handle
}

// script is a host that writes down what it is told.
type script struct {
	failures []string
	refusal  string
}

func (*script) Begin(uint32) {}

func (s *script) Fail(event uint32, words string) {
	if event == abi.NoEvent {
		s.refusal = words
		return
	}
	s.failures[event] = words
}
