// Package npmtest runs JavaScript programs in tests: official clients, which
// read a protocol in their own way.
package npmtest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// limit bounds the installation, and the run.
const limit = 2 * time.Minute

// Run installs the packages of dir, by its lock, into a directory of its own,
// runs main.js there with args, and returns what that wrote to standard output.
// Env is added to the environment. The test fails when the program does, and is
// skipped with -short and where npm is missing; there it fails if REQUIRE_RACE is
// set, as where every test is to run.
func Run(t testing.TB, dir string, env []string, args ...string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("installs packages from npm")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			const reason = "%s is not installed, which a JavaScript client needs"
			if os.Getenv("REQUIRE_RACE") != "" {
				t.Fatalf(reason+"; REQUIRE_RACE is set, so that no test may be left out", tool)
			}
			t.Skipf(reason, tool)
		}
	}
	own := t.TempDir()
	if err := os.CopyFS(own, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) []byte {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir, cmd.Env = own, append(os.Environ(), env...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, stderr.Bytes())
		}
		return out
	}
	run("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	return run("node", append([]string{"main.js"}, args...)...)
}
