// Package admin serves the control plane: the JSON API under /api/v1, as
// openapi.json describes it.
//
// The package knows HTTP and the forms of resources; what they mean, and when
// a change is in force, is its [Backend]'s to know. A change is answered with
// 2xx only after the backend returned.
package admin

import (
	_ "embed"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// openAPI describes every path that Mount serves. A test holds the two
// together.
//
//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the description of the API, an OpenAPI document in JSON.
func OpenAPI() []byte { return slices.Clone(openAPI) }

// Options are what a [Server] can do without.
type Options struct {
	// Logger gets the errors that are answered with 500; nil discards them.
	Logger *slog.Logger
	// Actor says who sent a request, for the history; nil says nobody.
	Actor func(*http.Request) string
	// SourceKinds say how sources are shown.
	SourceKinds catalog.SourceKinds
	// Schema is a JSON Schema of the documents in which the catalog is kept.
	Schema []byte
	// MaxModuleBytes bounds the upload of a plugin; 0 means 64 MiB.
	MaxModuleBytes int64
	// Heartbeat is how often a stream without news says that it lives; 0
	// means every 15 seconds.
	Heartbeat time.Duration
}

// Server serves the API.
type Server struct {
	Backend
	kinds  catalog.Kinds
	opts   Options
	origin *http.CrossOriginProtection
}

// New returns a server over b that shows endpoints as kinds say.
func New(b Backend, kinds catalog.Kinds, o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Actor == nil {
		o.Actor = func(*http.Request) string { return "" }
	}
	if o.MaxModuleBytes == 0 {
		o.MaxModuleBytes = 64 << 20
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 15 * time.Second
	}
	return &Server{Backend: b, kinds: kinds, opts: o, origin: http.NewCrossOriginProtection()}
}

type operation struct {
	method, path string
	handle       echo.HandlerFunc
}

// operations are all paths of the API; Echo takes an escaped colon literally.
func (s *Server) operations() []operation {
	return []operation{
		{http.MethodGet, "/openapi.json", s.getOpenAPI},
		{http.MethodGet, "/status", s.getStatus},
		{http.MethodGet, "/schema.json", s.getSchema},
		{http.MethodGet, "/audit", s.listAudit},
		{http.MethodGet, "/provenance/:id", s.getProvenance},
		{http.MethodGet, "/config", s.getConfig},
		{http.MethodGet, "/emulator", s.getEmulator},
		{http.MethodGet, "/simulation", s.getSimulation},
		{http.MethodPut, "/simulation", s.putSimulation},
		{http.MethodDelete, "/simulation", s.deleteSimulation},
		{http.MethodGet, "/rates", s.getRates},
		{http.MethodGet, "/rates/stream", s.streamRates},

		{http.MethodGet, "/catalog", s.getCatalog},
		{http.MethodPost, `/catalog\:plan`, s.planCatalog},
		{http.MethodPost, `/catalog\:apply`, s.applyCatalog},

		{http.MethodGet, "/endpoints", s.listEndpoints},
		{http.MethodGet, "/endpoints/:name", s.getEndpoint},
		{http.MethodPut, "/endpoints/:name", s.putEndpoint},
		{http.MethodDelete, "/endpoints/:name", s.deleteEndpoint},
		{http.MethodPost, "/endpoints/:name", s.testEndpoint},
		{http.MethodGet, "/endpoints/:name/revisions", s.listEndpointRevisions},
		{http.MethodGet, "/endpoints/:name/attempts", s.listEndpointAttempts},
		{http.MethodGet, "/endpoints/:name/blocked", s.listBlockedKeys},
		{http.MethodPost, "/endpoints/:name/skip", s.skipDelivery},
		{http.MethodPost, "/endpoints/:name/retry", s.retryEndpoint},
		{http.MethodPost, "/endpoints/:name/replay", s.replay},

		{http.MethodGet, "/sources", s.listSources},
		{http.MethodGet, "/sources/:name", s.getSource},
		{http.MethodPut, "/sources/:name", s.putSource},
		{http.MethodDelete, "/sources/:name", s.deleteSource},
		{http.MethodPost, "/sources/:name", s.testSource},
		{http.MethodGet, "/sources/:name/revisions", s.listSourceRevisions},

		{http.MethodGet, "/routes", s.listRoutes},
		{http.MethodGet, "/routes/:id", s.getRoute},
		{http.MethodPut, "/routes/:id", s.putRoute},
		{http.MethodDelete, "/routes/:id", s.deleteRoute},
		{http.MethodGet, "/routes/:id/revisions", s.listRouteRevisions},
		{http.MethodGet, "/routes/:id/explain", s.explainRoute},
		{http.MethodPost, `/routes\:test`, s.testRoute},
		{http.MethodPost, `/filters\:parse`, s.parseFilter},

		{http.MethodGet, "/plugins", s.listPlugins},
		{http.MethodGet, "/plugins/:name", s.getPlugin},
		{http.MethodPut, "/plugins/:name", s.putPlugin},
		{http.MethodDelete, "/plugins/:name", s.deletePlugin},
		{http.MethodPut, "/plugins/:name/active", s.activatePlugin},
		{http.MethodPost, "/plugins/:name/versions", s.addVersion},
		{http.MethodGet, "/plugins/:name/versions/:version", s.getVersion},
		{http.MethodDelete, "/plugins/:name/versions/:version", s.deleteVersion},
		{http.MethodGet, "/plugins/:name/logs", s.listPluginLogs},
		{http.MethodGet, "/plugins/:name/versions/:version/module", s.getModule},

		{http.MethodGet, "/traps", s.listTraps},
		{http.MethodGet, "/traps/groups", s.listTrapGroups},
		{http.MethodGet, "/traps/:id", s.getTrap},

		{http.MethodGet, "/dead-letters", s.listLetters},
		{http.MethodGet, "/dead-letters/groups", s.listLetterGroups},
		{http.MethodGet, "/dead-letters/:id", s.getLetter},
		{http.MethodPost, "/dead-letters/redrive", s.redrive},
		{http.MethodPost, "/dead-letters/preview", s.previewRedrive},
		{http.MethodPost, "/dead-letters/purge", s.purge},
		{http.MethodGet, "/redrives", s.listRedrives},
		{http.MethodGet, "/redrives/:id", s.getRedrive},
		{http.MethodDelete, "/redrives/:id", s.stopRedrive},

		{http.MethodGet, "/events", s.scanEvents},
		{http.MethodGet, "/events/stream", s.streamEvents},
		{http.MethodGet, "/events/:id", s.getEvent},
		{http.MethodGet, "/twins", s.getTwin},
		{http.MethodPost, `/events\:explain`, s.explainEvents},
	}
}

// Mount adds the API to g, the group for /api/v1. It answers every request
// under it, with problem details for a path or a method that is none of its.
func (s *Server) Mount(g *echo.Group) {
	methods, queries := map[string][]string{}, queries()
	for _, op := range s.operations() {
		handle := s.guard(knowing(queries[op.method+" "+op.path], op.handle))
		g.Add(op.method, op.path, handle)
		methods[op.path] = append(methods[op.path], op.method)
		if op.method == http.MethodGet && !strings.HasSuffix(op.path, "/stream") {
			g.Add(http.MethodHead, op.path, handle)
			methods[op.path] = append(methods[op.path], http.MethodHead)
		}
	}
	for path, allowed := range methods {
		refuse := s.guard(methodNotAllowed(allowed))
		for _, m := range []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
			http.MethodPatch, http.MethodDelete, http.MethodOptions,
		} {
			if !slices.Contains(allowed, m) {
				g.Add(m, path, refuse).Name = refusal
			}
		}
	}
	notFound := s.guard(func(echo.Context) error { return errNoPath })
	g.RouteNotFound("", notFound).Name = refusal
	g.RouteNotFound("/*", notFound).Name = refusal
}

