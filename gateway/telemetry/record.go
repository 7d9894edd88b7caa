package telemetry

import (
	"context"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/gateway/delivery"
)

// pair identifies the series of one route's deliveries to one endpoint.
type pair struct{ endpoint, route string }

// routeSeries holds the children of the vectors for one pair, so that counting
// a delivery hashes no labels.
type routeSeries struct {
	attempts    [delivery.Held]prometheus.Counter // by blame
	dead        prometheus.Counter
	attemptTime prometheus.Observer
	latency     prometheus.Observer
}

// Record counts tries, and logs those after which a delivery became a dead
// letter. It allocates only when it meets a pair of endpoint and route for the
// first time, or logs.
func (m *Metrics) Record(tries []delivery.Try) {
	var s *routeSeries
	var last pair
	for i := range tries {
		t := &tries[i]
		if t.Outcome.Blame >= delivery.Held {
			continue // not tried
		}
		if p := (pair{t.Delivery.Endpoint, t.Delivery.Route}); s == nil || p != last {
			s, last = m.routeSeries(p), p
		}
		s.attempts[t.Outcome.Blame].Inc()
		s.attemptTime.Observe(t.Took.Seconds())
		if t.Outcome.Blame == delivery.None {
			s.latency.Observe(t.At.Add(t.Took).Sub(t.Delivery.Accepted).Seconds())
		}
		if t.Dead {
			s.dead.Inc()
			m.logDead(t)
		}
	}
}

// logDead writes the one line that a failed delivery gets.
func (m *Metrics) logDead(t *delivery.Try) {
	d := t.Delivery
	m.log.LogAttrs(context.Background(), slog.LevelWarn, "delivery gave up; the event is among the dead letters",
		slog.String(KeyEndpoint, d.Endpoint),
		slog.String(KeyRoute, d.Route),
		slog.String(KeyPosition, d.Position.String()),
		slog.String(KeyEventID, d.Event.ID),
		slog.Int(KeyAttempts, d.Attempts),
		slog.String(KeyBlame, t.Outcome.Blame.String()),
		slog.String(KeyErr, t.Outcome.Reason()))
}

// routeSeries returns the children for p.
func (m *Metrics) routeSeries(p pair) *routeSeries {
	m.mu.RLock()
	s := m.routes[p]
	m.mu.RUnlock()
	if s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s = m.routes[p]; s != nil {
		return s
	}
	endpoint, route := valid(p.endpoint), valid(p.route)
	s = &routeSeries{
		dead:        m.deadLetters.WithLabelValues(endpoint, route),
		attemptTime: m.attemptTime.WithLabelValues(endpoint),
		latency:     m.latency.WithLabelValues(endpoint),
	}
	for blame := range s.attempts {
		s.attempts[blame] = m.attempts.WithLabelValues(endpoint, route, delivery.Blame(blame).String())
	}
	m.routes[p] = s
	return s
}

// Forget drops the series of the endpoints and routes that exist reports to be
// gone, so that years of changes do not pile up. A delivery that is still under
// way may bring its own back.
func (m *Metrics) Forget(exists func(endpoint, route string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := map[string]bool{}
	for p := range m.routes {
		if exists(p.endpoint, p.route) {
			kept[p.endpoint] = true
		}
	}
	for p := range m.routes {
		if exists(p.endpoint, p.route) {
			continue
		}
		delete(m.routes, p)
		labels := prometheus.Labels{"endpoint": valid(p.endpoint), "route": valid(p.route)}
		m.attempts.DeletePartialMatch(labels)
		m.deadLetters.Delete(labels)
		if !kept[p.endpoint] {
			m.attemptTime.DeleteLabelValues(valid(p.endpoint))
			m.latency.DeleteLabelValues(valid(p.endpoint))
		}
	}
}

// valid makes s fit for a label, which must be UTF-8.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
