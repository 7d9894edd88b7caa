package adt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
)

// routeVersions are the versions of the data plane that have the same routes.
var routeVersions = []string{
	"2020-10-31", "2021-06-30-preview", "2022-05-31", "2023-02-27-preview", "2023-06-30", "2023-10-31",
}

// Codes of errors of routes.
const (
	codeRouteID       = "EventRouteIdInvalid"
	codeRouteEndpoint = "EventRouteEndpointInvalid"
	codeRouteFilter   = "EventRouteFilterInvalid"
	codeNoRoute       = "EventRouteNotFound"
	codeLimit         = "LimitExceeded"
)

// The service's own words, by which scripts tell its refusals apart.
const (
	textNoRoute  = "There is no route available that matches the provided input. Check for all valid event routes by calling EventRoute_List. See Swagger example (https://aka.ms/RouteSwSmpl)."
	textEndpoint = "The endpoint provided does not exist or is not active. Check that your endpoint is provisioned correctly. See event route documentation (http://aka.ms/ADTv2Routes)."
	textFilter   = "The provided filter is invalid. %s. See event route documentation for supported values and structure (http://aka.ms/ADTv2Routes)."
	textID       = "The event route id is invalid: %s. See event route documentation (http://aka.ms/ADTv2Routes)."
	textLimit    = "The maximum number of event routes, %d, has been reached. Delete a route before you create another."
)

// eventRoute is a route as Azure Digital Twins shows it.
type eventRoute struct {
	ID           string `json:"id"`
	EndpointName string `json:"endpointName"`
	Filter       string `json:"filter"`
}

func (s *Server) serveRoutes(r *http.Request) (reply, error) {
	path, err := segments(r)
	if err != nil {
		return reply{}, err
	}
	if len(path) > 2 {
		return reply{}, refuse(http.StatusNotFound, codeNoRoute, textNoRoute)
	}
	version, err := checkVersion(r, routeVersions, codeBadVersion)
	if err != nil {
		return reply{}, err
	}
	if len(path) == 1 {
		if r.Method != http.MethodGet {
			return reply{}, notAllowed(r, "GET")
		}
		return s.listRoutes(r, version)
	}
	switch r.Method {
	case http.MethodGet:
		return s.getRoute(path[1])
	case http.MethodPut:
		return s.putRoute(r, path[1])
	case http.MethodDelete:
		return s.deleteRoute(r, path[1])
	}
	return reply{}, notAllowed(r, "GET, PUT, DELETE")
}

func (s *Server) listRoutes(r *http.Request, version string) (reply, error) {
	at := cursor{Items: usualItems}
	if token := r.URL.Query().Get("continuationToken"); token != "" {
		var err error
		if at, err = parseCursor(token); err != nil {
			return reply{}, err
		}
	}
	if text := r.Header.Get("max-items-per-page"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 {
			return reply{}, refuse(http.StatusBadRequest, codeArgument, "The header max-items-per-page is not a whole number from 1: "+text)
		}
		at.Items = int(min(n, mostItems)) // fewer than asked for is allowed
	}
	snap := s.Catalog.Snapshot()
	routes, next := pageOf(snap.Routes, at, nil)
	page := struct {
		Value    []eventRoute `json:"value"`
		NextLink *string      `json:"nextLink"`
	}{Value: make([]eventRoute, len(routes))}
	for i, route := range routes {
		page.Value[i] = shown(route)
	}
	if next != nil {
		link := absolute(r, "/EventRoutes", url.Values{"continuationToken": {next.token()}, "api-version": {version}})
		page.NextLink = &link
	}
	return reply{status: http.StatusOK, body: page}, nil
}

func shown(r catalog.Route) eventRoute {
	return eventRoute{ID: r.ID, EndpointName: r.EndpointName, Filter: r.Filter}
}

