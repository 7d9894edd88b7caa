package pull

import (
	"context"
	"errors"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// retryPause is the wait after an append that failed without saying how long.
const retryPause = time.Second

// Accept makes events durable, however long the journal takes none. Until then
// it calls hold, unless that is nil, at least every second, to keep the locks of
// their messages; an error of hold ends the wait, and so does the end of ctx.
// When it returns nil the events are durable.
func (m *Monitor) Accept(ctx context.Context, j Journal, events []event.Event, hold func(context.Context) error) error {
	if len(events) == 0 {
		return nil
	}
	// What the journal is about to write it shall say it has written.
	finish, cancel := Linger(ctx)
	defer cancel()
	waits := false
	defer func() {
		if waits {
			m.wait(-1, "")
		}
	}()
	for {
		_, err := j.Append(finish, events)
		if err == nil {
			m.received(len(events))
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !waits {
			waits = true
			m.wait(1, Line(err.Error()))
		}
		pause := retryPause
		if later := (interface{ RetryAfter() time.Duration })(nil); errors.As(err, &later) {
			pause = min(max(later.RetryAfter(), 10*time.Millisecond), retryPause)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		if hold == nil {
			continue
		}
		if err := hold(ctx); err != nil {
			return err
		}
	}
}

// lingering is how long what a source has in hand may take once it is told to
// stop.
const lingering = 5 * time.Second

// Linger returns a context that ends some seconds after ctx: for what should not
// be left half done. It must be cancelled.
func Linger(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-out.Done():
		case <-time.After(lingering):
			cancel()
		}
	})
	return out, func() { stop(); cancel() }
}
