package catalog

import (
	"encoding/json"
	"slices"
	"strings"
)

// knownKinds are the kinds of endpoint that Headgate has a name for; a build
// need not hold them all.
var knownKinds = []string{"webhook", "file", "eventHub", "eventGrid", "serviceBus", "blob"}

// Kind describes a kind of endpoint. The gateway makes one of each sink.
type Kind struct {
	Name string
	// Validate checks settings, a JSON object that holds its secrets. A
	// [*FieldError] names a member of the settings; another error is about
	// them as a whole.
	Validate func(settings json.RawMessage) error
	// Secrets are the members of the settings that hold secrets.
	Secrets []Secret
}

// Secret says where a member of the settings holds something secret.
type Secret struct {
	Field string
	Form  Form
}

// Form is how a setting holds its secret.
type Form uint8

// The forms of a secret setting.
const (
	// Whole: all of the value.
	Whole Form = iota
	// ConnectionString: the values of "Key=Value;…" but those of harmless keys.
	ConnectionString
	// URL: the user information, and query parameters that look like secrets.
	URL
	// Headers: an object of header fields, of which those that look like
	// secrets are.
	Headers
)

// Kinds are the kinds of endpoint that a build holds.
type Kinds []Kind

// Lookup returns the kind called name. Its error is a [*FieldError].
func (ks Kinds) Lookup(name string) (Kind, error) {
	if i := slices.IndexFunc(ks, func(k Kind) bool { return k.Name == name }); i >= 0 {
		return ks[i], nil
	}
	have := make([]string, len(ks))
	for i, k := range ks {
		have[i] = k.Name
	}
	if slices.Contains(knownKinds, name) {
		return Kind{}, refuse("kind", "%q is not built into this version; it has %s", name, strings.Join(have, ", "))
	}
	return Kind{}, refuse("kind", "%q is not a kind of endpoint; this version has %s", name, strings.Join(have, ", "))
}

// Prepare returns e as it is to be stored: every "***" among its secrets is
// replaced by what the stored endpoint holds there, and its settings are
// valid. stored is nil where e is new. Errors are [*FieldError]s.
func (ks Kinds) Prepare(e Endpoint, stored *Endpoint) (Endpoint, error) {
	kind, err := ks.Lookup(e.Kind)
	if err != nil {
		return Endpoint{}, err
	}
	var old json.RawMessage
	if stored != nil && stored.Kind == e.Kind {
		old = stored.Settings
	}
	if e.Settings, err = kind.unmask(e.Settings, old); err != nil {
		return Endpoint{}, In("settings", err)
	}
	if err := kind.Validate(e.Settings); err != nil {
		return Endpoint{}, In("settings", err)
	}
	return e, nil
}

// Mask returns e as it may be shown: with "***" for each secret. Of a kind
// that this build does not hold, every setting counts as secret.
func (ks Kinds) Mask(e Endpoint) Endpoint {
	kind, err := ks.Lookup(e.Kind)
	if err != nil {
		e.Settings = maskAll(e.Settings)
		return e
	}
	e.Settings = kind.mask(e.Settings)
	return e
}

func (k Kind) secret(field string) (Secret, bool) {
	i := slices.IndexFunc(k.Secrets, func(s Secret) bool { return s.Field == field })
	if i < 0 {
		return Secret{}, false
	}
	return k.Secrets[i], true
}

func (k Kind) mask(settings json.RawMessage) json.RawMessage {
	members, err := readMembers(settings)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	for i, m := range members {
		if s, ok := k.secret(m.name); ok {
			members[i].value = s.Form.mask(m.value)
		}
	}
	return appendMembers(nil, members)
}

func maskAll(settings json.RawMessage) json.RawMessage {
	members, err := readMembers(settings)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	for i, m := range members {
		members[i].value = Whole.mask(m.value)
	}
	return appendMembers(nil, members)
}

// unmask is the reverse of mask over what stored holds; stored may be nil.
func (k Kind) unmask(settings, stored json.RawMessage) (json.RawMessage, error) {
	members, err := readMembers(settings)
	if err != nil {
		return nil, err
	}
	var old []member
	if stored != nil {
		if old, err = readMembers(stored); err != nil {
			return nil, err
		}
	}
	for i, m := range members {
		s, ok := k.secret(m.name)
		if !ok {
			continue
		}
		var was json.RawMessage
		if j := slices.IndexFunc(old, func(o member) bool { return o.name == m.name }); j >= 0 {
			was = old[j].value
		}
		if members[i].value, err = s.Form.unmask(m.value, was); err != nil {
			return nil, In(m.name, err)
		}
	}
	return appendMembers(nil, members), nil
}
