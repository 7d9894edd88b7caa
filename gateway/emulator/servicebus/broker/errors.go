package broker

import "errors"

// What an operation may answer. Errors wrap one of these, and say the subject.
var (
	// ErrClosed is returned by every wait once the broker is closed.
	ErrClosed = errors.New("broker is closed")
	// ErrNotFound is returned for an entity that does not exist.
	ErrNotFound = errors.New("entity not found")
	// ErrNotAllowed is returned for what the entity's kind or settings rule
	// out: a message without a session for an entity that requires one, a
	// receiver of the wrong sort.
	ErrNotAllowed = errors.New("not allowed")
	// ErrArgument is returned for a value that can never be right.
	ErrArgument = errors.New("invalid argument")
	// ErrDisabled is returned for an entity whose status forbids it.
	ErrDisabled = errors.New("entity is disabled")
	// ErrQuota is returned by a send that would exceed an entity's size.
	ErrQuota = errors.New("quota exceeded")
	// ErrTooLarge is returned for a message, a batch or a session state over the limit.
	ErrTooLarge = errors.New("message too large")
	// ErrMessageLockLost is returned when a message is not, or no longer, locked
	// under the token given.
	ErrMessageLockLost = errors.New("message lock lost")
	// ErrSessionLockLost is returned when the caller does not, or no longer,
	// hold the session.
	ErrSessionLockLost = errors.New("session lock lost")
	// ErrSessionHeld is returned for a named session that another receiver holds.
	ErrSessionHeld = errors.New("session cannot be locked")
	// ErrNoSession is returned when no session had messages in time.
	ErrNoSession = errors.New("no session is available")
	// ErrNoMessage is returned for a sequence number that no scheduled or
	// deferred message has.
	ErrNoMessage = errors.New("message not found")
)
