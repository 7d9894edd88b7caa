package client

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
)

// Endpoints yields all endpoints, by name, or an error and nothing more.
func (c *Client) Endpoints(ctx context.Context) iter.Seq2[catalog.Endpoint, error] {
	return list[catalog.Endpoint](ctx, c, nil, "endpoints")
}

// Endpoint returns the endpoint called name, with "***" for its secrets.
func (c *Client) Endpoint(ctx context.Context, name string) (catalog.Endpoint, error) {
	return get[catalog.Endpoint](ctx, c, "endpoints", name)
}

// PutEndpoint creates or replaces the endpoint called e.Name, and reports
// whether it is new.
func (c *Client) PutEndpoint(ctx context.Context, e catalog.Endpoint, pre catalog.Precondition) (catalog.Endpoint, bool, error) {
	return put[catalog.Endpoint](ctx, c, conditional(pre, http.MethodPut, "endpoints", e.Name), e)
}

// PutEndpointJSON is [Client.PutEndpoint] of a document that a person wrote:
// what it leaves out, the server fills in.
func (c *Client) PutEndpointJSON(ctx context.Context, name string, doc json.RawMessage, pre catalog.Precondition) (catalog.Endpoint, bool, error) {
	return put[catalog.Endpoint](ctx, c, conditional(pre, http.MethodPut, "endpoints", name), doc)
}

// DeleteEndpoint removes the endpoint called name, which no route may name.
func (c *Client) DeleteEndpoint(ctx context.Context, name string, pre catalog.Precondition) error {
	_, err := c.call(ctx, conditional(pre, http.MethodDelete, "endpoints", name), nil)
	return err
}

// EndpointHistory returns what the endpoint was before, the latest first.
func (c *Client) EndpointHistory(ctx context.Context, name string) ([]catalog.Revision[catalog.Endpoint], error) {
	p, err := get[page[catalog.Revision[catalog.Endpoint]]](ctx, c, "endpoints", name, "revisions")
	return p.Items, err
}

// TestEndpoint tries the endpoint called name: without delivering anything, or
// with send by an event made for that, which its consumers get.
func (c *Client) TestEndpoint(ctx context.Context, name string, send bool) (catalog.Probed, error) {
	var out catalog.Probed
	r := at(http.MethodPost, "endpoints", name+":test")
	if send {
		var err error
		if r, err = r.withJSON(map[string]bool{"send": true}); err != nil {
			return out, err
		}
	}
	_, err := c.call(ctx, r, &out)
	return out, err
}

// BlockedKeys returns the keys of the endpoint called name whose first delivery
// holds up the others, those first that hold up the most, at most limit.
func (c *Client) BlockedKeys(ctx context.Context, name string, limit int) (catalog.BlockedKeys, error) {
	var out catalog.BlockedKeys
	r := at(http.MethodGet, "endpoints", name, "blocked")
	r.query = url.Values{"limit": {strconv.Itoa(limit)}}
	_, err := c.call(ctx, r, &out)
	return out, err
}

// SkipDelivery makes the first delivery of a key of the endpoint called name a
// dead letter, so that the others go on.
func (c *Client) SkipDelivery(ctx context.Context, name string, n catalog.DeliveryName) (catalog.SkippedDelivery, error) {
	var out catalog.SkippedDelivery
	r, err := at(http.MethodPost, "endpoints", name, "skip").withJSON(n)
	if err != nil {
		return out, err
	}
	_, err = c.call(ctx, r, &out)
	return out, err
}

// RetryEndpoint has the endpoint called name try at once what rests between two
// tries.
func (c *Client) RetryEndpoint(ctx context.Context, name string) (catalog.Retried, error) {
	var out catalog.Retried
	_, err := c.call(ctx, at(http.MethodPost, "endpoints", name, "retry"), &out)
	return out, err
}

// Replay delivers the endpoint called name everything from a position or a
// time on once more.
func (c *Client) Replay(ctx context.Context, name string, from catalog.Bound) (catalog.Replay, error) {
	var out catalog.Replay
	r, err := at(http.MethodPost, "endpoints", name, "replay").withJSON(map[string]string{"from": from.String()})
	if err != nil {
		return out, err
	}
	_, err = c.call(ctx, r, &out)
	return out, err
}

// Sources yields all sources, by name, each with how it fares, or an error and
// nothing more.
func (c *Client) Sources(ctx context.Context) iter.Seq2[catalog.SourceView, error] {
	return list[catalog.SourceView](ctx, c, nil, "sources")
}

// Source returns the source called name, with "***" for its secrets, and how it
// fares.
func (c *Client) Source(ctx context.Context, name string) (catalog.SourceView, error) {
	return get[catalog.SourceView](ctx, c, "sources", name)
}

