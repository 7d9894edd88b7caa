package eventgrid

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
)

// accepted is an event that a topic took.
type accepted struct {
	id, eventType, subject string
	// raw is the event as it is delivered in the topic's schema: the
	// publisher's bytes, and what the service adds behind them.
	raw json.RawMessage
	// members are those of raw.
	members map[string]json.RawMessage
}

// refusal is why a request is not taken.
type refusal struct {
	status  int
	code    string // of the first detail; that of the error follows from the status
	message string
}

func (r *refusal) Error() string { return r.message }

func malformed(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, "InputJsonInvalid", fmt.Sprintf(format, args...)}
}

// decoder reads requests as one topic does.
type decoder struct {
	schema   string
	topicID  string
	maxEvent int
}

// decode reads the events of a request: all of them, or an error.
func (d decoder) decode(contentType string, body []byte) ([]accepted, error) {
	form, err := formOf(contentType)
	if err != nil {
		return nil, err
	}
	if (d.schema == CloudEventSchema) != (form != gridForm) {
		return nil, malformed("the topic takes events in the schema %s, which %s is not", d.schema, contentType)
	}
	elements := []json.RawMessage{body}
	if form != cloudForm {
		if err := json.Unmarshal(body, &elements); err != nil || elements == nil {
			return nil, malformed("the body must be a JSON array of events: %v", err)
		}
	}
	events := make([]accepted, 0, len(elements))
	for i, raw := range elements {
		e, err := d.decodeOne(bytes.TrimSpace(raw))
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		events = append(events, e)
	}
	return events, nil
}

func (d decoder) decodeOne(raw []byte) (accepted, error) {
	if len(raw) > d.maxEvent {
		return accepted{}, &refusal{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("%d bytes are more than the %d of the largest event", len(raw), d.maxEvent)}
	}
	e := accepted{raw: raw}
	if err := json.Unmarshal(raw, &e.members); err != nil || e.members == nil {
		return accepted{}, malformed("must be a JSON object: %v", err)
	}
	if d.schema == CloudEventSchema {
		return e, e.checkCloud()
	}
	return e, e.checkGrid(d.topicID)
}

// checkGrid holds an event to the Event Grid schema, and adds what the service
// adds: the topic, and the versions that are absent.
func (e *accepted) checkGrid(topicID string) error {
	err := e.texts(map[string]*string{"id": &e.id, "eventType": &e.eventType, "subject": &e.subject})
	if err != nil {
		return err
	}
	var at string
	if err := e.texts(map[string]*string{"eventTime": &at}); err != nil {
		return err
	}
	if !isTime(at) {
		return malformed("eventTime %q is not a time in ISO 8601", at)
	}
	if e.members["data"] == nil {
		return malformed("data is missing")
	}
	for _, own := range []struct{ name, only, add string }{
		{"topic", topicID, topicID}, {"metadataVersion", "1", "1"}, {"dataVersion", "", ""},
	} {
		value, err := e.text(own.name)
		if err != nil {
			return err
		}
		switch {
		case value == "" && string(e.members[own.name]) != fmt.Sprintf("%q", own.add):
			if err := e.set(own.name, own.add); err != nil {
				return err
			}
		case own.only != "" && value != own.only:
			return malformed("%s must be left out; the service says %q", own.name, own.only)
		}
	}
	return nil
}

// checkCloud holds an event to CloudEvents 1.0 in its JSON format.
func (e *accepted) checkCloud() error {
	var version, source string
	err := e.texts(map[string]*string{"id": &e.id, "type": &e.eventType, "source": &source, "specversion": &version})
	if err != nil {
		return err
	}
	if version != "1.0" {
		return malformed("specversion %q is not 1.0", version)
	}
	for name := range e.members {
		if name != "data_base64" && strings.IndexFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) >= 0 {
			return malformed("%q is not the name of an attribute", name)
		}
	}
	if e.members["data"] != nil && e.members["data_base64"] != nil {
		return malformed("data and data_base64 exclude each other")
	}
	if e.subject, err = e.text("subject"); err != nil {
		return err
	}
	at, err := e.text("time")
	if err != nil {
		return err
	}
	if at != "" && !isTime(at) {
		return malformed("time %q is not one of RFC 3339", at)
	}
	return nil
}

// texts reads members that must be there and must not be empty.
func (e *accepted) texts(into map[string]*string) error {
	for name, at := range into {
		value, err := e.text(name)
		if err != nil {
			return err
		}
		if strings.TrimSpace(value) == "" {
			return malformed("%s is missing or empty", name)
		}
		*at = value
	}
	return nil
}

// text reads a member that may be absent or null.
func (e *accepted) text(name string) (string, error) {
	raw := e.members[name]
	if raw == nil {
		return "", nil
	}
	var value *string
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", malformed("%s must be a string", name)
	}
	if value == nil {
		return "", nil
	}
	return *value, nil
}

// set gives e a member. One that is new leaves the publisher's bytes as they are.
func (e *accepted) set(name, value string) error {
	quoted, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, present := e.members[name]
	e.members[name] = quoted
	if present {
		e.raw, err = json.Marshal(e.members)
		return err
	}
	e.raw = fmt.Appendf(bytes.Clone(e.raw[:len(e.raw)-1]), ",%q:%s}", name, quoted)
	return nil
}

// toCloud is e, of the Event Grid schema, as a CloudEvent.
func (e *accepted) toCloud() json.RawMessage {
	b := []byte(`{"specversion":"1.0"`)
	for _, m := range []struct{ to, from string }{
		{"id", "id"}, {"source", "topic"}, {"type", "eventType"}, {"subject", "subject"}, {"time", "eventTime"}, {"data", "data"},
	} {
		b = fmt.Appendf(b, ",%q:%s", m.to, e.members[m.from])
	}
	return append(b, '}')
}

type form uint8

const (
	gridForm  form = iota // an array in the Event Grid schema
	cloudForm             // one CloudEvent
	batchForm             // an array of CloudEvents
)

func formOf(contentType string) (form, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil {
		switch media {
		case "application/json":
			return gridForm, nil
		case "application/cloudevents+json":
			return cloudForm, nil
		case "application/cloudevents-batch+json":
			return batchForm, nil
		}
	}
	return 0, &refusal{http.StatusUnsupportedMediaType, "UnsupportedMediaType", fmt.Sprintf("content type %q carries no events", contentType)}
}

// isTime takes RFC 3339, and ISO 8601 without offset or without its colon.
func isTime(s string) bool {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
