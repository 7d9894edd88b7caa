package eventgrid

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/headgate/headgate/gateway/namespace"
	"github.com/headgate/headgate/gateway/sink"
)

// Schema is what a topic takes.
type Schema string

// The schemas, by the names that Azure gives them.
const (
	EventGridSchema  Schema = "eventGridSchema"
	CloudEventSchema Schema = "cloudEventSchemaV1_0"
)

// settings are those of an endpoint, ready for use.
type settings struct {
	url       string // with the version of the API
	origin    string // method, scheme, host and path: what errors name
	accessKey string // empty: an identity
	schema    Schema
	caFile    string
}

// parse reads settings. A caFile is looked into on request alone.
func parse(raw stdjson.RawMessage, look bool) (settings, error) {
	in := sink.ReadSettings(raw)
	s := settings{accessKey: in.Text("accessKey"), caFile: in.Text("caFile")}
	s.parseTopic(in, in.Required("topicEndpoint"))
	s.parseSchema(in, in.Text("schema"))
	if strings.ContainsFunc(s.accessKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		in.Refuse("accessKey", "holds a blank or a character that no key has; copy it again")
	}
	if look && s.caFile != "" {
		if _, err := namespace.ReadRoots(s.caFile); err != nil {
			in.Refuse("caFile", "cannot be used: "+errors.Unwrap(err).Error())
		}
	}
	if err := in.Err(); err != nil {
		return settings{}, err
	}
	return s, nil
}

func (s *settings) parseSchema(in *sink.Settings, name string) {
	switch {
	case name == "", strings.EqualFold(name, string(EventGridSchema)):
		s.schema = EventGridSchema
	case strings.EqualFold(name, string(CloudEventSchema)):
		s.schema = CloudEventSchema
	default:
		in.Refuse("schema", fmt.Sprintf("%q is not one of %s, %s", name, EventGridSchema, CloudEventSchema))
	}
}

func (s *settings) parseTopic(in *sink.Settings, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return
	case err != nil:
		in.Refuse("topicEndpoint", "is not a URL: check its scheme, host, port and escapes")
		return
	case u.Scheme != "https":
		in.Refuse("topicEndpoint", "must begin with https://; keys and tokens are never sent over plain HTTP")
		return
	case u.Hostname() == "":
		in.Refuse("topicEndpoint", "names no host")
		return
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		in.Refuse("topicEndpoint", "must be scheme, host and path alone, such as https://TOPIC.REGION-1.eventgrid.azure.net/api/events")
		return
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/api/events"
	}
	s.origin = "POST https://" + u.Host + u.EscapedPath()
	u.RawQuery = "api-version=2018-01-01"
	s.url = u.String()
}

func (s *settings) contentType() string {
	if s.schema == CloudEventSchema {
		return "application/cloudevents-batch+json; charset=utf-8"
	}
	return "application/json; charset=utf-8"
}

// wrap says which topic err is about.
func (s *settings) wrap(err error) error { return fmt.Errorf("%s: %w", s.origin, err) }
