package gateway

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/blob"
	"github.com/headgate/headgate/gateway/sink/eventgrid"
	"github.com/headgate/headgate/gateway/sink/eventhubs"
	"github.com/headgate/headgate/gateway/sink/file"
	"github.com/headgate/headgate/gateway/sink/servicebus"
	"github.com/headgate/headgate/gateway/sink/webhook"
)

// kind is a kind of endpoint that this build holds: how the catalog knows it,
// and how its sink is opened.
type kind struct {
	catalog.Kind
	open func(settings json.RawMessage) (dispatch.Sink, error)
	// mapping, which may be nil, names the plugin that a route to such an endpoint
	// has as its last transform, unless it names it itself; "" for none.
	mapping func(settings json.RawMessage) string
}

// kinds are all of them. A new connector is one entry here.
func kinds(version string) []kind {
	agent := "headgate/" + version
	all := []kind{
		{Kind: described(webhook.Kind()), open: func(settings json.RawMessage) (dispatch.Sink, error) {
			return webhook.New(settings, webhook.Options{UserAgent: agent})
		}},
		{Kind: described(file.Kind()), open: func(settings json.RawMessage) (dispatch.Sink, error) {
			return file.New(settings)
		}},
		{Kind: described(servicebus.Kind()), open: func(settings json.RawMessage) (dispatch.Sink, error) {
			return servicebus.New(settings, servicebus.Options{UserAgent: agent})
		}},
		{Kind: described(eventhubs.Kind()), open: func(settings json.RawMessage) (dispatch.Sink, error) {
			return eventhubs.New(settings, eventhubs.Options{UserAgent: agent})
		}},
		{Kind: described(eventgrid.Kind()), open: func(settings json.RawMessage) (dispatch.Sink, error) {
			return eventgrid.New(settings, eventgrid.Options{UserAgent: agent})
		}, mapping: gridMapping},
		{Kind: described(blob.Kind()), open: func(settings json.RawMessage) (dispatch.Sink, error) {
			return blob.New(settings, blob.Options{UserAgent: agent})
		}},
	}
	for i := range all {
		all[i] = all[i].withDeadLetters(agent)
	}
	return all
}

// deadLetterURI is a setting of every kind: the container to which the
// endpoint's dead letters are copied, in the layout of Azure Digital Twins.
const deadLetterURI = "deadLetterUri"

// withDeadLetters returns k with that setting, of which its sink knows nothing.
func (k kind) withDeadLetters(agent string) kind {
	validate, open := k.Validate, k.open
	k.Validate = func(settings json.RawMessage) error {
		own, uri, err := splitSettings(settings)
		if err != nil {
			return err
		}
		if uri != "" {
			letters, err := blob.NewLetters(deadLetterURI, uri, blob.Options{UserAgent: agent})
			if fault := (*sink.SettingError)(nil); errors.As(err, &fault) {
				return &catalog.FieldError{Field: fault.Field, Reason: fault.Reason}
			}
			if err != nil {
				return err
			}
			letters.Close()
		}
		return validate(own)
	}
	k.open = func(settings json.RawMessage) (dispatch.Sink, error) {
		own, _, err := splitSettings(settings)
		if err != nil {
			return nil, err
		}
		return open(own)
	}
	if mapping := k.mapping; mapping != nil {
		k.mapping = func(settings json.RawMessage) string {
			own, _, _ := splitSettings(settings)
			return mapping(own)
		}
	}
	k.Secrets = append(slices.Clip(k.Secrets), catalog.Secret{Field: deadLetterURI, Form: catalog.URL})
	return k
}

// splitSettings takes what is common to all kinds out of settings.
func splitSettings(settings json.RawMessage) (own json.RawMessage, uri string, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(settings, &members); err != nil {
		return settings, "", nil // the kind says what is wrong with it
	}
	raw, ok := members[deadLetterURI]
	if !ok {
		return settings, "", nil
	}
	if err := json.Unmarshal(raw, &uri); err != nil || uri == "" {
		return nil, "", &catalog.FieldError{Field: deadLetterURI, Reason: "want the URI of a container, with a shared access signature or for the gateway's identity"}
	}
	delete(members, deadLetterURI)
	own, err = json.Marshal(members)
	return own, uri, err
}

// gridMapping is what makes events of the schema that a topic takes.
func gridMapping(settings json.RawMessage) string {
	if schema, err := eventgrid.SchemaOf(settings); err == nil && schema == eventgrid.EventGridSchema {
		return "eventgrid"
	}
	return ""
}

// forms are the sinks' forms of secrets in the catalog's terms.
var forms = map[sink.Form]catalog.Form{
	sink.Whole:            catalog.Whole,
	sink.ConnectionString: catalog.ConnectionString,
	sink.URL:              catalog.URL,
	sink.Headers:          catalog.Headers,
}

// described is k in the catalog's terms.
func described(k sink.Kind) catalog.Kind {
	out := catalog.Kind{Name: k.Name, Validate: func(settings json.RawMessage) error {
		err := k.Validate(settings)
		if fault := (*sink.SettingError)(nil); errors.As(err, &fault) {
			return &catalog.FieldError{Field: fault.Field, Reason: fault.Reason}
		}
		return err
	}}
	for _, s := range k.Secrets {
		out.Secrets = append(out.Secrets, catalog.Secret{Field: s.Field, Form: forms[s.Form]})
	}
	return out
}
