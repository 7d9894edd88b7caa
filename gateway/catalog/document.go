package catalog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The kinds of a [Document].
const (
	KindPlugin   = "Plugin"
	KindEndpoint = "Endpoint"
	KindRoute    = "Route"
	KindSource   = "Source"
)

// DocumentKinds are all of them, in the order in which resources need each
// other.
func DocumentKinds() []string { return []string{KindPlugin, KindEndpoint, KindRoute, KindSource} }

// APIVersion is what a document may say that it is written for.
const APIVersion = "headgate/v1"

// Document is a resource as it is kept in a file: its spec is the body by which
// the API would put it.
type Document struct {
	Kind string          `json:"kind"`
	Name string          `json:"name"` // of a route its id
	Spec json.RawMessage `json:"spec"`
}

// Wanted is what a document asks for, decoded: one of the pointers is set.
type Wanted struct {
	Document
	Plugin   *PluginSpec
	Endpoint *Endpoint
	Route    *Route
	Source   *Source
}

// PluginSpec is what a document says of a plugin.
type PluginSpec struct {
	// File is where the module lies, beside the document that names it. It means
	// nothing to a server.
	File string `json:"file,omitempty"`
	// SHA256 is the module's digest in 64 hex digits.
	SHA256 string `json:"sha256"`
	// Active says that the version with these bytes becomes the active one.
	Active bool `json:"active"`
	PluginSettings
}

// Digest is how the catalog names the module.
func (s PluginSpec) Digest() string { return digestPrefix + s.SHA256 }

// DecodeDocument reads one document, as strictly as the API reads what is put.
// What needs more than the document to know is checked where it is applied.
// Errors are [*FieldError]s with paths in the document.
func DecodeDocument(b []byte) (Wanted, error) {
	o := ReadObject(b)
	var w Wanted
	version := APIVersion
	o.String("apiVersion", &version)
	o.String("kind", &w.Kind)
	o.String("name", &w.Name)
	spec := o.Raw("spec")
	switch {
	case version != APIVersion:
		o.Refuse("apiVersion", "%q is not known here; write %q, or leave it out", version, APIVersion)
	case w.Kind == "":
		o.Refuse("kind", "is required: one of %s", strings.Join(DocumentKinds(), ", "))
	case !slices.Contains(DocumentKinds(), w.Kind):
		o.Refuse("kind", "%q is none of %s", w.Kind, strings.Join(DocumentKinds(), ", "))
	case w.Kind == KindRoute:
		o.fail(CheckRouteID("name", w.Name))
	default:
		o.fail(CheckName("name", w.Name))
	}
	if spec == nil && slices.Contains(DocumentKinds(), w.Kind) {
		o.Refuse("spec", "is required: what the API would be sent to put the %s", strings.ToLower(w.Kind))
	}
	if err := o.Close(); err != nil {
		return w, err
	}
	w.Spec = compact(spec)
	return w, In("spec", w.decodeSpec())
}

func (w *Wanted) decodeSpec() error {
	if w.Spec[0] != '{' {
		return refuse("", "want an object, have %s", typeName(w.Spec))
	}
	switch w.Kind {
	case KindPlugin:
		spec, err := decodePluginSpec(w.Name, w.Spec)
		w.Plugin = &spec
		return err
	case KindEndpoint:
		e, err := DecodeEndpoint(w.Name, w.Spec)
		w.Endpoint = &e
		return err
	case KindRoute:
		r, err := DecodeRoute(w.Name, w.Spec)
		w.Route = &r
		return err
	}
	s, err := DecodeSource(w.Name, w.Spec)
	w.Source = &s
	return err
}

func decodePluginSpec(name string, b []byte) (PluginSpec, error) {
	o := ReadObject(b)
	s := PluginSpec{Active: true}
	o.String("file", &s.File)
	o.String("sha256", &s.SHA256)
	o.Bool("active", &s.Active)
	readPluginSettings(o, &s.PluginSettings)
	o.sameName("name", name)
	s.SHA256 = strings.ToLower(strings.TrimPrefix(s.SHA256, digestPrefix))
	if raw, err := hex.DecodeString(s.SHA256); s.SHA256 == "" {
		o.Refuse("sha256", "is required: the SHA-256 of the module, in 64 hex digits, as \"sha256sum\" prints it")
	} else if err != nil || len(raw) != 32 {
		o.Refuse("sha256", "%q is no SHA-256 in 64 hex digits", s.SHA256)
	}
	return s, o.Close()
}

