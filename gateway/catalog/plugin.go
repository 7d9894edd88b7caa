package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Plugin is a named artifact with numbered versions, one of which is active.
type Plugin struct {
	Name string `json:"name"`
	// Active is the number of the version that references by name mean.
	Active   int       `json:"active"`
	Versions []Version `json:"versions"` // ascending
	PluginSettings
	Meta
}

// Version is one immutable upload of a plugin.
type Version struct {
	Name    string `json:"name"`
	Version int    `json:"version"` // counted from 1, never given twice
	Digest  string `json:"digest"`  // "sha256:" and 64 hex digits, of the module
	// Kinds are what the module can be: "filter", "transform".
	Kinds []string `json:"kinds"`
	Size  int64    `json:"size"` // of the module, in bytes
	// ConfigSchema is a JSON Schema of its configuration; nil when it has none.
	ConfigSchema json.RawMessage `json:"configSchema,omitempty"`
	CreatedAt    time.Time       `json:"createdAt"`
	// Stats are what the version did; nil where nobody asked.
	Stats *VersionStats `json:"stats,omitempty"`
}

// Key is the plugin's name.
func (p Plugin) Key() string { return p.Name }

// Version returns the version numbered n, and whether there is one.
func (p Plugin) Version(n int) (Version, bool) {
	i := slices.IndexFunc(p.Versions, func(v Version) bool { return v.Version == n })
	if i < 0 {
		return Version{}, false
	}
	return p.Versions[i], true
}

// Digest names a module by its bytes.
func Digest(module []byte) string {
	sum := sha256.Sum256(module)
	return digestPrefix + hex.EncodeToString(sum[:])
}

const digestPrefix = "sha256:"

// Ref says which version of a plugin a route uses: the active one ("name"),
// one by number ("name@3"), or one by digest ("name@sha256:…"). It is
// comparable.
type Ref struct {
	Name    string
	Version int    // 0 when the reference does not say
	Digest  string // empty when the reference does not say
}

// ParseRef reads one of the three forms. Its error is a [*FieldError] without
// a path.
func ParseRef(s string) (Ref, error) {
	name, rest, pinned := strings.Cut(s, "@")
	if err := CheckName("", name); err != nil {
		return Ref{}, err
	}
	if !pinned {
		return Ref{Name: name}, nil
	}
	if digits, ok := strings.CutPrefix(rest, digestPrefix); ok {
		if raw, err := hex.DecodeString(digits); err != nil || len(raw) != sha256.Size || digits != strings.ToLower(digits) {
			return Ref{}, refuse("", "%q does not end in the 64 lower-case hex digits of a SHA-256", s)
		}
		return Ref{Name: name, Digest: rest}, nil
	}
	n, err := strconv.ParseUint(rest, 10, 31)
	if err != nil || n == 0 || rest[0] == '0' {
		return Ref{}, refuse("", `%q is not a plugin reference: write name, name@3 or name@sha256:…`, s)
	}
	return Ref{Name: name, Version: int(n)}, nil
}

// String returns the form that ParseRef read.
func (r Ref) String() string {
	switch {
	case r.Digest != "":
		return r.Name + "@" + r.Digest
	case r.Version != 0:
		return r.Name + "@" + strconv.Itoa(r.Version)
	}
	return r.Name
}

// Follows reports whether r means whichever version is active.
func (r Ref) Follows() bool { return r.Version == 0 && r.Digest == "" }

// means reports whether r, of v's plugin, means v.
func (r Ref) means(v Version, active int) bool {
	switch {
	case r.Digest != "":
		return v.Digest == r.Digest
	case r.Version != 0:
		return v.Version == r.Version
	}
	return v.Version == active
}

// MarshalText returns what String does.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what [ParseRef] does.
func (r *Ref) UnmarshalText(b []byte) error {
	ref, err := ParseRef(string(b))
	if err == nil {
		*r = ref
	}
	return err
}

// DecodeActive reads the body that activates a version, {"version":3}.
func DecodeActive(b []byte) (int, error) {
	o := ReadObject(b)
	var n int
	o.Int("version", &n)
	if n < 1 {
		o.Refuse("version", "is required: the number of the version to activate, from 1")
	}
	return n, o.Close()
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
