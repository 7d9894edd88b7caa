package gateway_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"net/http/httptest"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/store"
)

// routesFilter is the filter of route i of many.
func routesFilter(i int) string {
	return fmt.Sprintf("type = 'Microsoft.DigitalTwins.Twin.Update' AND $body.modelId = 'dtmi:plant:Model%d;1' AND NOT CHANGED('/Property%d')", i%100, i/100)
}

// dirWithRoutes is a data directory whose catalog has that many routes.
func dirWithRoutes(b *testing.B, routes int) string {
	b.Helper()
	dir := b.TempDir()
	s, err := store.Open(filepath.Join(dir, "catalog.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	err = s.Update(func(tx *store.Tx) error {
		endpoint, err := catalog.DecodeEndpoint("out", fmt.Appendf(nil, `{"kind":"file","settings":{"path":%q}}`, filepath.Join(b.TempDir(), "out")))
		if err != nil {
			return err
		}
		if _, _, err := tx.PutEndpoint(endpoint, catalog.Precondition{}); err != nil {
			return err
		}
		for i := range routes {
			r := catalog.Route{ID: fmt.Sprintf("route-%05d", i), EndpointName: "out", Filter: routesFilter(i), Enabled: true}
			if _, _, err := tx.PutRoute(r, catalog.Precondition{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkPutRoute measures a PUT that changes the filter of one route among
// many, until its answer: stored, compiled and in force.
func BenchmarkPutRoute(b *testing.B) {
	for _, routes := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(routes), func(b *testing.B) {
			g, err := gateway.Open(b.Context(), gateway.Options{Dir: dirWithRoutes(b, routes)})
			if err != nil {
				b.Fatal(err)
			}
			srv := httptest.NewServer(g.Handler())
			defer func() {
				srv.Close()
				g.Close(b.Context())
			}()
			s, n := &benchAPI{b, srv.URL}, routes
			put := func() {
				n++
				s.put(fmt.Sprintf("/routes/route-%05d", n*7919%routes), fmt.Sprintf(`{"endpointName":"out","filter":%q}`, routesFilter(n)))
			}
			for range routes / 100 { // what the start has left for later is done meanwhile
				put()
			}
			var worst time.Duration
			for b.Loop() {
				start := time.Now()
				put()
				worst = max(worst, time.Since(start))
			}
			b.ReportMetric(float64(worst)/float64(time.Millisecond), "ms-worst")
		})
	}
}

// BenchmarkOpen measures how long a gateway with many routes takes to start.
func BenchmarkOpen(b *testing.B) {
	for _, routes := range []int{0, 10_000} {
		b.Run(fmt.Sprint(routes), func(b *testing.B) {
			dir := dirWithRoutes(b, routes)
			for b.Loop() {
				g, err := gateway.Open(b.Context(), gateway.Options{Dir: dir})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := g.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
