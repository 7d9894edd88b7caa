// Package telemetry turns what the other rooms report into metrics and logs.
//
// The rooms know nothing of it: each declares the small interface that it
// reports to, and [Metrics] satisfies them. Nothing is registered globally.
package telemetry

import (
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are the optional parts of [Metrics].
type Options struct {
	Version string       // of the binary; shown by headgate_build_info
	Logger  *slog.Logger // told of every dead letter; nil discards
}

// Metrics counts. Its methods may be called from any goroutine.
type Metrics struct {
	log      *slog.Logger
	registry *prometheus.Registry

	attempts    *prometheus.CounterVec
	deadLetters *prometheus.CounterVec
	attemptTime *prometheus.HistogramVec
	latency     *prometheus.HistogramVec

	accepted   prometheus.Counter
	commitTime prometheus.Histogram
	refused    *prometheus.CounterVec

	pluginCalls  *prometheus.CounterVec
	pluginEvents *prometheus.CounterVec
	pluginFuel   *prometheus.CounterVec
	pluginTime   *prometheus.HistogramVec

	gauges *gauges

	mu      sync.RWMutex // guards the two caches of children
	routes  map[pair]*routeSeries
	plugins map[string]*pluginSeries
}

// The buckets of the histograms, in seconds.
var (
	callBuckets    = []float64{.00001, .00003, .0001, .0003, .001, .003, .01, .03, .1, .3, 1}
	commitBuckets  = []float64{.0005, .001, .002, .004, .008, .016, .032, .064, .128, .256, .512, 1, 4}
	attemptBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	latencyBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400}
)

// NewMetrics returns metrics with a registry of their own, which also holds
// those of the Go runtime and of the process.
func NewMetrics(o Options) *Metrics {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{
		log:      o.Logger,
		registry: prometheus.NewRegistry(),
		routes:   map[pair]*routeSeries{},
		plugins:  map[string]*pluginSeries{},
		gauges:   newGauges(),

		attempts:    counters("attempts_total", "Tries of deliveries, by what they came to.", "endpoint", "route", "outcome"),
		deadLetters: counters("dead_letters_total", "Deliveries that were given up.", "endpoint", "route"),
		attemptTime: histograms("attempt_duration_seconds", "Duration of one try of a delivery.", attemptBuckets, "endpoint"),
		latency:     histograms("delivery_latency_seconds", "Time from the acceptance of an event to its delivery.", latencyBuckets, "endpoint"),

		accepted: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace,
			Name: "events_accepted_total", Help: "Events that were made durable and acknowledged."}),
		commitTime: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace,
			Name: "commit_duration_seconds", Help: "Time that a request waited for its events to be durable.", Buckets: commitBuckets}),
		refused: counters("requests_refused_total", "Requests with events that were not accepted, by HTTP status.", "status"),

		pluginCalls:  counters("plugin_calls_total", "Calls into plugins, by what they came to.", "plugin", "outcome"),
		pluginEvents: counters("plugin_events_total", "Events handed to plugins.", "plugin"),
		pluginFuel:   counters("plugin_fuel_total", "Fuel that events took in plugins, in WebAssembly instructions, roughly.", "plugin"),
		pluginTime:   histograms("plugin_call_duration_seconds", "Duration of a call into a plugin, a batch of events each.", callBuckets, "plugin"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info", Help: "1, with the version as labels.",
		ConstLabels: prometheus.Labels{"version": valid(o.Version), "go_version": runtime.Version()}})
	build.Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build,
		m.attempts, m.deadLetters, m.attemptTime, m.latency,
		m.accepted, m.commitTime, m.refused,
		m.pluginCalls, m.pluginEvents, m.pluginFuel, m.pluginTime, m.gauges)
	return m
}

// Handler serves the metrics in the formats that Prometheus reads.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelError),
	})
}

// Accepted counts events that became durable, and how long their sender's
// request waited for that.
func (m *Metrics) Accepted(events int, took time.Duration) {
	m.accepted.Add(float64(events))
	m.commitTime.Observe(took.Seconds())
}

// Refused counts a request whose events were not accepted, by its answer.
func (m *Metrics) Refused(status int) {
	m.refused.WithLabelValues(strconv.Itoa(status)).Inc()
}

const namespace = "headgate"

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
}
