package plugin_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk/plugintest"
)

// cacheDir is shared by the tests, which would compile the same guests again.
var cacheDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if cacheDir, err = os.MkdirTemp("", "headgate-plugin"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(cacheDir)
		return m.Run()
	}())
}

// built caches the modules that tests and benchmarks of this package build.
var built sync.Map

// build compiles the Go plugin in dir, once.
func build(t testing.TB, dir string) []byte {
	t.Helper()
	if b, ok := built.Load(dir); ok {
		return b.([]byte)
	}
	b := plugintest.Build(t, dir)
	built.Store(dir, b)
	return b
}

func newRuntime(t testing.TB, o plugin.Options) *plugin.Runtime {
	t.Helper()
	if o.CacheDir == "" {
		o.CacheDir = cacheDir
	}
	r, err := plugin.NewRuntime(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

func load(t testing.TB, r *plugin.Runtime, wasm []byte) *plugin.Module {
	t.Helper()
	m, err := r.Load(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func bind(t testing.TB, m *plugin.Module, kind plugin.Kind, config string) *plugin.Binding {
	t.Helper()
	b, err := m.Bind(t.Context(), kind, []byte(config), "test@1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// twinUpdate is an event as Azure Digital Twins sends it, of 560 bytes.
func twinUpdate(n int) event.Event {
	return event.Event{
		ID:              fmt.Sprintf("39d4abb9-e3ee-4ed5-ad17-%012d", n),
		Source:          "my-example-digital-twin.api.sea.digitaltwins.azure.net",
		Type:            event.TwinUpdate,
		Subject:         fmt.Sprintf("thermostat-%d", n),
		Time:            "2021-12-09T20:28:52.9795363Z",
		DataContentType: "application/json",
		Extensions: []event.Extension{
			{Name: "traceparent", Value: "00-2aa957558db348f387ef704b3d1f1c58-5a4b5a4b5a4b5a4b-01"},
		},
		Data: []byte(`{"modelId":"dtmi:examplecom:floor:thermostat;1","patch":[` +
			`{"value":71.5,"path":"/Temperature","op":"replace"},` +
			`{"value":40,"path":"/Humidity","op":"replace"},` +
			`{"value":"occupied","path":"/Front/State","op":"add"}]}`),
	}
}

func items(events ...event.Event) []pipeline.Item {
	list := make([]pipeline.Item, len(events))
	for i := range events {
		list[i] = pipeline.Item{Origin: i, Source: &events[i], Event: &events[i], Position: event.Position{Seq: 7, Index: i}}
	}
	return list
}

func updates(n int) []pipeline.Item {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = twinUpdate(i)
	}
	return items(events...)
}

// TestTwinUpdateToTimeSeries runs a first-party plugin in the host.
func TestTwinUpdateToTimeSeries(t *testing.T) {
	m := load(t, newRuntime(t, plugin.Options{}), build(t, "../../plugins/tsi"))
	b := bind(t, m, plugin.Transform, "")
	in := updates(3)
	out, err := b.Run(t.Context(), in, nil)
	if err != nil || len(out) != 3 {
		t.Fatal(out, err)
	}
	for k, it := range out {
		want := fmt.Sprintf(`{"Temperature":71.5,"Humidity":40,"Front.State":"occupied","$dtId":"thermostat-%d"}`, k)
		if it.Err != nil || string(it.Event.Data) != want {
			t.Errorf("output %d: %s, %v", k, it.Event.Data, it.Err)
		}
		if it.Event.Subject != in[k].Event.Subject || it.Origin != k {
			t.Errorf("output %d: %+v", k, it)
		}
	}
}
