package catalog

import (
	"strings"
	"time"
)

// Duration is a time.Duration that JSON writes as Go does, without units that
// are zero: "24h", "1m30s", "250ms".
type Duration time.Duration

// String returns the short form.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText returns what String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [time.ParseDuration] does.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return refuse("", "%q is not a duration; "+durationHint, b)
	}
	*d = Duration(v)
	return nil
}

const durationHint = `write one such as "500ms", "30s", "5m" or "24h"`
