package workbench_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/workbench"
)

// trapBundle has awkward trap on a host, and returns the bundle that is left.
func trapBundle(t *testing.T, wasm []byte) []byte {
	t.Helper()
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
	b, err := m.Bind(t.Context(), plugin.Filter, []byte(`{"do":"trap"}`), "awkward@1")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	e := &event.Event{ID: "2", Source: "s", Type: "t", Data: []byte(`"x"`), DataContentType: "application/json"}
	items := []pipeline.Item{{Event: e, Source: e, Position: event.Position{Seq: 7}}}
	if out, err := b.Run(t.Context(), items, nil); err != nil || len(out) != 1 || out[0].Err == nil {
		t.Fatalf("%+v, %v", out, err)
	}
	list, err := r.Bundles()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d bundles, %v", len(list), err)
	}
	text, err := r.Bundle(list[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestReproduceAndSave(t *testing.T) {
	wasm := compileAwkward(t)
	b, r, err := workbench.Reproduce(t.Context(), trapBundle(t, wasm), wasm)
	if err != nil || !r.Same || !strings.Contains(b.Trap.Text, "disco") {
		t.Fatalf("%+v, %v", r, err)
	}
	dir := t.TempDir()
	if err := workbench.SaveCase(filepath.Join(dir, "testdata/trap"), b); err != nil {
		t.Fatal(err)
	}
	if err := workbench.SaveCase(filepath.Join(dir, "testdata/trap"), b); err == nil {
		t.Error("a test was written over another")
	}
	bench := shared
	if got := try(t, bench, wasm, dir); got.Passed() || !strings.Contains(got.Diff, "disco") {
		t.Errorf("the saved test passes before the plugin is mended: %s", got.Diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "testdata/trap/config.json"), []byte(`{}`), 0o644); err != nil { // which mends it
		t.Fatal(err)
	}
	if got := try(t, bench, wasm, dir); !got.Passed() {
		t.Errorf("the saved test fails: %s", got.Diff)
	}
	if _, _, err := workbench.Reproduce(t.Context(), []byte(`{"format":"x"}`), wasm); err == nil {
		t.Error("what is no bundle was run")
	}
}
