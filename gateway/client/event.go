package client

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// Send hands events to the gateway in one request: all of them are on disk
// when it returns nil, and none is accepted when the error is a [*Problem].
func (c *Client) Send(ctx context.Context, events []event.Event) error {
	b := event.AppendJSONBatch(nil, events)
	_, err := c.call(ctx, request{
		method: http.MethodPost, path: "/events", accept: "application/json",
		kind: "application/cloudevents-batch+json", body: bytes.NewReader(b), length: int64(len(b)),
	}, nil)
	return err
}

// Events scans part of the journal; the page says which. Its Next, as a
// position in q.After, continues the scan.
func (c *Client) Events(ctx context.Context, q catalog.EventQuery) (catalog.EventPage, error) {
	r := at(http.MethodGet, "events")
	r.query = eventValues(q)
	var p catalog.EventPage
	_, err := c.call(ctx, r, &p)
	return p, err
}

func eventValues(q catalog.EventQuery) url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("subject", q.Subject)
	set("source", q.Source)
	set("type", q.Type)
	set("id", q.ID)
	set("from", q.From.String())
	set("to", q.To.String())
	if q.After != (event.Position{}) {
		set("after", q.After.String())
	}
	if q.Latest {
		set("latest", "true")
	}
	if q.Limit > 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Event returns the accepted event at the position.
func (c *Client) Event(ctx context.Context, id event.Position) (catalog.StoredEvent, error) {
	return get[catalog.StoredEvent](ctx, c, "events", id.String())
}

// ExplainEvent returns an accepted event, what the routes in force make of it,
// and where its deliveries are. The answer's Next, as q.After, continues the
// list of routes.
func (c *Client) ExplainEvent(ctx context.Context, q catalog.EventExplainQuery) (catalog.EventExplanation, error) {
	r := at(http.MethodGet, "events", q.ID.String())
	r.query = url.Values{}
	if q.Route != "" {
		r.query.Set("route", q.Route)
	}
	if q.After != "" {
		r.query.Set("after", q.After)
	}
	if q.Limit > 0 {
		r.query.Set("limit", strconv.Itoa(q.Limit))
	}
	var out catalog.EventExplanation
	_, err := c.call(ctx, r, &out)
	return out, err
}

// ExplainEvents returns what the routes in force, or one of them, make of each
// event, a CloudEvent in JSON. Nothing is stored or delivered.
func (c *Client) ExplainEvents(ctx context.Context, route string, events []json.RawMessage) ([]catalog.Explained, error) {
	if events == nil {
		events = []json.RawMessage{}
	}
	// The colon is part of the path's one segment, and needs no escape.
	r, err := request{method: http.MethodPost, path: apiPath + "/events:explain", accept: "application/json"}.withJSON(struct {
		Route  string            `json:"route,omitempty"`
		Events []json.RawMessage `json:"events"`
	}{route, events})
	if err != nil {
		return nil, err
	}
	var out struct {
		Results []catalog.Explained `json:"results"`
	}
	_, err = c.call(ctx, r, &out)
	return out.Results, err
}

// ExplainRoute counts why the events of a part of the journal match the route or
// do not. The answer's Next, as q.After, continues the scan.
func (c *Client) ExplainRoute(ctx context.Context, q catalog.ExplainQuery) (catalog.RouteExplanation, error) {
	r := at(http.MethodGet, "routes", q.Route, "explain")
	r.query = eventValues(catalog.EventQuery{From: q.From, To: q.To, After: q.After, Limit: q.Limit})
	var out catalog.RouteExplanation
	_, err := c.call(ctx, r, &out)
	return out, err
}

// DeadLetters yields the dead letters of an endpoint and of a route, or of all
// where these are empty, oldest first, or an error and nothing more.
func (c *Client) DeadLetters(ctx context.Context, endpoint, route string) iter.Seq2[catalog.DeadLetter, error] {
	q := url.Values{}
	if endpoint != "" {
		q.Set("endpoint", endpoint)
	}
	if route != "" {
		q.Set("route", route)
	}
	return list[catalog.DeadLetter](ctx, c, q, "dead-letters")
}

// DeadLetter returns the dead letter with the id.
func (c *Client) DeadLetter(ctx context.Context, id event.Position) (catalog.DeadLetter, error) {
	return get[catalog.DeadLetter](ctx, c, "dead-letters", id.String())
}

// Redrive starts the delivery of dead letters again.
func (c *Client) Redrive(ctx context.Context, s catalog.Selection) (catalog.Redriven, error) {
	var out catalog.Redriven
	r, err := at(http.MethodPost, "dead-letters", "redrive").withJSON(s)
	if err != nil {
		return out, err
	}
	_, err = c.call(ctx, r, &out)
	return out, err
}

// Purge removes dead letters for good, and returns how many.
func (c *Client) Purge(ctx context.Context, s catalog.Selection) (int, error) {
	var out struct {
		Purged int `json:"purged"`
	}
	r, err := at(http.MethodPost, "dead-letters", "purge").withJSON(struct {
		catalog.Selection
		Confirm bool `json:"confirm"`
	}{s, true})
	if err != nil {
		return 0, err
	}
	_, err = c.call(ctx, r, &out)
	return out.Purged, err
}
