package delivery

import (
	"math/rand/v2"
	"time"
)

// Policy is how an endpoint's deliveries are tried.
type Policy struct {
	MaxAttempts    int           // all tries counted; 0 sets no limit
	MaxAge         time.Duration // since acceptance
	InitialBackoff time.Duration
	MaxBackoff     time.Duration
	Timeout        time.Duration // of one try
	// OrderBy names the key: "subject" (the twin key), an attribute's name, a
	// "$body." path, or "none".
	OrderBy string
}

// DefaultPolicy retries for a day, as Azure Digital Twins does, with no limit
// on attempts.
func DefaultPolicy() Policy {
	return Policy{
		MaxAge:         24 * time.Hour,
		InitialBackoff: time.Second,
		MaxBackoff:     5 * time.Minute,
		Timeout:        30 * time.Second,
		OrderBy:        "subject",
	}
}

// Exhausted reports whether d, which was tried and not settled by out, is to
// be given up at now. Attempts that failed by the endpoint's fault count
// against the age alone.
func (p Policy) Exhausted(d Delivery, out Outcome, now time.Time) bool {
	if p.MaxAttempts > 0 && d.Attempts >= p.MaxAttempts && out.Blame != Endpoint {
		return true
	}
	return p.Expired(&d, now)
}

// Expired reports whether d is older than the policy allows at now.
func (p Policy) Expired(d *Delivery, now time.Time) bool {
	return now.Sub(d.Since()) >= p.MaxAge
}

// Backoff is the wait before the attempt after attempts tries: the initial
// backoff doubled for each try after the first, at most the maximum, less up
// to a fifth at random so that endpoints are not hit in step. A longer wait
// that the endpoint asked for wins, up to MaxAge.
func (p Policy) Backoff(attempts int, out Outcome) time.Duration {
	wait := p.MaxBackoff
	if shift := attempts - 1; shift < 32 && p.InitialBackoff < p.MaxBackoff>>shift {
		wait = p.InitialBackoff << shift
	}
	wait -= time.Duration(rand.Int64N(int64(wait)/5 + 1))
	return min(max(wait, out.RetryAfter), p.MaxAge)
}
