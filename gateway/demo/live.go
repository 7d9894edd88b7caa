package demo

import (
	"context"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// maxBatch is how many events are sent together at most.
const maxBatch = 100

// Live lets the factory live until ctx ends, at a rate of events a second, and
// gives what happens to send: one event at a time, or at high rates several. It
// returns the cause of ctx's end, or what send returned.
func (f *Factory) Live(ctx context.Context, rate float64, send func(context.Context, []event.Event) error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for started, sent := time.Now(), 0; ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		due := max(1, min(maxBatch, int(time.Since(started).Seconds()*rate)-sent))
		batch := make([]event.Event, due)
		for i := range batch {
			batch[i] = f.Next(time.Now())
		}
		if err := send(ctx, batch); err != nil {
			return err
		}
		sent += due
		timer.Reset(time.Until(started.Add(time.Duration(float64(sent) / rate * float64(time.Second)))))
	}
}
