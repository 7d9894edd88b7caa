package amqp

import (
	"errors"
	"fmt"
)

// Conditions of errors that the specification names. A broker may use its own.
const (
	InternalError         Symbol = "amqp:internal-error"
	NotFound              Symbol = "amqp:not-found"
	UnauthorizedAccess    Symbol = "amqp:unauthorized-access"
	DecodeError           Symbol = "amqp:decode-error"
	ResourceLimitExceeded Symbol = "amqp:resource-limit-exceeded"
	NotAllowed            Symbol = "amqp:not-allowed"
	InvalidField          Symbol = "amqp:invalid-field"
	NotImplemented        Symbol = "amqp:not-implemented"
	ConnectionForced      Symbol = "amqp:connection:forced"
	FramingError          Symbol = "amqp:connection:framing-error"
	WindowViolation       Symbol = "amqp:session:window-violation"
	ErrantLink            Symbol = "amqp:session:errant-link"
	HandleInUse           Symbol = "amqp:session:handle-in-use"
	UnattachedHandle      Symbol = "amqp:session:unattached-handle"
	DetachForced          Symbol = "amqp:link:detach-forced"
	TransferLimitExceeded Symbol = "amqp:link:transfer-limit-exceeded"
	MessageSizeExceeded   Symbol = "amqp:link:message-size-exceeded"
	Stolen                Symbol = "amqp:link:stolen"
)

// Error is the error that a peer is told.
type Error struct {
	Condition   Symbol
	Description string
	Info        Map
}

// Errorf returns an error with a condition and a description.
func Errorf(condition Symbol, format string, args ...any) *Error {
	return &Error{Condition: condition, Description: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return string(e.Condition) + ": " + e.Description }

func (*Error) code() uint64 { return descError }

func (e *Error) visit(f *fields) {
	must(f, &e.Condition)
	may(f, &e.Description)
	many(f, &e.Info)
}

// asError is err as a peer may be told it.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Errorf(InternalError, "%v", err)
}
