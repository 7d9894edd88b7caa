package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
)

// Rates returns what was counted over time.
func (c *Client) Rates(ctx context.Context, q catalog.RatesQuery) (catalog.Rates, error) {
	r := at(http.MethodGet, "rates")
	r.query = ratesValues(q)
	if !q.From.IsZero() {
		r.query.Set("from", q.From.Format(time.RFC3339Nano))
	}
	if !q.To.IsZero() {
		r.query.Set("to", q.To.Format(time.RFC3339Nano))
	}
	if q.Step > 0 {
		r.query.Set("step", q.Step.String())
	}
	var out catalog.Rates
	_, err := c.call(ctx, r, &out)
	return out, err
}

func ratesValues(q catalog.RatesQuery) url.Values {
	v := url.Values{"top": {strconv.Itoa(q.Top)}}
	if q.Routes != nil {
		v["route"] = q.Routes
	}
	if q.Endpoints != nil {
		v["endpoint"] = q.Endpoints
	}
	return v
}

// FollowRates connects to the stream of rates, with a tick every so often. The
// sequence may be ranged over once, and ends with an error: [ErrStreamEnded], or
// ctx's when that ended.
func (c *Client) FollowRates(ctx context.Context, q catalog.RatesQuery, every time.Duration) (iter.Seq2[catalog.RatesTick, error], error) {
	r := at(http.MethodGet, "rates", "stream")
	r.accept = "text/event-stream"
	r.query = ratesValues(q)
	r.query.Set("every", every.String())
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	return func(yield func(catalog.RatesTick, error) bool) {
		defer resp.Body.Close()
		in := bufio.NewReaderSize(resp.Body, 64<<10)
		for {
			name, data, err := readEvent(in)
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			var tick catalog.RatesTick
			if err == nil && name != "rates" {
				continue // a kind of news that a later server has
			}
			if err == nil {
				if err = json.Unmarshal(data, &tick); err != nil {
					err = fmt.Errorf("stream: %s: %w", name, err)
				}
			}
			if !yield(tick, err) || err != nil {
				return
			}
		}
	}, nil
}
