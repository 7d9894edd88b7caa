package admin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

func (s *Server) listPluginLogs(c echo.Context) (err error) {
	q := LogQuery{Plugin: param(c, "name"), Level: c.QueryParam("level")}
	if q.Limit, err = limitOf(c); err != nil {
		return err
	}
	if q.Level != "" && !slices.Contains(catalog.LogLevels, q.Level) {
		return &catalog.FieldError{Field: "level", Reason: "want " + strings.Join(catalog.LogLevels, ", ")}
	}
	if v := c.QueryParam("version"); v != "" {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || n == 0 {
			return &catalog.FieldError{Field: "version", Reason: strconv.Quote(v) + " is not the number of a version"}
		}
		q.Version = int(n)
	}
	logs, err := s.PluginLooks.PluginLogs(q)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, logs)
}

func (s *Server) listTrapGroups(c echo.Context) error {
	groups, err := s.PluginLooks.TrapGroups()
	if err != nil {
		return err
	}
	name := c.QueryParam("plugin")
	items := []catalog.TrapGroup{}
	for _, g := range groups {
		if of, _, _ := strings.Cut(g.Plugin, "@"); name == "" || name == of {
			items = append(items, g)
		}
	}
	return answer(c, http.StatusOK, page[catalog.TrapGroup]{Items: items})
}

func (s *Server) getConfig(c echo.Context) error {
	return answer(c, http.StatusOK, s.Settings.Settings())
}

// Messages of each emulated entity that are shown.
const (
	usualMessages = 20
	mostMessages  = 1000
)

func (s *Server) getEmulator(c echo.Context) error {
	service := c.QueryParam("service")
	if services := []string{"", "serviceBus", "eventHubs", "eventGrid"}; !slices.Contains(services, service) {
		return &catalog.FieldError{Field: "service", Reason: "want " + strings.Join(services[1:], ", ")}
	}
	limit := usualMessages
	if v := c.QueryParam("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > mostMessages {
			return &catalog.FieldError{Field: "limit", Reason: "want a number from 0 to " + strconv.Itoa(mostMessages)}
		}
		limit = n
	}
	out := catalog.Emulated{Running: s.Emulator != nil, Items: []json.RawMessage{}}
	if out.Running {
		entities, err := s.Emulator.Entities(service, c.QueryParam("name"), limit)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, entities...)
	}
	return answer(c, http.StatusOK, out)
}

func (s *Server) getSimulation(c echo.Context) error {
	return answer(c, http.StatusOK, s.Simulations.Simulation())
}

func (s *Server) putSimulation(c echo.Context) error {
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	req, err := catalog.DecodeSimulation(b)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, s.Simulations.Simulate(req))
}

func (s *Server) deleteSimulation(c echo.Context) error {
	s.Simulations.StopSimulation()
	return answer(c, http.StatusOK, s.Simulations.Simulation())
}
