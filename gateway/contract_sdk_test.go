package gateway_test

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestJavaScriptClient has the official JavaScript SDK of CloudEvents send
// events in every mode, and receive them in every mode of a webhook.
func TestJavaScriptClient(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed, which the JavaScript SDK needs", tool)
		}
	}
	s := start(t, t.TempDir())
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/jsclient")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"npm", "ci", "--prefer-offline", "--loglevel=error"}, {"node", "main.js", s.http.URL}} {
		ctx, cancel := timeout(t, 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
}
