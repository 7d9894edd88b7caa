package client

import (
	"bytes"
	"context"
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
	if q.Limit > 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Event returns the accepted event at the position.
func (c *Client) Event(ctx context.Context, id event.Position) (catalog.StoredEvent, error) {
	return get[catalog.StoredEvent](ctx, c, "events", id.String())
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
