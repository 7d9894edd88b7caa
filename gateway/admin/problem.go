package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/problem"
)

// statusError is an error of HTTP's own.
type statusError struct {
	status int
	detail string
}

func (e *statusError) Error() string { return e.detail }

var errNoPath = &statusError{http.StatusNotFound, "the API has no such path; /api/v1/openapi.json lists them all"}

// guard wraps a handler: a request that another site made a browser send is
// refused, and errors and panics become problem details.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch r := recover(); r {
			case nil:
			case http.ErrAbortHandler:
				panic(r)
			default:
				err = s.refuse(c, fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
			}
		}()
		if err := s.origin.Check(c.Request()); err != nil {
			return s.refuse(c, &statusError{http.StatusForbidden, "another site sent this request; use the gateway's own pages or a script"})
		}
		if err := next(c); err != nil {
			return s.refuse(c, err)
		}
		return nil
	}
}

// refuse answers c with the problem that err is. Once an answer has begun
// there is no way to tell; the connection is cut instead.
func (s *Server) refuse(c echo.Context, err error) error {
	if c.Response().Committed {
		if c.Request().Context().Err() == nil {
			s.opts.Logger.Error("answer cut short", "path", c.Path(), "err", err)
		}
		panic(http.ErrAbortHandler)
	}
	p := describe(err)
	if wait, ok := retryAfter(err); ok {
		c.Response().Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
	}
	if p.Status == http.StatusInternalServerError {
		p.ID = rand.Text()
		p.Detail = "the server failed; its log has more under the id " + p.ID
		s.opts.Logger.Error("request failed", "id", p.ID, "method", c.Request().Method, "path", c.Path(), "err", err)
	}
	return p.Write(c.Response())
}

// describe decides the status and the words for err.
func describe(err error) problem.Problem {
	var (
		status   *statusError
		several  catalog.FieldErrors
		field    *catalog.FieldError
		attr     *event.FieldError
		large    *event.TooLargeError
		maxBytes *http.MaxBytesError
	)
	_, busy := retryAfter(err)
	switch {
	case errors.As(err, &status):
		return problem.Problem{Status: status.status, Detail: status.detail}
	case errors.Is(err, catalog.ErrInUse): // and what uses it, if documents do
		errors.As(err, &several)
		return problem.Problem{Status: http.StatusConflict, Title: "In use", Detail: err.Error(), Errors: faults(several)}
	case errors.As(err, &several):
		p := problem.Problem{Status: http.StatusBadRequest, Title: "Invalid request", Field: several[0].Field}
		p.Detail = fmt.Sprintf("%v (and %d more, in errors)", several[0], len(several)-1)
		p.Errors = faults(several)
		return p
	case errors.As(err, &field):
		return problem.Problem{Status: http.StatusBadRequest, Title: "Invalid request", Detail: field.Error(), Field: field.Field}
	case errors.As(err, &attr):
		p := problem.Problem{Status: http.StatusBadRequest, Title: "Invalid event", Detail: err.Error(), Field: attr.Field}
		if attr.Index >= 0 {
			p.Index = &attr.Index
		}
		return p
	case errors.As(err, &large):
		return problem.Problem{Status: http.StatusRequestEntityTooLarge, Detail: err.Error(), Index: &large.Index}
	case errors.As(err, &maxBytes):
		return problem.Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is longer than the %d bytes allowed here", maxBytes.Limit)}
	case errors.Is(err, catalog.ErrNotFound):
		return problem.Problem{Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, catalog.ErrConflict):
		return problem.Problem{Status: http.StatusPreconditionFailed, Detail: err.Error()}
	case busy:
		return problem.Problem{Status: http.StatusServiceUnavailable, Detail: err.Error()}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem.Problem{Status: http.StatusServiceUnavailable, Detail: "the request ended before its answer was ready; try again"}
	}
	return problem.Problem{Status: http.StatusInternalServerError}
}

func faults(errs catalog.FieldErrors) []problem.Fault {
	var out []problem.Fault
	for _, f := range errs {
		out = append(out, problem.Fault{Field: f.Field, Detail: f.Reason})
	}
	return out
}

// retryAfter reports whether err means "not now", and until when.
func retryAfter(err error) (time.Duration, bool) {
	var later interface{ RetryAfter() time.Duration }
	if !errors.As(err, &later) {
		return 0, false
	}
	return later.RetryAfter(), true
}
