package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// uploadTimeout is how long a module may take to arrive.
const uploadTimeout = 10 * time.Minute

func (s *Server) listPlugins(c echo.Context) error {
	snap := s.Catalog.Snapshot()
	p, err := pageOf(c, snap.Plugins)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, p)
}

func (s *Server) plugin(c echo.Context) (catalog.Plugin, error) {
	name := param(c, "name")
	snap := s.Catalog.Snapshot()
	p, ok := snap.Plugin(name)
	if !ok {
		return p, &catalog.NotFoundError{Kind: "plugin", Name: name}
	}
	return p, nil
}

func (s *Server) getPlugin(c echo.Context) error {
	p, err := s.plugin(c)
	if err != nil {
		return err
	}
	p.Versions = slices.Clone(p.Versions)
	for i := range p.Versions {
		s.addStats(&p.Versions[i])
	}
	return answerResource(c, http.StatusOK, p.Revision, p)
}

// addStats tells what v did.
func (s *Server) addStats(v *catalog.Version) {
	if s.PluginLooks != nil {
		v.Stats = s.PluginLooks.VersionStats(v.Name, v.Version)
	}
}

func (s *Server) getVersion(c echo.Context) error {
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
	s.addStats(&v)
	return answer(c, http.StatusOK, v)
}

func (s *Server) addVersion(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	name := param(c, "name")
	if err := catalog.CheckName("name", name); err != nil {
		return err // before a long upload
	}
	dryRun, err := flagOf(c, "dryRun")
	if err != nil {
		return err
	}
	rc := http.NewResponseController(c.Response())
	if err := extend(rc.SetReadDeadline, time.Now().Add(uploadTimeout)); err != nil {
		return err
	}
	module, err := body(c, s.opts.MaxModuleBytes)
	if err != nil {
		return err
	}
	if len(module) == 0 {
		return &catalog.FieldError{Reason: "the body is empty; send the module's bytes"}
	}
	v, isNew, err := s.Plugins.AddVersion(c.Request().Context(), by, name, module, dryRun)
	if err != nil {
		return err
	}
	return answer(c, created(isNew), v)
}

func (s *Server) putPlugin(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	name := param(c, "name")
	settings, err := catalog.DecodePluginSettings(name, b)
	if err != nil {
		return err
	}
	p, err := s.Plugins.PutPluginSettings(c.Request().Context(), by, name, settings)
	if err != nil {
		return err
	}
	return answerResource(c, http.StatusOK, p.Revision, p)
}

func (s *Server) listTraps(c echo.Context) error {
	list, err := s.Traps.Traps()
	if err != nil {
		return err
	}
	name := c.QueryParam("plugin")
	items := []catalog.Trap{}
	for _, t := range list {
		if of, _, _ := strings.Cut(t.Plugin, "@"); name == "" || name == of {
			items = append(items, t)
		}
	}
	return answer(c, http.StatusOK, page[catalog.Trap]{Items: items})
}

func (s *Server) getTrap(c echo.Context) error {
	bundle, err := s.Traps.Trap(param(c, "id"))
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/json", bundle)
}

func (s *Server) activatePlugin(c echo.Context) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	n, err := catalog.DecodeActive(b)
	if err != nil {
		return err
	}
	p, err := s.Plugins.Activate(c.Request().Context(), by, param(c, "name"), n)
	if err != nil {
		return err
	}
	return answerResource(c, http.StatusOK, p.Revision, p)
}

func (s *Server) deletePlugin(c echo.Context) error { return s.deleteVersions(c, 0) }

func (s *Server) deleteVersion(c echo.Context) error {
	n, err := version(c)
	if err != nil {
		return err
	}
	return s.deleteVersions(c, n)
}

func (s *Server) deleteVersions(c echo.Context, n int) error {
	by, err := s.change(c)
	if err != nil {
		return err
	}
	if err := s.Plugins.DeletePlugin(c.Request().Context(), by, param(c, "name"), n); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// version reads the number in the path.
func version(c echo.Context) (int, error) {
	text := param(c, "version")
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, &catalog.FieldError{Field: "version", Reason: strconv.Quote(text) + " is not the number of a version"}
	}
	return int(n), nil
}

func noVersion(name string, n int) error {
	return &catalog.NotFoundError{Kind: fmt.Sprintf("version %d of plugin", n), Name: name}
}
