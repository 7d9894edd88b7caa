package ingress

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/problem"
)

// unsupported is the error for a body in a form that is not spoken here; its
// text says what to send.
type unsupported string

func (e unsupported) Error() string { return string(e) }

// journalError is the error of an append.
type journalError struct{ err error }

func (e *journalError) Error() string { return "journal: " + e.err.Error() }
func (e *journalError) Unwrap() error { return e.err }

// aloneError is the fault of an event that came alone: the first of its
// request, and so told with the index 0.
type aloneError struct{ error }

func (e *aloneError) Unwrap() error { return e.error }

// refuse answers a request of which nothing was accepted.
func (h *Handler) refuse(c echo.Context, err error) error {
	p, wait := h.problemOf(c.Request(), err)
	return h.write(c, p, wait)
}

// write answers with p, and asks for a pause where there is one to make.
func (h *Handler) write(c echo.Context, p problem.Problem, wait time.Duration) error {
	h.record.Refused(p.Status)
	drain(c.Request())
	if wait > 0 {
		seconds := (wait + time.Second - 1) / time.Second
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	return p.Write(c.Response())
}

// problemOf maps an error to what the client is told, and how long it is to
// wait before it tries again.
func (h *Handler) problemOf(r *http.Request, err error) (problem.Problem, time.Duration) {
	p := problem.Problem{Status: http.StatusBadRequest, Detail: err.Error()}
	_, alone := errors.AsType[*aloneError](err)
	if field, ok := errors.AsType[*event.FieldError](err); ok {
		p.Title, p.Field, p.Index = "Bad event", field.Field, place(field.Index)
		if alone && field.Field != "" {
			p.Index = new(int)
		}
		return p, 0
	}
	if large, ok := errors.AsType[*event.TooLargeError](err); ok {
		p.Status, p.Index = http.StatusRequestEntityTooLarge, place(large.Index)
		if alone {
			p.Index = new(int)
		}
		return p, 0
	}
	if failed, ok := errors.AsType[*journalError](err); ok {
		return h.notDurable(r, failed)
	}
	_, tooLarge := errors.AsType[tooLargeRequest](err)
	_, unknown := errors.AsType[unsupported](err)
	_, broken := errors.AsType[*brokenBody](err)
	switch {
	case tooLarge:
		p.Status = http.StatusRequestEntityTooLarge
	case unknown:
		p.Status = http.StatusUnsupportedMediaType
	case broken && errors.Is(err, os.ErrDeadlineExceeded):
		p.Status = http.StatusRequestTimeout
	case errors.Is(err, errBusy):
		p.Status, p.Detail = http.StatusTooManyRequests, "too many requests are being received at once; send fewer at a time, or smaller ones"
		return p, time.Second
	}
	return p, 0
}

// notDurable is the answer when the journal did not take the events. It is
// never the client's fault.
func (h *Handler) notDurable(r *http.Request, err *journalError) (problem.Problem, time.Duration) {
	p := problem.Problem{Status: http.StatusServiceUnavailable, Detail: "nothing of this request was accepted: " + err.err.Error() + "; send it again later"}
	var later interface{ RetryAfter() time.Duration }
	if errors.As(err, &later) {
		return p, max(later.RetryAfter(), time.Second)
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return p, time.Second // nobody is there to read it
	}
	p.ID = rand.Text()[:12]
	p.Detail = "the events could not be made durable, and nothing of this request was accepted; send it again later, and find the cause in the server's log by the id"
	h.log.LogAttrs(r.Context(), slog.LevelError, "append failed", slog.String("id", p.ID), slog.String("path", r.URL.Path), slog.Any("err", err.err))
	return p, 5 * time.Second
}

// place is the index of an event in its batch, nil for a fault of the whole text.
func place(index int) *int {
	if index < 0 {
		return nil
	}
	return &index
}
