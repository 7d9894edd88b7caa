package pull

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/sdk/json"
)

// Message is what a broker handed over, in the terms that its protocols share.
type Message struct {
	ContentType string
	Properties  map[string]any // its application properties
	Body        []byte

	ID, Session, PartitionKey, Subject, CorrelationID string
	// Sequence tells the message from all others of its entity.
	Sequence string
	Enqueued time.Time
}

// The prefixes of application properties that carry attributes. Azure Digital
// Twins writes the first; the CloudEvents AMQP binding recommends the second.
var prefixes = [...]string{"cloudEvents:", "cloudEvents_"}

// family begins the content types of messages in the structured mode.
const family = "application/cloudevents"

// Events returns what m carries: CloudEvents in any mode of the AMQP binding,
// or what w makes of it. An error says, in words for the sender of the message,
// why there is no event to be had.
//
// The events share memory with m, which must not be modified afterwards.
func (w *Wrap) Events(m *Message) ([]event.Event, error) {
	media := strings.ToLower(event.MediaType(m.ContentType))
	if strings.HasPrefix(media, family) {
		return structured(media, m.Body)
	}
	attributes, err := attributesOf(m.Properties)
	if err != nil {
		return nil, err
	}
	var e event.Event
	if len(attributes) > 0 {
		attributes, contentType := contentTypeOf(attributes, m)
		e, err = event.DecodeAttributes(attributes, contentType, data(m.Body))
	} else {
		e, err = w.wrap(m)
	}
	if err != nil {
		return nil, err
	}
	return []event.Event{e}, nil
}

func structured(media string, body []byte) ([]event.Event, error) {
	switch media {
	case family + "+json":
		e, err := event.DecodeJSON(body)
		if err != nil {
			return nil, err
		}
		return []event.Event{e}, nil
	case family + "-batch+json":
		return event.DecodeBatch(body)
	}
	return nil, fmt.Errorf("the content type %q is of CloudEvents in a format other than JSON, which alone is spoken here", Line(media))
}

// attributesOf returns the attributes among application properties, by name.
func attributesOf(properties map[string]any) ([]event.Extension, error) {
	var list []event.Extension
	for name, value := range properties {
		if len(name) <= len(prefixes[0]) || name[:len(prefixes[0])] != prefixes[0] && name[:len(prefixes[1])] != prefixes[1] || value == nil {
			continue
		}
		text, kind, ok := textOf(value)
		if !ok {
			return nil, fmt.Errorf("the application property %s is of a type that CloudEvents does not have", Line(name))
		}
		list = append(list, event.Extension{Name: name[len(prefixes[0]):], Value: text, Kind: kind})
	}
	slices.SortFunc(list, func(a, b event.Extension) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// contentTypeOf returns the attributes without datacontenttype, which the binding
// has in the message's content type alone: many say it twice, and a message that
// has no content type is taken at its word.
func contentTypeOf(attributes []event.Extension, m *Message) ([]event.Extension, string) {
	contentType := m.ContentType
	return slices.DeleteFunc(attributes, func(x event.Extension) bool {
		if x.Name != "datacontenttype" {
			return false
		}
		if contentType == "" {
			contentType = x.Value
		}
		return true
	}), contentType
}

// textOf is the canonical text of an AMQP value, and its CloudEvents type.
func textOf(value any) (string, event.Kind, bool) {
	switch v := value.(type) {
	case string:
		return v, event.String, true
	case bool:
		return strconv.FormatBool(v), event.Boolean, true
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), event.String, true
	case []byte:
		return base64.StdEncoding.EncodeToString(v), event.String, true
	case amqp.Symbol:
		return string(v), event.String, true
	case amqp.UUID:
		return v.String(), event.String, true
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32), event.String, true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), event.String, true
	case int8, int16, int32, uint8, uint16:
		return fmt.Sprint(v), event.Integer, true
	case int64:
		return integer(strconv.FormatInt(v, 10), v >= math.MinInt32 && v <= math.MaxInt32)
	case uint32:
		return integer(strconv.FormatUint(uint64(v), 10), v <= math.MaxInt32)
	case uint64:
		return integer(strconv.FormatUint(v, 10), v <= math.MaxInt32)
	}
	return "", event.String, false
}

