package admin

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// How a page of letters is gathered: a few at a time, since one may weigh a
// megabyte, until the page is full or heavy.
const (
	letterBatch  = 32
	maxPageBytes = 8 << 20
)

func (s *Server) listLetters(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	q := LetterQuery{Endpoint: c.QueryParam("endpoint"), Route: c.QueryParam("route"), Group: c.QueryParam("group")}
	if q.After, err = positionOf(c, "after"); err != nil {
		return err
	}
	p := page[catalog.DeadLetter]{Items: []catalog.DeadLetter{}}
	for bytes := 0; ; {
		// One more than is wanted tells whether there are more.
		q.Limit = min(letterBatch, limit+1-len(p.Items))
		batch, err := s.Letters.DeadLetters(c.Request().Context(), q)
		if err != nil {
			return err
		}
		for _, kept := range batch {
			if len(p.Items) == limit || bytes > maxPageBytes {
				p.Next = p.Items[len(p.Items)-1].ID.String()
				return answer(c, http.StatusOK, p)
			}
			bytes += kept.Delivery.Event.Size()
			p.Items = append(p.Items, catalog.NewDeadLetter(kept))
			q.After = kept.Ref
		}
		if len(batch) < q.Limit {
			return answer(c, http.StatusOK, p)
		}
	}
}

func (s *Server) getLetter(c echo.Context) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	kept, err := s.Letters.DeadLetter(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, catalog.NewDeadLetter(kept))
}

func (s *Server) redrive(c echo.Context) error {
	done, err := selected(c, catalog.DecodeSelection, s.Redrives.Redrive)
	if err != nil {
		return err
	}
	if done.Refused == nil {
		done.Refused = []catalog.RefusedLetter{}
	}
	return answer(c, http.StatusAccepted, done)
}

func (s *Server) purge(c echo.Context) error {
	n, err := selected(c, catalog.DecodePurge, s.Redrives.Purge)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, struct {
		Purged int `json:"purged"`
	}{n})
}

// selected does with the letters that the body selects.
func selected[T any](c echo.Context, decode func([]byte) (catalog.Selection, error),
	do func(context.Context, catalog.Selection) (T, error),
) (T, error) {
	var none T
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return none, err
	}
	sel, err := decode(b)
	if err != nil {
		return none, err
	}
	return do(c.Request().Context(), sel)
}

// positionOf reads an optional position from the query.
func positionOf(c echo.Context, name string) (event.Position, error) {
	text := c.QueryParam(name)
	if text == "" {
		return event.Position{}, nil
	}
	p, err := event.ParsePosition(text)
	return p, catalog.In(name, err)
}

// idOf reads the position in the path.
func idOf(c echo.Context) (event.Position, error) {
	p, err := event.ParsePosition(param(c, "id"))
	return p, catalog.In("id", err)
}
