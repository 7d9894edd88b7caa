package eventgrid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/azure"
	"github.com/headgate/headgate/sdk/json"
)

// request is events on their way, each behind a comma.
type request struct {
	body       []byte
	deliveries []span
}

// newRequest returns an empty request with room for what batch will make.
func newRequest(batch []delivery.Delivery) request {
	room := 0
	for i := range batch {
		room += batch[i].Event.Size() + 200 // for the names of attributes
	}
	return request{body: make([]byte, 0, min(room, maxRequest))}
}

// span is where a delivery is: its place in the batch, and its end in the body.
type span struct{ index, end int }

// array is the body as a JSON array. It shares no memory with r: a transport may
// still be reading when it has reported an early answer.
func (r request) array() []byte {
	b := bytes.Clone(append(r.body, ']'))
	b[0] = '[' // where the first comma was
	return b
}

func (r request) halves() (first, second request) {
	half := len(r.deliveries) / 2
	cut := r.deliveries[half-1].end
	first = request{bytes.Clone(r.body[:cut]), r.deliveries[:half]}
	second = request{body: bytes.Clone(r.body[cut:])}
	for _, d := range r.deliveries[half:] {
		second.deliveries = append(second.deliveries, span{d.index, d.end - cut})
	}
	return first, second
}

// appendEvent appends e to r as the schema has it, or nothing and an error when
// no topic of the schema would take it.
func (s *settings) appendEvent(r *request, e *event.Event) error {
	if s.schema == CloudEventSchema {
		r.body = event.AppendJSON(append(r.body, ','), e)
		return nil
	}
	if err := checkGrid(e.Data); err != nil {
		return err
	}
	r.body = append(append(r.body, ','), e.Data...)
	return nil
}

// checkGrid reports what an event of the Event Grid schema must have and data
// has not, so that it fails by itself and without a request.
func checkGrid(data []byte) error {
	const hint = "; let the transform eventgrid be the last stage of the route"
	v, err := json.Parse(data)
	if err != nil || v.Kind() != json.Object {
		return errors.New("the data is not an event in the Event Grid schema" + hint)
	}
	for _, name := range [...]string{"id", "subject", "eventType", "eventTime"} {
		if member := v.At(name); member.Kind() != json.String || len(member) == len(`""`) {
			return fmt.Errorf("the data is not an event in the Event Grid schema: it has no %s%s", name, hint)
		}
	}
	if v.At("data").Kind() == json.Invalid {
		return errors.New("the data is not an event in the Event Grid schema: it has no data" + hint)
	}
	return nil
}

// do makes one request and reads as much of its answer as the outcome needs.
func (s *Sink) do(ctx context.Context, body []byte) delivery.Outcome {
	if ctx.Err() != nil {
		return delivery.Transient(s.settings.wrap(fmt.Errorf("not sent: %w", context.Cause(ctx))))
	}
	req, err := runtime.NewRequest(ctx, http.MethodPost, s.settings.url)
	if err == nil {
		err = req.SetBody(streaming.NopCloser(bytes.NewReader(body)), s.settings.contentType())
	}
	if err != nil {
		return delivery.Refused(s.settings.wrap(err))
	}
	resp, err := s.pipeline.Do(req)
	if err != nil {
		return azure.Failure(ctx, err, s.settings.wrap)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return delivery.Delivered()
	}
	answer, err := runtime.Payload(resp)
	if err != nil {
		return delivery.Transient(s.settings.wrap(err)) // cannot be: it lies in memory
	}
	return sink.FromStatus(resp.StatusCode, resp.Header, time.Now(), s.answerError(resp.StatusCode, answer))
}

// answerError puts an answer that is not 2xx into words.
func (s *Sink) answerError(status int, answer []byte) error {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	if hint := hint(status); hint != "" {
		text += " (" + hint + ")"
	}
	said := answer
	if v, err := json.Parse(answer); err == nil {
		if message, ok := v.At("error", "message").String(); ok {
			said = []byte(message)
		}
	}
	if words := sink.Snippet(said, s.settings.accessKey); words != "" {
		text += ": " + words
	}
	return s.settings.wrap(errors.New(text))
}

// hint says what to do about an answer that is the endpoint's fault.
func hint(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "check the endpoint's accessKey, or the rights of its identity: it needs the role EventGrid Data Sender"
	case http.StatusNotFound, http.StatusGone:
		return "check the endpoint's topicEndpoint"
	case http.StatusMethodNotAllowed:
		return "check the path of the endpoint's topicEndpoint"
	}
	if status >= 300 && status < 400 {
		return "redirects are not followed; set the topicEndpoint to where it leads"
	}
	return ""
}
