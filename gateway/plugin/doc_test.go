package plugin_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/plugin"
)

var update = flag.Bool("update", false, "rewrite the documentation's table from the code")

// TestDocumentation holds the table of limits in docs/plugins.md to the code.
func TestDocumentation(t *testing.T) {
	const file, begin, end = "../../docs/plugins.md", "<!-- limits -->\n", "<!-- end of limits -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no lines %q and %q around its table", file, begin, end)
	}
	want := limitsTable(t)
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s has drifted from the code; run: go test ./gateway/plugin -run TestDocumentation -update\n got:\n%s\nwant:\n%s", file, got, want)
	}
	if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// limitMeanings are in the order in which the limits are told.
var limitMeanings = []struct{ name, meaning string }{
	{"moduleBytes", "size of the module"},
	{"functions", "its functions"},
	{"locals", "locals of a function"},
	{"nesting", "blocks within each other, in a function"},
	{"bodyBytes", "size of a function"},
	{"tableEntries", "entries of its tables"},
	{"complexity", "branches, loops and locals of large functions, which a compiler takes long for"},
	{"memoryBytes", "memory of an instance"},
	{"callDepth", "calls within each other; a large frame counts for several"},
	{"batchEvents", "events in a call"},
	{"batchBytes", "size of the events in a call; a larger event is alone"},
	{"outputBytes", "what a call may answer"},
	{"logBytes", "log text that is kept of a call"},
	{"hostCalls", "calls of the host for an event, or a start"},
	{"eventFuel", "fuel for an event, and beside that"},
	{"byteFuel", "fuel for each byte of it"},
	{"startFuel", "fuel to start an instance, or to open a configuration"},
	{"instances", "instances of the plugin; more calls wait"},
	{"instanceUses", "calls after which an instance is replaced by a fresh one"},
	{"instanceAge", "time after which it is"},
	{"idleBytes", "memory of the instances that wait for work"},
}

func limitsTable(t *testing.T) string {
	members := func(l plugin.Limits) (m map[string]int64) {
		text, err := json.Marshal(l)
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	defaults, most := members(plugin.DefaultLimits()), members(plugin.DefaultMaxLimits())
	if len(defaults) != len(limitMeanings) {
		t.Fatalf("%d limits have a meaning here, there are %d", len(limitMeanings), len(defaults))
	}
	var b strings.Builder
	b.WriteString("| limit | default | at most | of what |\n|---|---|---|---|\n")
	for _, l := range limitMeanings {
		show := func(n int64) string {
			if l.name == "instanceAge" {
				return strings.TrimSuffix(time.Duration(n).String(), "0m0s")
			}
			return fmt.Sprint(n)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", l.name, show(defaults[l.name]), show(most[l.name]), l.meaning)
	}
	return b.String()
}
