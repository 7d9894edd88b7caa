// Package golden tests a first-party plugin on the events in its testdata, and
// measures it: natively, and as the module that the gateway runs.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

var update = flag.Bool("update", false, "write the golden files")

// Test runs the events of each file in testdata, {"configs":[…],"events":[…]},
// under each of its configurations through the registered plugin. The .golden
// beside a file holds what the events become, and the flag -update writes it.
// Unless tests are to be short, the module in the real host must say the same.
func Test(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %d files, %v", len(files), err)
	}
	var h *host
	if !testing.Short() {
		h = newHost(t)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			native, wasm := run(t, file, h)
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(native), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), native); diff != "" {
				t.Errorf("-golden +got:\n%s", diff)
			}
			if diff := cmp.Diff(native, wasm); diff != "" && h != nil {
				t.Errorf("-native +in the host:\n%s", diff)
			}
		})
	}
}

// run returns what becomes of the events in file, natively and in h.
func run(t *testing.T, file string, h *host) (native, wasm string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := json.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	events := plugintest.ParseEvents(t, string(v.At("events")))
	var here, there strings.Builder
	allowed := configSchema(t)
	for _, config := range v.At("configs").Elements() {
		if err := allowed.Check(config); err != nil {
			t.Errorf("%s: the schema does not allow config %s: %v", file, config, err)
		}
		title := "config " + string(config) + "\n"
		here.WriteString(title + render(events, plugintest.Registered(t).Transform(string(config), events...)))
		if h != nil {
			there.WriteString(title + render(events, h.transform(t, string(config), events)))
		}
	}
	return here.String(), there.String()
}

// render writes a paragraph for each event: a line for the data of each output,
// beneath it what else is not the event's own.
func render(events []plugintest.Event, results []plugintest.Result) string {
	var b strings.Builder
	for i, r := range results {
		e := &events[i]
		switch {
		case r.Err != "":
			b.WriteString(e.ID + ": error: " + r.Err + "\n")
		case len(r.Outputs) == 0:
			b.WriteString(e.ID + ": no output\n")
		}
		for _, o := range r.Outputs {
			b.WriteString(e.ID + ": " + renderData(e, &o) + "\n")
			renderAttributes(&b, e, &o)
		}
	}
	return b.String()
}

func renderData(e *plugintest.Event, o *plugintest.Output) string {
	switch {
	case o.Data == nil:
		return "without data"
	case e.Data != nil && string(e.Data) == string(o.Data):
		return "as it was"
	}
	return strings.ReplaceAll(string(o.Data), "\n", "⏎")
}

func renderAttributes(b *strings.Builder, e *plugintest.Event, o *plugintest.Output) {
	for _, a := range [...]struct{ name, was, is string }{
		{"id", e.ID, o.ID},
		{"source", e.Source, o.Source},
		{"type", e.Type, o.Type},
		{"subject", e.Subject, o.Subject},
		{"time", e.Time, o.Time},
		{"datacontenttype", e.DataContentType, o.DataContentType},
		{"dataschema", e.DataSchema, o.DataSchema},
		{"extensions", pairs(e.Extensions), pairs(o.Extensions)},
		{"session id", "", o.SessionID},
		{"partition key", "", o.PartitionKey},
		{"message id", "", o.MessageID},
		{"properties", "", pairs(o.Properties)},
	} {
		switch {
		case a.is == a.was:
		case a.is == "":
			b.WriteString("    no " + a.name + "\n")
		default:
			b.WriteString("    " + a.name + " " + a.is + "\n")
		}
	}
}

func pairs(list []plugintest.Pair) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.Name + "=" + p.Value
	}
	return strings.Join(words, " ")
}
