package telemetry_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/telemetry"
)

// scrape returns the lines of m's metrics that begin with one of the prefixes.
func scrape(t *testing.T, m *telemetry.Metrics, prefixes ...string) []string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("GET /metrics: %d %s", rec.Code, rec.Body)
	}
	var lines []string
	for line := range strings.Lines(rec.Body.String()) {
		for _, p := range prefixes {
			if strings.HasPrefix(line, p) {
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
		}
	}
	return lines
}

var accepted = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func try(endpoint, route string, out delivery.Outcome) delivery.Try {
	return delivery.Try{
		Delivery: &delivery.Delivery{
			Endpoint: endpoint, Route: route, Accepted: accepted, Attempts: 3,
			Event: event.Event{ID: "e1"}, Position: event.Position{Seq: 7, Index: 2},
		},
		At: accepted.Add(40 * time.Millisecond), Took: 20 * time.Millisecond, Outcome: out,
	}
}

func TestRecord(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Options{})
	boom := errors.New("boom")
	m.Record([]delivery.Try{
		try("hub", "a", delivery.Delivered()),
		try("hub", "a", delivery.Delivered()),
		try("hub", "b", delivery.Transient(boom)),
		try("hub", "b", delivery.NotTried()),
		try("file", "a", delivery.Refused(boom)),
	})
	m.Record(nil)

	got := scrape(t, m, "headgate_attempts_total", "headgate_delivery_latency_seconds_sum", `headgate_attempt_duration_seconds_count`)
	want := []string{
		`headgate_attempt_duration_seconds_count{endpoint="file"} 1`,
		`headgate_attempt_duration_seconds_count{endpoint="hub"} 3`,
		`headgate_attempts_total{endpoint="file",outcome="delivered",route="a"} 0`,
		`headgate_attempts_total{endpoint="file",outcome="endpoint",route="a"} 1`,
		`headgate_attempts_total{endpoint="file",outcome="event",route="a"} 0`,
		`headgate_attempts_total{endpoint="file",outcome="transient",route="a"} 0`,
		`headgate_attempts_total{endpoint="hub",outcome="delivered",route="a"} 2`,
		`headgate_attempts_total{endpoint="hub",outcome="delivered",route="b"} 0`,
		`headgate_attempts_total{endpoint="hub",outcome="endpoint",route="a"} 0`,
		`headgate_attempts_total{endpoint="hub",outcome="endpoint",route="b"} 0`,
		`headgate_attempts_total{endpoint="hub",outcome="event",route="a"} 0`,
		`headgate_attempts_total{endpoint="hub",outcome="event",route="b"} 0`,
		`headgate_attempts_total{endpoint="hub",outcome="transient",route="a"} 0`,
		`headgate_attempts_total{endpoint="hub",outcome="transient",route="b"} 1`,
		`headgate_delivery_latency_seconds_sum{endpoint="file"} 0`,
		`headgate_delivery_latency_seconds_sum{endpoint="hub"} 0.12`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRecordLogsDeadLettersAlone(t *testing.T) {
	var log strings.Builder
	m := telemetry.NewMetrics(telemetry.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))})
	dead := try("hub", "a", delivery.Permanent(errors.New("400 Bad Request")))
	dead.Dead = true
	m.Record([]delivery.Try{try("hub", "a", delivery.Delivered()), try("hub", "a", delivery.Transient(errors.New("busy"))), dead})

	want := `level=WARN msg="delivery gave up; the event is among the dead letters" endpoint=hub route=a position=7-2 event_id=e1 attempts=3 blame=event err="400 Bad Request"` + "\n"
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := scrape(t, m, "headgate_dead_letters_total"); !cmp.Equal(got, []string{`headgate_dead_letters_total{endpoint="hub",route="a"} 1`}) {
		t.Errorf("dead letters: %q", got)
	}
}

