package event

import (
	"strings"

	"github.com/headgate/headgate/sdk/json"
)

// DecodeEventGrid reads events in the Event Grid schema, which always come as
// an array. An event's source is its topic, or requestPath where the publisher
// left the topic to the service; an eventTime of year 1 means none;
// dataVersion, when it says anything, becomes the extension dataversion;
// metadataVersion, the version of the schema itself, and unknown members are
// dropped. Data keeps its exact bytes.
//
// The events share memory with b, which must not be modified afterwards.
func DecodeEventGrid(b []byte, requestPath string) ([]Event, error) {
	return decodeArray(b, func(v json.Value) (Event, error) { return decodeGridEvent(v, requestPath) })
}

func decodeGridEvent(v json.Value, requestPath string) (Event, error) {
	if v.Kind() != json.Object {
		return Event{}, fault("", "must be a JSON object")
	}
	e := Event{Source: requestPath}
	var seen members
	for key, value := range v.Members() {
		name := text(json.Value(key))
		if !seen.first(name) {
			return Event{}, fault(name, duplicate)
		}
		if err := e.setGrid(name, value); err != nil {
			return Event{}, err
		}
	}
	if seen.has("specversion") && !seen.has("eventType") {
		return Event{}, fault("specversion", "belongs to CloudEvents, which are sent as application/cloudevents-batch+json")
	}
	for _, name := range [...]string{"id", "subject", "eventType", "eventTime"} {
		if !seen.has(name) {
			return Event{}, fault(name, "is required")
		}
	}
	return e, checkSize(&e)
}

// setGrid sets what a member of the Event Grid schema maps to.
func (e *Event) setGrid(name string, value json.Value) error {
	switch name {
	case "data":
		if value.Kind() != json.Null {
			e.Data = value
		}
		return nil
	case "id", "subject", "eventType", "eventTime", "topic", "dataVersion":
	default:
		return nil
	}
	if value.Kind() == json.Null && (name == "topic" || name == "dataVersion") {
		return nil
	}
	if value.Kind() != json.String {
		return fault(name, "must be a string, not a JSON "+value.Kind().String())
	}
	s := text(value)
	switch name {
	case "id":
		return setRequired(&e.ID, name, s)
	case "eventType":
		return setRequired(&e.Type, name, s)
	case "subject":
		e.Subject = s
	case "topic":
		if !isBlank(s) {
			e.Source = s
		}
	case "eventTime":
		return e.setGridTime(s)
	case "dataVersion":
		if s != "" {
			e.Extensions = []Extension{{Name: "dataversion", Value: s}}
		}
	}
	return nil
}

// setGridTime takes what Event Grid takes, which is more than RFC 3339: an
// offset without colon, as `date +%z` prints it, or none, which means UTC. It
// completes such a time to RFC 3339.
func (e *Event) setGridTime(s string) error {
	switch {
	case strings.HasPrefix(s, "0001-"): // what a time that was never set looks like
		return nil
	case isRFC3339(s):
		e.Time = s
	case isRFC3339(s + "Z"):
		e.Time = s + "Z"
	case len(s) > 5 && isRFC3339(s[:len(s)-2]+":"+s[len(s)-2:]):
		e.Time = s[:len(s)-2] + ":" + s[len(s)-2:]
	default:
		return fault("eventTime", "must be an ISO 8601 time in UTC, such as 2024-05-01T12:30:00Z")
	}
	return nil
}

// UnwrapTwins undoes, for an event of Azure Digital Twins that came in the Event
// Grid schema, the envelope that the service puts around its data there: the
// inner data becomes the data, contenttype the content type, dataschema the
// schema, and the other members extensions; null is none. An envelope without a
// contenttype is told from a twin, a relationship or a patch, which an event has
// otherwise, but not from telemetry. It returns any other event as it is.
func UnwrapTwins(e Event) Event {
	if !isTwinType(e.Type) {
		return e
	}
	v, err := json.Parse(e.Data)
	if err != nil || v.Kind() != json.Object {
		return e
	}
	out := e
	var seen members
	var data json.Value
	typed, own := false, false
	for key, value := range v.Members() {
		name := text(json.Value(key))
		if !seen.first(name) {
			return e
		}
		own = own || isTwinMember(name)
		switch {
		case name == "data":
			data = value
		case value.Kind() == json.Null:
		case !out.setInner(name, value):
			return e
		case name == "contenttype":
			typed = true
		}
	}
	if data == nil || !typed && (e.Type == Telemetry || data.Kind() != json.Object || own) {
		return e
	}
	if data.Kind() == json.String && !IsJSON(out.DataContentType) {
		data = content(data)
	}
	out.Data = data
	return out
}

// setInner takes over a member of the inner envelope, or reports that it could
// not be one.
func (e *Event) setInner(name string, value json.Value) bool {
	if value.Kind() != json.String {
		return false
	}
	s := text(value)
	switch {
	case name == "contenttype":
		return e.set("datacontenttype", s) == nil
	case name == "dataschema":
		return e.set(name, s) == nil
	case isCore(name) || !isName(name):
		return false
	}
	*e = e.WithExtensions(Extension{Name: name, Value: s})
	return true
}

// isTwinMember reports whether the data of an event of Azure Digital Twins, which
// may be a twin with a property data, is known by a member of that name.
func isTwinMember(name string) bool {
	return name == "modelId" || name == "patch" || name == "$dtId" || name == "$relationshipId"
}

func isTwinType(s string) bool {
	const prefix = "Microsoft.DigitalTwins."
	return s == Telemetry || len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
