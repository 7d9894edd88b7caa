// Package client is the Go client of Headgate's control API.
//
//	c, err := client.New("http://127.0.0.1:8080", client.Options{})
//	…
//	for route, err := range c.Routes(ctx) {
//
// What the server refuses is a [*Problem]. It answers to the sentinels of
// package catalog, as in errors.Is(err, catalog.ErrNotFound).
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/headgate/headgate/gateway/catalog"
)

// Options are what a [Client] can do without.
type Options struct {
	// Token is sent as "Authorization: Bearer" unless it is empty.
	Token string
	// HTTP does the requests; nil means http.DefaultClient. It should set no
	// timeout of its own where streams are followed: contexts do that.
	HTTP *http.Client
}

// Client talks to one server. Any number of goroutines may use it.
type Client struct {
	base string // without a slash at its end
	opts Options
}

// New returns a client of the server at base, such as "http://127.0.0.1:8080".
func New(base string, o Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("server address %q: want a URL such as http://127.0.0.1:8080", base)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("server address %q: want no more than scheme, host and path", u.Redacted())
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	return &Client{base: strings.TrimRight(u.String(), "/"), opts: o}, nil
}

// request is one call of the API.
type request struct {
	method string
	path   string // below the server's address, escaped
	query  url.Values
	body   io.Reader
	length int64 // of body; -1 when it is not known
	kind   string
	accept string
	pre    catalog.Precondition
}

const apiPath = "/api/v1"

// at makes the request for a path whose segments are escaped here.
func at(method string, segments ...string) request {
	var b strings.Builder
	b.WriteString(apiPath)
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return request{method: method, path: b.String(), accept: "application/json"}
}

// withJSON returns r with v as its body.
func (r request) withJSON(v any) (request, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return r, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	r.body, r.length, r.kind = &buf, int64(buf.Len()), "application/json"
	return r, nil
}

// send returns the answer to r, whose body the caller closes, unless it is a
// problem.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, r.body)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.ContentLength = r.length
		req.Header.Set("Content-Type", r.kind)
	}
	req.Header.Set("Accept", r.accept)
	if c.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	setPrecondition(req.Header, r.pre)
	resp, err := c.opts.HTTP.Do(req)
	if err != nil {
		var transport *url.Error
		if errors.As(err, &transport) {
			err = transport.Err // the address is said here, without its query
		}
		return nil, fmt.Errorf("%s %s: %w", r.method, c.base+r.path, err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, readProblem(resp)
	}
	return resp, nil
}

func setPrecondition(h http.Header, pre catalog.Precondition) {
	if pre.Absent {
		h.Set("If-None-Match", "*")
	}
	if pre.Exists {
		h.Set("If-Match", "*")
	}
	if pre.Revisions != nil {
		tags := make([]string, len(pre.Revisions))
		for i, r := range pre.Revisions {
			tags[i] = `"` + strconv.FormatUint(r, 10) + `"`
		}
		h.Set("If-Match", strings.Join(tags, ", "))
	}
}

// call reads the answer to r into out, unless that is nil, and returns its
// status.
func (c *Client) call(ctx context.Context, r request, out any) (int, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if out == nil {
		return resp.StatusCode, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return 0, fmt.Errorf("%s %s: answer: %w", r.method, c.base+r.path, err)
	}
	return resp.StatusCode, nil
}

// get reads the resource at the path.
func get[T any](ctx context.Context, c *Client, segments ...string) (T, error) {
	var t T
	_, err := c.call(ctx, at(http.MethodGet, segments...), &t)
	return t, err
}

// put sends v to r, and reports whether it made the resource.
func put[T any](ctx context.Context, c *Client, r request, v any) (T, bool, error) {
	var t T
	r, err := r.withJSON(v)
	if err != nil {
		return t, false, err
	}
	status, err := c.call(ctx, r, &t)
	return t, status == http.StatusCreated, err
}

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// list reads a list page by page, as far as the loop goes.
func list[T any](ctx context.Context, c *Client, query url.Values, segments ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r := at(http.MethodGet, segments...)
		r.query = url.Values{"limit": {"500"}}
		for k, v := range query {
			r.query[k] = v
		}
		for {
			var p page[T]
			if _, err := c.call(ctx, r, &p); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, t := range p.Items {
				if !yield(t, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			r.query.Set("after", p.Next)
		}
	}
}