// ApplyRequest asks for the catalog to become what documents say.
type ApplyRequest struct {
	Documents []Wanted
	// Prune asks for what no document names to be removed.
	Prune bool
	// Events is how many of the latest events a plan is tried on; negative when
	// the request does not say.
	Events int
	// Revision, unless nil, is the one that the catalog must be at.
	Revision *uint64
	// Modules are the bytes of versions that the server need not have yet, by
	// their digests.
	Modules map[string][]byte
}

// Bounds of a request.
const (
	// MaxDocuments bounds the documents of one request.
	MaxDocuments = 100_000
	// DefaultPlanEvents and MaxPlanEvents are how many events a plan is tried on
	// when a request does not say, and at most.
	DefaultPlanEvents = 1000
	MaxPlanEvents     = 10_000
)

// DecodeApply reads {"documents":[…],"prune":true,"events":1000,"revision":7,
// "modules":{"sha256:…":"base64"}}. Faults of all documents are returned
// together, as [FieldErrors].
func DecodeApply(b []byte) (ApplyRequest, error) {
	o := ReadObject(b)
	req := ApplyRequest{Events: -1}
	o.Bool("prune", &req.Prune)
	if raw := o.Raw("events"); raw != nil {
		o.Int("events", &req.Events)
		if req.Events < 0 || req.Events > MaxPlanEvents {
			o.Refuse("events", "is %d; want 0 (none) to %d", req.Events, MaxPlanEvents)
		}
	}
	if o.Raw("revision") != nil {
		var n int
		if o.Int("revision", &n); n < 0 {
			o.Refuse("revision", "is %d; want the revision that a plan answered", n)
		}
		revision := uint64(max(n, 0))
		req.Revision = &revision
	}
	if raw := o.Raw("modules"); raw != nil {
		if err := json.Unmarshal(raw, &req.Modules); err != nil {
			o.Refuse("modules", "want an object of modules in base64 by their digests, have %s", typeName(raw))
		}
	}
	if o.Raw("documents") == nil {
		o.Refuse("documents", "is required: a list, which may be empty")
	}
	list := o.Array("documents")
	if len(list) > MaxDocuments {
		o.Refuse("documents", "holds %d documents; %d are allowed", len(list), MaxDocuments)
	}
	if err := o.Close(); err != nil {
		return req, err
	}
	for digest, module := range req.Modules {
		if have := Digest(module); have != digest {
			return req, refuse(join("modules", digest), "these bytes have the digest %s", have)
		}
	}
	var faults FieldErrors
	for i, raw := range list {
		w, err := DecodeDocument(raw)
		faults = faults.Add(In("documents"+index(i), err))
		req.Documents = append(req.Documents, w)
	}
	if err := faults.Err(); err != nil {
		return req, err
	}
	return req, CheckUnique(req.Documents)
}

// CheckUnique returns [FieldErrors] when two documents claim one name.
func CheckUnique(docs []Wanted) error {
	type claim struct{ kind, name string }
	first := map[claim]int{}
	var faults FieldErrors
	for i, d := range docs {
		c := claim{d.Kind, d.Name}
		if j, taken := first[c]; taken {
			faults = faults.Add(refuse("documents"+index(i)+".name", "the %s %q is claimed by documents[%d] too; keep one of them", strings.ToLower(d.Kind), d.Name, j))
			continue
		}
		first[c] = i
	}
	return faults.Err()
}

// NewEndpointDocument returns the document that puts e, without what is there by
// default.
func NewEndpointDocument(e Endpoint) Document {
	spec := fields{}
	spec.add("kind", e.Kind)
	spec.add("settings", e.Settings)
	if e.Delivery != DefaultDelivery() {
		spec.add("delivery", e.Delivery.changed())
	}
	if e.Paused {
		spec.add("paused", true)
	}
	return Document{KindEndpoint, e.Name, spec.object()}
}

