package gateway

import (
	"encoding/json"
	"errors"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/file"
	"github.com/headgate/headgate/gateway/sink/webhook"
)

// kind is a kind of endpoint that this build holds: how the catalog knows it,
// and how its sink is opened.
type kind struct {
	catalog.Kind
	open func(settings json.RawMessage) (dispatch.Sink, error)
}

// kinds are all of them. A new connector is one entry here.
func kinds(version string) []kind {
	return []kind{
		{described(webhook.Kind()), func(settings json.RawMessage) (dispatch.Sink, error) {
			return webhook.New(settings, webhook.Options{UserAgent: "headgate/" + version})
		}},
		{described(file.Kind()), func(settings json.RawMessage) (dispatch.Sink, error) {
			return file.New(settings)
		}},
	}
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
