package plugin

import (
	"fmt"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/pipeline"
)

// Breaker says when a plugin that keeps trapping is left alone. It is judged
// for each configuration by itself, so that one that the plugin cannot bear
// does not stop the others. The zero value takes the defaults.
type Breaker struct {
	// It opens when Traps of the last Window events trapped: 48 of 64 by
	// default, and 64 are the largest window. Negative Traps: never.
	Traps  int `json:"traps,omitempty"`
	Window int `json:"window,omitempty"`
	// Pause is how long it stays open at first: then a few events are let
	// through, and if most of them trap it opens for twice as long, up to
	// MaxPause. Defaults: 10 seconds and 5 minutes.
	Pause    time.Duration `json:"pause,omitempty"`
	MaxPause time.Duration `json:"maxPause,omitempty"`
	// DeadLetter makes the events that come while it is open fail with the
	// [*BreakerError]. Otherwise they wait: Run returns it, and the batch is to
	// be run again.
	DeadLetter bool `json:"deadLetter,omitempty"`
}

func (b Breaker) withDefaults() Breaker {
	if b.Window <= 0 || b.Window > 64 {
		b.Window = 64
	}
	if b.Traps == 0 {
		b.Traps = max(b.Window*3/4, 1)
	}
	if b.Pause <= 0 {
		b.Pause = 10 * time.Second
	}
	if b.MaxPause < b.Pause {
		b.MaxPause = max(5*time.Minute, b.Pause)
	}
	return b
}

// BreakerError says that a plugin is left alone for a while because it kept
// trapping.
type BreakerError struct {
	Plugin string
	Digest string
	Since  time.Time
	Until  time.Time // when the next events are let through
	Last   error     // the trap that opened it
}

// Error says until when, and why.
func (e *BreakerError) Error() string {
	return fmt.Sprintf("plugin %s kept trapping and is left alone until %s; the last time: %v",
		e.Plugin, e.Until.UTC().Format(time.RFC3339), e.Last)
}

// Unwrap returns the trap that opened the breaker.
func (e *BreakerError) Unwrap() error { return e.Last }

// RetryAfter is how long it is until the next events are let through.
func (e *BreakerError) RetryAfter() time.Duration { return max(time.Until(e.Until), 0) }

// breaker is the state of one configuration of a module.
type breaker struct {
	mu      sync.Mutex // guards what follows
	window  uint64     // a bit for each of the last events, set when it trapped
	open    *BreakerError
	pause   time.Duration
	probing bool // someone runs the events that were let through
	// known are events that trapped and were not reported since their batch
	// waits: they need not trap again.
	known map[uint64]*GuestError
}

// probeEvents are let through when a breaker has been open for its pause.
const probeEvents = 8

// maxKnown bounds breaker.known.
const maxKnown = 4096

// enter says what a Run may do: go on, go on with a probe, which it ends by
// probed, or wait, when there is an error.
func (b *breaker) enter() (probe bool, err *BreakerError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.open == nil:
		return false, nil
	case b.probing || time.Now().Before(b.open.Until):
		return false, b.open
	}
	b.probing = true
	return true, nil
}

// passed notes events that did not trap.
func (b *breaker) passed(n int) {
	b.mu.Lock()
	if b.window != 0 {
		b.window <<= uint(n) // 0 from 64 on
	}
	b.mu.Unlock()
}

// trapped notes an event that did, and reports whether that opens the breaker.
func (b *breaker) trapped(p Breaker, g *GuestError) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.window = b.window<<1 | 1
	if p.Traps < 0 || b.open != nil || bits.OnesCount64(b.window&(1<<uint(p.Window)-1)) < p.Traps {
		return false
	}
	b.pause = p.Pause
	b.trip(g)
	return true
}

func (b *breaker) trip(g *GuestError) {
	now := time.Now()
	b.open = &BreakerError{Plugin: g.Plugin, Digest: g.Digest, Since: now, Until: now.Add(b.pause), Last: g}
}

// probed ends a probe, in which last was the last trap of so many.
func (b *breaker) probed(p Breaker, events, traps int, last *GuestError) (closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	switch {
	case events == 0: // it could not run
		b.open.Until = time.Now().Add(b.pause)
	case traps*2 <= events && traps < events:
		b.open, b.window = nil, 0
		return true
	default:
		since := b.open.Since
		b.pause = min(2*b.pause, p.MaxPause)
		b.trip(last)
		b.open.Since = since
	}
	return false
}

// state returns the error that those who wait get, or nil.
func (b *breaker) state() *BreakerError {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// remember keeps what became of an event whose batch is to be run again.
func (b *breaker) remember(item *pipeline.Item, g *GuestError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil || len(b.known) >= maxKnown {
		b.known = map[uint64]*GuestError{}
	}
	b.known[identity(item)] = g
}

// remembers reports whether recall may know something.
func (b *breaker) remembers() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.known) > 0
}

// recall returns what was remembered of an event.
func (b *breaker) recall(item *pipeline.Item) *GuestError {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.known) == 0 {
		return nil
	}
	return b.known[identity(item)]
}

func (b *breaker) forget() {
	b.mu.Lock()
	b.known = nil
	b.mu.Unlock()
}

var identitySeed = maphash.MakeSeed()

// identity tells events apart, also the outputs that one was made into.
func identity(item *pipeline.Item) uint64 {
	var h maphash.Hash
	h.SetSeed(identitySeed)
	maphash.WriteComparable(&h, item.Position)
	for _, s := range [...]string{item.Event.Source, item.Event.ID, item.Event.Type, item.Event.Subject} {
		_, _ = h.WriteString(s)
		_ = h.WriteByte(0)
	}
	_, _ = h.Write(item.Event.Data)
	return h.Sum64()
}
