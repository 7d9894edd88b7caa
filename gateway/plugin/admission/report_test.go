package admission_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/admission"
	"github.com/headgate/headgate/gateway/workbench"
)

// cache keeps compiled code for all tests of the package.
var cache string

func TestMain(m *testing.M) {
	var err error
	if cache, err = os.MkdirTemp("", "headgate-admission-"); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := os.RemoveAll(cache); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// compile builds the plugin that does what its configuration says.
func compile(t *testing.T, o workbench.CompileOptions) []byte {
	t.Helper()
	wasm, err := workbench.Compile(t.Context(), "../../workbench/testdata/awkward", o)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func events(n int) []pipeline.Item {
	items := make([]pipeline.Item, n)
	for i := range items {
		e := &event.Event{ID: fmt.Sprint(i + 1), Source: "s", Type: "t"}
		items[i] = pipeline.Item{Source: e, Event: e, Position: event.Position{Seq: 1, Index: i}}
	}
	return items
}

func TestInspect(t *testing.T) {
	wasm := compile(t, workbench.CompileOptions{})
	r, err := admission.Inspect(t.Context(), wasm, admission.Options{CacheDir: cache, Events: events(3)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != "awkward" || r.Description != "Does wrong." || !slices.Equal(r.Kinds, []string{"filter", "transform"}) ||
		string(r.Config) != `{"type":"object"}` || r.Size != len(wasm) || len(r.Digest) != 71 || len(r.Refused) != 0 {
		t.Errorf("report %+v", r)
	}
	if r.Functions < 100 || r.MinMemory < 64<<10 || r.Compile <= 0 || r.Start <= 0 {
		t.Errorf("%d functions, %d bytes of memory, compiled in %v and started in %v", r.Functions, r.MinMemory, r.Compile, r.Start)
	}
	for _, want := range []string{"memory (memory)", "headgate_filter (i32, i32, i32) → i32", "headgate_describe () → i64"} {
		if !slices.Contains(r.Exports, want) {
			t.Errorf("exports %q lack %q", r.Exports, want)
		}
	}
	if !slices.Contains(r.Imports, "headgate_v1.fail (i32, i32, i32)") {
		t.Errorf("imports %q", r.Imports)
	}
	if len(r.Warnings) != 0 {
		t.Errorf("warnings %+v about a good module", r.Warnings)
	}
}

func TestInspectWarns(t *testing.T) {
	command := filepath.Join(t.TempDir(), "command.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", command, "../../workbench/testdata/awkward") // the ordinary way
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wasm, err := os.ReadFile(command)
	if err != nil {
		t.Fatal(err)
	}
	named := compile(t, workbench.CompileOptions{Names: true})
	tests := []struct {
		name    string
		wasm    []byte
		refused bool
		warns   []string
	}{
		{"a command", wasm, true, []string{"it is a command", "are names of functions"}},
		{"debug information", append(slices.Clone(named), "\x00\x0f\x0b.debug_infoxyz"...), false, []string{"1 KiB of it are debug information"}},
		{"names", named, false, []string{"are names of functions"}},
		{"nothing exported", []byte("\x00asm\x01\x00\x00\x00"), true, []string{"it lacks the exports memory, headgate_describe"}},
		{"no module", []byte("MZ"), true, nil},
		{"cut off", named[:len(named)/2], true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := admission.Inspect(t.Context(), tt.wasm, admission.Options{CacheDir: cache})
			if err != nil {
				t.Fatal(err)
			}
			if (len(r.Refused) > 0) != tt.refused {
				t.Errorf("refused: %q", r.Refused)
			}
			var got []string
			for _, w := range r.Warnings {
				got = append(got, w.Text)
			}
			for _, want := range tt.warns {
				if !strings.Contains(strings.Join(got, "\n"), want) {
					t.Errorf("warnings %q lack %q", got, want)
				}
			}
			if len(tt.warns) == 0 && len(got) > 0 {
				t.Errorf("warnings %q", got)
			}
		})
	}
}

// TestTrials holds what is told of a plugin's behaviour to what it does.
func TestTrials(t *testing.T) {
	wasm := compile(t, workbench.CompileOptions{})
	tests := []struct {
		name, config string
		kind         plugin.Kind
		check        func(admission.Trial) bool
		warns        string
	}{
		{"passes", `{}`, plugin.Filter, func(tr admission.Trial) bool {
			return tr.Passed == 3 && tr.Outputs == 3 && tr.Failed == 0 && tr.Deterministic && len(tr.Samples) == 3 && tr.Fuel.P50 > 0 && tr.Latency.P99 >= tr.Latency.P50
		}, ""},
		{"fails in words", `{"do":"fail"}`, plugin.Filter, func(tr admission.Trial) bool {
			return tr.Failed == 3 && tr.Passed == 0 && len(tr.Failures) == 3 && strings.Contains(tr.Failures[0].Error, "not 1")
		}, "it failed on all of the 3 events"},
		{"traps once", `{"do":"trap"}`, plugin.Filter, func(tr admission.Trial) bool {
			return tr.Failed == 1 && tr.Failures[0].Event == "2" && tr.Passed == 2
		}, ""},
		{"is out of fuel", `{"do":"spin"}`, plugin.Filter, func(tr admission.Trial) bool {
			return tr.Failed == 3 && tr.Fuel.P50 >= 50_000_000
		}, "it failed on all"},
		{"refuses", `{"refuse":"no, thank you"}`, plugin.Filter, func(tr admission.Trial) bool {
			return tr.Events == 0 && tr.Refused == "no, thank you"
		}, "it does not take the configuration"},
		{"against its schema", `[]`, plugin.Transform, func(tr admission.Trial) bool {
			return tr.Events == 0 && tr.Refused == "got array, want object"
		}, "it does not take the configuration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := admission.Inspect(t.Context(), wasm, admission.Options{
				CacheDir: cache, Uses: []admission.Use{{Route: "hot", Kind: tt.kind, Config: []byte(tt.config), Events: events(3)}},
			})
			if err != nil || len(r.Trials) != 1 || len(r.Refused) != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			if tr := r.Trials[0]; !tt.check(tr) || tr.Route != "hot" || tr.Kind != tt.kind.String() {
				t.Errorf("trial %+v", tr)
			}
			if tt.warns == "" != (len(r.Warnings) == 0) || tt.warns != "" && !strings.Contains(r.Warnings[0].Text, tt.warns) {
				t.Errorf("warnings %+v, want %q", r.Warnings, tt.warns)
			}
		})
	}
}

