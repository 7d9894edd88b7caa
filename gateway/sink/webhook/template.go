package webhook

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/headgate/headgate/gateway/event"
)

// template is a URL in which attributes of the event may stand, after the host.
type template []segment

// segment is literal text, or the attribute that takes its place.
type segment struct {
	literal   string
	attribute string
}

// parseTemplate splits a URL at its placeholders. It returns a reason when one
// is malformed or stands where it could change which server is called.
func parseTemplate(text string) (t template, reason string) {
	_, host := authority(text)
	if strings.ContainsAny(text[:host], "{}") || host == 0 && strings.ContainsAny(text, "{}") {
		return nil, "holds a placeholder in its scheme, user, host or port; it may stand in the path or the query"
	}
	for rest := text; rest != ""; {
		brace := strings.IndexAny(rest, "{}")
		if brace < 0 {
			return append(t, segment{literal: rest}), ""
		}
		length := strings.IndexByte(rest[brace:], '}')
		if rest[brace] == '}' || length < 0 {
			return nil, "holds a brace without its partner; write %7B or %7D for the character itself"
		}
		name := rest[brace+1 : brace+length]
		if !isAttributeName(name) {
			return nil, fmt.Sprintf("holds {%s}, which names no attribute: lower-case letters and digits, as in {subject}", name)
		}
		if brace > 0 {
			t = append(t, segment{literal: rest[:brace]})
		}
		t = append(t, segment{attribute: name})
		rest = rest[brace+length+1:]
	}
	return t, ""
}

// authority returns the range of userinfo, host and port within a URL.
func authority(u string) (start, end int) {
	i := strings.Index(u, "://")
	if i < 0 {
		return 0, 0
	}
	start = i + len("://")
	if n := strings.IndexAny(u[start:], "/?#"); n >= 0 {
		return start, start + n
	}
	return start, len(u)
}

// attributes reports whether t depends on the event.
func (t template) attributes() bool {
	for _, s := range t {
		if s.attribute != "" {
			return true
		}
	}
	return false
}

// sample is t with something harmless in place of attributes.
func (t template) sample() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.literal)
		if s.attribute != "" {
			b.WriteByte('x')
		}
	}
	return b.String()
}

// withoutUser returns t without userinfo, which its first literal holds.
func (t template) withoutUser() template {
	first := t[0].literal
	start, end := authority(first)
	at := strings.LastIndexByte(first[start:end], '@')
	return append(template{{literal: first[:start] + first[start+at+1:]}}, t[1:]...)
}

// render returns the URL for e. It fails when e lacks an attribute, or has one
// by which the path would climb to another place.
func (t template) render(e *event.Event) (*url.URL, error) {
	b := make([]byte, 0, 256)
	for _, s := range t {
		if s.attribute == "" {
			b = append(b, s.literal...)
			continue
		}
		value, ok := attribute(e, s.attribute)
		if !ok {
			return nil, fmt.Errorf("the event has no %s, which the url asks for", s.attribute)
		}
		b = appendEscaped(b, value)
	}
	u, err := url.Parse(string(b))
	if err != nil { // cannot happen: the sample was a URL, and what is escaped keeps it one
		return nil, errors.New("the event's attributes do not make a url")
	}
	if climbs(u.Path) {
		return nil, fmt.Errorf("the event's attributes make %q the path of the url, of which no part may be . or ..", u.Path)
	}
	return u, nil
}

// attribute returns the text of an attribute that is present.
func attribute(e *event.Event, name string) (value string, ok bool) {
	switch name {
	case "specversion":
		value = event.SpecVersion
	case "id":
		value = e.ID
	case "source":
		value = e.Source
	case "type":
		value = e.Type
	case "subject":
		value = e.Subject
	case "time":
		value = e.Time
	case "datacontenttype":
		value = e.DataContentType
	case "dataschema":
		value = e.DataSchema
	default:
		value, _ = e.Extension(name)
	}
	return value, value != ""
}

// climbs reports whether a server that decodes a path before it resolves dot
// segments would find one in it.
func climbs(path string) bool {
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// appendEscaped percent-encodes all but the unreserved characters of RFC 3986,
// which is right for a path segment and for a query component.
func appendEscaped(b []byte, value string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(value) {
		c := value[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

func isAttributeName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
