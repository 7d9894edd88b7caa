package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// toCloudEvents makes a CloudEvent of the Event Grid event in data, or of each
// in the array there. What such an event does not say, e does.
func (m *mapper) toCloudEvents(e *sdk.Event, out *sdk.Outputs) error {
	data, err := e.JSON()
	if err != nil {
		return err
	}
	if data.Kind() != json.Array {
		return m.cloudEvent(e, data, out)
	}
	for i, v := range data.Elements() {
		if err := m.cloudEvent(e, v, out); err != nil {
			return errors.New("event " + strconv.Itoa(i) + ": " + err.Error())
		}
	}
	return nil
}

// gridEvent is an event in the Event Grid schema; absent texts are empty.
type gridEvent struct {
	id, subject, eventType, eventTime, topic, dataVersion string

	data json.Value
}

func parseGridEvent(v json.Value) (g gridEvent, err error) {
	if v.Kind() != json.Object {
		return g, errors.New("data is not an event of the Event Grid schema: a JSON object")
	}
	for k, value := range v.Members() {
		var text *string
		switch k.String() {
		case "id":
			text = &g.id
		case "subject":
			text = &g.subject
		case "eventType":
			text = &g.eventType
		case "eventTime":
			text = &g.eventTime
		case "topic":
			text = &g.topic
		case "dataVersion":
			text = &g.dataVersion
		case memberData:
			g.data = value
			continue
		default:
			continue
		}
		var ok bool
		if *text, ok = value.String(); !ok && value.Kind() != json.Null {
			return g, errors.New("data is not an event of the Event Grid schema: its " + k.String() + " is not a string")
		}
	}
	if g.id == "" || g.eventType == "" {
		return g, errors.New("data is not an event of the Event Grid schema: it has no id or no eventType")
	}
	if g.data.Kind() == json.Null {
		g.data = nil
	}
	return g, nil
}

func (m *mapper) cloudEvent(e *sdk.Event, v json.Value, out *sdk.Outputs) error {
	g, err := parseGridEvent(v)
	if err != nil {
		return err
	}
	o := out.Add()
	o.SetID(g.id)
	o.SetType(g.eventType)
	o.SetTime(completeTime(g.eventTime))
	g.place(e.Source(), o)
	o.SetDataContentType("")
	o.SetDataSchema("")
	if g.dataVersion != "" {
		o.SetExtension(dataVersion, g.dataVersion)
	}
	switch envelope, ok := parseEnvelope(g.data); {
	case g.data == nil:
		o.RemoveData()
	case ok && !m.plain:
		m.unwrap(envelope, o)
	default:
		o.SetDataContentType(applicationJSON)
		o.SetData(g.data)
	}
	return nil
}

// digitalTwins is what the source of telemetry has before the twin's id.
const digitalTwins = "/digitaltwins/"

// place sets source and subject. Telemetry of Azure Digital Twins gets the form
// that it has as a CloudEvent, where the source and not the subject names the twin.
func (g *gridEvent) place(source string, o *sdk.Output) {
	if strings.TrimSpace(g.topic) != "" {
		source = g.topic
	}
	if g.eventType == sdk.Telemetry && g.subject != "" && !strings.Contains(source, digitalTwins) {
		source += digitalTwins + g.subject
		g.subject = ""
	}
	o.SetSource(source)
	o.SetSubject(g.subject)
}

// completeTime returns a time in RFC 3339. Event Grid lets publishers leave the
// offset out, which means UTC, or write it without a colon.
func completeTime(s string) string {
	n := len(s)
	switch {
	case s == "" || strings.HasPrefix(s, "0001-"): // a time that was never set
		return ""
	case s[n-1] == 'Z' || s[n-1] == 'z' || n > 6 && isSign(s[n-6]) && s[n-3] == ':':
		return s
	case n > 5 && isSign(s[n-5]) && strings.IndexByte(s, 'T') >= 0:
		return s[:n-2] + ":" + s[n-2:]
	}
	return s + "Z"
}

func isSign(c byte) bool { return c == '+' || c == '-' }

// envelope is what wrapped data has around it.
type envelope struct {
	data       json.Value
	attributes json.Value // the object, whose other members are attributes
	isText     bool       // the content type says that data is not JSON
}

// parseEnvelope reports whether v has the form of the envelope: data, a content
// type, and otherwise attributes alone.
func parseEnvelope(v json.Value) (e envelope, ok bool) {
	e.attributes = v
	for k, value := range v.Members() {
		switch name := k.String(); {
		case name == memberData:
			e.data = value
		case value.Kind() != json.String:
			return e, false
		case name == memberContentType:
			contentType, _ := value.String()
			e.isText = !isJSON(contentType)
			ok = true
		case name != memberDataSchema && !isExtension(name):
			return e, false
		}
	}
	return e, ok && e.data != nil
}

// unwrap sets what the envelope holds.
func (m *mapper) unwrap(e envelope, o *sdk.Output) {
	for k, value := range e.attributes.Members() {
		name := k.String()
		if name == memberData {
			continue
		}
		text, _ := value.String()
		switch name {
		case memberContentType:
			o.SetDataContentType(text)
		case memberDataSchema:
			o.SetDataSchema(text)
		default:
			o.SetExtension(name, text)
		}
	}
	switch kind := e.data.Kind(); {
	case kind == json.Null:
		o.RemoveData()
	case kind == json.String && e.isText:
		m.text, _ = e.data.AppendString(m.text[:0])
		o.SetData(m.text)
	default:
		o.SetData(e.data)
	}
}

// isExtension reports whether name can be that of an extension attribute.
func isExtension(name string) bool {
	switch name {
	case "id", "source", "type", "subject", "time", "datacontenttype", "specversion":
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 64
}