// PutSource creates or replaces the source called s.Name, and reports whether it
// is new. One whose Enabled is false fetches no events.
func (c *Client) PutSource(ctx context.Context, s catalog.Source, pre catalog.Precondition) (catalog.Source, bool, error) {
	return put[catalog.Source](ctx, c, conditional(pre, http.MethodPut, "sources", s.Name), s)
}

// PutSourceJSON is [Client.PutSource] of a document that a person wrote: what it
// leaves out, the server fills in.
func (c *Client) PutSourceJSON(ctx context.Context, name string, doc json.RawMessage, pre catalog.Precondition) (catalog.Source, bool, error) {
	return put[catalog.Source](ctx, c, conditional(pre, http.MethodPut, "sources", name), doc)
}

// DeleteSource removes the source called name.
func (c *Client) DeleteSource(ctx context.Context, name string, pre catalog.Precondition) error {
	_, err := c.call(ctx, conditional(pre, http.MethodDelete, "sources", name), nil)
	return err
}

// TestSource tries the source called name without taking anything.
func (c *Client) TestSource(ctx context.Context, name string) (catalog.Probed, error) {
	var out catalog.Probed
	_, err := c.call(ctx, at(http.MethodPost, "sources", name+":test"), &out)
	return out, err
}

// SourceHistory returns what the source was before, the latest first.
func (c *Client) SourceHistory(ctx context.Context, name string) ([]catalog.Revision[catalog.Source], error) {
	p, err := get[page[catalog.Revision[catalog.Source]]](ctx, c, "sources", name, "revisions")
	return p.Items, err
}

// Routes yields all routes, by id, or an error and nothing more.
func (c *Client) Routes(ctx context.Context) iter.Seq2[catalog.Route, error] {
	return list[catalog.Route](ctx, c, nil, "routes")
}

// Route returns the route with the id.
func (c *Client) Route(ctx context.Context, id string) (catalog.Route, error) {
	return get[catalog.Route](ctx, c, "routes", id)
}

// PutRoute creates or replaces the route r.ID, and reports whether it is new.
// A route whose Enabled is false takes no events.
func (c *Client) PutRoute(ctx context.Context, r catalog.Route, pre catalog.Precondition) (catalog.Route, bool, error) {
	return put[catalog.Route](ctx, c, conditional(pre, http.MethodPut, "routes", r.ID), r.WithDefaults())
}

// PutRouteJSON is [Client.PutRoute] of a document that a person wrote: what it
// leaves out, the server fills in.
func (c *Client) PutRouteJSON(ctx context.Context, id string, doc json.RawMessage, pre catalog.Precondition) (catalog.Route, bool, error) {
	return put[catalog.Route](ctx, c, conditional(pre, http.MethodPut, "routes", id), doc)
}

// DeleteRoute removes the route with the id.
func (c *Client) DeleteRoute(ctx context.Context, id string, pre catalog.Precondition) error {
	_, err := c.call(ctx, conditional(pre, http.MethodDelete, "routes", id), nil)
	return err
}

// RouteHistory returns what the route was before, the latest first.
func (c *Client) RouteHistory(ctx context.Context, id string) ([]catalog.Revision[catalog.Route], error) {
	p, err := get[page[catalog.Revision[catalog.Route]]](ctx, c, "routes", id, "revisions")
	return p.Items, err
}

// TestRoute returns what the route, a JSON document, would do to each event, a
// CloudEvent in JSON. Nothing is stored or delivered.
func (c *Client) TestRoute(ctx context.Context, route json.RawMessage, events []json.RawMessage) ([]catalog.TestResult, error) {
	if events == nil {
		events = []json.RawMessage{}
	}
	// The colon is part of the path's one segment, and needs no escape.
	r, err := request{method: http.MethodPost, path: apiPath + "/routes:test", accept: "application/json"}.withJSON(struct {
		Route  json.RawMessage   `json:"route"`
		Events []json.RawMessage `json:"events"`
	}{route, events})
	if err != nil {
		return nil, err
	}
	var out struct {
		Results []catalog.TestResult `json:"results"`
	}
	_, err = c.call(ctx, r, &out)
	return out.Results, err
}

// Plugins yields all plugins, by name, or an error and nothing more.
func (c *Client) Plugins(ctx context.Context) iter.Seq2[catalog.Plugin, error] {
	return list[catalog.Plugin](ctx, c, nil, "plugins")
}

// Plugin returns the plugin called name, with its versions.
func (c *Client) Plugin(ctx context.Context, name string) (catalog.Plugin, error) {
	return get[catalog.Plugin](ctx, c, "plugins", name)
}