// changed is d without what is there by default.
func (d Delivery) changed() json.RawMessage {
	have, usual := readObject(encode(d)), readObject(encode(DefaultDelivery()))
	var out []member
	for _, m := range have.members {
		if !bytes.Equal(m.value, usual.Raw(m.name)) {
			out = append(out, m)
		}
	}
	return appendMembers(nil, out)
}

// NewRouteDocument returns the document that puts r, without what is there by
// default.
func NewRouteDocument(r Route) Document {
	spec := fields{}
	spec.add("endpointName", r.EndpointName)
	spec.add("filter", r.Filter)
	for _, stages := range []struct {
		name string
		refs []PluginRef
	}{{"filters", r.Filters}, {"transforms", r.Transforms}} {
		if len(stages.refs) == 0 {
			continue
		}
		list := make([]json.RawMessage, len(stages.refs))
		for i, ref := range stages.refs {
			one := fields{}
			one.add("plugin", ref.Plugin)
			if string(ref.Config) != "{}" {
				one.add("config", ref.Config)
			}
			list[i] = one.object()
		}
		spec.add(stages.name, list)
	}
	if !r.Enabled {
		spec.add("enabled", false)
	}
	return Document{KindRoute, r.ID, spec.object()}
}

// NewSourceDocument returns the document that puts s, without what is there by
// default.
func NewSourceDocument(s Source) Document {
	spec := fields{}
	spec.add("kind", s.Kind)
	spec.add("settings", s.Settings)
	if !s.Enabled {
		spec.add("enabled", false)
	}
	return Document{KindSource, s.Name, spec.object()}
}

// NewPluginDocument returns the document that puts p's active version and its
// settings.
func NewPluginDocument(p Plugin) Document {
	spec := fields{}
	active, _ := p.Version(p.Active)
	spec.add("sha256", strings.TrimPrefix(active.Digest, digestPrefix))
	if len(p.Limits) > 0 {
		spec.add("limits", p.Limits)
	}
	if len(p.Grants) > 0 {
		spec.add("grants", p.Grants)
	}
	if p.Breaker != nil {
		spec.add("breaker", p.Breaker)
	}
	return Document{KindPlugin, p.Name, spec.object()}
}

// fields are the members of an object that is about to be written.
type fields []member

func (f *fields) add(name string, v any) { *f = append(*f, member{name, encode(v)}) }

func (f fields) object() json.RawMessage { return appendMembers(nil, f) }

// encode writes v, which was decoded from JSON, as it came.
func encode(v any) json.RawMessage {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("catalog: %v", err)) // it came from JSON
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// State returns all of what e says, defaults included, to be compared.
func (e Endpoint) State() json.RawMessage {
	return encode(struct {
		Kind     string          `json:"kind"`
		Settings json.RawMessage `json:"settings"`
		Delivery Delivery        `json:"delivery"`
		Paused   bool            `json:"paused"`
	}{e.Kind, e.Settings, e.Delivery, e.Paused})
}

// State returns all of what r says, defaults included, to be compared.
func (r Route) State() json.RawMessage {
	return encode(struct {
		EndpointName string      `json:"endpointName"`
		Filter       string      `json:"filter"`
		Filters      []PluginRef `json:"filters"`
		Transforms   []PluginRef `json:"transforms"`
		Enabled      bool        `json:"enabled"`
	}{r.EndpointName, r.Filter, r.Filters, r.Transforms, r.Enabled})
}

// State returns all of what s says, defaults included, to be compared.
func (s Source) State() json.RawMessage {
	return encode(struct {
		Kind     string          `json:"kind"`
		Settings json.RawMessage `json:"settings"`
		Enabled  bool            `json:"enabled"`
	}{s.Kind, s.Settings, s.Enabled})
}

// State returns what a document can say of p, to be compared.
func (p Plugin) State() json.RawMessage {
	active, _ := p.Version(p.Active)
	return encode(struct {
		SHA256 string `json:"sha256"`
		PluginSettings
	}{strings.TrimPrefix(active.Digest, digestPrefix), p.PluginSettings})
}
