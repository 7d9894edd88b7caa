package catalog

import (
	"strconv"
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

// UnmarshalText reads what [time.ParseDuration] does, with whole days before
// it if need be: "7d", "1d12h".
func (d *Duration) UnmarshalText(b []byte) error {
	days, rest, found := strings.Cut(string(b), "d")
	if !found {
		days, rest = "0", days
	} else if rest == "" {
		rest = "0s"
	}
	n, errDays := strconv.ParseUint(days, 10, 16)
	v, err := time.ParseDuration(rest)
	if errDays != nil || err != nil || found && v < 0 {
		return refuse("", "%q is not a duration; "+durationHint, b)
	}
	*d = Duration(n)*Duration(24*time.Hour) + Duration(v)
	return nil
}

const durationHint = `write one such as "500ms", "30s", "5m", "24h" or "7d"`
