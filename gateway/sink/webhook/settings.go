package webhook

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
)

// The modes of delivery.
const (
	modeBinary     = "binary"
	modeStructured = "structured"
	modeBatch      = "batch"
	modeRaw        = "raw"
)

// maxStaticHeader bounds the headers of the settings, which go with every event.
const maxStaticHeader = 8 << 10

// settings are those of an endpoint, ready for use.
type settings struct {
	mode    string
	method  string
	url     *url.URL // without userinfo; nil when it depends on the event
	address template // in raw mode
	header  []header // what every request carries
	origin  string   // method, scheme and host: what errors may name
	secrets []string // what they must not
}

type header struct {
	name   string // canonical
	values []string
}

func parse(raw json.RawMessage, userAgent string) (settings, error) {
	in := sink.ReadSettings(raw)
	address, mode, method := in.Required("url"), in.Text("mode"), in.Text("method")
	headers := in.Texts("headers")
	s := settings{mode: mode, method: method}
	switch mode {
	case "":
		s.mode = modeBinary
	case modeBinary, modeStructured, modeBatch, modeRaw:
	default:
		in.Refuse("mode", fmt.Sprintf("%q is not one of binary, structured, batch, raw", mode))
	}
	s.parseMethod(in)
	s.parseHeaders(in, headers, userAgent)
	if address != "" {
		s.parseURL(in, address)
	}
	if err := in.Err(); err != nil {
		return settings{}, err
	}
	return s, nil
}

func (s *settings) parseMethod(in *sink.Settings) {
	switch s.method {
	case "":
		s.method = http.MethodPost
	case http.MethodPost:
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		if s.mode != modeRaw {
			in.Refuse("method", "needs mode raw; CloudEvents are sent by POST")
		}
	default:
		in.Refuse("method", fmt.Sprintf("%q is not one of POST, PUT, PATCH, DELETE", s.method))
	}
}

// reserved are headers that a request sets itself.
var reserved = []string{"Connection", "Content-Encoding", "Content-Length", "Expect", "Host", "Keep-Alive",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (s *settings) parseHeaders(in *sink.Settings, headers map[string]string, userAgent string) {
	size := 0
	all := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value, field, canonical := headers[name], "headers."+name, textproto.CanonicalMIMEHeaderKey(name)
		_, twice := all[canonical]
		switch {
		case !isToken(name):
			in.Refuse(field, "is not the name of a header: letters, digits and hyphens")
		case twice:
			in.Refuse(field, "is given twice, in different case")
		case !isHeaderValue(value):
			in.Refuse(field, "holds a line break or another control character")
		case slices.Contains(reserved, canonical):
			in.Refuse(field, "cannot be set; it follows from the url and the event")
		case canonical == "Content-Type" && s.mode != modeRaw:
			in.Refuse(field, "follows from the mode; it can be set in mode raw alone")
		case strings.HasPrefix(canonical, "Ce-"):
			in.Refuse(field, "would contradict the event; headers ce-… carry its attributes")
		}
		all[canonical] = value
		size += len(name) + len(value)
		s.secrets = append(s.secrets, echoes(value)...)
	}
	if size > maxStaticHeader {
		in.Refuse("headers", fmt.Sprintf("are larger than %d bytes together", maxStaticHeader))
	}
	if all["User-Agent"] == "" {
		all["User-Agent"] = cmp.Or(userAgent, "headgate")
	}
	switch s.mode {
	case modeBinary:
		all["Ce-Specversion"] = event.SpecVersion
	case modeStructured:
		all["Content-Type"] = "application/cloudevents+json; charset=utf-8"
	case modeBatch:
		all["Content-Type"] = "application/cloudevents-batch+json"
	}
	for name, value := range all {
		s.header = append(s.header, header{name, []string{value}})
	}
}

func (s *settings) parseURL(in *sink.Settings, text string) {
	t, reason := parseTemplate(text)
	if reason != "" {
		in.Refuse("url", reason)
		return
	}
	if t.attributes() && s.mode != modeRaw {
		in.Refuse("url", "holds a placeholder, which needs mode raw")
		return
	}
	u, err := url.Parse(t.sample())
	switch {
	case err != nil:
		in.Refuse("url", "is not a URL: "+parseReason(err))
		return
	case u.Scheme != "http" && u.Scheme != "https":
		in.Refuse("url", "must begin with http:// or https://")
		return
	case u.Hostname() == "":
		in.Refuse("url", "names no host")
		return
	case t.attributes() && climbs(u.Path):
		in.Refuse("url", "has a part that is . or .., which must not stand beside placeholders; write the path that is meant")
		return
	case strings.Contains(text, "#"):
		in.Refuse("url", "has a fragment (#…), which is never sent; remove it")
		return
	}
	s.secrets = append(s.secrets, urlSecrets(u)...)
	if u.User != nil {
		s.parseUser(in, u.User)
		u.User = nil
		t = t.withoutUser()
	}
	s.origin = s.method + " " + u.Scheme + "://" + u.Host
	s.address = t
	if !t.attributes() {
		s.url = u
	}
}

// parseUser makes basic authentication of the URL's userinfo.
func (s *settings) parseUser(in *sink.Settings, user *url.Userinfo) {
	password, _ := user.Password()
	token := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
	if slices.ContainsFunc(s.header, func(h header) bool { return h.name == "Authorization" }) {
		in.Refuse("url", "names a user while headers.Authorization is set; remove one of them")
	}
	s.header = append(s.header, header{"Authorization", []string{"Basic " + token}})
	s.secrets = append(s.secrets, token)
}

// parseReason is the cause of a parse error without the URL, which may hold a secret.
func parseReason(err error) string {
	if e, ok := errors.AsType[url.EscapeError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[url.InvalidHostError](err); ok {
		return e.Error()
	}
	return "check its scheme, host, port and escapes"
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isHeaderValue reports whether a header may carry s as it is.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
