// Package pull holds what the sources share that fetch their messages from a
// broker: how their settings are read and described, how a message becomes
// events, how events become durable before a message is settled, and how a lost
// connection is made anew.
//
// A message in the CloudEvents AMQP binding is the event that it carries; any
// other is wrapped into one by the rule in the source's settings. A source
// settles a message, or moves its checkpoint over it, only when its events are
// durable, so nothing is lost; what was sent again because an acknowledgement
// was lost may come twice.
package pull

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"log/slog"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/headgate/headgate/gateway/event"
)

// Journal makes events durable.
type Journal interface {
	// Append returns nil only when all events are durable. An error with a method
	// RetryAfter() time.Duration means "not now". The events are not held on to.
	Append(ctx context.Context, events []event.Event) (event.Position, error)
}

// Options are what a gateway may decide for all of its sources.
type Options struct {
	// UserAgent names the gateway to the service.
	UserAgent string
	// Logger gets what an operator should know: each new failure, each message
	// that is refused. Nil discards it.
	Logger *slog.Logger
	// Credential is the identity for sources without a connection string; nil is
	// the default chain of azidentity.
	Credential azcore.TokenCredential
	// TLS replaces the default configuration of connections to the broker, such as
	// its trusted roots. It is cloned.
	TLS *tls.Config
}

// Log is the logger, never nil.
func (o Options) Log() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// Kind describes a kind of source to those who check, keep and show its
// settings, none of whom knows the source itself.
type Kind struct {
	// Name is the source's "kind", such as "serviceBus".
	Name string
	// Validate reports what is wrong with settings that someone is about to
	// store; a fault in one of them is a [*SettingError]. It does not connect.
	Validate func(settings json.RawMessage) error
	// Secrets are the settings that readers must not see, or not all of.
	Secrets []Secret
}

// Secret is a setting that holds something secret.
type Secret struct {
	Field string
	Form  Form
}

// Form is how a setting holds its secret.
type Form uint8

// The forms of a secret setting.
const (
	ConnectionString Form = iota // values in "Key=Value;…", but those of harmless keys
	URL                          // userinfo, and query parameters that look like credentials
)

// SettingError says what is wrong with one setting of a source.
type SettingError struct {
	// Field is the setting's name, such as "consumerGroup"; a member of an object
	// follows a dot, as in "wrap.type". It is empty when the settings as a whole
	// are at fault.
	Field string
	// Reason continues the name as a sentence: what is wrong, and what to do.
	Reason string
}

// Error returns "settings.FIELD REASON".
func (e *SettingError) Error() string {
	if e.Field == "" {
		return "settings " + e.Reason
	}
	return "settings." + e.Field + " " + e.Reason
}
