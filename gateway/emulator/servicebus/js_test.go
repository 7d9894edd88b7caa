package servicebus_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// TestJavaScriptClient has Microsoft's own JavaScript SDK do what the tests of
// its Go SDK do: a second reading of the protocol.
func TestJavaScriptClient(t *testing.T) {
	if testing.Short() {
		t.Skip("installs npm packages")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed, which the JavaScript SDK needs", tool)
		}
	}
	n := serve(t, servicebus.Options{Entities: broker.Config{
		DeclaredOnly: true,
		Queues: []broker.Queue{
			{Name: "plain"},
			{Name: "dups", Settings: broker.Settings{RequiresDuplicateDetection: true}},
			{Name: "poison", Settings: broker.Settings{MaxDeliveryCount: 2}},
			{Name: "brief", Settings: broker.Settings{LockDuration: broker.Duration(time.Second)}},
			{Name: "grouped", Settings: broker.Settings{RequiresSession: true}},
		},
		Topics: []broker.Topic{{Name: "topic", Subscriptions: []broker.Subscription{{Name: "a"}, {Name: "b"}}}},
	}})
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/jsclient")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"npm", "ci", "--prefer-offline", "--loglevel=error"}, {"node", "main.js", n.connection}} {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		} else {
			t.Logf("%s", out)
		}
	}
}
