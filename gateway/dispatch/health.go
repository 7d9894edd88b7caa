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
	since   time.Time // of the first failure after the last success; zero when well
	reason  string    // of the latest failure
	streak  int       // failures since the last success
	refused int       // refusals since the last success

	paused  bool
	until   time.Time // when to ask again
	probing bool      // somebody is asking

	recovered bool // a success ended a long streak, or a pause
}

// longStreak is how many failures in a row make a success worth telling to
// everything that waits: the endpoint was away and is back.
const longStreak = 16

// saw notes the outcome of a try that ended at now.
func (h *health) saw(out delivery.Outcome, now time.Time, p delivery.Policy) {
	if out.Settled() {
		// An event that was rejected on its own account shows a live endpoint.
		h.recovered = h.recovered || h.paused || h.streak >= longStreak
		*h = health{recovered: h.recovered}
		return
	}
	if h.streak == 0 {
		h.since = now
	}
	h.streak++
	h.reason = out.Reason()
	if out.Blame == delivery.Endpoint {
		h.refused++
		h.paused = true
		h.until = now.Add(p.Backoff(h.refused, out))
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
