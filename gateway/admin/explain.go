package admin

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func (s *Server) getEvent(c echo.Context) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	q := catalog.EventExplainQuery{ID: id, Route: c.QueryParam("route"), After: c.QueryParam("after"), Limit: maxLimit}
	if c.QueryParam("limit") != "" {
		if q.Limit, err = limitOf(c); err != nil {
			return err
		}
	}
	e, err := s.Explainer.ExplainEvent(c.Request().Context(), q)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, e)
}

func (s *Server) explainEvents(c echo.Context) error {
	b, err := body(c, event.MaxRequestBytes+maxBodyBytes)
	if err != nil {
		return err
	}
	req, err := catalog.DecodeExplain(b)
	if err != nil {
		return err
	}
	events, err := decodeEvents(req.Events)
	if err != nil {
		return err
	}
	results, err := s.Explainer.ExplainEvents(c.Request().Context(), req.Route, events)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Results []catalog.Explained `json:"results"`
	}{results})
}

func (s *Server) explainRoute(c echo.Context) error {
	q := catalog.ExplainQuery{Route: param(c, "id"), Limit: catalog.DefaultExplainEvents}
	var err error
	if q.From, err = catalog.ParseBound(c.QueryParam("from")); err != nil {
		return catalog.In("from", err)
	}
	if q.To, err = catalog.ParseBound(c.QueryParam("to")); err != nil {
		return catalog.In("to", err)
	}
	if q.After, err = positionOf(c, "after"); err != nil {
		return err
	}
	if v := c.QueryParam("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > catalog.MaxExplainEvents {
			return &catalog.FieldError{Field: "limit", Reason: "want a number from 1 to " + strconv.Itoa(catalog.MaxExplainEvents)}
		}
		q.Limit = n
	}
	out, err := s.Explainer.ExplainRoute(c.Request().Context(), q)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, out)
}
