package telemetry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// State is what is read, rather than counted, at each scrape.
type State struct {
	JournalBytes uint64
	// First and Last are the sequences of the oldest and the newest chunk in
	// the journal; 0 when it is empty.
	First, Last uint64
	Endpoints   []EndpointState
}

// EndpointState is how an endpoint stands.
type EndpointState struct {
	Name string
	// Lag is how many chunks of the journal it has yet to finish.
	Lag uint64
	// Retrying and Dead are its deliveries that wait for another try, and its
	// dead letters.
	Retrying, Dead int
}

// Watch makes every scrape call read, which must be cheap and may be called
// from any goroutine. Until it is called there are no gauges.
func (m *Metrics) Watch(read func() State) { m.gauges.read.Store(&read) }

// gauges collects a [State].
type gauges struct {
	read atomic.Pointer[func() State]

	bytes, first, last  *prometheus.Desc
	lag, retrying, dead *prometheus.Desc
}

func newGauges() *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
	}
	return &gauges{
		bytes:    desc("journal_bytes", "Size of the journal on disk."),
		first:    desc("journal_first_sequence", "Sequence of the oldest chunk in the journal."),
		last:     desc("journal_last_sequence", "Sequence of the newest chunk in the journal."),
		lag:      desc("endpoint_lag_chunks", "Chunks of the journal that the endpoint has yet to finish.", "endpoint"),
		retrying: desc("endpoint_retrying", "Deliveries that wait for another try.", "endpoint"),
		dead:     desc("endpoint_dead_letters", "Dead letters of the endpoint.", "endpoint"),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.bytes, g.first, g.last, g.lag, g.retrying, g.dead} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	read := g.read.Load()
	if read == nil {
		return
	}
	s := (*read)()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(g.bytes, float64(s.JournalBytes))
	gauge(g.first, float64(s.First))
	gauge(g.last, float64(s.Last))
	for _, e := range s.Endpoints {
		name := valid(e.Name)
		gauge(g.lag, float64(e.Lag), name)
		gauge(g.retrying, float64(e.Retrying), name)
		gauge(g.dead, float64(e.Dead), name)
	}
}
