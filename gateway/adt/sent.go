package adt

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/headgate/headgate/gateway/catalog"
)

// sentEndpoint is the body of a PUT.
type sentEndpoint struct {
	kind           *kind
	authentication string
	secret         string
	plain          map[string]string // by setting
	deadLetter     string
	deadLetterName string // of the property that said it
}

// decodeEndpoint reads the body of a PUT. A fault is a [*catalog.FieldError] of
// a property; members that are read-only say nothing.
func decodeEndpoint(body []byte) (sentEndpoint, error) {
	var sent sentEndpoint
	o := catalog.ReadObject(body)
	o.Ignore("id", "name", "type", "systemData")
	raw := o.Raw("properties")
	if raw == nil {
		o.Refuse("properties", "is required")
	}
	if err := o.Close(); err != nil {
		return sent, err
	}
	return sent, catalog.In("properties", sent.read(catalog.ReadObject(raw)))
}

func (sent *sentEndpoint) read(o *catalog.Object) error {
	o.Ignore("provisioningState", "createdTime")
	var endpointType string
	o.String("endpointType", &endpointType)
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.endpointType == endpointType })
	if i < 0 {
		o.Refuse("endpointType", "%q is none of EventHub, EventGrid, ServiceBus", endpointType)
		return o.Close()
	}
	sent.kind, sent.authentication, sent.plain = &kinds[i], keyBased, map[string]string{}
	o.String("authenticationType", &sent.authentication)
	var unused, secret, uri string
	o.String(sent.kind.primary, &sent.secret)
	o.String(sent.kind.secondary, &unused)
	for _, plain := range sent.kind.plain {
		var text string
		if o.String(plain.property, &text); text != "" {
			sent.plain[plain.setting] = text
		}
	}
	o.String("deadLetterSecret", &secret)
	o.String("deadLetterUri", &uri)
	identity := o.Raw("identity")
	sent.checkAuthentication(o)
	sent.readDeadLetters(o, secret, uri)
	if err := o.Close(); err != nil {
		return err
	}
	return catalog.In("identity", checkIdentity(identity))
}

func (sent *sentEndpoint) checkAuthentication(o *catalog.Object) {
	k := sent.kind
	switch sent.authentication {
	case keyBased:
		if sent.secret == "" {
			o.Refuse(k.primary, "is required where authenticationType is KeyBased")
		}
	case identityBased:
		if !k.identity {
			o.Refuse("authenticationType", "%s is for KeyBased alone; make the endpoint in the gateway's own API for its identity", k.endpointType)
		}
		if sent.secret != "" {
			o.Refuse(k.primary, "stands beside the authenticationType IdentityBased; leave one of them out")
		}
		for _, plain := range k.plain {
			if sent.plain[plain.setting] == "" {
				o.Refuse(plain.property, "is required where authenticationType is IdentityBased")
			}
		}
	default:
		o.Refuse("authenticationType", "%q is neither KeyBased nor IdentityBased", sent.authentication)
	}
}

func (sent *sentEndpoint) readDeadLetters(o *catalog.Object, secret, uri string) {
	switch {
	case secret != "" && uri != "":
		o.Refuse("deadLetterUri", "stands beside a deadLetterSecret; leave one of them out")
	case secret != "" && secret != hidden && !signed(secret):
		o.Refuse("deadLetterSecret", "has no shared access signature; for the gateway's identity, send it as deadLetterUri")
	case signed(uri):
		o.Refuse("deadLetterUri", "holds more than the address of a container; send a URL with a shared access signature as deadLetterSecret")
	case secret != "":
		sent.deadLetter, sent.deadLetterName = secret, "deadLetterSecret"
	case uri != "":
		sent.deadLetter, sent.deadLetterName = uri, "deadLetterUri"
	}
}

// checkIdentity refuses identities other than the process's own, since it cannot
// take them on by request.
func checkIdentity(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	o := catalog.ReadObject(raw)
	var of, id string
	o.String("type", &of)
	if o.String("userAssignedIdentity", &id); of == "UserAssigned" || id != "" {
		o.Refuse("type", "the gateway signs in with the identity of its process alone, which is configured where it runs (AZURE_CLIENT_ID names a user-assigned one); leave identity out")
	} else if of != "SystemAssigned" {
		o.Refuse("type", "%q is neither SystemAssigned nor UserAssigned", of)
	}
	return o.Close()
}

// replaces refuses a change of what is fixed when an endpoint is made.
func (sent *sentEndpoint) replaces(old catalog.Endpoint) error {
	k := kindOf(old)
	switch {
	case k == nil:
		return refuse(http.StatusConflict, codeConflict,
			"An endpoint of the kind "+old.Kind+", which Azure Digital Twins does not have, has this name; choose another.")
	case k != sent.kind:
		return refuse(http.StatusBadRequest, codeARMConstant, "The endpointType of an endpoint cannot be changed; delete it and create it anew.")
	case k.authentication(readSettings(old.Settings)) != sent.authentication:
		return refuse(http.StatusBadRequest, codeARMConstant, "The authenticationType of an endpoint cannot be changed; delete it and create it anew.")
	}
	return nil
}

// over returns the settings that sent makes of stored ones. A secret that comes
// back as it is shown keeps the stored one.
func (sent *sentEndpoint) over(stored json.RawMessage) (json.RawMessage, error) {
	k, m := sent.kind, readSettings(stored)
	for _, property := range []struct{ name, setting, text, mask string }{
		{k.primary, k.secret, sent.secret, k.mask},
		{sent.deadLetterName, deadLetterURI, sent.deadLetter, hidden},
	} {
		switch {
		case property.text == "":
			delete(m, property.setting)
		case property.text != property.mask:
			m.set(property.setting, property.text)
		case m.text(property.setting) == "":
			return nil, refuse(http.StatusBadRequest, codeARMInvalid,
				"properties."+property.name+": "+property.text+" keeps the stored value, and none is stored; send the secret itself.")
		}
	}
	for _, plain := range k.plain {
		delete(m, plain.setting)
		if text := sent.plain[plain.setting]; text != "" {
			m.set(plain.setting, text)
		}
	}
	return json.Marshal(m)
}

// settingFault says which property err is about, when it is about a setting. Its
// words may name the setting of the secret too, which no client sends.
func (sent *sentEndpoint) settingFault(err error) error {
	var field *catalog.FieldError
	if !errors.As(err, &field) {
		return err
	}
	name := strings.TrimPrefix(field.Field, "settings.")
	switch i := slices.IndexFunc(sent.kind.plain, func(p plain) bool { return p.setting == name }); {
	case i >= 0:
		name = sent.kind.plain[i].property
	case name == sent.kind.secret:
		name = sent.kind.primary
	case name == deadLetterURI:
		name = sent.deadLetterName
	}
	secret := regexp.MustCompile(`\b` + sent.kind.secret + `\b`)
	reason := secret.ReplaceAllLiteralString(field.Reason, sent.kind.primary)
	return refuse(http.StatusBadRequest, codeARMInvalid, sentence("properties."+name+": "+reason))
}
