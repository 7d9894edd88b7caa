package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// units are the suffixes of sizes, largest first. Those with an i, and single
// letters, count by 1024; the others by 1000.
var units = [...]struct {
	suffix string
	bytes  int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3},
	{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10},
	{"B", 1},
}

// ParseBytes reads a size such as 512MiB, 1.5GB, 64K or 1048576. Case does not
// matter.
func ParseBytes(s string) (int64, error) {
	number, scale := strings.TrimSpace(s), int64(1)
	for _, u := range units {
		if len(number) > len(u.suffix) && strings.EqualFold(number[len(number)-len(u.suffix):], u.suffix) {
			number, scale = strings.TrimSpace(number[:len(number)-len(u.suffix)]), u.bytes
			break
		}
	}
	if strings.Trim(number, "0123456789.") == "" { // no sign, no exponent
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && n <= math.MaxInt64/scale {
			return n * scale, nil
		}
		if f, err := strconv.ParseFloat(number, 64); err == nil && f*float64(scale) < math.MaxInt64 {
			return int64(f * float64(scale)), nil
		}
	}
	return 0, hint("use a size such as 512MiB, 10GiB or 1048576")
}

// FormatBytes writes n so that [ParseBytes] reads it back: in the largest unit
// of 1024 that divides it.
func FormatBytes(n int64) string {
	if n > 0 {
		for _, u := range units[:4] {
			if n%u.bytes == 0 {
				return strconv.FormatInt(n/u.bytes, 10) + u.suffix
			}
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}

// ParseDuration reads what [time.ParseDuration] does, and whole days as 7d.
func ParseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, hint("use a duration such as 30s, 5m, 24h or 7d")
	}
	return d, nil
}

// FormatDuration writes d so that [ParseDuration] reads it back, whole days as
// 7d.
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
