package eventgrid_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
)

// TestJavaScriptPublisher has the official JavaScript SDK publish, unmodified.
func TestJavaScriptPublisher(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages of npm")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed, which the JavaScript SDK needs", tool)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/jsclient")); err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(dir, "ca.pem")
	s := listen(t, eventgrid.Options{Topics: bothTopics(), CertFile: ca})
	for _, args := range [][]string{
		{"npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"},
		{"node", "main.js", s.Endpoint("grid-topic"), s.Endpoint("cloud-topic"), key},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ca)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	for topic, want := range map[string][]string{"grid-topic": {"grid-1", "grid-2", "grid-3"}, "cloud-topic": {"cloud-1", "cloud-2", "cloud-3"}} {
		var got []string
		for _, p := range s.Topic(topic).Events {
			got = append(got, ids(t, string(p.Event))...)
		}
		if len(got) != len(want) {
			t.Errorf("%s took %v, want %v", topic, got, want)
		}
	}
}
