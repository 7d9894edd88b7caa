// Package ingress turns bytes from outside into accepted events: CloudEvents
// over HTTP, what an Event Grid custom topic takes, and what Event Grid pushes.
//
// A request is accepted whole or not at all, and answered 2xx only when its
// events are durable.
package ingress

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/event"
)

// Journal makes events durable.
type Journal interface {
	// Append returns nil only when all events are durable, and their first
	// position. An error means that none is accepted; one with a method
	// RetryAfter() time.Duration means "not now". Append may keep the events:
	// their memory is theirs alone and is never reused.
	Append(ctx context.Context, events []event.Event) (event.Position, error)
}

// Recorder counts what came in. Telemetry implements it.
type Recorder interface {
	// Accepted is called once for each request whose events became durable,
	// with the time that took.
	Accepted(events int, took time.Duration)
	// Refused is called once for each other request, with its HTTP status.
	Refused(status int)
}

// Options are the optional inputs of [New].
type Options struct {
	// Logger gets one record for each request that failed by our own fault;
	// nil discards them.
	Logger *slog.Logger
	// Recorder is told of every request; nil means nobody is.
	Recorder Recorder
	// MaxPendingBytes bounds the memory of all bodies in the works; a request
	// beyond it is answered 429. 0 means 256 MiB.
	MaxPendingBytes int64
}

// Handler serves the paths on which events come in.
type Handler struct {
	journal Journal
	log     *slog.Logger
	record  Recorder
	pending budget
}

// New returns a handler that appends what it accepts to journal.
func New(journal Journal, opts Options) *Handler {
	h := &Handler{journal: journal, log: opts.Logger, record: opts.Recorder}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.record == nil {
		h.record = nobody{}
	}
	h.pending.max = opts.MaxPendingBytes
	if h.pending.max == 0 {
		h.pending.max = 256 << 20
	}
	return h
}

// Mount registers the handler's paths on e.
func (h *Handler) Mount(e *echo.Echo) {
	e.POST("/events", h.cloudEvents)
	e.POST("/api/events", h.gridTopic)
	e.POST("/webhooks/eventgrid", h.gridWebhook)
	e.OPTIONS("/webhooks/eventgrid", h.gridHandshake)
}

// cloudEvents serves POST /events.
func (h *Handler) cloudEvents(c echo.Context) error {
	m, err := modeOf(c.Request().Header, eventTypes)
	if err == nil && m == gridMode {
		err = eventTypes
	}
	if err != nil {
		return h.refuse(c, err)
	}
	n, err := h.accept(c, m)
	if err != nil {
		return h.refuse(c, err)
	}
	return accepted(c.Response(), n)
}

// accept decodes the request's body as mode m says, and makes its events durable.
func (h *Handler) accept(c echo.Context, m mode) (int, error) {
	r := c.Request()
	body, err := h.pending.read(c.Response(), r)
	if err != nil {
		return 0, err
	}
	defer h.pending.release(body)
	events, err := decode(m, r, body.bytes)
	if err != nil {
		return 0, err
	}
	return h.append(r.Context(), events)
}

// append makes events durable. Of no events there is nothing to make durable.
func (h *Handler) append(ctx context.Context, events []event.Event) (int, error) {
	if len(events) == 0 {
		return 0, nil
	}
	start := time.Now()
	if _, err := h.journal.Append(ctx, events); err != nil {
		return 0, &journalError{err}
	}
	h.record.Accepted(len(events), time.Since(start))
	return len(events), nil
}

var jsonType = []string{"application/json"}

// accepted answers 202 with the count.
func accepted(w http.ResponseWriter, n int) error {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(http.StatusAccepted)
	body := strconv.AppendInt(append(make([]byte, 0, 32), `{"accepted":`...), int64(n), 10)
	_, err := w.Write(append(body, "}\n"...))
	return err
}

// nobody is the Recorder when none is given.
type nobody struct{}

func (nobody) Accepted(int, time.Duration) {}
func (nobody) Refused(int)                 {}
