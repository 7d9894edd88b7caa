package main_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "github.com/headgate/headgate/plugins/tsi"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden runs the events of each file in testdata under each of its
// configurations; the .golden beside it holds what they become.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, text)
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-golden +got:\n%s", diff)
			}
		})
	}
}

// render runs a file of testdata: {"configs":[…],"events":[…]}.
func render(t *testing.T, text []byte) string {
	t.Helper()
	file, err := json.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	events := plugintest.ParseEvents(t, string(file.At("events")))
	var b strings.Builder
	for _, config := range file.At("configs").Elements() {
		b.WriteString("config " + string(config) + "\n")
		for i, r := range plugintest.Registered(t).Transform(string(config), events...) {
			b.WriteString(events[i].ID + ": ")
			switch {
			case r.Err != "":
				b.WriteString("error: " + r.Err)
			case len(r.Outputs) == 0:
				b.WriteString("no output")
			}
			for _, o := range r.Outputs {
				requireKept(t, events[i], o)
				b.Write(o.Data)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// requireKept demands that o is e but for the data, and well formed.
func requireKept(t *testing.T, e plugintest.Event, o plugintest.Output) {
	t.Helper()
	if _, err := json.Parse(o.Data); err != nil {
		t.Errorf("event %s: data %s: %v", e.ID, o.Data, err)
	}
	e.Data, e.DataContentType = o.Data, "application/json"
	if diff := cmp.Diff(plugintest.Output{Event: e}, o); diff != "" {
		t.Errorf("event %s: -want +got:\n%s", e.ID, diff)
	}
}

func TestConfigRefused(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"unknown style of keys", `{"keys":"dotted"}`, `config: "keys" is "flat" or "nested"`},
		{"timestamp that is no string", `{"timestamp":true}`, `config: "timestamp" is the name of a property, and not $dtId`},
		{"empty timestamp", `{"timestamp":""}`, `config: "timestamp" is the name of a property, and not $dtId`},
		{"timestamp in the twin's place", `{"timestamp":"$dtId"}`, `config: "timestamp" is the name of a property, and not $dtId`},
		{"create that is no truth", `{"create":"yes"}`, `config: "create" is true or false`},
		{"unknown member", `{"key":"flat"}`, `config: there is no "key"; it has "keys", "timestamp" and "create"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plugintest.Registered(t).Refusal(abi.Transform, tt.config); got != tt.want {
				t.Errorf("refused with %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSchemaIsJSON(t *testing.T) {
	if _, err := json.Parse([]byte(plugintest.Registered(t).Description())); err != nil {
		t.Error(err)
	}
}

// TestManyProperties grows the index past its first size, and gives every
// property a second value.
func TestManyProperties(t *testing.T) {
	const count = 1000
	var patch, want json.Writer
	patch.BeginArray()
	want.BeginObject()
	for i := range 2 * count {
		name := "p" + string(rune('a'+i%count%26)) + strings.Repeat("x", i%count/26)
		patch.BeginObject()
		patch.Name("op")
		patch.String("replace")
		patch.Name("path")
		patch.String("/" + name)
		patch.Name("value")
		patch.Int(int64(i))
		patch.EndObject()
		if i < count {
			want.Name(name)
			want.Int(int64(i + count))
		}
	}
	patch.EndArray()
	want.Name("$dtId")
	want.String("twin")
	want.EndObject()
	e := plugintest.Event{
		ID: "1", Source: "s", Type: sdk.TwinUpdate, Subject: "twin",
		Data: []byte(`{"patch":` + string(patch.Bytes()) + `}`),
	}
	for _, config := range []string{`{}`, `{"keys":"nested"}`} {
		r := plugintest.Registered(t).Transform(config, e)[0]
		if len(r.Outputs) != 1 || string(r.Outputs[0].Data) != string(want.Bytes()) {
			t.Errorf("config %s: %+v", config, r)
		}
	}
}

// TestFixtures runs documented events where they are at hand.
func TestFixtures(t *testing.T) {
	dir := "../../../shared/fixtures/adt/"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the fixtures of Azure Digital Twins are not beside the module")
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	compact := strings.NewReplacer("\n", "", " ", "")
	for in, out := range map[string]string{
		"twin-update-thermostat67.json": "tsi/out-thermostat67.json",
		"twin-update-nested-front.json": "tsi/out-nested-front.json",
	} {
		r := plugintest.Registered(t).Transform(`{}`, plugintest.ParseEvents(t, read(in))...)[0]
		if len(r.Outputs) != 1 {
			t.Fatalf("%s: %+v", in, r)
		}
		if got, want := compact.Replace(string(r.Outputs[0].Data)), compact.Replace(read(out)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
