package workbench_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/workbench"
)

func TestCompileSaysWhatIsWrong(t *testing.T) {
	offline(t)
	const mod = "module plugins/x\n\ngo 1.26\n"
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"does not compile", map[string]string{"go.mod": mod, "main.go": "package main\n\nfunc main() { nonsense() }\n"}, "main.go:3:15: undefined: nonsense"},
		{"no main package", map[string]string{"go.mod": mod, "x.go": "package x\n"}, "requires exactly one main package"},
		{"no Go files", map[string]string{"main.rs": ""}, "holds no Go files: start a plugin with 'headgate plugin new'"},
		{"no SDK", map[string]string{"go.mod": mod, "main.go": "package main\n\nimport _ \"github.com/headgate/headgate/sdk\"\n\nfunc main() {}\n"}, "github.com/headgate/headgate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.files {
				writeFile(t, filepath.Join(dir, name), text)
			}
			_, err := workbench.Compile(t.Context(), dir, workbench.CompileOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := workbench.Compile(t.Context(), filepath.Join(t.TempDir(), "no"), workbench.CompileOptions{}); err == nil {
		t.Error("a directory that does not exist compiles")
	}
}

func TestCompileNeedsGo(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "main.go"), "package main\n")
	tests := []struct{ name, tool, want string }{
		{"none", "", "there is no go command in PATH: plugins in Go need Go 1.26 or newer"},
		{"old", "#!/bin/sh\necho go1.21.3\n", "is go1.21.3: plugins in Go need Go 1.26 or newer"},
		{"cannot get a newer one", "#!/bin/sh\necho 'go: download go1.26: no network' >&2\nexit 1\n", "(go: download go1.26: no network): plugins in Go need"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin := t.TempDir()
			if tt.tool != "" {
				writeFile(t, filepath.Join(bin, "go"), tt.tool)
			}
			t.Setenv("PATH", bin)
			_, err := workbench.Compile(t.Context(), dir, workbench.CompileOptions{})
			var tool *workbench.ToolError
			if !errors.As(err, &tool) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
