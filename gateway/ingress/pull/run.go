package pull

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// How long a source waits before it connects again: from firstPause, doubled
// each time until maxPause. A connection of use, or one that lasted, begins anew.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 30 * time.Second
	lasted     = time.Minute
)

// ErrRestart is what connect returns to [Run] when nothing failed, and a new
// connection is needed all the same.
var ErrRestart = errors.New("the connection is made anew")

// Run keeps a source connected until ctx ends: it calls connect, which returns
// an error when its connection is over and what it had in hand is done, again
// and again. The words say what that error means.
func Run(ctx context.Context, m *Monitor, words func(error) string, connect func(context.Context) error) {
	pause := firstPause
	for {
		before, begun := m.Status().Received, time.Now()
		err := connect(ctx)
		if ctx.Err() != nil {
			m.set(Stopped, "")
			return
		}
		if m.Status().Received > before || time.Since(begun) > lasted {
			pause = firstPause
		}
		if errors.Is(err, ErrRestart) {
			pause = firstPause
		} else {
			m.set(Failing, words(err))
		}
		select {
		case <-ctx.Done():
			m.set(Stopped, "")
			return
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(pause*2, maxPause)
	}
}