// ParseFilter says what is known of the text of a filter.
func (c *Client) ParseFilter(ctx context.Context, req catalog.FilterRequest) (catalog.FilterCheck, error) {
	var out catalog.FilterCheck
	// The colon is part of the path's one segment, and needs no escape.
	r, err := request{method: http.MethodPost, path: apiPath + "/filters:parse", accept: "application/json"}.withJSON(req)
	if err != nil {
		return out, err
	}
	_, err = c.call(ctx, r, &out)
	return out, err
}

// Upload sends a module as a version of the plugin called name, and reports
// whether it is new. size is the module's, or -1; progress, unless nil, is
// told how many bytes were sent, from one goroutine.
func (c *Client) Upload(ctx context.Context, name string, module io.Reader, size int64, progress func(sent int64)) (catalog.Admitted, bool, error) {
	return c.upload(ctx, at(http.MethodPost, "plugins", name, "versions"), module, size, progress)
}

// TryUpload is [Client.Upload] without storing anything: the module is tried
// and reported on.
func (c *Client) TryUpload(ctx context.Context, name string, module io.Reader, size int64, progress func(sent int64)) (catalog.Admitted, error) {
	r := at(http.MethodPost, "plugins", name, "versions")
	r.query = url.Values{"dryRun": {"true"}}
	a, _, err := c.upload(ctx, r, module, size, progress)
	return a, err
}

func (c *Client) upload(ctx context.Context, r request, module io.Reader, size int64, progress func(sent int64)) (catalog.Admitted, bool, error) {
	r.body, r.length, r.kind = module, size, "application/wasm"
	if progress != nil {
		r.body = &counter{r: module, tell: progress}
	}
	var v catalog.Admitted
	status, err := c.call(ctx, r, &v)
	return v, status == http.StatusCreated, err
}

// counter tells how much was read of r.
type counter struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		c.n += int64(n)
		c.tell(c.n)
	}
	return n, err
}

// PutPluginSettings replaces the settings of the plugin called name.
func (c *Client) PutPluginSettings(ctx context.Context, name string, s catalog.PluginSettings, pre catalog.Precondition) (catalog.Plugin, error) {
	p, _, err := put[catalog.Plugin](ctx, c, conditional(pre, http.MethodPut, "plugins", name), s)
	return p, err
}

// Traps lists the traps that are kept of the plugin called name, or of all, the
// latest first.
func (c *Client) Traps(ctx context.Context, name string) ([]catalog.Trap, error) {
	r := at(http.MethodGet, "traps")
	if name != "" {
		r.query = url.Values{"plugin": {name}}
	}
	var p page[catalog.Trap]
	_, err := c.call(ctx, r, &p)
	return p.Items, err
}

// Trap returns the bundle by which a trap can be reproduced.
func (c *Client) Trap(ctx context.Context, id string) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, "traps", id)
}

// Activate makes a version of the plugin called name the one that routes by
// name run.
func (c *Client) Activate(ctx context.Context, name string, version int, pre catalog.Precondition) (catalog.Plugin, error) {
	p, _, err := put[catalog.Plugin](ctx, c, conditional(pre, http.MethodPut, "plugins", name, "active"), struct {
		Version int `json:"version"`
	}{version})
	return p, err
}

// DeletePlugin removes a version of the plugin called name, or with version 0
// the whole plugin.
func (c *Client) DeletePlugin(ctx context.Context, name string, version int, pre catalog.Precondition) error {
	segments := []string{"plugins", name}
	if version != 0 {
		segments = append(segments, "versions", strconv.Itoa(version))
	}
	_, err := c.call(ctx, conditional(pre, http.MethodDelete, segments...), nil)
	return err
}

// Provenance resolves a value of the extension attribute producedby.
func (c *Client) Provenance(ctx context.Context, producedBy string) (catalog.Provenance, error) {
	return get[catalog.Provenance](ctx, c, "provenance", producedBy)
}

// Status says how the gateway is doing.
func (c *Client) Status(ctx context.Context) (catalog.Status, error) {
	return get[catalog.Status](ctx, c, "status")
}

// Audit returns up to limit changes, the latest first.
func (c *Client) Audit(ctx context.Context, limit int) ([]catalog.AuditEntry, error) {
	r := at(http.MethodGet, "audit")
	r.query = url.Values{"limit": {strconv.Itoa(limit)}}
	var p page[catalog.AuditEntry]
	_, err := c.call(ctx, r, &p)
	return p.Items, err
}

func conditional(pre catalog.Precondition, method string, segments ...string) request {
	r := at(method, segments...)
	r.pre = pre
	return r
}
