package eventhubs_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// TestJavaScriptClient has the official JavaScript client send and receive.
func TestJavaScriptClient(t *testing.T) {
	if testing.Short() {
		t.Skip("the client is installed by npm, which takes too long for -short")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed, which the JavaScript client needs", tool)
		}
	}
	n := start(t, eventhubs.Options{}, nil)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/jsclient")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"npm", "ci", "--prefer-offline", "--loglevel=error"}, {"node", "main.js", n.connection(), "hub"}} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	total := 0
	for _, p := range n.Entities(0)[0].Partitions {
		total += p.Count
	}
	if total != 251 {
		t.Errorf("%d events are stored, want 251", total)
	}
}