func (s *Server) getRoute(id string) (reply, error) {
	snap := s.Catalog.Snapshot()
	route, ok := snap.Route(id)
	if !ok {
		return reply{}, refuse(http.StatusNotFound, codeNoRoute, textNoRoute)
	}
	return reply{status: http.StatusOK, body: shown(route)}, nil
}

func (s *Server) deleteRoute(r *http.Request, id string) (reply, error) {
	err := s.Routes.DeleteRoute(r.Context(), s.change(r), id)
	if errors.Is(err, catalog.ErrNotFound) {
		err = refuse(http.StatusNotFound, codeNoRoute, textNoRoute)
	}
	return reply{status: http.StatusNoContent}, err
}

func (s *Server) putRoute(r *http.Request, id string) (reply, error) {
	if err := catalog.CheckRouteID("", id); err != nil {
		return reply{}, refuse(http.StatusBadRequest, codeRouteID, fmt.Sprintf(textID, err))
	}
	body, err := readBody(r)
	if err != nil {
		return reply{}, err
	}
	sent, err := decodeRoute(body)
	if err != nil {
		return reply{}, err
	}
	sent.ID = id
	if err := s.store(r.Context(), s.change(r), sent); err != nil {
		return reply{}, routeFault(err)
	}
	return reply{status: http.StatusNoContent}, nil
}

// decodeRoute reads the body of a PUT. The service's specification requires
// both members, and an id in the body is read-only there: it says nothing.
func decodeRoute(body []byte) (sent eventRoute, err error) {
	o := catalog.ReadObject(body)
	o.String("endpointName", &sent.EndpointName)
	o.String("filter", &sent.Filter)
	o.Ignore("id")
	if err := o.Close(); err != nil {
		return sent, err
	}
	switch {
	case sent.EndpointName == "":
		return sent, refuse(http.StatusBadRequest, codeRouteEndpoint, textEndpoint)
	case sent.Filter == "":
		const reason = "Parsing error, Line=1, Position=1, Message=Unexpected end of input"
		return sent, refuse(http.StatusBadRequest, codeRouteFilter, fmt.Sprintf(textFilter, reason))
	}
	return sent, nil
}

// store puts what was sent over what is there, of which it keeps what these
// clients know nothing of: the plugins, and whether the route is enabled. A
// change that comes in between makes it begin again.
func (s *Server) store(ctx context.Context, by Change, sent eventRoute) error {
	s.creating.Lock()
	defer s.creating.Unlock()
	return retry(ctx, func() error {
		snap := s.Catalog.Snapshot()
		route, exists := snap.Route(sent.ID)
		by.If = unchanged(exists, route.Revision)
		if !exists {
			if len(snap.Routes) >= s.opts.MaxRoutes {
				return refuse(http.StatusBadRequest, codeLimit, fmt.Sprintf(textLimit, s.opts.MaxRoutes))
			}
			route = catalog.Route{ID: sent.ID, Enabled: true}
		}
		route.EndpointName, route.Filter = sent.EndpointName, sent.Filter
		return s.Routes.PutRoute(ctx, by, route)
	})
}

// unchanged demands that a resource is still as it was read.
func unchanged(exists bool, revision uint64) catalog.Precondition {
	if !exists {
		return catalog.Precondition{Absent: true}
	}
	return catalog.Precondition{Revisions: []uint64{revision}}
}

// retry calls change until nobody else changed the resource at the same time.
func retry(ctx context.Context, change func() error) error {
	for {
		err := change()
		if !errors.Is(err, catalog.ErrConflict) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// routeFault gives err the code that the service has for it.
func routeFault(err error) error {
	var field *catalog.FieldError
	if !errors.As(err, &field) {
		return err
	}
	switch field.Field {
	case "endpointName":
		return refuse(http.StatusBadRequest, codeRouteEndpoint, textEndpoint)
	case "filter":
		return refuse(http.StatusBadRequest, codeRouteFilter, fmt.Sprintf(textFilter, field.Reason))
	}
	return err
}
