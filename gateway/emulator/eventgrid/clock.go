package eventgrid

import "time"

// Clock tells the time and wakes those who wait for it.
type Clock interface {
	Now() time.Time
	// After returns a channel that receives once d has passed.
	After(d time.Duration) <-chan time.Time
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Faster returns a clock that starts with the present time and runs factor
// times as fast as the real one, so that a day of retries can be watched.
func Faster(factor float64) Clock { return &fastClock{start: time.Now(), factor: factor} }

type fastClock struct {
	start  time.Time
	factor float64
}

func (c *fastClock) Now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.factor))
}

func (c *fastClock) After(d time.Duration) <-chan time.Time {
	return time.After(time.Duration(float64(d) / c.factor))
}
