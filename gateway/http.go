package gateway

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/auth"
	"github.com/headgate/headgate/gateway/ingress"
	"github.com/headgate/headgate/gateway/manifest"
	"github.com/headgate/headgate/gateway/problem"
)

// requestDrain bounds the wait for requests under way at shutdown.
const requestDrain = 10 * time.Second

// maxConnections bounds the clients at one time; each takes some 20 kB while
// it is idle.
const maxConnections = 4096

// Handler is the gateway's front: ingress, the API, health and metrics, behind
// the lock, and the UI's files in front of that.
func (g *Gateway) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = answerError

	ingress.New(g.journal, ingress.Options{Logger: g.log, Recorder: intake{g}}).Mount(e)
	admin.New(admin.Backend{
		Catalog: g, Endpoints: g, Sources: g, Routes: g, Tester: g, Filters: g, Explainer: g, Plugins: g, History: g, Origins: g,
		Modules: g, Plans: g,
		Letters: g, Redrives: g, Replays: g, Traps: g, Events: g, Status: g, Tail: g.tail,
		Rates: g, LetterGroups: g, RedriveJobs: g, Previews: g, Twins: g,
		PluginLooks: g, Settings: g, Simulations: g, Emulator: g.opts.Emulator,
	}, g.kinds, admin.Options{
		Logger: g.log, SourceKinds: g.sources.described(), Actor: actor,
		Schema: manifest.Schema(),
	}).Mount(e.Group("/api/v1"))
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", g.getReady)
	e.GET("/metrics", echo.WrapHandler(g.metrics.Handler()))

	// The UI's files are in front of the lock: there is nothing in them that is
	// not in the binary, and what the site answers gets no further.
	return g.site.Wrap(auth.New(g.opts.Token, auth.Options{}).Guard(g.adt().Wrap(e)))
}

// actor names who sent a request, for the history: there is one token, so all
// that tells callers apart is where they are.
func actor(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (g *Gateway) getReady(c echo.Context) error {
	if err := g.ready(); err != nil {
		return c.String(http.StatusServiceUnavailable, err.Error()+"\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// answerError answers what no room answered: paths that nobody serves.
func answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problem.Problem{Status: http.StatusInternalServerError, Detail: "the server failed; its log says why"}
	if he := (*echo.HTTPError)(nil); errors.As(err, &he) {
		p = problem.Problem{Status: he.Code}
		switch he.Code {
		case http.StatusNotFound:
			p.Detail = "nothing is served at " + c.Request().URL.Path + "; events go to /events, the API is under /api/v1"
		case http.StatusMethodNotAllowed:
			p.Detail = c.Request().Method + " is not served at " + c.Request().URL.Path
		}
	}
	_ = p.Write(c.Response()) // whoever asked may be gone
}
