package npmtest_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/npmtest"
)

// witness is a test that only notes how it ended.
type witness struct {
	testing.TB
	said string
}

func (w *witness) Skipf(format string, args ...any)  { w.end("skip: "+format, args...) }
func (w *witness) Fatalf(format string, args ...any) { w.end("fail: "+format, args...) }

func (w *witness) end(format string, args ...any) {
	w.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// TestRunWithoutNode has a test skipped where there is no Node.js, unless nothing
// may be.
func TestRunWithoutNode(t *testing.T) {
	if testing.Short() {
		t.Skip("npmtest does nothing with -short")
	}
	for require, want := range map[string]string{"": "skip: node is not installed", "1": "fail: node is not installed"} {
		t.Setenv("PATH", t.TempDir())
		t.Setenv("REQUIRE_RACE", require)
		w := &witness{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			npmtest.Run(w, t.TempDir(), nil)
		}()
		if <-done; !strings.HasPrefix(w.said, want) {
			t.Errorf("with REQUIRE_RACE=%q: %q, want %q", require, w.said, want)
		}
	}
}
