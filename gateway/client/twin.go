package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// Twin returns what a part of the journal holds of one twin, the latest first.
// The page's Next, as After, leads on to what is older.
func (c *Client) Twin(ctx context.Context, q catalog.TwinQuery) (catalog.TwinPage, error) {
	r := at(http.MethodGet, "twins")
	r.query = url.Values{"key": {q.Key}}
	for name, value := range map[string]string{"from": q.From.String(), "to": q.To.String()} {
		if value != "" {
			r.query.Set(name, value)
		}
	}
	if q.After != (event.Position{}) {
		r.query.Set("after", q.After.String())
	}
	if q.Limit > 0 {
		r.query.Set("limit", strconv.Itoa(q.Limit))
	}
	var out catalog.TwinPage
	_, err := c.call(ctx, r, &out)
	return out, err
}
