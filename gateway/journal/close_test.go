package journal_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/journal"
)

// TestCloseEndsAll: Close may be called again, and leaves no goroutine behind.
func TestCloseEndsAll(t *testing.T) {
	before := goroutines()
	for range 3 {
		j, err := journal.Open(t.Context(), t.TempDir(), journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), numbered(0, 10, 10)); err != nil {
			t.Fatal(err)
		}
		for range j.Read(t.Context(), 1) {
			break
		}
		for range 2 {
			if err := j.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The server ends some of its goroutines a moment after it says so.
	waitFor(t, func() bool { return len(goroutines()) <= len(before) })
}

// goroutines are the stacks of those that are not the test framework's.
func goroutines() []string {
	b := make([]byte, 4<<20)
	all := strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n")
	var ours []string
	for _, stack := range all {
		if strings.Contains(stack, "headgate/gateway/journal") || strings.Contains(stack, "nats") {
			ours = append(ours, stack)
		}
	}
	return ours
}

// TestCloseBounded: Close gives up waiting when its context ends, and a later
// one sees it through.
func TestCloseBounded(t *testing.T) {
	j, err := journal.Open(t.Context(), t.TempDir(), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Close(ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Close = %v", err)
	}
	if err := j.Close(t.Context()); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// TestAppendAfterContext: a caller whose context has ended is not kept.
func TestAppendAfterContext(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if _, err := j.Append(ctx, numbered(0, 1, 10)); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Append = %v, want DeadlineExceeded or that it was faster", err)
	}
}