// refusal is the name of those of Echo's routes that only refuse.
const refusal = "refusal"

func methodNotAllowed(allowed []string) echo.HandlerFunc {
	slices.Sort(allowed)
	list := strings.Join(allowed, ", ")
	return func(c echo.Context) error {
		c.Response().Header().Set("Allow", list)
		if c.Request().Method == http.MethodOptions {
			return c.NoContent(http.StatusNoContent)
		}
		return &statusError{http.StatusMethodNotAllowed, "this path allows " + list}
	}
}

func (s *Server) getOpenAPI(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/json", openAPI)
}

func (s *Server) getStatus(c echo.Context) error {
	status, err := s.Status.Status(c.Request().Context())
	if err != nil {
		return err
	}
	if status.Endpoints == nil {
		status.Endpoints = []catalog.EndpointStatus{}
	}
	if status.Sources == nil {
		status.Sources = []catalog.SourceStatus{}
	}
	status.Tail = s.Tail.Status()
	return answer(c, http.StatusOK, status)
}

func (s *Server) getProvenance(c echo.Context) error {
	p, err := s.Origins.Provenance(param(c, "id"))
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, p)
}

func (s *Server) listAudit(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	entries, err := s.History.Audit(limit)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, page[catalog.AuditEntry]{Items: entries})
}
