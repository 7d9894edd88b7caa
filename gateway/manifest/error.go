package manifest

import (
	"errors"
	"fmt"
	"strings"
)

// Error is one fault, and where it is.
type Error struct {
	File         string
	Line, Column int    // counted from 1; 0 for a file as a whole
	Field        string // the path in the document, such as "spec.delivery.maxAge"
	Reason       string
}

// Place is "file:line:column".
func (e *Error) Place() string {
	file := e.File
	if file == "-" {
		file = "standard input"
	}
	if e.Line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d:%d", file, e.Line, e.Column)
}

// Error is the place, the path and the reason.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Place() + ": " + e.Reason
	}
	return e.Place() + ": " + e.Field + ": " + e.Reason
}

// Errors are all faults that were found.
type Errors []*Error

// Error has a line for each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns them all.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}

// faultsOf are the faults that err is.
func faultsOf(err error) []error {
	var several Errors
	switch {
	case err == nil:
		return nil
	case errors.As(err, &several):
		return several.Unwrap()
	}
	return []error{err}
}

// inFile returns err as one of file.
func inFile(file string, err error) *Error {
	var fault *Error
	if errors.As(err, &fault) {
		fault.File = file
		return fault
	}
	return &Error{File: file, Reason: err.Error()}
}

// Fault is what is wrong with a member of the document, at its place. What a
// reference stands for is taken out of the reason.
func (d *Document) Fault(field, reason string) *Error {
	at := d.root.find(field)
	return &Error{File: d.file, Line: at.line, Column: at.column, Field: field, Reason: d.redactAt(field, reason)}
}
