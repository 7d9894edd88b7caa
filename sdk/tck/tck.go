// Package tck proves a host of plugins, or an SDK for writing them: a guest
// that does what each event says, and what must come of it.
//
// Package guest is the conformance guest. A host proves itself by running the
// module of it that is built from guest/module; an SDK by building the same
// guest and running that in a host that is proven. Either way [Run] says what
// is to be expected:
//
//	tck.Run(t, host{…}, tck.Options{})
//
// It asks for all that the contract allows, so a host that meters work gives
// the guest plenty, and one that leaves trapping plugins alone does not do so
// here.
package tck

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/headgate/headgate/sdk/plugintest"
)

// Host runs the conformance guest. What it calls as the guest's batches is its
// own affair, so long as the events come in order.
type Host interface {
	// Filter and Transform open the guest with config, JSON text, and return
	// what becomes of each event. refused are the words with which the guest
	// refuses the configuration; there are no answers then.
	Filter(t testing.TB, config string, events []plugintest.Event) (answers []Answer, refused string)
	Transform(t testing.TB, config string, events []plugintest.Event) (answers []Answer, refused string)
}

// Answer is what became of an event.
type Answer struct {
	Pass    bool                // of a filter
	Outputs []plugintest.Output // of a transform, extensions sorted by name
	// Failed says that the event is to be a dead letter. Words are the guest's
	// own; empty when it was stopped, or its answer was refused.
	Failed bool
	Words  string
}

// Options configure [Run]. The zero value is a whole host.
type Options struct {
	// Bare leaves out what only a host does that the guest cannot harm: it
	// survives traps, checks outputs and bounds what the guest says.
	Bare bool
}

// Run holds h to everything that is expected. Each case is run as one stream of
// events, and each of its events alone.
func Run(t *testing.T, h Host, o Options) {
	t.Run("refusal", func(t *testing.T) {
		for name, run := range kinds(h) {
			if answers, refused := run(t, `{"refuse":"no, thank you"}`, nil); refused != "no, thank you" || len(answers) != 0 {
				t.Errorf("%s: refused with %q, %d answers", name, refused, len(answers))
			}
		}
	})
	for _, c := range append(filterCases(), transformCases()...) {
		if c.guarded && o.Bare {
			continue
		}
		t.Run(c.kind+"/"+c.name, func(t *testing.T) { c.run(t, h) })
	}
}

type runFunc func(t testing.TB, config string, events []plugintest.Event) ([]Answer, string)

func kinds(h Host) map[string]runFunc {
	return map[string]runFunc{"filter": h.Filter, "transform": h.Transform}
}

// sample is a case: events, and what must become of each.
type sample struct {
	kind, name string
	config     string
	guarded    bool // it needs a whole host
	events     []plugintest.Event
	want       []Answer
}

func (c *sample) run(t *testing.T, h Host) {
	config := c.config
	if config == "" {
		config = `{}`
	}
	run := kinds(h)[c.kind]
	answers, refused := run(t, config, c.events)
	if refused != "" || len(answers) != len(c.events) {
		t.Fatalf("%d answers to %d events; refused: %q", len(answers), len(c.events), refused)
	}
	for i := range answers {
		c.compare(t, i, "", answers[i])
	}
	if len(c.events) == 1 || len(c.events) > manyEvents {
		return
	}
	for i := range c.events {
		alone, _ := run(t, config, c.events[i:i+1])
		if len(alone) != 1 {
			t.Fatalf("%d answers to event %d, alone", len(alone), i)
		}
		c.compare(t, i, " alone", alone[0])
	}
}

// manyEvents is the size of a case whose events are not run alone.
const manyEvents = 200

func (c *sample) compare(t *testing.T, i int, how string, got Answer) {
	t.Helper()
	want := c.want[i]
	if got.Pass != want.Pass || got.Failed != want.Failed || got.Words != want.Words || len(got.Outputs) != len(want.Outputs) {
		t.Errorf("event %d%s: %s\nwant: %s", i, how, tell(got), tell(want))
		return
	}
	for k := range want.Outputs {
		if a, b := normal(got.Outputs[k]), normal(want.Outputs[k]); !reflect.DeepEqual(a, b) {
			t.Errorf("event %d%s, output %d: %s\nwant: %s", i, how, k, cut(fmt.Sprintf("%+v", a)), cut(fmt.Sprintf("%+v", b)))
		}
	}
}

// normal makes lists of nothing the same. Data keep the difference.
func normal(o plugintest.Output) plugintest.Output {
	if len(o.Extensions) == 0 {
		o.Extensions = nil
	}
	if len(o.Properties) == 0 {
		o.Properties = nil
	}
	return o
}

func tell(a Answer) string {
	return cut(fmt.Sprintf("pass %v, failed %v %q, %d outputs", a.Pass, a.Failed, a.Words, len(a.Outputs)))
}

func cut(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "…"
	}
	return strings.ReplaceAll(s, "\n", "⏎")
}