func TestTrialEndsInTime(t *testing.T) {
	wasm := compile(t, workbench.CompileOptions{})
	r, err := admission.Inspect(t.Context(), wasm, admission.Options{
		CacheDir: cache, Time: time.Nanosecond, Events: events(1000),
	})
	if err != nil || len(r.Trials) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, tr := range r.Trials {
		if tr.Untried == 0 || tr.Events+tr.Untried != 1000 {
			t.Errorf("trial %+v", tr)
		}
	}
	if !strings.Contains(r.Warnings[0].Text, "of 1000 events in the time") {
		t.Errorf("warnings %+v", r.Warnings)
	}
}

func TestRefusesASchemaThatCannotBeUsed(t *testing.T) {
	wasm := compile(t, workbench.CompileOptions{})
	bad := bytes.Replace(wasm, []byte(`{"type":"object"}`), []byte(`{"type":"objekt"}`), 1)
	if bytes.Equal(bad, wasm) {
		t.Fatal("the schema is not in the module as text")
	}
	r, err := admission.Inspect(t.Context(), bad, admission.Options{CacheDir: cache})
	if err != nil || len(r.Refused) != 1 || !strings.Contains(r.Refused[0], "cannot be used: it is not a JSON Schema") {
		t.Errorf("refused %q, %v", r.Refused, err)
	}
}
