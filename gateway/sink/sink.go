// Package sink holds what senders share: how the answer of an endpoint becomes
// an outcome, how settings are read strictly, and how a kind of endpoint is
// described to those who store and show its settings.
//
// Each kind is a package beneath this one. A sink tries each delivery once,
// returns one outcome for each in the order given, and keeps nothing of its
// arguments; package sinktest holds every sink to that.
package sink

import "encoding/json"

// Kind describes a kind of endpoint to those who check, keep and show its
// settings, none of whom knows the sink itself.
type Kind struct {
	// Name is the endpoint's "kind", such as "webhook".
	Name string
	// Validate reports what is wrong with settings that someone is about to
	// store; a fault in one of them is a [*SettingError]. It sends nothing.
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
	Whole            Form = iota // all of the value
	ConnectionString             // values in "Key=Value;…", but those of harmless keys
	URL                          // userinfo, and query parameters that look like credentials
	Headers                      // members of an object of headers that look like credentials
)

// SettingError says what is wrong with one setting of an endpoint.
type SettingError struct {
	// Field is the setting's name, such as "url"; a member of an object follows
	// a dot, as in "headers.Authorization". It is empty when the settings as a
	// whole are at fault.
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
