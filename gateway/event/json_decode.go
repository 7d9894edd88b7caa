package event

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"unsafe"

	"github.com/headgate/headgate/sdk/json"
)

// DecodeJSON reads one event in the CloudEvents JSON format (structured). A
// refusal is a [*FieldError] or a [*TooLargeError].
//
// The event shares memory with b, which must not be modified afterwards.
func DecodeJSON(b []byte) (Event, error) {
	v, err := json.Parse(b)
	if err != nil {
		return Event{}, notJSON(err)
	}
	var d decoder
	return d.event(v)
}

// DecodeBatch reads the CloudEvents JSON batch format: an array of events,
// possibly of none. One event that cannot be accepted refuses all of them.
//
// The events share memory with b, which must not be modified afterwards.
func DecodeBatch(b []byte) ([]Event, error) {
	var d decoder
	return decodeArray(b, d.event)
}

// decodeArray decodes each element of the array that b is the text of.
func decodeArray(b []byte, one func(json.Value) (Event, error)) ([]Event, error) {
	v, err := json.Parse(b)
	if err != nil {
		return nil, notJSON(err)
	}
	if v.Kind() != json.Array {
		return nil, fault("", "must be in a JSON array, even when it is the only one")
	}
	const usual = 500 // bytes in an event
	events := make([]Event, 0, 1+len(v)/usual)
	for i, element := range v.Elements() {
		e, err := one(element)
		if err != nil {
			return nil, at(i, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// decoder decodes events one after another.
type decoder struct {
	extensions []Extension // of the current event; the memory serves all
}

// event decodes one structured event.
func (d *decoder) event(v json.Value) (Event, error) {
	if v.Kind() != json.Object {
		return Event{}, fault("", "must be a JSON object")
	}
	d.extensions = d.extensions[:0]
	var e Event
	var seen members
	var data, data64 json.Value
	for key, value := range v.Members() {
		name := text(json.Value(key))
		var err error
		switch {
		case !seen.first(name):
			err = fault(name, duplicate)
		case name == "data":
			data = value
		case name == "data_base64":
			data64 = value
		case isCore(name):
			err = e.setJSON(name, value)
		default:
			err = d.extension(name, value)
		}
		if err != nil {
			return Event{}, err
		}
	}
	if !seen.has("specversion") {
		return Event{}, fault("specversion", `is required and must be "1.0"`)
	}
	if err := e.missing(); err != nil {
		return Event{}, err
	}
	e.Extensions = d.taken()
	if err := e.setData(data, data64); err != nil {
		return Event{}, err
	}
	return e, checkSize(&e)
}

// setJSON sets a core attribute; null means absent.
func (e *Event) setJSON(name string, value json.Value) error {
	switch value.Kind() {
	case json.String:
		return e.set(name, text(value))
	case json.Null:
		if name == "specversion" {
			return e.set(name, "")
		}
		return nil
	}
	return fault(name, "must be a string, not a JSON "+value.Kind().String())
}

// absent marks an extension that was null: known, lest it come again, and not
// kept.
const absent Kind = 255

// extension adds an extension; null means absent.
func (d *decoder) extension(name string, value json.Value) error {
	if !isName(name) {
		return fault(name, badName)
	}
	x := Extension{Name: name}
	switch value.Kind() {
	case json.Null:
		x.Kind = absent
	case json.String:
		x.Value = text(value)
	case json.Bool:
		x.Kind, x.Value = Boolean, view(value)
	case json.Number:
		n, ok := value.Int()
		if !ok || n < math.MinInt32 || n > math.MaxInt32 {
			return fault(name, "must be an integer of 32 bits if it is a number; send any other number as a string")
		}
		x.Kind, x.Value = Integer, strconv.FormatInt(n, 10)
	default:
		return fault(name, "must be a string, a boolean or an integer, not a JSON "+value.Kind().String()+"; nested values belong in data")
	}
	i, ok := slices.BinarySearchFunc(d.extensions, name, compareName)
	if ok {
		return fault(name, duplicate)
	}
	d.extensions = slices.Insert(d.extensions, i, x)
	return nil
}

// taken returns the extensions added, in memory of their own.
func (d *decoder) taken() []Extension {
	list := slices.DeleteFunc(d.extensions, func(x Extension) bool { return x.Kind == absent })
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}

// setData sets the data from the members data and data_base64, of which one at
// most may say something.
func (e *Event) setData(data, data64 json.Value) error {
	if data64.Kind() == json.Null {
		data64 = nil
	}
	if data64 != nil {
		if data != nil && data.Kind() != json.Null {
			return fault("data_base64", "must not be given together with data")
		}
		return e.setBase64(data64)
	}
	if data == nil {
		return nil
	}
	if IsJSON(e.DataContentType) {
		e.Data = data
		return nil
	}
	switch data.Kind() {
	case json.String:
		e.Data = content(data)
		return nil
	case json.Null:
		return nil
	}
	return fault("data", "must be a string when datacontenttype is not JSON; send other bytes as data_base64")
}

func (e *Event) setBase64(v json.Value) error {
	if v.Kind() != json.String {
		return fault("data_base64", "must be a string")
	}
	encoded := content(v)
	data := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(data, encoded)
	if err != nil {
		return fault("data_base64", "must be standard base64 with padding")
	}
	e.Data = data[:n:n]
	return nil
}

// content is what a string says, in place where it has no escapes.
func content(v json.Value) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1 : len(v)-1]
	}
	decoded, _ := v.AppendString(make([]byte, 0, len(v)))
	return decoded
}

// text is content as a string.
func text(v json.Value) string { return view(content(v)) }

// view is b as a string without a copy: the decoders demand that their input
// is not modified afterwards, and the garbage collector keeps it as long as
// any event refers to it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// members remembers which members of known names an object has had.
type members uint32

// first reports whether name comes for the first time. Names that it does not
// know, those of extensions, always do.
func (m *members) first(name string) bool {
	bit := memberBit(name)
	again := *m&bit != 0
	*m |= bit
	return !again
}

func (m *members) has(name string) bool { return *m&memberBit(name) != 0 }

// memberBit knows the names of CloudEvents, of Event Grid's schema, and of the
// inner envelope of Azure Digital Twins.
func memberBit(name string) members {
	switch name {
	case "specversion":
		return 1 << 0
	case "id":
		return 1 << 1
	case "source":
		return 1 << 2
	case "type":
		return 1 << 3
	case "subject":
		return 1 << 4
	case "time":
		return 1 << 5
	case "datacontenttype":
		return 1 << 6
	case "dataschema":
		return 1 << 7
	case "data":
		return 1 << 8
	case "data_base64":
		return 1 << 9
	case "topic":
		return 1 << 10
	case "eventType":
		return 1 << 11
	case "eventTime":
		return 1 << 12
	case "dataVersion":
		return 1 << 13
	case "contenttype":
		return 1 << 14
	}
	return 0
}
