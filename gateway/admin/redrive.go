package admin

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// Steps of the series of groups of dead letters.
const (
	defaultSteps = 40
	maxSteps     = 200
)

func (s *Server) listLetterGroups(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	q := GroupQuery{Endpoint: c.QueryParam("endpoint"), Steps: defaultSteps, Limit: limit}
	if v := c.QueryParam("steps"); v != "" {
		if q.Steps, err = strconv.Atoi(v); err != nil || q.Steps < 1 || q.Steps > maxSteps {
			return &catalog.FieldError{Field: "steps", Reason: "want a number from 1 to " + strconv.Itoa(maxSteps)}
		}
	}
	groups, err := s.LetterGroups.LetterGroups(c.Request().Context(), q)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, groups)
}

func (s *Server) listRedrives(c echo.Context) error {
	return answer(c, http.StatusOK, page[catalog.RedriveJob]{Items: s.RedriveJobs.Redrives()})
}

func (s *Server) getRedrive(c echo.Context) error {
	return answerJob(c, s.RedriveJobs.RedriveJob)
}

func (s *Server) stopRedrive(c echo.Context) error {
	return answerJob(c, s.RedriveJobs.StopRedrive)
}

func answerJob(c echo.Context, job func(id string) (catalog.RedriveJob, error)) error {
	j, err := job(param(c, "id"))
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, j)
}

func (s *Server) previewRedrive(c echo.Context) error {
	b, err := body(c, maxBodyBytes)
	if err != nil {
		return err
	}
	r, err := catalog.DecodePreview(b)
	if err != nil {
		return err
	}
	p, err := s.Previews.Preview(c.Request().Context(), r)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, p)
}
