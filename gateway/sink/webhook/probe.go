package webhook

import (
	"context"
	"fmt"
	"net/http"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
)

var _ sink.Prober = (*Sink)(nil)

// Probe asks the endpoint for its options, with the headers of the settings. An
// endpoint need not know that method: what it answers tells whether it is there
// and lets the gateway in, not whether it takes events.
func (s *Sink) Probe(ctx context.Context) (string, error) {
	to := s.settings.url
	if to == nil {
		var err error
		if to, err = s.settings.address.render(&event.Event{ID: "probe", Source: "probe", Type: "probe", Subject: "probe"}); err != nil {
			return "", s.wrap(err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req := &http.Request{
		Method: http.MethodOptions, URL: to, Host: to.Host, Header: s.headers(0),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	resp, err := s.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer in time: %w", context.Cause(ctx))
		}
		return "", s.wrap(err)
	}
	answer := readAnswer(resp, cancel)
	switch status := resp.StatusCode; {
	case status >= 200 && status < 300:
		return fmt.Sprintf("%s is there, and answers OPTIONS with %d", s.settings.origin, status), nil
	case status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented, status == http.StatusBadRequest,
		status == http.StatusUnsupportedMediaType, status == http.StatusNotAcceptable:
		return fmt.Sprintf("%s is there; it answers OPTIONS with %d %s, which does not tell whether it takes events",
			s.settings.origin, status, http.StatusText(status)), nil
	default:
		return "", s.answerError(status, answer)
	}
}
