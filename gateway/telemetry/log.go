package telemetry

import (
	"io"
	"log/slog"
)

// The keys of log lines. Every room uses these names for these things.
const (
	KeyEndpoint = "endpoint"
	KeyRoute    = "route"
	KeyPlugin   = "plugin"
	KeyPosition = "position" // of an accepted event in the journal
	KeyEventID  = "event_id" // the CloudEvents id
	KeyAttempts = "attempts"
	KeyBlame    = "blame"
	KeyErr      = "err"
)

// NewLogger writes lines of level and above to w: JSON when format is "json",
// else text.
func NewLogger(w io.Writer, level slog.Level, format string) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
