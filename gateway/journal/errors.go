package journal

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers tell apart with [errors.Is].
var (
	// ErrClosed is returned once Close was called.
	ErrClosed = errors.New("journal is closed")
	// ErrNotFound is returned for what the journal does not hold, or no longer.
	ErrNotFound = errors.New("not in the journal")
	// ErrTooLarge is returned for a record that no message can carry.
	ErrTooLarge = errors.New("too large for the journal")
	// ErrDamaged is what a [DamagedError] is.
	ErrDamaged = errors.New("journal is damaged")

	// ErrFull: the journal has its largest size, and endpoints still owe all of it.
	ErrFull = errors.New("journal is full: endpoints have yet to take what it holds; raise its size, or repair or remove the endpoint that lags")
	// ErrDiskFull: the free space of the disk is down to the reserve.
	ErrDiskFull = errors.New("disk is nearly full: free some space, or lower the reserve")
	// ErrBusy: the disk does not keep up with what arrives.
	ErrBusy = errors.New("journal cannot keep up with what arrives")
	// ErrUnavailable: a write failed, and the store is being reopened.
	ErrUnavailable = errors.New("journal is being reopened after a write error")
)

// DamagedError reports chunks that were accepted and cannot be read.
type DamagedError struct {
	First, Last uint64 // the sequences, both included
	Err         error
}

// Error names the sequences.
func (e *DamagedError) Error() string {
	if e.First == e.Last {
		return fmt.Sprintf("journal: chunk %d: %v", e.First, e.Err)
	}
	return fmt.Sprintf("journal: chunks %d to %d: %v", e.First, e.Last, e.Err)
}

// Unwrap makes the error an [ErrDamaged].
func (e *DamagedError) Unwrap() []error { return []error{ErrDamaged, e.Err} }

// retryError is an error that means "not now".
type retryError struct {
	err   error
	after time.Duration
}

func later(err error, after time.Duration) error { return &retryError{err, after} }

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// RetryAfter is how long a caller does well to wait.
func (e *retryError) RetryAfter() time.Duration { return e.after }
