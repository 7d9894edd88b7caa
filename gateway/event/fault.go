package event

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/headgate/headgate/sdk/json"
)

// FieldError says which attribute of which event cannot be accepted, and what
// would be.
type FieldError struct {
	// Index is the place of the event in its batch, from 0; -1 when it came
	// alone, or when the fault is that of the whole text.
	Index int
	// Field is the attribute, "data" or "data_base64"; empty when the fault is
	// not that of one attribute.
	Field string
	// Reason reads on from the field: "must be a string".
	Reason string
}

func (e *FieldError) Error() string {
	text := e.Reason
	if e.Field != "" {
		text = e.Field + " " + text
	}
	return inBatch(e.Index) + text
}

// TooLargeError says that an event exceeds [MaxEventBytes].
type TooLargeError struct {
	Index int // as in [FieldError]
	Bytes int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%sis %d bytes, more than the %d that one event may have; put large data elsewhere and send a reference to it",
		inBatch(e.Index), e.Bytes, MaxEventBytes)
}

// inBatch is how an error's text begins.
func inBatch(index int) string {
	if index < 0 {
		return "event: "
	}
	return "event " + strconv.Itoa(index) + " of the batch: "
}

// fault returns an error about field; index is set where it is known.
func fault(field, reason string) *FieldError {
	return &FieldError{Index: -1, Field: field, Reason: reason}
}

// at sets the index of an error from a decoder of one event.
func at(index int, err error) error {
	if e, ok := errors.AsType[*FieldError](err); ok {
		e.Index = index
	} else if e, ok := errors.AsType[*TooLargeError](err); ok {
		e.Index = index
	}
	return err
}

// notJSON returns the error for a text that json.Parse refused.
func notJSON(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fault("", fmt.Sprintf("is not JSON in UTF-8: at byte %d: %s", syntax.Offset, syntax.Reason))
	}
	return err
}

// checkSize bounds e.
func checkSize(e *Event) error {
	if n := e.Size(); n > MaxEventBytes {
		return &TooLargeError{Index: -1, Bytes: n}
	}
	return nil
}
