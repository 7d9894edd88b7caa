package event

import "strings"

// headerPrefix begins the name of a header that carries an attribute, in the
// canonical form that net/http gives names.
const headerPrefix = "Ce-"

// HasBinaryHeaders reports whether header, with canonical names, carries any
// attribute in the binary mode of the CloudEvents HTTP binding.
func HasBinaryHeaders(header map[string][]string) bool {
	for name := range header {
		if strings.HasPrefix(name, headerPrefix) {
			return true
		}
	}
	return false
}

// DecodeBinary reads one event in the binary mode of the CloudEvents HTTP
// binding: attributes in headers, whose names must be canonical, and data as
// the body. An empty body is no data. A refusal is a [*FieldError] or a
// [*TooLargeError].
//
// The event shares memory with data, which must not be modified afterwards.
func DecodeBinary(header map[string][]string, data []byte) (Event, error) {
	var e Event
	var worst error
	worstName := ""
	for name, values := range header {
		if !strings.HasPrefix(name, headerPrefix) || len(values) == 0 {
			continue
		}
		// A map has no order; which of several faults is told should not vary.
		if err := e.setHeader(name, values); err != nil && (worst == nil || name < worstName) {
			worst, worstName = err, name
		}
	}
	if worst != nil {
		return Event{}, worst
	}
	if len(header["Ce-Specversion"]) == 0 {
		return Event{}, fault("specversion", `is required: send the header ce-specversion: 1.0`)
	}
	if err := e.missing(); err != nil {
		return Event{}, err
	}
	if values := header["Content-Type"]; len(values) > 0 {
		if err := e.set("datacontenttype", values[0]); err != nil {
			return Event{}, err
		}
	}
	if len(data) > 0 {
		e.Data = data
	}
	return e, checkSize(&e)
}

// setHeader sets the attribute that a header carries.
func (e *Event) setHeader(header string, values []string) error {
	name := attributeOf(header)
	if len(values) > 1 {
		return fault(name, duplicate)
	}
	value, err := DecodeHeader(values[0])
	if err != nil {
		return fault(name, err.Error())
	}
	switch {
	case name == "datacontenttype":
		return fault(name, "must be sent as the header Content-Type")
	case isCore(name):
		return e.set(name, value)
	case !isName(name):
		return fault(name, badName)
	case name == "data":
		return fault(name, "cannot be an extension: the data is the body")
	}
	e.Extensions = setExtension(e.Extensions, Extension{Name: name, Value: value})
	return nil
}

// attributeOf is the name of the attribute in a header, without allocating for
// the usual ones.
func attributeOf(header string) string {
	switch header {
	case "Ce-Specversion":
		return "specversion"
	case "Ce-Id":
		return "id"
	case "Ce-Source":
		return "source"
	case "Ce-Type":
		return "type"
	case "Ce-Subject":
		return "subject"
	case "Ce-Time":
		return "time"
	case "Ce-Dataschema":
		return "dataschema"
	case "Ce-Traceparent":
		return "traceparent"
	}
	return strings.ToLower(header[len(headerPrefix):])
}
