package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// FieldError says which setting is wrong, where it was set, and what to do.
type FieldError struct {
	// Field is the setting's name.
	Field string
	// Where tells the source: "--listen", "HEADGATE_LISTEN" or "FILE:3:9";
	// empty when the value is a default or concerns several settings.
	Where string
	// Value is what was given; never that of a secret.
	Value string
	// Hint says what to do about it.
	Hint string
}

// Error returns "listen "0.0.0.0:8080" (from --listen): do this".
func (e *FieldError) Error() string {
	var b strings.Builder
	b.WriteString(e.Field)
	if e.Value != "" {
		fmt.Fprintf(&b, " %q", e.Value)
	}
	if e.Where != "" {
		fmt.Fprintf(&b, " (from %s)", e.Where)
	}
	b.WriteString(": ")
	b.WriteString(e.Hint)
	return b.String()
}

// hint is an error whose whole text tells what to do.
type hint string

func (h hint) Error() string { return string(h) }

// reason is the words of a file's error without the path, which is told apart.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}
