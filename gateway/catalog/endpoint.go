package catalog

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// Endpoint is a named, configured destination that routes refer to.
type Endpoint struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Settings are a JSON object whose members the kind defines. In the store
	// they hold their secrets; [Kinds.Mask] takes those out.
	Settings json.RawMessage `json:"settings,omitempty"`
	Delivery Delivery        `json:"delivery,omitzero"`
	// Paused means that nothing is sent to it: what it is owed waits.
	Paused bool `json:"paused,omitempty"`
	Meta
}

// Meta is what the store says of a resource.
type Meta struct {
	// Revision is the catalog's revision at which the resource became what it
	// is; no other state of any resource of that name ever had the same.
	Revision  uint64    `json:"revision,omitzero"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
}

// Key is the endpoint's name.
func (e Endpoint) Key() string { return e.Name }

// Same reports whether e and o would do the same.
func (e Endpoint) Same(o Endpoint) bool {
	return e.Kind == o.Kind && e.Delivery == o.Delivery && e.Paused == o.Paused && bytes.Equal(compact(e.Settings), compact(o.Settings))
}

// WithDefaults returns e with settings and delivery where it has none.
func (e Endpoint) WithDefaults() Endpoint {
	if e.Settings == nil {
		e.Settings = json.RawMessage(`{}`)
	}
	e.Settings = compact(e.Settings)
	if e.Delivery == (Delivery{}) {
		e.Delivery = DefaultDelivery()
	}
	return e
}

// DecodeEndpoint reads the endpoint called name from the JSON that a client
// sent, and fills what it left out. Settings are only known to be an object:
// [Kinds.Prepare] checks them.
//
// Members that the server writes (name, revision, createdAt, updatedAt) may be
// sent back as they were read; a name must be the one in the path.
func DecodeEndpoint(name string, b []byte) (Endpoint, error) {
	if err := CheckName("name", name); err != nil {
		return Endpoint{}, err
	}
	o := ReadObject(b)
	e := Endpoint{Name: name, Settings: json.RawMessage(`{}`)}
	o.String("kind", &e.Kind)
	if settings := o.Raw("settings"); settings != nil {
		if settings[0] != '{' {
			o.Refuse("settings", "want a JSON object, have %s", typeName(settings))
		}
		e.Settings = compact(settings)
	}
	d, err := decodeDelivery(o.Raw("delivery"))
	o.fail(In("delivery", err))
	e.Delivery = d
	o.Bool("paused", &e.Paused)
	o.sameName("name", name)
	o.Ignore("revision", "createdAt", "updatedAt", "status")
	if e.Kind == "" {
		o.Refuse("kind", "is required: the kind of endpoint, such as \"webhook\"")
	}
	if err := o.Close(); err != nil {
		return Endpoint{}, err
	}
	return e, nil
}

// sameName refuses a name in the body that is not the path's.
func (o *Object) sameName(member, want string) {
	have := want
	if o.String(member, &have); have != want {
		o.Refuse(member, "is %q in the body and %q in the path; leave it out of the body", have, want)
	}
}

// Delivery is how an endpoint's deliveries are tried, in JSON.
type Delivery struct {
	MaxAttempts    int      `json:"maxAttempts"` // all tries counted; 0 sets no limit
	MaxAge         Duration `json:"maxAge"`
	InitialBackoff Duration `json:"initialBackoff"`
	MaxBackoff     Duration `json:"maxBackoff"`
	Timeout        Duration `json:"timeout"`
	// OrderBy is "subject" (the twin key), an attribute's name, a "$body."
	// path, or "none".
	OrderBy string `json:"orderBy"`
}

// DefaultDelivery is [delivery.DefaultPolicy].
func DefaultDelivery() Delivery {
	p := delivery.DefaultPolicy()
	return Delivery{
		MaxAttempts:    p.MaxAttempts,
		MaxAge:         Duration(p.MaxAge),
		InitialBackoff: Duration(p.InitialBackoff),
		MaxBackoff:     Duration(p.MaxBackoff),
		Timeout:        Duration(p.Timeout),
		OrderBy:        p.OrderBy,
	}
}

// Policy returns e's delivery settings as the engine uses them.
func (e Endpoint) Policy() delivery.Policy {
	return delivery.Policy{
		MaxAttempts:    e.Delivery.MaxAttempts,
		MaxAge:         time.Duration(e.Delivery.MaxAge),
		InitialBackoff: time.Duration(e.Delivery.InitialBackoff),
		MaxBackoff:     time.Duration(e.Delivery.MaxBackoff),
		Timeout:        time.Duration(e.Delivery.Timeout),
		OrderBy:        e.Delivery.OrderBy,
	}
}

// Bounds of what may be asked for.
const (
	maxMaxAttempts = 1_000_000
	maxTimeout     = Duration(time.Hour)
	maxMaxAge      = Duration(10 * 365 * 24 * time.Hour)
	minDuration    = Duration(time.Millisecond)
)

func decodeDelivery(b json.RawMessage) (Delivery, error) {
	d := DefaultDelivery()
	if b == nil {
		return d, nil
	}
	o := readObject(b)
	o.Int("maxAttempts", &d.MaxAttempts)
	o.Duration("maxAge", &d.MaxAge)
	d.InitialBackoff, d.MaxBackoff = 0, 0
	o.Duration("initialBackoff", &d.InitialBackoff)
	o.Duration("maxBackoff", &d.MaxBackoff)
	o.Duration("timeout", &d.Timeout)
	o.String("orderBy", &d.OrderBy)
	if err := o.Close(); err != nil {
		return Delivery{}, err
	}
	return d.withBackoff(b).checked()
}

// withBackoff fills the backoffs that b leaves out, so that one given alone
// never contradicts the default of the other.
func (d Delivery) withBackoff(b json.RawMessage) Delivery {
	given, def := readObject(b), DefaultDelivery()
	initial, maximum := given.Raw("initialBackoff") != nil, given.Raw("maxBackoff") != nil
	switch {
	case !initial && !maximum:
		d.InitialBackoff, d.MaxBackoff = def.InitialBackoff, def.MaxBackoff
	case !initial:
		d.InitialBackoff = min(def.InitialBackoff, d.MaxBackoff)
	case !maximum:
		d.MaxBackoff = max(def.MaxBackoff, d.InitialBackoff)
	}
	return d
}

func (d Delivery) checked() (Delivery, error) {
	if d.MaxAttempts < 0 || d.MaxAttempts > maxMaxAttempts {
		return d, refuse("maxAttempts", "%d is not between 0 (no limit) and %d", d.MaxAttempts, maxMaxAttempts)
	}
	for _, f := range []struct {
		name     string
		have     Duration
		at, most Duration
	}{
		{"maxAge", d.MaxAge, minDuration, maxMaxAge},
		{"initialBackoff", d.InitialBackoff, minDuration, maxMaxAge},
		{"maxBackoff", d.MaxBackoff, minDuration, maxMaxAge},
		{"timeout", d.Timeout, minDuration, maxTimeout},
	} {
		if f.have < f.at || f.have > f.most {
			return d, refuse(f.name, "%s is not between %s and %s", f.have, f.at, f.most)
		}
	}
	if d.InitialBackoff > d.MaxBackoff {
		return d, refuse("initialBackoff", "%s is longer than maxBackoff, %s", d.InitialBackoff, d.MaxBackoff)
	}
	return d, checkOrderBy(d.OrderBy)
}

func checkOrderBy(s string) error {
	if path, ok := strings.CutPrefix(s, "$body."); ok {
		if path == "" || len(path) > 1024 || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' }) {
			return refuse("orderBy", "%q is not a path: write one such as $body.site.id", s)
		}
		return nil
	}
	foreign := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if s == "" || len(s) > 64 || strings.ContainsFunc(s, foreign) {
		return refuse("orderBy", `%q is none of "subject", an attribute's name in lower case, a "$body." path and "none"`, s)
	}
	return nil
}
