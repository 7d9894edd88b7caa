package adt

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
)

// kind is a kind of endpoint that Azure Digital Twins has too, and how its
// properties are called there.
type kind struct {
	endpointType, kind string
	// secret is the setting that opens the endpoint, which is the property
	// primary. A service has two keys, so that one can be replaced while the
	// other is used; the gateway uses one, and secondary is not kept.
	secret, primary, secondary string
	mask                       string // of the secret
	plain                      []plain
	// identity says that the endpoint may be opened by the gateway's identity.
	identity bool
}

// plain is a setting that is no secret.
type plain struct{ property, setting string }

const (
	hidden           = "***"
	hiddenConnection = "Endpoint=sb://***/;SharedAccessKeyName=***;SharedAccessKey=***;EntityPath=***"
)

var kinds = []kind{
	{"EventHub", "eventHub", "connectionString", "connectionStringPrimaryKey", "connectionStringSecondaryKey", hiddenConnection,
		[]plain{{"endpointUri", "endpointUri"}, {"entityPath", "entityPath"}}, true},
	{"ServiceBus", "serviceBus", "connectionString", "primaryConnectionString", "secondaryConnectionString", hiddenConnection,
		[]plain{{"endpointUri", "endpointUri"}, {"entityPath", "entityPath"}}, true},
	{"EventGrid", "eventGrid", "accessKey", "accessKey1", "accessKey2", hidden,
		[]plain{{"TopicEndpoint", "topicEndpoint"}}, false},
}

// Ways to be let in.
const (
	keyBased      = "KeyBased"
	identityBased = "IdentityBased"
)

// deadLetterURI is the setting of every kind that holds the container of dead
// letters; with a signature it is the property deadLetterSecret.
const deadLetterURI = "deadLetterUri"

func kindOf(e catalog.Endpoint) *kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.kind == e.Kind })
	if i < 0 {
		return nil
	}
	return &kinds[i]
}

// ofAzure reports whether e is of a kind that Azure Digital Twins has.
func ofAzure(e catalog.Endpoint) bool { return kindOf(e) != nil }

// settings are the members of an endpoint's settings.
type settings map[string]json.RawMessage

func readSettings(b json.RawMessage) settings {
	m := settings{}
	_ = json.Unmarshal(b, &m) // what is stored is an object, and nothing is an empty one
	return m
}

// text is the setting name, and "" for one that is absent or no text.
func (m settings) text(name string) (text string) {
	_ = json.Unmarshal(m[name], &text)
	return text
}

func (m settings) set(name, text string) {
	b, _ := json.Marshal(text) // a string always encodes
	m[name] = b
}

func (k *kind) authentication(m settings) string {
	if m.text(k.secret) == "" {
		return identityBased
	}
	return keyBased
}

// properties shows e, without a secret.
func properties(e catalog.Endpoint, state string) map[string]any {
	k, m := kindOf(e), readSettings(e.Settings)
	p := map[string]any{
		"endpointType": k.endpointType, "authenticationType": k.authentication(m),
		"provisioningState": state, "createdTime": e.CreatedAt.UTC().Format(time.RFC3339Nano),
	}
	if p["authenticationType"] == keyBased {
		p[k.primary] = k.mask
	} else {
		p["identity"] = map[string]string{"type": "SystemAssigned"}
	}
	for _, plain := range k.plain {
		if text := m.text(plain.setting); text != "" {
			p[plain.property] = text
		}
	}
	if uri := m.text(deadLetterURI); signed(uri) {
		p["deadLetterSecret"] = hidden
	} else if uri != "" {
		p["deadLetterUri"] = uri
	}
	return p
}

// signed reports whether uri holds more than an address: a signature, which is
// a secret.
func signed(uri string) bool {
	u, err := url.Parse(uri)
	return uri != "" && (err != nil || u.RawQuery != "" || u.User != nil)
}

// blank empties the secrets of p, as in the answer to a creation.
func (k *kind) blank(p map[string]any) {
	for _, name := range []string{k.primary, "deadLetterSecret"} {
		if _, ok := p[name]; ok {
			p[name] = ""
		}
	}
}
