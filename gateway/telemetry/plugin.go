package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// pluginSeries holds the children of the vectors for one plugin.
type pluginSeries struct {
	calls, failed prometheus.Counter
	events, fuel  prometheus.Counter
	duration      prometheus.Observer
}

// PluginCalled counts a call into a plugin with a batch of events, and the fuel
// that they took. failed means that it trapped, ran out of a limit or broke the
// ABI, so that its instance was thrown away.
func (m *Metrics) PluginCalled(plugin string, events int, fuel int64, took time.Duration, failed bool) {
	s := m.pluginSeries(plugin)
	if failed {
		s.failed.Inc()
	} else {
		s.calls.Inc()
	}
	s.events.Add(float64(events))
	s.fuel.Add(float64(fuel))
	s.duration.Observe(took.Seconds())
}

func (m *Metrics) pluginSeries(plugin string) *pluginSeries {
	m.mu.RLock()
	s := m.plugins[plugin]
	m.mu.RUnlock()
	if s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s = m.plugins[plugin]; s == nil {
		name := valid(plugin)
		s = &pluginSeries{
			calls:    m.pluginCalls.WithLabelValues(name, "ok"),
			failed:   m.pluginCalls.WithLabelValues(name, "failed"),
			events:   m.pluginEvents.WithLabelValues(name),
			fuel:     m.pluginFuel.WithLabelValues(name),
			duration: m.pluginTime.WithLabelValues(name),
		}
		m.plugins[plugin] = s
	}
	return s
}
