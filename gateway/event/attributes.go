package event

import "unicode/utf8"

// DecodeAttributes makes an event of attributes that came one by one, as in the
// binary mode of a protocol binding other than HTTP's: each is given by its name
// and its value in the canonical text form, "specversion" among them; the kind
// is that of an extension, and of no matter for the others. The content type,
// where there is one, comes apart. No data is nil. A refusal is a [*FieldError]
// or a [*TooLargeError].
//
// The event shares memory with data, which must not be modified afterwards.
func DecodeAttributes(attributes []Extension, contentType string, data []byte) (Event, error) {
	var e Event
	var seen members
	for _, a := range attributes {
		var err error
		switch {
		case !seen.first(a.Name):
			err = fault(a.Name, duplicate)
		case !utf8.ValidString(a.Value):
			err = fault(a.Name, "must be UTF-8")
		case a.Name == "datacontenttype":
			err = fault(a.Name, "must be sent as the message's content type")
		case isCore(a.Name):
			err = e.set(a.Name, a.Value)
		case !isName(a.Name):
			err = fault(a.Name, badName)
		case a.Name == "data":
			err = fault(a.Name, "cannot be an extension: the data is the body")
		default:
			if _, twice := e.Extension(a.Name); twice {
				err = fault(a.Name, duplicate)
			}
			e.Extensions = setExtension(e.Extensions, a)
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
	if err := e.set("datacontenttype", contentType); err != nil {
		return Event{}, err
	}
	e.Data = data
	return e, checkSize(&e)
}
