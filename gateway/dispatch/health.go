package dispatch

import (
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// health is what an endpoint's answers say of it. A refusal (a rotated key, a
// deleted hub) pauses the whole endpoint: one delivery at a time asks again,
// ever more slowly, and the first that passes ends the pause.
type health struct {
	since  time.Time // of the first failure after the last success; zero when well
	reason string    // of the latest failure
	streak int       // failures since the last success

	paused  bool
	asked   int       // how often, since the pause began
	until   time.Time // when to ask again
	probing bool      // somebody is asking

	recovered bool // a success ended a pause, or a long outage

	rejection rejection
}

// rejection is why an event became a dead letter on its own account, and when.
// What the endpoint takes after it does not undo it.
type rejection struct {
	reason string // "" for none
	at     time.Time
}

// An outage is long when so many tries failed in a row, over so long: the
// endpoint was away, and its first success is worth telling to everything that
// waits. One that lets through what it can, and fails the rest, never is.
const (
	longStreak = 16
	longOutage = 10 * time.Second
)

// saw notes the outcome of a try that ended at now. Probe says that it was the
// one that asked while all others waited.
func (h *health) saw(out delivery.Outcome, now time.Time, p delivery.Policy, probe bool) {
	if out.Settled() {
		// An event that was rejected on its own account shows a live endpoint.
		long := h.streak >= longStreak && now.Sub(h.since) >= longOutage
		*h = health{recovered: h.recovered || h.paused || long, rejection: h.rejection}
		if out.Blame == delivery.Event {
			h.rejection = rejection{out.Reason(), now}
		}
		return
	}
	if h.streak == 0 {
		h.since = now
	}
	h.streak++
	h.reason = out.Reason()
	if h.paused && !probe {
		return // it was under way when the pause began
	}
	if out.Blame == delivery.Endpoint || h.paused {
		h.paused = true
		h.asked++
		h.until = now.Add(p.Backoff(h.asked, out))
	}
}

// failing reports whether the latest answers were failures.
func (h *health) failing() bool { return h.streak > 0 }

// reset forgets everything, as when the endpoint was configured anew.
func (h *health) reset() { *h = health{} }

// takeRecovered reports, once, that the endpoint is back.
func (h *health) takeRecovered() bool {
	was := h.recovered
	h.recovered = false
	return was
}

// expired is the reason of a dead letter that grew too old without a try.
func (h *health) expired(p delivery.Policy) string {
	return fmt.Sprintf("older than %s while the endpoint was failing: %s", p.MaxAge, h.reason)
}
