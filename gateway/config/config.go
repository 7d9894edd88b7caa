// Package config is the configuration of the server process: where its data
// lies, where it listens, who may talk to it, and how much it may keep.
//
// Every setting has one name, which is its flag, its key in the file and, as
// HEADGATE_NAME, its environment variable. Of these the flag wins, then the
// environment, then the file, then the default. [Settings] lists them all.
package config

import (
	"log/slog"
	"time"
)

// Config is a complete configuration. [Default] returns one that works.
type Config struct {
	// Version is the binary's, for those who ask the server. It is no setting:
	// the command that was built knows it.
	Version string
	// Data is the directory that holds the journal and the catalog.
	Data string
	// Listen is the HOST:PORT to serve on; port 0 picks a free one.
	Listen string
	// TLSCert and TLSKey are PEM files; both or neither.
	TLSCert, TLSKey string
	// Token guards the API and ingest; empty only on a loopback address.
	Token Secret

	Journal Journal
	Plugins Plugins
	// MaxRoutes bounds the routes that clients of Azure Digital Twins can make.
	MaxRoutes int

	LogLevel  slog.Level
	LogFormat string // "text" or "json"

	// Warnings are what an operator should know of these settings, though they
	// work.
	Warnings []string

	// DrainTimeout bounds the wait for deliveries under way at shutdown.
	DrainTimeout time.Duration
}

// Journal is how much the journal may keep.
type Journal struct {
	// MaxBytes bounds the journal on disk. When all of it is owed to some
	// endpoint, senders are answered 503.
	MaxBytes int64
	// RetainAge, and RetainBytes of the whole journal, bound what is kept for
	// replay after every endpoint has it; the stricter one wins, and 0 keeps
	// nothing.
	RetainAge   time.Duration
	RetainBytes int64
	// ReserveBytes of the disk are left free; 0 leaves none.
	ReserveBytes int64
}

// Plugins bounds what plugins may use. The limits are texts by their names, as
// the plugin host reads them; those that are missing are the host's.
type Plugins struct {
	Limits    map[string]string // of a plugin without its own
	MaxLimits map[string]string // that a plugin's own may not exceed
}

// Default returns the configuration of a server that was given no settings.
func Default() Config {
	return Config{
		Data:   "./headgate-data",
		Listen: "127.0.0.1:8080",
		Journal: Journal{
			MaxBytes:     10 << 30,
			RetainAge:    7 * 24 * time.Hour,
			RetainBytes:  1 << 30,
			ReserveBytes: 256 << 20,
		},
		MaxRoutes:    100_000,
		LogLevel:     slog.LevelInfo,
		LogFormat:    "text",
		DrainTimeout: 30 * time.Second,
	}
}

// Secret is a text that no log and no %v shows.
type Secret string

// String returns "***", or nothing when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
