package gateway

import (
	"context"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/adt"
	"github.com/headgate/headgate/gateway/catalog"
)

// adt serves the routes and endpoints to the clients of Azure Digital Twins.
func (g *Gateway) adt() *adt.Server {
	t := twins{g}
	return adt.New(adt.Backend{Catalog: t, Routes: t, Endpoints: t},
		adt.Options{MaxRoutes: g.opts.MaxRoutes, Logger: g.log, Actor: actor})
}

// twins is the gateway as package adt wants it.
type twins struct{ *Gateway }

func (t twins) PutRoute(ctx context.Context, by adt.Change, r catalog.Route) error {
	_, _, err := t.Gateway.PutRoute(ctx, admin.Change(by), r)
	return err
}

func (t twins) DeleteRoute(ctx context.Context, by adt.Change, id string) error {
	return t.Gateway.DeleteRoute(ctx, admin.Change(by), id)
}

func (t twins) PutEndpoint(ctx context.Context, by adt.Change, e catalog.Endpoint) (catalog.Endpoint, bool, error) {
	return t.Gateway.PutEndpoint(ctx, admin.Change(by), e)
}

func (t twins) DeleteEndpoint(ctx context.Context, by adt.Change, name string) error {
	return t.Gateway.DeleteEndpoint(ctx, admin.Change(by), name)
}
