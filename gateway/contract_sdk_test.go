package gateway_test

import (
	"testing"

	"github.com/headgate/headgate/gateway/npmtest"
)

// TestJavaScriptClient has the official JavaScript SDK of CloudEvents send
// events in every mode, and receive them in every mode of a webhook.
func TestJavaScriptClient(t *testing.T) {
	s := start(t, t.TempDir())
	npmtest.Run(t, "testdata/jsclient", nil, s.http.URL)
}
