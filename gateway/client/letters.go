package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/headgate/headgate/gateway/catalog"
)

// LetterGroups returns the groups of an endpoint's dead letters by their cause,
// or of all where endpoint is empty: the largest ones.
func (c *Client) LetterGroups(ctx context.Context, endpoint string) (catalog.LetterGroups, error) {
	r := at(http.MethodGet, "dead-letters", "groups")
	r.query = url.Values{"limit": {"1000"}}
	if endpoint != "" {
		r.query.Set("endpoint", endpoint)
	}
	var out catalog.LetterGroups
	_, err := c.call(ctx, r, &out)
	return out, err
}

// LettersOfGroup yields the dead letters of a group, the oldest first, or an
// error and nothing more.
func (c *Client) LettersOfGroup(ctx context.Context, group string) iter.Seq2[catalog.DeadLetter, error] {
	return list[catalog.DeadLetter](ctx, c, url.Values{"group": {group}}, "dead-letters")
}

// Redrives lists the redrives that are under way, and those that ended lately,
// the latest first.
func (c *Client) Redrives(ctx context.Context) ([]catalog.RedriveJob, error) {
	p, err := get[page[catalog.RedriveJob]](ctx, c, "redrives")
	return p.Items, err
}

// RedriveJob says how a redrive goes.
func (c *Client) RedriveJob(ctx context.Context, id string) (catalog.RedriveJob, error) {
	return get[catalog.RedriveJob](ctx, c, "redrives", id)
}

// StopRedrive lets a redrive start no more letters.
func (c *Client) StopRedrive(ctx context.Context, id string) (catalog.RedriveJob, error) {
	var out catalog.RedriveJob
	_, err := c.call(ctx, at(http.MethodDelete, "redrives", id), &out)
	return out, err
}

// Preview says what a redrive of the first limit of the letters would send.
// Nothing is sent.
func (c *Client) Preview(ctx context.Context, s catalog.Selection, limit int) (catalog.Preview, error) {
	var out catalog.Preview
	r, err := at(http.MethodPost, "dead-letters", "preview").withJSON(struct {
		catalog.Selection
		Limit int `json:"limit"`
	}{s, limit})
	if err != nil {
		return out, err
	}
	_, err = c.call(ctx, r, &out)
	return out, err
}
