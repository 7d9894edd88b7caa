package plugin

import (
	crand "crypto/rand"
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
)

// The capabilities that a module may want and be granted.
const (
	CapabilityClock  = "clock"  // the real time
	CapabilityRandom = "random" // numbers that nobody can foresee
)

// Capabilities are the names of all that a module can be granted.
func Capabilities() []string { return slices.Clone(knownCapabilities) }

// world is what a guest sees of time and chance. Unless it was granted the real
// ones, both follow from the event that it is at: the clock starts at the
// event's time, and the random numbers from its source and id, so that the
// same event is treated the same whenever it runs. Where there is no event,
// in a start or before the first is begun, both start at a fixed point.
type world struct {
	clock, random bool // granted
	script        *tape

	at      int // how many events were begun when what follows was set; −1 for never
	now     int64
	elapsed int64 // monotonic: it goes on from event to event
	numbers *rand.ChaCha8
}

// tick is how much the clock moves with each look, in nanoseconds.
const tick = 1000

// epoch is the time where there is no event, or one without a time.
var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// turn sets the world for the event that the guest is at.
func (w *world) turn(i *instance) {
	begun := i.begun()
	if w.at == begun {
		return
	}
	w.at, w.now, w.numbers = begun, epoch.UnixNano(), nil
	if begun > 0 {
		w.now = eventTime(&i.items[begun-1])
	}
}

// forget makes the next look start anew, for a new call.
func (w *world) forget() { w.at = -1 }

// time is what a clock shows: the time of day, or one that only grows.
func (w *world) time(i *instance, ofDay bool) int64 {
	if w.script != nil && w.clock {
		if v, ok := w.script.next("clock_time_get"); ok && len(v) == 8 {
			return int64(le64(v))
		}
	}
	if w.clock && ofDay {
		return time.Now().UnixNano()
	}
	if w.clock {
		return int64(time.Since(i.born))
	}
	w.turn(i)
	w.now += tick
	w.elapsed += tick
	if ofDay {
		return w.now
	}
	return w.elapsed
}

// wait moves the clocks as if the guest had waited.
func (w *world) wait(i *instance, ofDay bool, until int64, absolute bool) {
	w.turn(i)
	if absolute && ofDay {
		until -= w.now
	} else if absolute {
		until -= w.elapsed
	}
	if until > 0 {
		w.now += until
		w.elapsed += until
	}
}

// read fills b with random bytes.
func (w *world) read(i *instance, b []byte) {
	if w.random {
		if w.script != nil {
			if v, ok := w.script.next("random_get"); ok && len(v) == len(b) {
				copy(b, v)
				return
			}
		}
		_, _ = crand.Read(b) // it never fails
		return
	}
	w.turn(i)
	if w.numbers == nil {
		seed := [32]byte{}
		if w.at > 0 {
			seed = eventSeed(&i.items[w.at-1])
		}
		w.numbers = rand.NewChaCha8(seed)
	}
	_, _ = w.numbers.Read(b) // it never fails
}

// eventTime is the time of the accepted event, in nanoseconds since 1970.
func eventTime(item *pipeline.Item) int64 {
	if t, err := event.ParseTime(item.Source.Time); err == nil && t.Year() > 1 && t.Year() < 2262 {
		return t.UnixNano()
	}
	return epoch.UnixNano()
}

// eventSeed follows from what names the accepted event, as the key by which
// receivers tell copies does.
func eventSeed(item *pipeline.Item) [32]byte {
	b := event.AppendField(nil, item.Source.Source)
	return sha256.Sum256(event.AppendField(b, item.Source.ID))
}
