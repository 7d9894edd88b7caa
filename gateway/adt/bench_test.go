package adt_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/headgate/headgate/gateway/adt"
	"github.com/headgate/headgate/gateway/catalog"
)

// fixed is a catalog that does not change.
type fixed catalog.Snapshot

func (f *fixed) Snapshot() catalog.Snapshot { return catalog.Snapshot(*f) }

// BenchmarkListRoutes reads one page of 100 among 10,000 routes: the first, one
// in the middle, the last. They cost the same.
func BenchmarkListRoutes(b *testing.B) {
	var f fixed
	for i := range 10_000 {
		f.Routes = append(f.Routes, catalog.Route{
			ID: fmt.Sprintf("route-%05d", i), EndpointName: "hub", Filter: "type = 'Microsoft.DigitalTwins.Twin.Update'",
		})
	}
	handler := adt.New(adt.Backend{Catalog: &f}, adt.Options{}).Wrap(http.NotFoundHandler())
	get := func(url string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		return w
	}
	pages := []string{"https://localhost/eventroutes?api-version=2023-10-31"}
	for next := &pages[0]; next != nil; {
		var page struct {
			Next *string `json:"nextLink"`
		}
		if err := json.Unmarshal(get(*next).Body.Bytes(), &page); err != nil {
			b.Fatal(err)
		}
		if next = page.Next; next != nil {
			pages = append(pages, *next)
		}
	}
	if len(pages) != 100 {
		b.Fatalf("%d pages, want 100", len(pages))
	}
	for _, n := range []int{0, 49, 99} {
		b.Run(fmt.Sprintf("page=%d", n+1), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := get(pages[n]); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
