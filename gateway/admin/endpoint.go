package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

func (s *Server) listEndpoints(c echo.Context) error {
	snap := s.Catalog.Snapshot()
	p, err := pageOf(c, snap.Endpoints)
	if err != nil {
		return err
	}
	for i, e := range p.Items {
		p.Items[i] = s.kinds.Mask(e)
	}
	return answer(c, http.StatusOK, p)
}

func (s *Server) getEndpoint(c echo.Context) error {
	name := param(c, "name")
	snap := s.Catalog.Snapshot()
	e, ok := snap.Endpoint(name)
	if !ok {
		return &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	status, err := s.Status.Status(c.Request().Context())
	if err != nil {
		return err
	}
	out := endpointWithStatus{Endpoint: s.kinds.Mask(e)}
	for i := range status.Endpoints {
		if status.Endpoints[i].Name == name {
			out.Status = &status.Endpoints[i]
		}
	}
	return answerResource(c, http.StatusOK, e.Revision, out)
}

// endpointWithStatus is an endpoint with how it fares, which is no part of it.
type endpointWithStatus struct {
	catalog.Endpoint
	Status *catalog.EndpointStatus `json:"status,omitempty"`
}

// testAction ends the path of an endpoint or a source that is to be tried; a name holds no
// colon, so the router cannot take it apart.
const testAction = ":test"

func (s *Server) testEndpoint(c echo.Context) error {
	return probe(c, func(ctx context.Context, name string) (catalog.Probed, error) {
		b, err := body(c, maxBodyBytes)
		if err != nil {
			return catalog.Probed{}, err
		}
		send, err := catalog.DecodeProbe(b)
		if err != nil {
			return catalog.Probed{}, err
		}
		return s.Endpoints.ProbeEndpoint(ctx, name, send)
	})
}

// probe answers what came of trying what the path names.
func probe(c echo.Context, try func(context.Context, string) (catalog.Probed, error)) error {
	name, ok := strings.CutSuffix(param(c, "name"), testAction)
	if !ok {
		return methodNotAllowed([]string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPut})(c)
	}
	probed, err := try(c.Request().Context(), name)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, probed)
}

func (s *Server) listEndpointAttempts(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	failed, err := flagOf(c, "failed")
	if err != nil {
		return err
	}
	items, err := s.Endpoints.EndpointAttempts(param(c, "name"), failed, limit)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, page[catalog.EndpointAttempt]{Items: items})
}

func (s *Server) listBlockedKeys(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	keys, err := s.Endpoints.BlockedKeys(c.Request().Context(), param(c, "name"), limit)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, keys)
}

func (s *Server) skipDelivery(c echo.Context) error {
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	name, err := catalog.DecodeDeliveryName(b)
	if err != nil {
		return err
	}
	skipped, err := s.Endpoints.SkipDelivery(c.Request().Context(), param(c, "name"), name)
	if err != nil {
		return err
	}
	return answer(c, http.StatusAccepted, skipped)
}

func (s *Server) retryEndpoint(c echo.Context) error {
	retried, err := s.Endpoints.RetryEndpoint(param(c, "name"))
	if err != nil {
		return err
	}
	return answer(c, http.StatusAccepted, retried)
}

func (s *Server) putEndpoint(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	e, err := catalog.DecodeEndpoint(param(c, "name"), b)
	if err != nil {
		return err
	}
	stored, isNew, err := s.Endpoints.PutEndpoint(c.Request().Context(), by, e)
	if err != nil {
		return err
	}
	return answerResource(c, created(isNew), stored.Revision, s.kinds.Mask(stored))
}

func (s *Server) deleteEndpoint(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	if err := s.Endpoints.DeleteEndpoint(c.Request().Context(), by, param(c, "name")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) replay(c echo.Context) error {
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	from, err := catalog.DecodeReplay(b)
	if err != nil {
		return err
	}
	begun, err := s.Replays.Replay(c.Request().Context(), param(c, "name"), from)
	if err != nil {
		return err
	}
	return answer(c, http.StatusAccepted, begun)
}

func (s *Server) listEndpointRevisions(c echo.Context) error {
	name := param(c, "name")
	list, err := s.History.EndpointHistory(name)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	for i, r := range list {
		if r.State != nil {
			masked := s.kinds.Mask(*r.State)
			list[i].State = &masked
		}
	}
	return answer(c, http.StatusOK, page[catalog.Revision[catalog.Endpoint]]{Items: list})
}