func TestForget(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Options{})
	m.Record([]delivery.Try{
		try("hub", "old", delivery.Delivered()), try("hub", "kept", delivery.Delivered()), try("gone", "old", delivery.Delivered()),
	})
	m.Forget(func(endpoint, route string) bool { return endpoint == "hub" && route == "kept" })

	want := []string{
		`headgate_attempt_duration_seconds_count{endpoint="hub"} 2`,
		`headgate_dead_letters_total{endpoint="hub",route="kept"} 0`,
	}
	if diff := cmp.Diff(want, scrape(t, m, "headgate_attempt_duration_seconds_count", "headgate_dead_letters_total")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.Record([]delivery.Try{try("gone", "old", delivery.Delivered())})
	if got := scrape(t, m, `headgate_attempts_total{endpoint="gone",outcome="delivered"`); !cmp.Equal(got, []string{`headgate_attempts_total{endpoint="gone",outcome="delivered",route="old"} 1`}) {
		t.Errorf("a forgotten pair that comes back counts %q, want from 1", got)
	}
}

func TestIngressPluginsAndState(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Options{Version: "v1.2.3"})
	if got := scrape(t, m, "headgate_journal_bytes"); got != nil {
		t.Errorf("gauges before Watch: %q", got)
	}
	m.Accepted(100, 3*time.Millisecond)
	m.Accepted(1, 3*time.Millisecond)
	m.Refused(400)
	m.Refused(503)
	m.Refused(503)
	m.PluginCalled("tsi", 64, 12_800, 250*time.Microsecond, false)
	m.PluginCalled("tsi", 64, 200, time.Millisecond, true)
	m.Watch(func() telemetry.State {
		return telemetry.State{JournalBytes: 4096, First: 3, Last: 9,
			Endpoints: []telemetry.EndpointState{{Name: "hub", Lag: 2, Retrying: 5, Dead: 1}, {Name: "bad\xff"}}}
	})
	got := scrape(t, m, "headgate_events", "headgate_commit_duration_seconds_count", "headgate_requests", "headgate_plugin_calls",
		"headgate_plugin_events", "headgate_journal", "headgate_endpoint")
	want := []string{
		`headgate_commit_duration_seconds_count 2`,
		`headgate_endpoint_dead_letters{endpoint="bad�"} 0`,
		`headgate_endpoint_dead_letters{endpoint="hub"} 1`,
		`headgate_endpoint_lag_chunks{endpoint="bad�"} 0`,
		`headgate_endpoint_lag_chunks{endpoint="hub"} 2`,
		`headgate_endpoint_retrying{endpoint="bad�"} 0`,
		`headgate_endpoint_retrying{endpoint="hub"} 5`,
		`headgate_events_accepted_total 101`,
		`headgate_journal_bytes 4096`,
		`headgate_journal_first_sequence 3`,
		`headgate_journal_last_sequence 9`,
		`headgate_plugin_calls_total{outcome="failed",plugin="tsi"} 1`,
		`headgate_plugin_calls_total{outcome="ok",plugin="tsi"} 1`,
		`headgate_plugin_events_total{plugin="tsi"} 128`,
		`headgate_requests_refused_total{status="400"} 1`,
		`headgate_requests_refused_total{status="503"} 2`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := scrape(t, m, "headgate_build_info"); len(got) != 1 || !strings.Contains(got[0], `version="v1.2.3"`) {
		t.Errorf("build info is %q", got)
	}
	if got := scrape(t, m, "go_goroutines "); len(got) != 1 {
		t.Errorf("Go's own metrics: %q", got)
	}
}

func TestNewLogger(t *testing.T) {
	var text, json strings.Builder
	for format, w := range map[string]io.Writer{"text": &text, "json": &json} {
		log := telemetry.NewLogger(w, slog.LevelWarn, format)
		log.Info("quiet")
		log.Warn("loud", telemetry.KeyEndpoint, "hub")
	}
	if got := text.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "msg=loud endpoint=hub") {
		t.Errorf("text log: %s", got)
	}
	if got := json.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"msg":"loud","endpoint":"hub"`) {
		t.Errorf("json log: %s", got)
	}
}

// BenchmarkRecord is a batch of 64 deliveries; 100,000 deliveries a second are
// 1,563 of them.
func BenchmarkRecord(b *testing.B) {
	m := telemetry.NewMetrics(telemetry.Options{})
	var tries []delivery.Try
	for i := range 64 {
		tries = append(tries, try("hub", []string{"a", "b"}[i/32], delivery.Delivered()))
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Record(tries)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/delivery")
}

func BenchmarkRecordParallel(b *testing.B) {
	m := telemetry.NewMetrics(telemetry.Options{})
	tries := []delivery.Try{try("hub", "a", delivery.Delivered())}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Record(tries)
		}
	})
}
