package admin

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// maxCatalogBytes bounds the documents of one request, with the modules that
// they bring along.
const maxCatalogBytes = 128 << 20

func (s *Server) getSchema(c echo.Context) error {
	if s.opts.Schema == nil {
		return errNoPath
	}
	return c.Blob(http.StatusOK, "application/schema+json", s.opts.Schema)
}

func (s *Server) getCatalog(c echo.Context) error {
	docs, revision := s.Plans.Documents()
	return answerResource(c, http.StatusOK, revision, struct {
		Documents []catalog.Document `json:"documents"`
		Revision  uint64             `json:"revision"`
	}{docs, revision})
}

func (s *Server) planCatalog(c echo.Context) error {
	by, req, err := s.applyRequest(c)
	if err != nil {
		return err
	}
	planned, err := s.Plans.PlanCatalog(c.Request().Context(), by, req)
	if err != nil {
		return err
	}
	return answerPlanned(c, planned)
}

func (s *Server) applyCatalog(c echo.Context) error {
	by, req, err := s.applyRequest(c)
	if err != nil {
		return err
	}
	planned, err := s.Plans.ApplyCatalog(c.Request().Context(), by, req)
	if err != nil {
		return err
	}
	return answerPlanned(c, planned)
}

func answerPlanned(c echo.Context, planned catalog.Planned) error {
	if planned.Changes == nil {
		planned.Changes = []catalog.PlannedChange{}
	}
	return answerResource(c, http.StatusOK, planned.Revision, planned)
}

func (s *Server) applyRequest(c echo.Context) (by Change, req catalog.ApplyRequest, err error) {
	if by, err = s.change(c); err != nil {
		return by, req, err
	}
	// Modules may come along.
	rc := http.NewResponseController(c.Response())
	if err := extend(rc.SetReadDeadline, time.Now().Add(uploadTimeout)); err != nil {
		return by, req, err
	}
	b, err := body(c, maxCatalogBytes)
	if err != nil {
		return by, req, err
	}
	req, err = catalog.DecodeApply(b)
	return by, req, err
}

func (s *Server) getModule(c echo.Context) error {
	p, err := s.plugin(c)
	if err != nil {
		return err
	}
	n, err := version(c)
	if err != nil {
		return err
	}
	v, ok := p.Version(n)
	if !ok {
		return noVersion(p.Name, n)
	}
	module, err := s.Modules.Module(v.Digest)
	if err != nil {
		return err
	}
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, "application/wasm", module)
}
