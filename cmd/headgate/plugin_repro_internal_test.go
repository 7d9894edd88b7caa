package main // white-box: a command exports nothing

import (
	"os"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
)

// trapping takes the place of what the new filter returns: it traps on an event
// that sets nothing and has a subject.
const trapping = "value >= min || !ok && []bool{false}[len(e.Subject())], nil"

// TestRepro has a plugin trap on a host, sees it trap again from the bundle
// that is left, and mends it by the test that the bundle becomes.
func TestRepro(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Chdir(t.TempDir())
	do := func(status int, want string, args ...string) {
		t.Helper()
		stdout, stderr, got := outcome(t, nil, "", args...)
		if got != status || !strings.Contains(stdout+stderr, want) {
			t.Fatalf("headgate %s: status %d, stdout %q, stderr %q; want %d and %q", strings.Join(args, " "), got, stdout, stderr, status, want)
		}
	}
	do(0, "filter warm is in warm", "plugin", "new", "warm", "--kind", "filter")
	change(t, "warm/main.go", "value >= min, nil", trapping)
	do(0, "warm.wasm", "plugin", "build", "warm", "--names")
	do(0, "are names of functions", "plugin", "inspect", "warm/warm.wasm")
	do(0, "1 test passed", "plugin", "test", "warm/warm.wasm", "--run", "^upd")
	trapIn(t, "warm/warm.wasm", "trap.json")

	do(2, "name the module that trapped", "plugin", "repro", "trap.json")
	do(1, "the bundle is of sha256:", "plugin", "repro", "trap.json", "--module", "warm")
	do(1, "not a bundle of a trap", "plugin", "repro", "warm/go.mod", "--module", "warm/warm.wasm")
	do(0, "It fails here in the same way.\nMend the plugin, then: headgate plugin test warm --run '^trap$'",
		"plugin", "repro", "trap.json", "--module", "warm/warm.wasm", "--save-test", "warm/testdata/trap")
	do(1, "✗ trap", "plugin", "test", "warm", "--run", "^trap$")
	change(t, "warm/main.go", trapping, "value >= min, nil")
	do(0, "2 tests passed", "plugin", "test", "warm")
}

// trapIn runs the module on an event of a subject and writes the bundle of the
// trap to a file.
func trapIn(t *testing.T, module, file string) {
	t.Helper()
	wasm, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	r, err := plugin.NewRuntime(t.Context(), plugin.Options{TrapDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	m, err := r.Load(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b, err := m.Bind(t.Context(), plugin.Filter, nil, "warm@1")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	e := &event.Event{ID: "1", Source: "s", Type: "t", Subject: "room-1"}
	if _, err := b.Run(t.Context(), []pipeline.Item{{Event: e, Source: e, Position: event.Position{Seq: 7}}}, nil); err != nil {
		t.Fatal(err)
	}
	list, err := r.Bundles()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d bundles, %v", len(list), err)
	}
	text, err := r.Bundle(list[0].Name)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
