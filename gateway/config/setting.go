package config

import (
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Setting describes one setting to whoever documents or registers it.
type Setting struct {
	// Name is the flag without its dashes, and the key in the file.
	Name string
	// Env is the environment variable.
	Env string
	// Kind says what a value looks like: "path", "size", "duration", ….
	Kind string
	// Default is the text of the default; empty when there is none.
	Default string
	// Usage is one sentence without a full stop.
	Usage string
	// EnvOnly settings are secrets: a flag would show in the process list, and
	// a key in the file would be committed with it.
	EnvOnly bool
}

// setting ties a description to what it sets.
type setting struct {
	Setting
	set func(l *loader, text string) error
}

// Settings lists every setting, in the order of the documentation.
func Settings() []Setting {
	all := settings()
	out := make([]Setting, len(all))
	for i, s := range all {
		out[i] = s.Setting
	}
	return out
}

// settings is the one table that flags, environment, file and documentation
// are made from.
func settings() []setting {
	d := Default()
	list := []setting{
		{Setting{Name: "data", Kind: "path", Default: d.Data,
			Usage: "directory of the journal and the catalog; created when missing"},
			func(l *loader, s string) error { l.cfg.Data = s; return nil }},
		{Setting{Name: "listen", Kind: "host:port", Default: d.Listen,
			Usage: "address to serve on; other than loopback only with a token"},
			func(l *loader, s string) error { l.cfg.Listen = s; return nil }},
		{Setting{Name: "tls-cert", Kind: "path",
			Usage: "PEM file with the certificate and its chain; serves https"},
			func(l *loader, s string) error { l.cfg.TLSCert = s; return nil }},
		{Setting{Name: "tls-key", Kind: "path",
			Usage: "PEM file with the certificate's private key"},
			func(l *loader, s string) error { l.cfg.TLSKey = s; return nil }},
		{Setting{Name: "token-file", Kind: "path",
			Usage: "file that holds the token which guards the API and ingest"},
			func(l *loader, s string) error { l.tokenFile = s; return nil }},
		{Setting{Name: "token", Kind: "text", EnvOnly: true,
			Usage: "the token itself, instead of a file"},
			func(l *loader, s string) error { l.token = s; return nil }},
		{Setting{Name: "journal-max-size", Kind: "size", Default: FormatBytes(d.Journal.MaxBytes),
			Usage: "most that the journal may take on disk; when all of it is still owed to an endpoint, senders get 503"},
			sizeOf(func(c *Config) *int64 { return &c.Journal.MaxBytes })},
		{Setting{Name: "journal-retain-age", Kind: "duration", Default: FormatDuration(d.Journal.RetainAge),
			Usage: "how long delivered events are kept for replay"},
			durationOf(func(c *Config) *time.Duration { return &c.Journal.RetainAge })},
		{Setting{Name: "journal-retain-size", Kind: "size", Default: FormatBytes(d.Journal.RetainBytes),
			Usage: "size of the whole journal above which delivered events are no longer kept for replay"},
			sizeOf(func(c *Config) *int64 { return &c.Journal.RetainBytes })},
		{Setting{Name: "disk-reserve", Kind: "size", Default: FormatBytes(d.Journal.ReserveBytes),
			Usage: "free space to leave on the disk; below it senders get 503"},
			sizeOf(func(c *Config) *int64 { return &c.Journal.ReserveBytes })},
		{Setting{Name: "plugin-limits", Kind: "limits",
			Usage: "limits of plugins that have none of their own, such as eventFuel=100000000,memoryBytes=134217728"},
			limitsOf(func(c *Config) *map[string]string { return &c.Plugins.Limits })},
		{Setting{Name: "plugin-max-limits", Kind: "limits",
			Usage: "most that a plugin's own limits may be"},
			limitsOf(func(c *Config) *map[string]string { return &c.Plugins.MaxLimits })},
		{Setting{Name: "adt-max-routes", Kind: "number", Default: strconv.Itoa(d.MaxRoutes),
			Usage: "routes that clients of Azure Digital Twins can make"},
			setMaxRoutes},
		{Setting{Name: "log-level", Kind: "level", Default: strings.ToLower(d.LogLevel.String()),
			Usage: "debug, info, warn or error"},
			setLevel},
		{Setting{Name: "log-format", Kind: "format", Default: d.LogFormat,
			Usage: "text or json"},
			func(l *loader, s string) error { l.cfg.LogFormat = s; return nil }},
		{Setting{Name: "drain-timeout", Kind: "duration", Default: FormatDuration(d.DrainTimeout),
			Usage: "how long a shutdown waits for deliveries under way"},
			durationOf(func(c *Config) *time.Duration { return &c.DrainTimeout })},
	}
	for i := range list {
		list[i].Env = EnvName(list[i].Name)
	}
	return list
}

// EnvName is the environment variable of the setting name.
func EnvName(name string) string {
	return "HEADGATE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func sizeOf(field func(*Config) *int64) func(*loader, string) error {
	return func(l *loader, s string) (err error) {
		*field(&l.cfg), err = ParseBytes(s)
		return err
	}
}

// limitsOf reads NAME=VALUE, separated by commas; the plugin host knows the names.
func limitsOf(field func(*Config) *map[string]string) func(*loader, string) error {
	return func(l *loader, s string) error {
		limits := map[string]string{}
		for part := range strings.SplitSeq(s, ",") {
			name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
			if !ok || name == "" || value == "" {
				return hint("use NAME=VALUE, separated by commas, such as eventFuel=100000000")
			}
			if _, twice := limits[name]; twice {
				return hint("gives " + name + " twice")
			}
			limits[name] = value
		}
		*field(&l.cfg) = limits
		return nil
	}
}

func durationOf(field func(*Config) *time.Duration) func(*loader, string) error {
	return func(l *loader, s string) (err error) {
		*field(&l.cfg), err = ParseDuration(s)
		return err
	}
}

func setMaxRoutes(l *loader, s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return hint("use a whole number from 1")
	}
	l.cfg.MaxRoutes = n
	return nil
}

func setLevel(l *loader, s string) error {
	switch strings.ToLower(s) {
	case "debug":
		l.cfg.LogLevel = slog.LevelDebug
	case "info":
		l.cfg.LogLevel = slog.LevelInfo
	case "warn":
		l.cfg.LogLevel = slog.LevelWarn
	case "error":
		l.cfg.LogLevel = slog.LevelError
	default:
		return hint("use debug, info, warn or error")
	}
	return nil
}
