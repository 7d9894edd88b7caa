package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Source is a named, configured broker from which the gateway fetches events.
type Source struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Settings are a JSON object whose members the kind defines. In the store
	// they hold their secrets; [SourceKinds.Mask] takes those out.
	Settings json.RawMessage `json:"settings"`
	Enabled  bool            `json:"enabled"`
	Meta
}

// Key is the source's name.
func (s Source) Key() string { return s.Name }

// Same reports whether s and o would do the same.
func (s Source) Same(o Source) bool {
	return s.Kind == o.Kind && s.Enabled == o.Enabled && bytes.Equal(compact(s.Settings), compact(o.Settings))
}

// DecodeSource reads the source called name from the JSON that a client sent,
// and fills what it left out. Settings are only known to be an object:
// [SourceKinds.Prepare] checks them.
//
// Members that the server writes (name, revision, createdAt, updatedAt, status)
// may be sent back as they were read; a name must be the one in the path.
func DecodeSource(name string, b []byte) (Source, error) {
	if err := CheckName("name", name); err != nil {
		return Source{}, err
	}
	o := ReadObject(b)
	s := Source{Name: name, Settings: json.RawMessage(`{}`), Enabled: true}
	o.String("kind", &s.Kind)
	if settings := o.Raw("settings"); settings != nil {
		if settings[0] != '{' {
			o.Refuse("settings", "want a JSON object, have %s", typeName(settings))
		}
		s.Settings = compact(settings)
	}
	o.Bool("enabled", &s.Enabled)
	o.sameName("name", name)
	o.Ignore("revision", "createdAt", "updatedAt", "status")
	if s.Kind == "" {
		o.Refuse("kind", "is required: the kind of source, such as \"serviceBus\"")
	}
	if err := o.Close(); err != nil {
		return Source{}, err
	}
	return s, nil
}

// SourceKinds are the kinds of source that a build holds.
type SourceKinds []Kind

func (ks SourceKinds) lookup(name string) (Kind, error) {
	if i := slices.IndexFunc(ks, func(k Kind) bool { return k.Name == name }); i >= 0 {
		return ks[i], nil
	}
	have := make([]string, len(ks))
	for i, k := range ks {
		have[i] = k.Name
	}
	return Kind{}, refuse("kind", "%q is not a kind of source; this version has %s", name, strings.Join(have, ", "))
}

// Prepare returns s as it is to be stored: every "***" among its secrets is
// replaced by what the stored source holds there, and its settings are valid.
// stored is nil where s is new. Errors are [*FieldError]s.
func (ks SourceKinds) Prepare(s Source, stored *Source) (Source, error) {
	kind, err := ks.lookup(s.Kind)
	if err != nil {
		return Source{}, err
	}
	var old json.RawMessage
	if stored != nil && stored.Kind == s.Kind {
		old = stored.Settings
	}
	if s.Settings, err = kind.unmask(s.Settings, old); err != nil {
		return Source{}, In("settings", err)
	}
	if err := kind.Validate(s.Settings); err != nil {
		return Source{}, In("settings", err)
	}
	return s, nil
}

// Mask returns s as it may be shown: with "***" for each secret. Of a kind that
// this build does not hold, every setting counts as secret.
func (ks SourceKinds) Mask(s Source) Source {
	kind, err := ks.lookup(s.Kind)
	if err != nil {
		s.Settings = maskAll(s.Settings)
		return s
	}
	s.Settings = kind.mask(s.Settings)
	return s
}

// SourceState is how a source fares.
type SourceState string

// The states of a source.
const (
	SourceDisabled   SourceState = "disabled"   // by its configuration
	SourceConnecting SourceState = "connecting" // for the first time
	SourceRunning    SourceState = "running"
	SourceWaiting    SourceState = "waiting" // for the journal, which takes no events now
	SourceFailing    SourceState = "failing" // its connection failed, and is made again
	SourceStopped    SourceState = "stopped" // the gateway is about to end
)

// SourceView is a source with how it fares, which is no part of it.
type SourceView struct {
	Source
	Status *SourceStatus `json:"status,omitempty"`
}

// SourceStatus is how a source fares, and what it has done since it was started.
type SourceStatus struct {
	Name   string      `json:"name"`
	Kind   string      `json:"kind"`
	State  SourceState `json:"state"`
	Reason string      `json:"reason,omitempty"` // in words, unless it runs
	Since  time.Time   `json:"since,omitzero"`   // when the state began
	// Received counts events that were accepted, Refused messages that were none.
	Received       uint64    `json:"received"`
	LastReceivedAt time.Time `json:"lastReceivedAt,omitzero"`
	Refused        uint64    `json:"refused"`
	LastRefusal    string    `json:"lastRefusal,omitempty"` // which message, and why
}
