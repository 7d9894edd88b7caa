package eventhubs_test

import (
	"testing"

	"github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/npmtest"
)

// TestJavaScriptClient has the official JavaScript client send and receive.
func TestJavaScriptClient(t *testing.T) {
	n := start(t, eventhubs.Options{}, nil)
	npmtest.Run(t, "testdata/jsclient", nil, n.connection(), "hub")
	total := 0
	for _, p := range n.Entities(0)[0].Partitions {
		total += p.Count
	}
	if total != 251 {
		t.Errorf("%d events are stored, want 251", total)
	}
}
