package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// writeTimeout is how long a follower may take to accept what is written; one
// that takes longer is cut off.
const writeTimeout = 15 * time.Second

// streamEvents follows the tail until the client leaves or the tail is closed.
// Nothing waits between the answer's first bytes and an event: what is
// accepted after they arrived is told.
func (s *Server) streamEvents(c echo.Context) error {
	q, err := tailQuery(c)
	if err != nil {
		return err
	}
	screen, err := s.newScreen(c.Request().Context(), q)
	if err != nil {
		return err
	}
	defer screen.Close()
	f := s.Tail.follow(q.EventQuery, q.Deliveries)
	defer s.Tail.leave(f)

	out, err := openStream(c)
	if err != nil {
		return nil // the client is gone, which is no fault
	}
	return s.stream(c, f, screen, out)
}

// openStream begins an answer of server-sent events. An error means that the
// client is gone.
func openStream(c echo.Context) (*eventStream, error) {
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	c.Response().WriteHeader(http.StatusOK)
	out := &eventStream{w: c.Response(), rc: http.NewResponseController(c.Response())}
	out.buf.WriteString(": following\nretry: 2000\n\n")
	return out, extend(out.rc.SetReadDeadline, time.Time{})
}

func tailQuery(c echo.Context) (q catalog.TailQuery, err error) {
	if q.EventQuery, err = eventQuery(c); err != nil {
		return q, err
	}
	if q.Deliveries, err = flagOf(c, "deliveries"); err != nil {
		return q, err
	}
	q.Filter = c.QueryParam("filter")
	if v := c.QueryParam("sample"); v != "" {
		if q.Sample, err = strconv.Atoi(v); err != nil || q.Sample < 1 || q.Sample > maxSample {
			return q, &catalog.FieldError{Field: "sample", Reason: "want a number of events a second from 1 to " + strconv.Itoa(maxSample)}
		}
	}
	return q, nil
}

func (s *Server) stream(c echo.Context, f *follower, screen *screen, out *eventStream) error {
	heartbeat := time.NewTicker(s.opts.Heartbeat)
	defer heartbeat.Stop()
	pace := time.NewTicker(screen.every())
	defer pace.Stop()
	wake := f.wake
	if screen.limits() {
		wake = nil // what came in a while is told at once, so that a sample can be taken of it
	}
	for {
		if err := out.flush(); err != nil {
			return nil // the client is gone, which is no fault
		}
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-f.end:
			return nil
		case <-heartbeat.C:
			out.buf.WriteString(": alive\n\n")
		case <-pace.C:
			if err := out.tell(f, screen); err != nil {
				return nil
			}
			if screen.left != (catalog.Dropped{}) {
				out.event("dropped", "", screen.left)
				screen.left = catalog.Dropped{}
			}
		case <-wake:
			if err := out.tell(f, screen); err != nil {
				return nil
			}
			if screen.left.Dropped > 0 {
				out.event("dropped", "", screen.left)
				screen.left = catalog.Dropped{}
			}
		}
	}
}

// eventStream writes server-sent events.
type eventStream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf bytes.Buffer
}

// flushBytes is how much is gathered before it is written.
const flushBytes = 64 << 10

// tell gathers what waits for f, and counts what it is not told.
func (s *eventStream) tell(f *follower, screen *screen) error {
	items, dropped := f.take()
	screen.left.Dropped += dropped
	for _, item := range screen.pick(items, time.Now()) {
		if err := s.item(item); err != nil {
			return err
		}
	}
	return nil
}

func (s *eventStream) item(item tailItem) error {
	if item.accepted != nil {
		s.event("accepted", item.accepted.ID.String(), item.accepted)
	} else {
		s.event("delivery", "", item.delivery)
	}
	if s.buf.Len() < flushBytes {
		return nil
	}
	return s.flush()
}

// event gathers one event. JSON that an encoder wrote has no line break.
func (s *eventStream) event(name, id string, v any) {
	s.buf.WriteString("event: " + name + "\n")
	if id != "" {
		s.buf.WriteString("id: " + id + "\n")
	}
	s.buf.WriteString("data: ")
	enc := json.NewEncoder(&s.buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		s.buf.WriteString("null\n")
	}
	s.buf.WriteByte('\n')
}

// flush writes what was gathered.
func (s *eventStream) flush() error {
	if err := extend(s.rc.SetWriteDeadline, time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return err
	}
	s.buf.Reset()
	return s.rc.Flush()
}

// extend moves a deadline of the connection, where there is one: the server's
// own are made for requests that are short.
func extend(set func(time.Time) error, until time.Time) error {
	if err := set(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
