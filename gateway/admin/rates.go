package admin

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// Bounds of what is asked for in one request.
const (
	defaultTop = 100
	maxTop     = 1000
	maxNamed   = 1000 // routes, or endpoints
)

func (s *Server) getRates(c echo.Context) error {
	q, err := ratesQuery(c)
	if err != nil {
		return err
	}
	now := time.Now()
	if q.From, err = momentOf(c, "from", now); err != nil {
		return err
	}
	if q.To, err = momentOf(c, "to", now); err != nil {
		return err
	}
	if q.Step, err = durationOf(c, "step", 0); err != nil {
		return err
	}
	r, err := s.Rates.Rates(c.Request().Context(), q)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, r)
}

// ratesQuery reads what both ways to look at rates have in common.
func ratesQuery(c echo.Context) (q catalog.RatesQuery, err error) {
	values := c.QueryParams()
	q.Routes, q.Endpoints = values["route"], values["endpoint"]
	for name, list := range map[string][]string{"route": q.Routes, "endpoint": q.Endpoints} {
		if len(list) > maxNamed {
			return q, &catalog.FieldError{Field: name, Reason: "is given more than " + strconv.Itoa(maxNamed) + " times; ask in several requests"}
		}
	}
	q.Top = defaultTop
	if v := c.QueryParam("top"); v != "" {
		if q.Top, err = strconv.Atoi(v); err != nil || q.Top < 0 || q.Top > maxTop {
			return q, &catalog.FieldError{Field: "top", Reason: "want a number from 0 to " + strconv.Itoa(maxTop)}
		}
	}
	return q, nil
}

// momentOf reads an optional time from the query, or a duration before now.
func momentOf(c echo.Context, name string, now time.Time) (time.Time, error) {
	v := c.QueryParam(name)
	if v == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return t, nil
	}
	if d, err := time.ParseDuration(v); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, &catalog.FieldError{Field: name, Reason: strconv.Quote(v) + " is neither a time such as 2024-05-01T12:00:00Z nor a duration such as 15m"}
}

// durationOf reads an optional duration from the query.
func durationOf(c echo.Context, name string, otherwise time.Duration) (time.Duration, error) {
	v := c.QueryParam(name)
	if v == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, &catalog.FieldError{Field: name, Reason: "want a duration such as 10s"}
	}
	return d, nil
}

// The pace of the stream of rates.
const (
	usualTick = time.Second
	minTick   = 250 * time.Millisecond
	maxTick   = time.Minute
)

// streamRates tells what is counted until the client leaves or the server stops.
func (s *Server) streamRates(c echo.Context) error {
	q, err := ratesQuery(c)
	if err != nil {
		return err
	}
	every, err := durationOf(c, "every", usualTick)
	if err != nil {
		return err
	}
	if every < minTick || every > maxTick {
		return &catalog.FieldError{Field: "every", Reason: "want a duration from " + minTick.String() + " to 1m"}
	}
	tick := s.Rates.FollowRates(q)
	out, err := openStream(c)
	if err != nil {
		return nil // the client is gone, which is no fault
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := out.flush(); err != nil {
			return nil // the client is gone, which is no fault
		}
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-s.Tail.Ended():
			return nil
		case <-ticker.C:
			out.event("rates", "", tick())
		}
	}
}
