package ingress

import (
	"mime"
	"net/http"
	"strings"

	"github.com/headgate/headgate/gateway/event"
)

// mode is how a request carries its events.
type mode uint8

const (
	binaryMode mode = iota
	structuredMode
	batchMode
	gridMode // an array in the Event Grid schema
)

// What to send, as the ends of sentences.
const (
	eventTypes unsupported = "send Content-Type application/cloudevents+json for one event, application/cloudevents-batch+json for an array of them, " +
		"or the headers ce-specversion, ce-id, ce-source and ce-type with the data as the body"
	gridTypes unsupported = "send Content-Type application/json for an array in the Event Grid schema, application/cloudevents+json for one CloudEvent, " +
		"or application/cloudevents-batch+json for an array of them"
)

// modeOf tells the mode by the headers, as the CloudEvents HTTP binding says:
// the content type decides; where it is not of CloudEvents, the ce- headers do.
// The advice says what the path takes.
func modeOf(h http.Header, advice unsupported) (mode, error) {
	contentType := h.Get("Content-Type")
	media := event.MediaType(contentType)
	const family = "application/cloudevents"
	if len(media) < len(family) || !strings.EqualFold(media[:len(family)], family) {
		if event.HasBinaryHeaders(h) {
			return binaryMode, nil
		}
		if strings.EqualFold(media, "application/json") || strings.EqualFold(media, "text/json") {
			return gridMode, utf8Only(contentType)
		}
		return 0, advice
	}
	switch strings.ToLower(media) {
	case "application/cloudevents+json":
		return structuredMode, utf8Only(contentType)
	case "application/cloudevents-batch+json":
		return batchMode, utf8Only(contentType)
	}
	return 0, "the JSON format alone is spoken here: " + advice
}

// utf8Only refuses a charset that JSON does not have.
func utf8Only(contentType string) error {
	if !strings.Contains(contentType, ";") {
		return nil
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return unsupported("the Content-Type's parameters are malformed: " + err.Error())
	}
	switch charset := strings.ToLower(params["charset"]); charset {
	case "", "utf-8", "us-ascii":
		return nil
	default:
		return unsupported("send UTF-8, not charset " + charset)
	}
}

// decode reads the events that body carries. The path stands in for the topic
// of an event in the Event Grid schema that has none.
func decode(m mode, r *http.Request, body []byte) ([]event.Event, error) {
	switch m {
	case batchMode:
		return event.DecodeBatch(body)
	case gridMode:
		return event.DecodeEventGrid(body, r.URL.Path)
	}
	var e event.Event
	var err error
	if m == structuredMode {
		e, err = event.DecodeJSON(body)
	} else {
		e, err = event.DecodeBinary(r.Header, body)
	}
	if err != nil {
		return nil, &aloneError{err}
	}
	return []event.Event{e}, nil
}
