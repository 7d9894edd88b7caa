package event

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/headgate/headgate/sdk/json"
)

// AppendJSON appends e in the CloudEvents JSON format (a structured event) to
// dst. Attributes come before data, in a fixed order, so that equal events
// give equal bytes.
//
// Data is written as the exact bytes when the content type is JSON and they
// are; as a string when the content type is text or XML and they are UTF-8;
// and as data_base64 otherwise. Exact bytes may hold line breaks.
func AppendJSON(dst []byte, e *Event) []byte {
	dst = append(dst, `{"specversion":"1.0","id":`...)
	dst = json.AppendQuoted(dst, e.ID)
	dst = append(dst, `,"source":`...)
	dst = json.AppendQuoted(dst, e.Source)
	dst = append(dst, `,"type":`...)
	dst = json.AppendQuoted(dst, e.Type)
	dst = appendMember(dst, `,"subject":`, e.Subject)
	dst = appendMember(dst, `,"time":`, e.Time)
	dst = appendMember(dst, `,"datacontenttype":`, e.DataContentType)
	dst = appendMember(dst, `,"dataschema":`, e.DataSchema)
	for _, x := range e.Extensions {
		dst = append(dst, ',')
		dst = json.AppendQuoted(dst, x.Name)
		dst = append(dst, ':')
		dst = appendExtensionValue(dst, x)
	}
	dst = appendData(dst, e)
	return append(dst, '}')
}

// AppendJSONBatch appends events in the CloudEvents JSON batch format to dst.
func AppendJSONBatch(dst []byte, events []Event) []byte {
	dst = append(dst, '[')
	for i := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendJSON(dst, &events[i])
	}
	return append(dst, ']')
}

// appendMember appends an optional attribute; prefix is its name with a comma
// and a colon.
func appendMember(dst []byte, prefix, value string) []byte {
	if value == "" {
		return dst
	}
	return json.AppendQuoted(append(dst, prefix...), value)
}

// appendExtensionValue writes the value by its kind; one that is not of the
// kind it claims is a string, so that the result is JSON always.
func appendExtensionValue(dst []byte, x Extension) []byte {
	switch x.Kind {
	case Integer:
		if n, err := strconv.ParseInt(x.Value, 10, 32); err == nil {
			return strconv.AppendInt(dst, n, 10)
		}
	case Boolean:
		if x.Value == "true" || x.Value == "false" {
			return append(dst, x.Value...)
		}
	}
	return json.AppendQuoted(dst, x.Value)
}

func appendData(dst []byte, e *Event) []byte {
	switch {
	case e.Data == nil:
		return dst
	case IsJSON(e.DataContentType):
		if _, err := json.Parse(e.Data); err == nil {
			return append(append(dst, `,"data":`...), e.Data...)
		}
	case isText(e.DataContentType) && utf8.Valid(e.Data):
		return json.AppendQuoted(append(dst, `,"data":`...), e.Data)
	}
	dst = append(dst, `,"data_base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, e.Data)
	return append(dst, '"')
}
