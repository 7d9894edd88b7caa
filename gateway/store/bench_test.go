package store_test

import (
	"fmt"
	"testing"

	"github.com/headgate/headgate/gateway/store"
)

// crowd is a store of 10,000 routes.
func crowd(b *testing.B) *store.Store {
	b.Helper()
	s := open(b)
	seed(b, s)
	update(b, s, func(tx *store.Tx) error {
		for i := range 10_000 {
			if _, _, err := tx.PutRoute(route(fmt.Sprintf("route-%05d", i), "hub", "tsi"), always); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

// One route of 10,000 changes: what the store adds to the time until it is in
// force, most of it the disk's.
func BenchmarkPutRoute(b *testing.B) {
	s := crowd(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		update(b, s, func(tx *store.Tx) error {
			r := route("route-05000", "hub", "tsi")
			r.Filter = fmt.Sprint(n)
			_, _, err := tx.PutRoute(r, always)
			tx.Snapshot()
			return err
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s := crowd(b)
	b.ReportAllocs()
	for b.Loop() {
		snap := s.Snapshot()
		if _, ok := snap.Route("route-09999"); !ok {
			b.Fatal("route is missing")
		}
	}
}
