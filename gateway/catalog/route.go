package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
)

// MaxFilterBytes bounds the text of a filter.
const MaxFilterBytes = 64 << 10

// maxStages bounds the plugins of a route.
const maxStages = 32

// Route is a condition, what happens to an event that fulfils it, and where
// the event goes.
type Route struct {
	ID           string `json:"id"`
	EndpointName string `json:"endpointName"`
	// Filter is the text of the condition, exactly as it was sent.
	Filter string `json:"filter"`
	// Filters are plugins that must all pass the event too; Transforms then
	// change it, in order.
	Filters    []PluginRef `json:"filters"`
	Transforms []PluginRef `json:"transforms"`
	Enabled    bool        `json:"enabled"`
	Meta
}

// PluginRef is the use of a plugin by a route.
type PluginRef struct {
	Plugin Ref `json:"plugin"`
	// Config is any JSON value, without blanks; {} when none was given.
	Config json.RawMessage `json:"config"`
}

// Key is the route's id.
func (r Route) Key() string { return r.ID }

// Refs returns the references of all of r's stages, in order.
func (r Route) Refs() []Ref {
	refs := make([]Ref, 0, len(r.Filters)+len(r.Transforms))
	for _, p := range slices.Concat(r.Filters, r.Transforms) {
		refs = append(refs, p.Plugin)
	}
	return refs
}

// Same reports whether r and o would do the same.
func (r Route) Same(o Route) bool {
	same := func(a, b PluginRef) bool {
		return a.Plugin == b.Plugin && bytes.Equal(a.Config, b.Config)
	}
	return r.EndpointName == o.EndpointName && r.Filter == o.Filter && r.Enabled == o.Enabled &&
		slices.EqualFunc(r.Filters, o.Filters, same) && slices.EqualFunc(r.Transforms, o.Transforms, same)
}

// WithDefaults returns r with lists that are not nil, and with a filter and
// configurations where it has none.
func (r Route) WithDefaults() Route {
	if r.Filter == "" {
		r.Filter = "true"
	}
	r.Filters, r.Transforms = completed(r.Filters), completed(r.Transforms)
	return r
}

func completed(refs []PluginRef) []PluginRef {
	out := make([]PluginRef, len(refs))
	for i, ref := range refs {
		if ref.Config == nil {
			ref.Config = json.RawMessage(`{}`)
		}
		out[i] = PluginRef{Plugin: ref.Plugin, Config: compact(ref.Config)}
	}
	return out
}

// DecodeRoute reads the route with the id from the JSON that a client sent,
// and fills what it left out: filter is "true", enabled is true. What the
// filter means and whether its endpoint and plugins exist is checked where it
// is stored.
//
// Members that the server writes (id, revision, createdAt, updatedAt) may be
// sent back as they were read; an id must be the one in the path.
func DecodeRoute(id string, b []byte) (Route, error) {
	if err := CheckRouteID("id", id); err != nil {
		return Route{}, err
	}
	o := ReadObject(b)
	o.sameName("id", id)
	r := readRoute(o)
	r.ID = id
	if r.EndpointName == "" {
		o.Refuse("endpointName", "is required: the name of the endpoint that the route delivers to")
	}
	return r, o.Close()
}

// DecodeDraft reads a route that is to be tested and not stored: it needs
// neither an id nor an endpoint's name, but may have both.
func DecodeDraft(b []byte) (Route, error) {
	o := ReadObject(b)
	var id string
	o.String("id", &id)
	r := readRoute(o)
	r.ID = id
	return r, o.Close()
}

func readRoute(o *Object) Route {
	r := Route{Filter: "true", Enabled: true}
	o.String("endpointName", &r.EndpointName)
	o.String("filter", &r.Filter)
	r.Filters = readRefs(o, "filters")
	r.Transforms = readRefs(o, "transforms")
	o.Bool("enabled", &r.Enabled)
	o.Ignore("revision", "createdAt", "updatedAt")
	if len(r.Filter) > MaxFilterBytes {
		o.Refuse("filter", "is %d bytes long; %d are allowed", len(r.Filter), MaxFilterBytes)
	}
	return r
}

func readRefs(o *Object, name string) []PluginRef {
	list := o.Array(name)
	if len(list) > maxStages {
		o.Refuse(name, "names %d plugins; %d are allowed", len(list), maxStages)
	}
	refs := make([]PluginRef, 0, len(list))
	for i, raw := range list {
		ref, err := decodePluginRef(raw)
		if err != nil {
			o.fail(In(name, In(index(i), err)))
			continue
		}
		refs = append(refs, ref)
	}
	return refs
}

func decodePluginRef(b json.RawMessage) (PluginRef, error) {
	o := readObject(b)
	ref := PluginRef{Config: json.RawMessage(`{}`)}
	var text string
	o.String("plugin", &text)
	var err error
	ref.Plugin, err = ParseRef(text)
	o.fail(In("plugin", err))
	if config := o.Raw("config"); config != nil {
		ref.Config = compact(config)
	}
	return ref, o.Close()
}
