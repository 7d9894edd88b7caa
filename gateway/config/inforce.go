package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// InForce is a setting with its value.
type InForce struct {
	Setting
	// Value is the text that would set it, or "***" for a secret that is set.
	Value string
}

// Changed reports whether the setting is not the default.
func (s InForce) Changed() bool { return s.Value != s.Default }

// InForce lists the settings as c has them, in the order of the documentation.
// Of the token, which is read from one of two places, only one is listed.
func (c Config) InForce() []InForce {
	values := map[string]string{
		"data": c.Data, "listen": c.Listen, "tls-cert": c.TLSCert, "tls-key": c.TLSKey, "token": c.Token.String(),
		"journal-max-size":    FormatBytes(c.Journal.MaxBytes),
		"journal-retain-age":  FormatDuration(c.Journal.RetainAge),
		"journal-retain-size": FormatBytes(c.Journal.RetainBytes),
		"disk-reserve":        FormatBytes(c.Journal.ReserveBytes),
		"plugin-limits":       limitsText(c.Plugins.Limits),
		"plugin-max-limits":   limitsText(c.Plugins.MaxLimits),
		"adt-max-routes":      strconv.Itoa(c.MaxRoutes),
		"log-level":           strings.ToLower(c.LogLevel.String()),
		"log-format":          c.LogFormat,
		"drain-timeout":       FormatDuration(max(c.DrainTimeout, time.Duration(0))),
	}
	var all []InForce
	for _, s := range Settings() {
		if value, ok := values[s.Name]; ok {
			all = append(all, InForce{s, value})
		}
	}
	return all
}

func limitsText(limits map[string]string) string {
	parts := make([]string, 0, len(limits))
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		parts = append(parts, name+"="+limits[name])
	}
	return strings.Join(parts, ",")
}
