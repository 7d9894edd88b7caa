package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
)

// Change asks for the catalog to become what documents say.
type Change struct {
	// Documents are JSON objects of kind, name and spec.
	Documents []json.RawMessage `json:"documents"`
	// Prune asks for what no document names to be removed.
	Prune bool `json:"prune,omitempty"`
	// Events is how many of the latest events a plan is tried on; nil leaves it to
	// the server.
	Events *int `json:"events,omitempty"`
	// Revision, unless nil, is the one that the catalog must be at.
	Revision *uint64 `json:"revision,omitempty"`
	// Modules are those of plugins that the server may not have, by digest.
	Modules map[string][]byte `json:"modules,omitempty"`
}

// Plan says what Apply would do, and changes nothing.
func (c *Client) Plan(ctx context.Context, change Change) (catalog.Planned, error) {
	return c.planned(ctx, "/catalog:plan", change)
}

// Apply makes all of the changes, or none.
func (c *Client) Apply(ctx context.Context, change Change) (catalog.Planned, error) {
	return c.planned(ctx, "/catalog:apply", change)
}

func (c *Client) planned(ctx context.Context, path string, change Change) (catalog.Planned, error) {
	var out catalog.Planned
	if change.Documents == nil {
		change.Documents = []json.RawMessage{}
	}
	// The colon is part of the path's one segment, and needs no escape.
	r, err := request{method: http.MethodPost, path: apiPath + path, accept: "application/json"}.withJSON(change)
	if err != nil {
		return out, err
	}
	_, err = c.call(ctx, r, &out)
	return out, err
}

// Documents returns the catalog as documents, with "***" for each secret, and
// its revision.
func (c *Client) Documents(ctx context.Context) ([]catalog.Document, uint64, error) {
	out, err := get[struct {
		Documents []catalog.Document `json:"documents"`
		Revision  uint64             `json:"revision"`
	}](ctx, c, "catalog")
	return out.Documents, out.Revision, err
}

// Module returns the bytes of a version of the plugin called name.
func (c *Client) Module(ctx context.Context, name string, version int) ([]byte, error) {
	r := at(http.MethodGet, "plugins", name, "versions", strconv.Itoa(version), "module")
	r.accept = "application/wasm"
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}
