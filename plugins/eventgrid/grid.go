package main

import (
	"errors"
	"unicode/utf8"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// isEventGrid reports whether the data of e is the event of e in the schema
// already: another plugin made it. Most data begins with a member that the
// schema does not have, so that nothing more is read of it.
func isEventGrid(e *sdk.Event) bool {
	r := json.NewReader(e.Data())
	if !r.Object() || !r.Member() {
		return false
	}
	switch {
	case r.Is("id"), r.Is("eventType"), r.Is("subject"), r.Is("topic"), r.Is("data"), r.Is("eventTime"), r.Is("dataVersion"), r.Is("metadataVersion"):
	default:
		return false
	}
	v, err := e.JSON()
	return err == nil && v.At("id").Is(e.ID()) && v.At("eventType").Kind() == json.String && v.At("dataVersion").Kind() == json.String
}

// toEventGrid makes the Event Grid event of e, which becomes the data of the
// output. The members stand in the order in which Azure Digital Twins has them.
//
// It writes the text itself, and what is the same for all events as one piece: a
// call costs a guest as much as many bytes.
func (m *mapper) toEventGrid(e *sdk.Event, out *sdk.Outputs) error {
	if isEventGrid(e) {
		out.Add()
		return nil
	}
	b := append(m.text[:0], `{"id":`...)
	b = json.AppendQuoted(b, e.ID())
	b = append(b, `,"subject":`...)
	b = json.AppendQuoted(b, subject(e))
	contentType, dataSchema := e.DataContentType(), e.DataSchema()
	m.version = ""
	b, err := m.appendData(b, e, contentType, dataSchema)
	m.text = b
	if err != nil {
		return err
	}
	b = append(b, `,"eventType":`...)
	b = json.AppendQuoted(b, e.Type())
	if m.version == "" {
		b = append(b, m.versions...)
	} else {
		b = appendVersions(b, m.version)
	}
	if t := e.Time(); t != "" {
		b = json.AppendQuoted(b, t)
	} else {
		b = append(b, `"0001-01-01T00:00:00Z"`...) // required, so that none is written so
	}
	b = append(b, m.end...)
	m.text = b

	o := out.Add()
	o.SetData(b)
	if dataSchema != "" {
		o.SetDataSchema("") // what that says of the data is in it now
	}
	if contentType != applicationJSON {
		o.SetDataContentType(applicationJSON)
	}
	return nil
}

// appendVersions appends the members of the schema's versions, and the name of
// the next.
func appendVersions(b []byte, version string) []byte {
	b = json.AppendQuoted(append(b, `,"dataVersion":`...), version)
	return append(b, `,"metadataVersion":"1","eventTime":`...)
}

// appendEnd appends what follows eventTime.
func appendEnd(b []byte, topic string) []byte {
	if topic != "" {
		b = json.AppendQuoted(append(b, `,"topic":`...), topic)
	}
	return append(b, '}')
}

// subject is what the schema requires: for telemetry the twin, which nothing
// else names once the source is lost.
func subject(e *sdk.Event) string {
	if e.Type() == sdk.Telemetry {
		if twin := e.TwinID(); twin != "" {
			return twin
		}
	}
	if s := e.Subject(); s != "" {
		return s
	}
	return e.Source()
}

// appendData appends the member data, wrapped if it is to be, and notes the
// data's version where e has one.
func (m *mapper) appendData(b []byte, e *sdk.Event, contentType, dataSchema string) ([]byte, error) {
	if m.plain {
		m.version, _ = e.Extension(dataVersion)
		return appendValue(append(b, `,"data":`...), e, contentType)
	}
	b, err := appendValue(append(b, `,"data":{"data":`...), e, contentType)
	if err != nil {
		return b, err
	}
	if dataSchema != "" {
		b = json.AppendQuoted(append(b, `,"dataschema":`...), dataSchema)
	}
	if contentType == "" || contentType == applicationJSON {
		b = append(b, `,"contenttype":"application/json"`...)
	} else {
		b = json.AppendQuoted(append(b, `,"contenttype":`...), contentType)
	}
	for name, value := range e.Extensions() {
		switch {
		case name == dataVersion:
			m.version = value
		case isWrapped(name):
			b = append(append(append(b, ',', '"'), name...), '"', ':') // a to z and digits
			b = json.AppendQuoted(b, value)
		}
	}
	return append(b, '}'), nil
}

// isWrapped reports whether an extension attribute goes into the envelope. What
// a gateway adds to its deliveries does not, nor what has a member elsewhere.
func isWrapped(name string) bool {
	switch name {
	case memberContentType, "idempotencykey", "producedby":
		return false
	}
	return true
}

// appendValue appends data as a JSON value: text of another kind as a string.
func appendValue(b []byte, e *sdk.Event, contentType string) ([]byte, error) {
	data := e.Data()
	switch {
	case data == nil:
		return append(b, "null"...), nil
	case isJSON(contentType):
		v, err := e.JSON()
		return append(b, v...), err
	case !utf8.Valid(data):
		return b, errors.New("data is neither JSON nor text, and the Event Grid schema carries nothing else")
	}
	return json.AppendQuoted(b, data), nil
}
