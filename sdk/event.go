package sdk

import (
	"iter"
	"strings"
	"unsafe"

	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
)

// Event is the event that a plugin looks at. It, and all that its methods
// return, is valid until the plugin's function returns; strings.Clone what is
// to be kept.
//
// An attribute that is absent reads as the empty string.
type Event struct {
	in     abi.Input
	record abi.Record

	parsed bool
	value  json.Value
	err    error

	patch Patch
}

// reset turns e to event number i of in.
func (e *Event) reset(in abi.Input, i int) {
	e.in, e.record = in, in.Record(i)
	e.parsed, e.value, e.err = false, nil, nil
}

// ID is the attribute id.
func (e *Event) ID() string { return e.text(e.record.Slot(abi.ID)) }

// Source is the attribute source.
func (e *Event) Source() string { return e.text(e.record.Slot(abi.Source)) }

// Type is the attribute type.
func (e *Event) Type() string { return e.text(e.record.Slot(abi.Type)) }

// Subject is the attribute subject.
func (e *Event) Subject() string { return e.text(e.record.Slot(abi.Subject)) }

// Time is the attribute time: RFC 3339, as the sender wrote it.
func (e *Event) Time() string { return e.text(e.record.Slot(abi.Time)) }

// DataContentType is the attribute datacontenttype.
func (e *Event) DataContentType() string { return e.text(e.record.Slot(abi.DataContentType)) }

// DataSchema is the attribute dataschema.
func (e *Event) DataSchema() string { return e.text(e.record.Slot(abi.DataSchema)) }

// text is the bytes of a slot as a string that shares the arena's memory.
func (e *Event) text(s abi.Slot) string {
	b := e.in.Bytes(s)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Extension is the value, as text, of the extension attribute name, and
// whether the event has it.
func (e *Event) Extension(name string) (string, bool) {
	for n, value := range e.Extensions() {
		if n == name {
			return value, true
		}
	}
	return "", false
}

// Extensions yields the names and values of all extension attributes, sorted
// by name.
func (e *Event) Extensions() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { e.eachExtension(yield) }
}

func (e *Event) eachExtension(yield func(string, string) bool) {
	list := e.record.Slot(abi.Extensions)
	for i := range int(list.Length) {
		pair := e.in.Pair(list, i)
		if !yield(e.text(pair.Name), e.text(pair.Value)) {
			return
		}
	}
}

// TwinID is the id of the twin that the event is about, from where Azure
// Digital Twins writes it: for telemetry what follows "/digitaltwins/" in the
// source, and where it came in the Event Grid schema, whose source is a topic, the
// subject; else the subject, up to "/relationships/" if it names a relationship. It
// is empty when the event names no twin.
func (e *Event) TwinID() string {
	if e.Type() == Telemetry {
		source := e.Source()
		if _, twin, ok := strings.Cut(source, "/digitaltwins/"); ok {
			return twin
		}
		if strings.HasPrefix(source, "/subscriptions/") {
			return e.Subject()
		}
		return ""
	}
	twin, _, _ := strings.Cut(e.Subject(), "/relationships/")
	return twin
}

// Data is the sender's exact bytes, nil when the event has none. They are not
// to be modified.
func (e *Event) Data() []byte { return e.in.Bytes(e.record.Slot(abi.Data)) }

// JSON is the data as a JSON value, parsed at the first call. The error, where
// there is none or it is not JSON, is fit to be returned.
func (e *Event) JSON() (json.Value, error) {
	if !e.parsed {
		e.parsed = true
		e.value, e.err = parseData(e.Data())
	}
	return e.value, e.err
}

func parseData(data []byte) (json.Value, error) {
	if data == nil {
		return nil, errNoData
	}
	v, err := json.Parse(data)
	if err != nil {
		return nil, wrap("data is not JSON", err)
	}
	return v, nil
}
