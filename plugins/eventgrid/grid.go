package main

import (
	"errors"
	"unicode/utf8"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// toEventGrid makes the Event Grid event of e, which becomes the data of the
// output. The members stand in the order in which Azure Digital Twins has them.
func (m *mapper) toEventGrid(e *sdk.Event, out *sdk.Outputs) error {
	b := append(m.text[:0], `{"id":`...)
	b = json.AppendQuoted(b, e.ID())
	b = append(b, `,"subject":`...)
	b = json.AppendQuoted(b, subject(e))
	b = append(b, `,"data":`...)
	b, err := m.appendData(b, e)
	m.text = b
	if err != nil {
		return err
	}
	b = append(b, `,"eventType":`...)
	b = json.AppendQuoted(b, e.Type())
	b = append(b, `,"dataVersion":`...)
	b = json.AppendQuoted(b, m.version(e))
	b = append(b, `,"metadataVersion":"1","eventTime":`...)
	b = json.AppendQuoted(b, eventTime(e))
	if m.topic != "" {
		b = append(b, `,"topic":`...)
		b = json.AppendQuoted(b, m.topic)
	}
	b = append(b, '}')
	m.text = b

	o := out.Add()
	o.SetData(b)
	o.SetDataSchema("") // what that says of the data is in it now
	if e.DataContentType() != applicationJSON {
		o.SetDataContentType(applicationJSON)
	}
	return nil
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

func eventTime(e *sdk.Event) string {
	if t := e.Time(); t != "" {
		return t
	}
	return noTime
}

func (m *mapper) version(e *sdk.Event) string {
	if v, ok := e.Extension(dataVersion); ok && v != "" {
		return v
	}
	return m.dataVersion
}

// appendData appends the member data, wrapped if it is to be.
func (m *mapper) appendData(b []byte, e *sdk.Event) ([]byte, error) {
	if m.plain {
		return appendValue(b, e)
	}
	b, err := appendValue(append(b, `{"data":`...), e)
	if err != nil {
		return b, err
	}
	if s := e.DataSchema(); s != "" {
		b = json.AppendQuoted(append(b, `,"dataschema":`...), s)
	}
	b = append(b, `,"contenttype":`...)
	if s := e.DataContentType(); s != "" {
		b = json.AppendQuoted(b, s)
	} else {
		b = append(b, `"application/json"`...)
	}
	for name, value := range e.Extensions() {
		if isWrapped(name) {
			b = append(b, ',')
			b = append(json.AppendQuoted(b, name), ':')
			b = json.AppendQuoted(b, value)
		}
	}
	return append(b, '}'), nil
}

// isWrapped reports whether an extension attribute goes into the envelope. What
// a gateway adds to its deliveries does not, nor what has a member elsewhere.
func isWrapped(name string) bool {
	switch name {
	case dataVersion, memberContentType, "idempotencykey", "producedby":
		return false
	}
	return true
}

// appendValue appends data as a JSON value: text of another kind as a string.
func appendValue(b []byte, e *sdk.Event) ([]byte, error) {
	data := e.Data()
	switch {
	case data == nil:
		return append(b, "null"...), nil
	case isJSON(e.DataContentType()):
		v, err := e.JSON()
		return append(b, v...), err
	case !utf8.Valid(data):
		return b, errors.New("data is neither JSON nor text, and the Event Grid schema carries nothing else")
	}
	return json.AppendQuoted(b, data), nil
}
