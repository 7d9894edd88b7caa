// Package sink holds what senders share: how the answer of an endpoint becomes
// an outcome, how settings are read strictly, and how a kind of endpoint is
// described to those who store and show its settings.
//
// Each kind is a package beneath this one. A sink tries each delivery once,
// returns one outcome for each in the order given, and keeps nothing of its
// arguments; package sinktest holds every sink to that.
package sink

import "encoding/json"

// Kind describes a kind of endpoint. Its functions are safe for concurrent use
// and speak in types of the standard library alone, so that a catalog can hold
// them without knowing any sink.
type Kind struct {
	// Name is the endpoint's "kind", such as "webhook".
	Name string
	// Check reports what is wrong with settings that someone is about to store;
	// a fault in one of them is a [*SettingError]. It sends nothing.
	Check func(settings json.RawMessage) error
	// Secrets names the parts of a setting's value that readers must not see,
	// each with its byte range [start, end). The setting is named as in
	// [SettingError]. A name stays the same when other parts of the value are
	// edited, so that a part sent back masked can be found in the stored value.
	Secrets func(setting, value string) map[string][2]int
}

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
