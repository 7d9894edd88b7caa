package admin

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// Limits of requests.
const (
	maxBodyBytes = 1 << 20 // of a resource
	defaultLimit = 100     // items of a page
	maxLimit     = 1000
)

// param returns a parameter of the path, unescaped once. Echo matches against
// the escaped path where there is one, and then hands out escaped values.
func param(c echo.Context, name string) string {
	v := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return v
	}
	if plain, err := url.PathUnescape(v); err == nil {
		return plain
	}
	return v
}

// body reads the whole body, of at most limit bytes.
func body(c echo.Context, limit int64) ([]byte, error) {
	r := c.Request()
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, limit))
	if err != nil {
		return nil, bodyError(err)
	}
	return b, nil
}

// answer writes v as JSON.
func answer(c echo.Context, status int, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	return c.Blob(status, "application/json", buf.Bytes())
}

// answerResource writes v, which is at revision, with its ETag.
func answerResource(c echo.Context, status int, revision uint64, v any) error {
	tag := etag(revision)
	c.Response().Header().Set("ETag", tag)
	if c.Request().Method == http.MethodGet && c.Request().Header.Get("If-None-Match") == tag {
		return c.NoContent(http.StatusNotModified)
	}
	return answer(c, status, v)
}

func created(isNew bool) int {
	if isNew {
		return http.StatusCreated
	}
	return http.StatusOK
}

func etag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// change reads who asks, and the conditions of the request.
func (s *Server) change(c echo.Context) (Change, error) {
	by := Change{By: s.opts.Actor(c.Request())}
	h := c.Request().Header
	if v := strings.Join(h.Values("If-None-Match"), ","); v != "" {
		if strings.TrimSpace(v) != "*" {
			return by, &catalog.FieldError{Field: "If-None-Match", Reason: "only * is understood here: create, and replace nothing"}
		}
		by.If.Absent = true
	}
	v := strings.TrimSpace(strings.Join(h.Values("If-Match"), ","))
	switch v {
	case "":
		return by, nil
	case "*":
		by.If.Exists = true
		return by, nil
	}
	by.If.Revisions = []uint64{} // even when no tag below is one of ours
	for tag := range strings.SplitSeq(v, ",") {
		tag = strings.TrimSpace(tag)
		if strings.HasPrefix(tag, "W/") {
			continue // a weak tag never matches
		}
		inner, ok := strings.CutPrefix(tag, `"`)
		inner, closed := strings.CutSuffix(inner, `"`)
		if !ok || !closed {
			return by, &catalog.FieldError{Field: "If-Match", Reason: `want the ETag of an earlier answer, in its quotes, or *`}
		}
		if n, err := strconv.ParseUint(inner, 10, 64); err == nil {
			by.If.Revisions = append(by.If.Revisions, n)
		}
	}
	return by, nil
}

// page is how every list is answered.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// pageOf returns the page of list, which is sorted by Key, that c asks for.
func pageOf[T interface{ Key() string }](c echo.Context, list []T) (page[T], error) {
	limit, err := limitOf(c)
	if err != nil {
		return page[T]{}, err
	}
	list = list[search(list, c.QueryParam("after")):]
	p := page[T]{Items: []T{}}
	if len(list) > limit {
		list = list[:limit]
		p.Next = list[limit-1].Key()
	}
	p.Items = append(p.Items, list...)
	return p, nil
}

// search returns the index of the first element behind key.
func search[T interface{ Key() string }](list []T, key string) int {
	if key == "" {
		return 0
	}
	lo, hi := 0, len(list)
	for lo < hi {
		if mid := (lo + hi) / 2; list[mid].Key() <= key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// flagOf reads an optional flag from the query.
func flagOf(c echo.Context, name string) (bool, error) {
	v := c.QueryParam(name)
	if v == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(v)
	if err != nil {
		return false, &catalog.FieldError{Field: name, Reason: "want true or false"}
	}
	return on, nil
}

func limitOf(c echo.Context) (int, error) {
	v := c.QueryParam("limit")
	if v == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxLimit {
		return 0, &catalog.FieldError{Field: "limit", Reason: "want a number from 1 to " + strconv.Itoa(maxLimit)}
	}
	return n, nil
}
