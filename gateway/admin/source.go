package admin

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// Sources changes sources, and says how they fare.
type Sources interface {
	// PutSource creates or replaces the source called s.Name, and reports whether
	// it is new. A "***" among s's secrets keeps the stored one. It does not wait
	// until the source is connected.
	PutSource(ctx context.Context, by Change, s catalog.Source) (stored catalog.Source, created bool, err error)
	DeleteSource(ctx context.Context, by Change, name string) error
	// SourceStatus says how the source called name fares; false if there is none.
	SourceStatus(name string) (catalog.SourceStatus, bool)
	// ProbeSource tries a source without taking anything.
	ProbeSource(ctx context.Context, name string) (catalog.Probed, error)
	// SourceHistory returns the latest state first, and nothing for what never was.
	SourceHistory(name string) ([]catalog.Revision[catalog.Source], error)
}

func (s *Server) view(source catalog.Source) catalog.SourceView {
	out := catalog.SourceView{Source: s.opts.SourceKinds.Mask(source)}
	if status, ok := s.Sources.SourceStatus(source.Name); ok {
		out.Status = &status
	}
	return out
}

func (s *Server) testSource(c echo.Context) error { return probe(c, s.Sources.ProbeSource) }

func (s *Server) listSources(c echo.Context) error {
	snap := s.Catalog.Snapshot()
	p, err := pageOf(c, snap.Sources)
	if err != nil {
		return err
	}
	out := page[catalog.SourceView]{Items: []catalog.SourceView{}, Next: p.Next}
	for _, source := range p.Items {
		out.Items = append(out.Items, s.view(source))
	}
	return answer(c, http.StatusOK, out)
}

func (s *Server) getSource(c echo.Context) error {
	name := param(c, "name")
	snap := s.Catalog.Snapshot()
	source, ok := snap.Source(name)
	if !ok {
		return &catalog.NotFoundError{Kind: "source", Name: name}
	}
	// The status is always news, so there is no answer "not modified".
	c.Response().Header().Set("ETag", etag(source.Revision))
	return answer(c, http.StatusOK, s.view(source))
}

func (s *Server) putSource(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	source, err := catalog.DecodeSource(param(c, "name"), b)
	if err != nil {
		return err
	}
	stored, isNew, err := s.Sources.PutSource(c.Request().Context(), by, source)
	if err != nil {
		return err
	}
	return answerResource(c, created(isNew), stored.Revision, s.opts.SourceKinds.Mask(stored))
}

func (s *Server) deleteSource(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	if err := s.Sources.DeleteSource(c.Request().Context(), by, param(c, "name")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) listSourceRevisions(c echo.Context) error {
	name := param(c, "name")
	list, err := s.Sources.SourceHistory(name)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return &catalog.NotFoundError{Kind: "source", Name: name}
	}
	for i, r := range list {
		if r.State != nil {
			masked := s.opts.SourceKinds.Mask(*r.State)
			list[i].State = &masked
		}
	}
	return answer(c, http.StatusOK, page[catalog.Revision[catalog.Source]]{Items: list})
}
