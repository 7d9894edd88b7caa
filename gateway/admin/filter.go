package admin

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

func (s *Server) parseFilter(c echo.Context) error {
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	req, err := catalog.DecodeFilterRequest(b)
	if err != nil {
		return err
	}
	check, err := s.Filters.ParseFilter(c.Request().Context(), req)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, check)
}
