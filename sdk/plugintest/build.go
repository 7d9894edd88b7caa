package plugintest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build compiles the plugin in the directory dir, a main package, and returns
// its WebAssembly module: the bytes that the release build of the plugin has.
// It runs the go tool, whose build cache makes a second build cheap.
func Build(t testing.TB, dir string) []byte {
	t.Helper()
	module := filepath.Join(t.TempDir(), "plugin.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared",
		"-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", module, ".")
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("plugintest: build of %s: %v\n%s", dir, err, text)
	}
	b, err := os.ReadFile(module)
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	return b
}
