package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
)

const (
	// maxEventHeader bounds the attributes of an event in binary mode. Servers
	// take 8 to 32 KiB of headers; what no server takes must not be retried.
	maxEventHeader = 64 << 10
	// maxAnswer and answerTime bound what is read of an answer, so that the
	// connection can serve the next request.
	maxAnswer  = 64 << 10
	answerTime = time.Second
	// maxKept bounds the buffers that are kept for the next request.
	maxKept = 1 << 20
)

// sendOne makes one request of one event.
func (s *Sink) sendOne(ctx context.Context, e *event.Event) delivery.Outcome {
	switch s.settings.mode {
	case modeStructured:
		buf := s.buffers.Get().(*[]byte)
		*buf = event.AppendJSON((*buf)[:0], e)
		defer s.keep(buf)
		return s.do(ctx, s.settings.url, s.headers(0), *buf)
	case modeRaw:
		return s.sendRaw(ctx, e)
	}
	header, err := s.binaryHeaders(e)
	if err != nil {
		return s.fault(err)
	}
	return s.do(ctx, s.settings.url, header, e.Data)
}

// sendRaw makes one request of the event's data.
func (s *Sink) sendRaw(ctx context.Context, e *event.Event) delivery.Outcome {
	to := s.settings.url
	if to == nil {
		var err error
		if to, err = s.settings.address.render(e); err != nil {
			return s.fault(err)
		}
	}
	header := s.headers(1)
	if err := addContentType(header, e); err != nil {
		return s.fault(err)
	}
	return s.do(ctx, to, header, e.Data)
}

// sendBatch makes one request of all events.
func (s *Sink) sendBatch(ctx context.Context, batch []delivery.Delivery) delivery.Outcome {
	buf := s.buffers.Get().(*[]byte)
	defer s.keep(buf)
	b := append((*buf)[:0], '[')
	for i := range batch {
		if i > 0 {
			b = append(b, ',')
		}
		b = event.AppendJSON(b, &batch[i].Event)
	}
	*buf = append(b, ']')
	return s.do(ctx, s.settings.url, s.headers(0), *buf)
}

// do makes one request and reads as much of its answer as the outcome needs.
// Nothing refers to data once it has returned.
func (s *Sink) do(ctx context.Context, to *url.URL, header http.Header, data []byte) delivery.Outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req := &http.Request{
		Method: s.settings.method, URL: to, Host: to.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if len(data) > 0 {
		p := &payload{data: data}
		defer p.release()
		req.Body, _ = p.open()
		req.GetBody = p.open // asked for when an idle connection turns out dead before anything was written
		req.ContentLength = int64(len(data))
	}
	resp, err := s.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer in time: %w", context.Cause(ctx))
		}
		return sink.FromError(err, s.wrap(err))
	}
	answer := readAnswer(resp, cancel)
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return delivery.Delivered()
	}
	return sink.FromStatus(resp.StatusCode, resp.Header, time.Now(), s.answerError(resp.StatusCode, answer))
}

// readAnswer reads a bounded part of the answer for a bounded time, cancels
// its request should it go on after that, and returns the beginning.
func readAnswer(resp *http.Response, cancel context.CancelFunc) []byte {
	if resp.Body == http.NoBody {
		return nil
	}
	defer resp.Body.Close()
	defer time.AfterFunc(answerTime, cancel).Stop()
	body := io.LimitReader(resp.Body, maxAnswer)
	var first []byte
	if resp.StatusCode >= 300 {
		first = make([]byte, 2<<10)
		n, _ := io.ReadFull(body, first) // an answer cut short still says something
		first = first[:n]
	}
	_, _ = io.Copy(io.Discard, body) // what matters of the answer is known by now
	return first
}

// answerError puts an answer that is not 2xx into words.
func (s *Sink) answerError(status int, answer []byte) error {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	if hint := hint(status); hint != "" {
		text += " (" + hint + ")"
	}
	if said := sink.Snippet(answer, s.settings.secrets...); said != "" {
		text += ": " + said
	}
	return errors.New(s.settings.origin + ": " + text)
}

// hint says what to do about an answer that is the endpoint's fault.
func hint(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "check the credentials in the endpoint's headers or url"
	case http.StatusNotFound, http.StatusGone:
		return "check the endpoint's url"
	case http.StatusMethodNotAllowed:
		return "check the endpoint's url and method"
	}
	if status >= 300 && status < 400 {
		return "redirects are not followed; set the url to where it leads"
	}
	return ""
}

// fault is the outcome of an event that cannot be made into a request.
func (s *Sink) fault(err error) delivery.Outcome {
	return delivery.Permanent(s.wrap(err))
}

// wrap says which endpoint err is about, as far as that is no secret.
func (s *Sink) wrap(err error) error { return fmt.Errorf("%s: %w", s.settings.origin, err) }

// keep returns a buffer for the next request.
func (s *Sink) keep(buf *[]byte) {
	if cap(*buf) <= maxKept {
		s.buffers.Put(buf)
	}
}

// headers returns a new header with what every request carries, and room for more.
func (s *Sink) headers(more int) http.Header {
	h := make(http.Header, len(s.settings.header)+more)
	for _, x := range s.settings.header {
		h[x.name] = x.values
	}
	return h
}

// binaryHeaders returns the headers that carry e's attributes.
func (s *Sink) binaryHeaders(e *event.Event) (http.Header, error) {
	const most = 8 // attributes that are no extensions
	h := s.headers(most + len(e.Extensions))
	if err := addContentType(h, e); err != nil {
		return nil, err
	}
	values := make([]string, 0, most+len(e.Extensions)) // one allocation for the values of all
	size := 0
	add := func(name, value string) {
		if value == "" {
			return
		}
		value = event.EncodeHeader(value)
		size += len(name) + len(value)
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	add("Ce-Id", e.ID)
	add("Ce-Source", e.Source)
	add("Ce-Type", e.Type)
	add("Ce-Subject", e.Subject)
	add("Ce-Time", e.Time)
	add("Ce-Dataschema", e.DataSchema)
	for _, x := range e.Extensions {
		if !isAttributeName(x.Name) {
			return nil, fmt.Errorf("extension %q cannot be a header; a name has lower-case letters and digits alone", x.Name)
		}
		add("ce-"+x.Name, x.Value)
	}
	if size > maxEventHeader {
		return nil, fmt.Errorf("the event's attributes make %d bytes of headers, more than %d; mode structured has no such bound", size, maxEventHeader)
	}
	return h, nil
}

// addContentType adds the type of e's data, unless the settings have one.
func addContentType(h http.Header, e *event.Event) error {
	if e.DataContentType == "" || h["Content-Type"] != nil {
		return nil
	}
	if !isHeaderValue(e.DataContentType) {
		return fmt.Errorf("datacontenttype %q cannot be a header", e.DataContentType)
	}
	h["Content-Type"] = []string{e.DataContentType}
	return nil
}
