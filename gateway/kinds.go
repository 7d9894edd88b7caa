package gateway

import (
	"encoding/json"
	"errors"

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
	return []kind{
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
