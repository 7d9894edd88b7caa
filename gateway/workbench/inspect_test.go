package workbench_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/workbench"
)

func TestInspect(t *testing.T) {
	b, wasm := shared, compileAwkward(t)
	r, err := b.Inspect(t.Context(), wasm)
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
	b := shared
	command := filepath.Join(t.TempDir(), "command.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./testdata/awkward") // the ordinary way
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wasm, err := os.ReadFile(command)
	if err != nil {
		t.Fatal(err)
	}
	named, err := workbench.Compile(t.Context(), "testdata/awkward", workbench.CompileOptions{Names: true})
	if err != nil {
		t.Fatal(err)
	}
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
			r, err := b.Inspect(t.Context(), tt.wasm)
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
