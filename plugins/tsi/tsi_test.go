package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/plugins/internal/golden"
	_ "github.com/headgate/headgate/plugins/tsi"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

func TestGolden(t *testing.T) { golden.Test(t) }

func TestNoGarbage(t *testing.T) {
	golden.NoGarbage(t, `{}`)
	golden.NoGarbage(t, `{"keys":"nested","timestamp":"at"}`)
}

func BenchmarkTransform(b *testing.B) { golden.Benchmark(b, `{}`, `{"keys":"nested"}`) }

func FuzzConfig(f *testing.F) {
	golden.FuzzConfig(f,
		`{"keys":"nested","timestamp":"at","create":true}`,
		`{"timestamp":"$dtId","keys":"flat"}`,
	)
}

func TestConfigRefused(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"unknown style of keys", `{"keys":"dotted"}`, `config: "keys" is "flat" or "nested"`},
		{"timestamp that is no string", `{"timestamp":true}`, `config: "timestamp" is a text that is not empty`},
		{"empty timestamp", `{"timestamp":""}`, `config: "timestamp" is a text that is not empty`},
		{"timestamp in the twin's place", `{"timestamp":"$dtId"}`, `config: "timestamp" is the name of a property, and not $dtId`},
		{"create that is no truth", `{"create":"yes"}`, `config: "create" is true or false`},
		{"unknown member", `{"key":"flat"}`, `config: there is no "key"; it has "keys", "timestamp" and "create"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { golden.Refused(t, tt.config, tt.want) })
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
