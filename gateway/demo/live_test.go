package demo_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/demo"
	"github.com/headgate/headgate/gateway/event"
)

func TestLive(t *testing.T) {
	for _, tt := range []struct {
		rate  float64
		batch int // at most
	}{{2, 1}, {5000, 100}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			sent := 0
			err := demo.New(1).Live(ctx, tt.rate, func(_ context.Context, events []event.Event) error {
				if len(events) > tt.batch {
					t.Fatalf("%d events at once at %v a second", len(events), tt.rate)
				}
				sent += len(events)
				time.Sleep(time.Millisecond) // what sending takes
				return nil
			})
			if want := 10 * tt.rate; !errors.Is(err, context.DeadlineExceeded) || float64(sent) < 0.98*want || float64(sent) > want+float64(tt.batch) {
				t.Errorf("%d events in ten seconds at %v a second: %v", sent, tt.rate, err)
			}
		})
	}
	refused := errors.New("full")
	if err := demo.New(1).Live(t.Context(), 10, func(context.Context, []event.Event) error { return refused }); err != refused {
		t.Errorf("error = %v, want that of send", err)
	}
}
