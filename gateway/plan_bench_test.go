package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
)

// BenchmarkPlan plans a change of every one of 100 routes over 10,000 events:
// of their filters, of their plugins, and of nothing.
func BenchmarkPlan(b *testing.B) {
	const routes, events = 100, 10_000
	g, err := gateway.Open(b.Context(), gateway.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close(b.Context())
	handler := g.Handler()
	send := func(body string) {
		req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/events", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/cloudevents-batch+json")
		answer := httptest.NewRecorder()
		if handler.ServeHTTP(answer, req); answer.Code != http.StatusAccepted {
			b.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	for i := range events / 500 {
		batch := ""
		for k := range 500 {
			n := i*500 + k
			batch += "," + update(fmt.Sprint(n), fmt.Sprint("room-", n%1000), "/temperature", fmt.Sprint(n%40))
		}
		send("[" + batch[1:] + "]")
	}
	docs := func(filter, stages string) catalog.ApplyRequest {
		text := `{"events":10000,"documents":[{"kind":"Endpoint","name":"out","spec":{"kind":"webhook","settings":{"url":"http://127.0.0.1:1/"}}}`
		for i := range routes {
			text += fmt.Sprintf(`,{"kind":"Route","name":"r%d","spec":{"endpointName":"out","filter":%s%s,"enabled":true}}`, i, fmt.Sprintf(filter, i%40, i), stages)
		}
		req, err := catalog.DecodeApply([]byte(text + "]}"))
		if err != nil {
			b.Fatal(err)
		}
		return req
	}
	// Between a half and nearly none of the events match.
	const before, after = `"PATCH('/temperature') > %d AND subject != 'x%d'"`, `"PATCH('/temperature') >= %d AND subject != 'x%d'"`
	const tsi = `,"transforms":[{"plugin":"tsi"}]`
	for _, bm := range []struct {
		name      string
		now, then catalog.ApplyRequest
	}{
		{"filters", docs(before, ""), docs(after, "")},
		{"filters before tsi", docs(before, tsi), docs(after, tsi)},
		{"tsi added", docs(before, ""), docs(before, tsi)},
		{"nothing", docs(before, tsi), docs(before, tsi)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			if _, err := g.ApplyCatalog(b.Context(), admin.Change{}, bm.now); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var planned catalog.Planned
			for b.Loop() {
				if planned, err = g.PlanCatalog(b.Context(), admin.Change{}, bm.then); err != nil {
					b.Fatal(err)
				}
			}
			if planned.Traffic.Events != events || len(planned.Traffic.Routes) != routes {
				b.Fatalf("tried on %d events and %d routes", planned.Traffic.Events, len(planned.Traffic.Routes))
			}
			matched := 0
			for _, r := range planned.Traffic.Routes {
				matched += r.After.Matched
			}
			b.ReportMetric(float64(matched), "matches")
			answer, err := json.Marshal(planned)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(answer)), "B/answer")
		})
	}
}
