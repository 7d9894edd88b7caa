package admin

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func (s *Server) listRoutes(c echo.Context) error {
	snap := s.Catalog.Snapshot()
	p, err := pageOf(c, snap.Routes)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, p)
}

func (s *Server) getRoute(c echo.Context) error {
	id := param(c, "id")
	snap := s.Catalog.Snapshot()
	r, ok := snap.Route(id)
	if !ok {
		return &catalog.NotFoundError{Kind: "route", Name: id}
	}
	return answerResource(c, http.StatusOK, r.Revision, r)
}

func (s *Server) putRoute(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	r, err := catalog.DecodeRoute(param(c, "id"), b)
	if err != nil {
		return err
	}
	stored, isNew, err := s.Routes.PutRoute(c.Request().Context(), by, r)
	if err != nil {
		return err
	}
	return answerResource(c, created(isNew), stored.Revision, stored)
}

func (s *Server) deleteRoute(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	if err := s.Routes.DeleteRoute(c.Request().Context(), by, param(c, "id")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) listRouteRevisions(c echo.Context) error {
	id := param(c, "id")
	list, err := s.History.RouteHistory(id)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return &catalog.NotFoundError{Kind: "route", Name: id}
	}
	return answer(c, http.StatusOK, page[catalog.Revision[catalog.Route]]{Items: list})
}

func (s *Server) testRoute(c echo.Context) error {
	b, err := body(c, event.MaxRequestBytes+maxBodyBytes)
	if err != nil {
		return err
	}
	req, err := catalog.DecodeTest(b)
	if err != nil {
		return err
	}
	events, err := decodeEvents(req.Events)
	if err != nil {
		return err
	}
	results, err := s.Tester.TestRoute(c.Request().Context(), req.Route, events)
	if err != nil {
		return inRoute(err)
	}
	for i := range results {
		if results[i].Outputs == nil {
			results[i].Outputs = []catalog.Output{}
		}
	}
	return answer(c, http.StatusOK, struct {
		Results []catalog.TestResult `json:"results"`
	}{results})
}
