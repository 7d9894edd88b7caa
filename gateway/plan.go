package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/store"
)

// errPlanned ends the transaction of a plan, of which nothing is to stay.
var errPlanned = errors.New("planned")

// maxPlanBytes bounds the events of a plan.
const maxPlanBytes = 128 << 20

// PlanCatalog says what ApplyCatalog would do, and what it would mean for the
// latest events; see [admin.Plans]. Nothing is changed: the plugins run on
// instances of their own.
func (g *Gateway) PlanCatalog(ctx context.Context, by admin.Change, req catalog.ApplyRequest) (catalog.Planned, error) {
	w, err := g.newWish(ctx, req, by)
	if err != nil {
		return catalog.Planned{}, err
	}
	err = g.store.Update(func(tx *store.Tx) error {
		if err := w.put(tx); err != nil {
			return err
		}
		return errPlanned
	})
	if !errors.Is(err, errPlanned) {
		return catalog.Planned{}, err
	}

	g.trial.running.Lock()
	defer g.trial.running.Unlock()
	r := newRehearsal(g, func(digest string) ([]byte, error) {
		if module, ok := req.Modules[digest]; ok {
			return module, nil
		}
		return g.module(digest)
	})
	defer r.close()
	err = w.check(func(s *catalog.Snapshot, route catalog.Route) error {
		_, err := r.stages(ctx, s, route)
		return err
	})
	if err != nil {
		return catalog.Planned{}, err
	}
	n := req.Events
	if n < 0 {
		n = catalog.DefaultPlanEvents
	}
	if n == 0 {
		return w.planned, nil
	}
	events, covered, err := g.latestEvents(ctx, n, maxPlanBytes)
	if err != nil {
		return catalog.Planned{}, err
	}
	traffic := &catalog.Traffic{Events: len(events), Covered: covered, Routes: []catalog.RouteTraffic{}}
	if traffic.Routes, err = r.compare(ctx, &w.before, &w.after, events); err != nil {
		return catalog.Planned{}, fmt.Errorf("try the plan on the latest %d events: %w", len(events), err)
	}
	w.planned.Traffic = traffic
	return w.planned, nil
}
