package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func (s *Server) scanEvents(c echo.Context) error {
	q, err := eventQuery(c)
	if err != nil {
		return err
	}
	if q.Latest, err = flagOf(c, "latest"); err != nil {
		return err
	}
	if q.Latest && q.After != (event.Position{}) {
		return &catalog.FieldError{Field: "after", Reason: "does not go with latest, which looks back: end at an earlier event with to"}
	}
	p, err := s.Events.Scan(c.Request().Context(), q)
	if err != nil {
		return err
	}
	if p.Items == nil {
		p.Items = []catalog.StoredEvent{}
	}
	return answer(c, http.StatusOK, p)
}

func eventQuery(c echo.Context) (q catalog.EventQuery, err error) {
	q = catalog.EventQuery{
		Subject: c.QueryParam("subject"), Source: c.QueryParam("source"),
		Type: c.QueryParam("type"), ID: c.QueryParam("id"),
	}
	if q.From, err = catalog.ParseBound(c.QueryParam("from")); err != nil {
		return q, catalog.In("from", err)
	}
	if q.To, err = catalog.ParseBound(c.QueryParam("to")); err != nil {
		return q, catalog.In("to", err)
	}
	if q.After, err = positionOf(c, "after"); err != nil {
		return q, err
	}
	q.Limit, err = limitOf(c)
	return q, err
}

// decodeEvents reads CloudEvents in JSON.
func decodeEvents(list []json.RawMessage) ([]event.Event, error) {
	events := make([]event.Event, len(list))
	for i, raw := range list {
		var err error
		if events[i], err = event.DecodeJSON(raw); err != nil {
			return nil, at(i, err)
		}
	}
	return events, nil
}

// at says in which event of a request the fault is.
func at(index int, err error) error {
	var field *event.FieldError
	if errors.As(err, &field) {
		field.Index = index
	}
	var large *event.TooLargeError
	if errors.As(err, &large) {
		large.Index = index
	}
	return err
}

// inRoute puts the path of a route that is tried out in front of a fault's.
func inRoute(err error) error {
	var field *catalog.FieldError
	if errors.As(err, &field) {
		return catalog.In("route", err)
	}
	return err
}

// bodyError keeps the errors that are the client's from looking like ours.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &statusError{http.StatusBadRequest, "the body could not be read to its end"}
}

func (s *Server) getTwin(c echo.Context) (err error) {
	q := catalog.TwinQuery{Key: c.QueryParam("key")}
	if q.Key == "" {
		return &catalog.FieldError{Field: "key", Reason: "is required: the key of a twin, such as its id"}
	}
	if q.From, err = catalog.ParseBound(c.QueryParam("from")); err != nil {
		return catalog.In("from", err)
	}
	if q.To, err = catalog.ParseBound(c.QueryParam("to")); err != nil {
		return catalog.In("to", err)
	}
	if q.After, err = positionOf(c, "after"); err != nil {
		return err
	}
	if q.Limit, err = limitOf(c); err != nil {
		return err
	}
	p, err := s.Twins.Twin(c.Request().Context(), q)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, p)
}
