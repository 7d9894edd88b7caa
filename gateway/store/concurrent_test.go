package store_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/store"
)

// Many editors read, change and write back under If-Match:
//
//  1. no edit is lost: the route ends at the number of edits that succeeded;
//  2. a reader sees a route and its history of one and the same commit.
func TestConcurrentEdits(t *testing.T) {
	s := open(t)
	seed(t, s)
	update(t, s, func(tx *store.Tx) error {
		r := route("named", "hub")
		r.Filter = "0"
		_, _, err := tx.PutRoute(r, always)
		return err
	})
	const editors, edits = 4, 15
	var wg sync.WaitGroup
	for range editors {
		wg.Go(func() {
			for done := 0; done < edits; {
				snap := s.Snapshot()
				r, _ := snap.Route("named")
				n, _ := strconv.Atoi(r.Filter)
				r.Filter = strconv.Itoa(n + 1)
				err := s.Update(func(tx *store.Tx) error { _, _, err := tx.PutRoute(r, at(r.Revision)); return err })
				switch {
				case err == nil:
					done++
				case !errors.Is(err, catalog.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
		wg.Go(func() {
			for range edits {
				err := s.View(func(tx *store.Tx) error {
					snap := tx.Snapshot()
					r, _ := snap.Route("named")
					history, err := tx.RouteHistory("named")
					if err == nil && history[0].Revision != r.Revision {
						t.Errorf("route at revision %d, its history at %d", r.Revision, history[0].Revision)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	snap := s.Snapshot()
	if r, _ := snap.Route("named"); r.Filter != strconv.Itoa(editors*edits) {
		t.Errorf("the route ends at %s, want %d", r.Filter, editors*edits)
	}
}
