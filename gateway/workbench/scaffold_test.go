package workbench_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/workbench"
)

// shared is a bench for all tests, so that each module is compiled once.
var shared *workbench.Bench

func TestMain(m *testing.M) {
	var err error
	if shared, err = workbench.Open(context.Background()); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := shared.Close(); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// offline makes the go tool do without a network, and without what the user of
// this machine has set.
func offline(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=mod")
}

// TestNewWorksAsItIs makes a plugin of each kind beneath a workspace that knows
// nothing of it, and runs its test.
func TestNewWorksAsItIs(t *testing.T) {
	offline(t)
	b := shared
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "go.work"), "go 1.26\n")
	for _, tt := range []struct {
		name string
		kind plugin.Kind
	}{{"warm", plugin.Filter}, {"maps", plugin.Transform}, {"v1.2.", plugin.Filter}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(root, tt.name)
			shown, err := workbench.New(dir, tt.name, tt.kind)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range shown {
				if strings.HasPrefix(f, ".headgate") {
					t.Errorf("%s is shown to the author", f)
				}
			}
			source, err := os.ReadFile(filepath.Join(dir, "main.go"))
			if err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(string(source), "func main() {}\n")
			if n := strings.Count(body, "\n"); n > 15 {
				t.Errorf("the author's part has %d lines, want 15 at most:\n%s", n, body)
			}
			wasm, err := workbench.Compile(t.Context(), dir, workbench.CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			info, err := b.Check(t.Context(), wasm)
			if err != nil || info.Name != tt.name || len(info.Kinds) != 1 || info.Kinds[0] != tt.kind {
				t.Errorf("module %+v, %v", info, err)
			}
			cases, err := workbench.Cases(dir)
			if err != nil || len(cases) == 0 {
				t.Fatalf("%d cases, %v", len(cases), err)
			}
			for _, c := range cases {
				r, err := b.Try(t.Context(), wasm, c)
				if err != nil || !r.Passed() {
					t.Errorf("case %s: %v\n%s", c.Name, err, r.Diff)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	full := t.TempDir()
	writeFile(t, filepath.Join(full, "main.go"), "package main\n")
	for name, dir := range map[string]string{"full": full, "a/b": t.TempDir(), "": t.TempDir(), "-x": t.TempDir()} {
		if files, err := workbench.New(dir, name, plugin.Filter); err == nil {
			t.Errorf("New(%q) wrote %v", name, files)
		}
	}
	if b, err := os.ReadFile(filepath.Join(full, "main.go")); err != nil || string(b) != "package main\n" {
		t.Errorf("a refused New left %q, %v", b, err)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
