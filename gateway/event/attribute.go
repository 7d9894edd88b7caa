package event

import (
	"mime"
	"strings"
	"unicode/utf8"
)

// set puts a value in its text form into the attribute name, extensions
// included, and says why it cannot. Empty optional attributes are absent.
func (e *Event) set(name, value string) error {
	switch name {
	case "specversion":
		if value != SpecVersion {
			return fault(name, `must be "1.0"`)
		}
	case "id":
		return setRequired(&e.ID, name, value)
	case "source":
		if value == "" {
			return fault(name, "is required and must not be empty")
		}
		e.Source = value
	case "type":
		return setRequired(&e.Type, name, value)
	case "subject":
		if value != "" && isBlank(value) {
			return fault(name, "must not be blank; leave it out")
		}
		e.Subject = value
	case "time":
		if value != "" && !isRFC3339(value) {
			return fault(name, "must be an RFC 3339 time, such as 2024-05-01T12:30:00Z")
		}
		e.Time = value
	case "datacontenttype":
		if value != "" && !isMediaType(value) {
			return fault(name, "must be a media type, such as application/json")
		}
		e.DataContentType = value
	case "dataschema":
		if value != "" && !isAbsoluteURI(value) {
			return fault(name, "must be an absolute URI, such as dtmi:com:example:Room;1")
		}
		e.DataSchema = value
	}
	return nil
}

func setRequired(dst *string, name, value string) error {
	if isBlank(value) {
		return fault(name, "is required and must not be empty")
	}
	*dst = value
	return nil
}

// isCore reports whether name is an attribute that CloudEvents itself defines.
func isCore(name string) bool {
	switch name {
	case "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema":
		return true
	}
	return false
}

// missing returns an error for the first required attribute that e lacks.
func (e *Event) missing() error {
	switch "" {
	case e.ID:
		return fault("id", "is required")
	case e.Source:
		return fault("source", "is required")
	case e.Type:
		return fault("type", "is required")
	}
	return nil
}

const (
	badName   = "is not an attribute name: only a-z and 0-9 may be in one"
	duplicate = "is given more than once"
)

// isName reports whether s can name an extension. CloudEvents recommends 20
// characters at most; longer names are in use and harm nobody.
func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func isBlank(s string) bool { return s == "" || s[0] <= ' ' && strings.TrimSpace(s) == "" }

// isMediaType decides the two forms that nearly every event has by itself.
func isMediaType(s string) bool {
	switch s {
	case "application/json", "application/json; charset=utf-8":
		return true
	}
	_, _, err := mime.ParseMediaType(s)
	return err == nil && utf8.ValidString(s)
}

// isAbsoluteURI asks for a scheme and something after it. The rest is the
// sender's: digital twin model ids are not URIs by every parser's opinion.
func isAbsoluteURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" {
		return false
	}
	for i := range len(scheme) {
		c := scheme[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return true
}