// integer is a CloudEvents Integer, which has 32 bits, or else a String.
func integer(text string, fits bool) (string, event.Kind, bool) {
	if fits {
		return text, event.Integer, true
	}
	return text, event.String, true
}

// wrap makes an event of a message that is none.
func (w *Wrap) wrap(m *Message) (event.Event, error) {
	if w.Off {
		return event.Event{}, errors.New("the message is not a CloudEvent: it has neither application properties cloudEvents:… nor a content type application/cloudevents…, and the source's setting wrap is false")
	}
	attributes := []event.Extension{{Name: "specversion", Value: event.SpecVersion}}
	for _, part := range [...]struct{ name, rule string }{{"type", w.Type}, {"source", w.Source}, {"subject", w.Subject}, {"id", w.ID}} {
		value := resolve(part.rule, m)
		if value != "" {
			attributes = append(attributes, event.Extension{Name: part.name, Value: value})
		} else if part.name != "subject" {
			return event.Event{}, fmt.Errorf("the message cannot be wrapped: the source's setting wrap.%s, %s, yields nothing for it", part.name, part.rule)
		}
	}
	if !m.Enqueued.IsZero() {
		attributes = append(attributes, event.Extension{Name: "time", Value: m.Enqueued.UTC().Format(time.RFC3339Nano)})
	}
	attributes = appendExtensions(attributes, m.Properties)
	contentType := m.ContentType
	if contentType == "" || !mediaType(contentType) {
		contentType = sniff(m.Body)
	}
	return event.DecodeAttributes(attributes, contentType, data(m.Body))
}

// mediaType reports whether an event could have the content type.
func mediaType(text string) bool {
	_, err := event.DecodeAttributes([]event.Extension{
		{Name: "specversion", Value: event.SpecVersion}, {Name: "id", Value: "x"}, {Name: "source", Value: "x"}, {Name: "type", Value: "x"},
	}, text, nil)
	return err == nil
}

// sniff is the content type of a body that has none.
func sniff(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	if _, err := json.Parse(body); err == nil {
		return "application/json"
	}
	if utf8.Valid(body) {
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// reserved are names that an extension cannot have.
var reserved = []string{"id", "source", "type", "subject", "time", "specversion", "datacontenttype", "dataschema", "data"}

// appendExtensions adds application properties as extensions, whose names are
// made of theirs: letters in lower case and digits alone, with "app" in front of
// a name that CloudEvents has itself. Of properties that come to one name the
// first by their own names counts; one whose value no event can have is left out.
func appendExtensions(list []event.Extension, properties map[string]any) []event.Extension {
	for _, property := range slices.Sorted(maps.Keys(properties)) {
		value, kind, ok := textOf(properties[property])
		name := strings.Map(func(r rune) rune {
			switch {
			case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
				return r
			case 'A' <= r && r <= 'Z':
				return r + 'a' - 'A'
			}
			return -1
		}, property)
		if !ok || name == "" {
			continue
		}
		if slices.Contains(reserved, name) {
			name = "app" + name
		}
		if !slices.ContainsFunc(list, func(x event.Extension) bool { return x.Name == name }) {
			list = append(list, event.Extension{Name: name, Value: value, Kind: kind})
		}
	}
	return list
}

// data is a body as an event's data: nil when there is none.
func data(body []byte) []byte {
	if len(body) == 0 {
		return nil
	}
	return body
}

// UndecodableType is the type of an event that stands for a message which is
// no event and cannot be left at its broker.
const UndecodableType = "headgate.undecodable"

// Undecodable returns an event that stands for m, which carries none for the
// reason given: with its body as the data, as far as that fits, and the reason
// as an extension.
func Undecodable(m *Message, source string, reason error) event.Event {
	const room = 16 << 10 // for the attributes
	e := event.Event{
		ID: m.Sequence, Source: source, Type: UndecodableType, DataContentType: "application/octet-stream",
		Extensions: []event.Extension{{Name: "reason", Value: Line(reason.Error())}},
		Data:       data(m.Body[:min(len(m.Body), event.MaxEventBytes-room)]),
	}
	if len(e.Data) < len(m.Body) {
		e.Extensions = append(e.Extensions, event.Extension{Name: "size", Value: strconv.Itoa(len(m.Body))})
	}
	if !m.Enqueued.IsZero() {
		e.Time = m.Enqueued.UTC().Format(time.RFC3339Nano)
	}
	return e
}
