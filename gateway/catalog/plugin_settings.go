package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// PluginSettings are what an operator decides of a plugin, for all its
// versions. The zero value leaves everything to the server.
type PluginSettings struct {
	// Limits take the place of the server's, by their names: numbers, and a text
	// for a duration. The host knows which there are.
	Limits map[string]json.RawMessage `json:"limits,omitempty"`
	// Grants are capabilities that the plugin has when it wants them.
	Grants  []string `json:"grants,omitempty"`
	Breaker *Breaker `json:"breaker,omitempty"`
}

// Breaker says when a plugin that keeps trapping is left alone, and what
// becomes of its events meanwhile. Zero fields are the server's defaults.
type Breaker struct {
	Traps    int      `json:"traps,omitempty"`  // of Window events; negative: never
	Window   int      `json:"window,omitempty"` // up to 64
	Pause    Duration `json:"pause,omitempty"`
	MaxPause Duration `json:"maxPause,omitempty"`
	OnOpen   OnOpen   `json:"onOpen,omitempty"`
}

// OnOpen is what becomes of the events of a plugin whose breaker is open.
type OnOpen string

// What may become of them.
const (
	OnOpenDeadLetter OnOpen = "deadLetter" // the default
	OnOpenWait       OnOpen = "wait"
)

const maxBreakerWindow = 64

// DecodePluginSettings reads the settings of the plugin called name from the
// JSON that a client sent. Members that the server writes may be sent back as
// they were read.
func DecodePluginSettings(name string, b []byte) (PluginSettings, error) {
	o := ReadObject(b)
	var s PluginSettings
	readPluginSettings(o, &s)
	o.sameName("name", name)
	o.Ignore("active", "versions", "revision", "createdAt", "updatedAt")
	return s, o.Close()
}

func readPluginSettings(o *Object, s *PluginSettings) {
	if raw := o.Raw("limits"); raw != nil {
		if err := json.Unmarshal(raw, &s.Limits); err != nil {
			o.Refuse("limits", "want an object of limits by their names, have %s", typeName(raw))
		}
	}
	for i, raw := range o.Array("grants") {
		var grant string
		if err := json.Unmarshal(raw, &grant); err != nil {
			o.Refuse("grants"+index(i), "want the name of a capability, have %s", typeName(raw))
			break
		}
		s.Grants = append(s.Grants, grant)
	}
	slices.Sort(s.Grants)
	s.Grants = slices.Compact(s.Grants)
	if raw := o.Raw("breaker"); raw != nil {
		breaker, err := decodeBreaker(raw)
		o.fail(In("breaker", err))
		s.Breaker = &breaker
	}
}

func decodeBreaker(b json.RawMessage) (Breaker, error) {
	o := ReadObject(b)
	var br Breaker
	o.Int("traps", &br.Traps)
	o.Int("window", &br.Window)
	o.Duration("pause", &br.Pause)
	o.Duration("maxPause", &br.MaxPause)
	var onOpen string
	o.String("onOpen", &onOpen)
	br.OnOpen = OnOpen(onOpen)
	switch {
	case br.Window < 0 || br.Window > maxBreakerWindow:
		o.Refuse("window", "is %d; want 1 to %d events", br.Window, maxBreakerWindow)
	case br.Traps > maxBreakerWindow || br.Window > 0 && br.Traps > br.Window:
		o.Refuse("traps", "is %d, more than the window; no breaker would ever open: write -1 to say so", br.Traps)
	case br.Pause < 0:
		o.Refuse("pause", "is %s; want a time, such as 10s", br.Pause)
	case br.MaxPause < 0 || br.MaxPause > 0 && br.MaxPause < br.Pause:
		o.Refuse("maxPause", "is %s; want no less than pause", br.MaxPause)
	}
	if br.OnOpen != "" && br.OnOpen != OnOpenDeadLetter && br.OnOpen != OnOpenWait {
		o.Refuse("onOpen", "%q is neither %q nor %q", br.OnOpen, OnOpenDeadLetter, OnOpenWait)
	}
	return br, o.Close()
}

// Same reports whether s and o would do the same.
func (s PluginSettings) Same(o PluginSettings) bool { return s.Text() == o.Text() }

// Text is s as JSON, the same for the same settings.
func (s PluginSettings) Text() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // what was decoded can be encoded
	}
	return string(bytes.TrimSpace(b))
}

// Admitted is a version with what was found when it was let in.
type Admitted struct {
	Version
	// DryRun says that nothing was stored; the number is then 0, unless the
	// plugin has these bytes already.
	DryRun bool `json:"dryRun,omitempty"`
	// Report is the report of the admission, as the API's description has it.
	Report json.RawMessage `json:"report"`
}

// Trap is what is kept of an event on which a plugin failed, so that it can be
// seen again.
type Trap struct {
	ID       string         `json:"id"` // the name of its bundle
	Time     time.Time      `json:"time"`
	Size     int64          `json:"size"`   // of the bundle, in bytes
	Plugin   string         `json:"plugin"` // "name@version"
	Digest   string         `json:"digest"`
	Kind     string         `json:"kind"`
	Position event.Position `json:"position,omitzero"` // of the event; none when the plugin did not start
	Fault    string         `json:"fault"`
	Text     string         `json:"text,omitempty"`
	At       string         `json:"at,omitempty"` // the function that trapped
	Fuel     int64          `json:"fuel"`
}
