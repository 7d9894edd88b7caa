package servicebus

import (
	"context"
	"errors"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// Conditions that the service adds to AMQP's.
const (
	argumentError    amqp.Symbol = "com.microsoft:argument-error"
	entityDisabled   amqp.Symbol = "com.microsoft:entity-disabled"
	messageLockLost  amqp.Symbol = "com.microsoft:message-lock-lost"
	messageNotFound  amqp.Symbol = "com.microsoft:message-not-found"
	serverBusy       amqp.Symbol = "com.microsoft:server-busy"
	sessionHeld      amqp.Symbol = "com.microsoft:session-cannot-be-locked"
	sessionLockLost  amqp.Symbol = "com.microsoft:session-lock-lost"
	timeoutCondition amqp.Symbol = "com.microsoft:timeout"
)

// answers are what clients are told: on a link the condition, in answer to a
// request the status as well.
var answers = []struct {
	err       error
	condition amqp.Symbol
	status    int
}{
	{broker.ErrNotAllowed, amqp.NotAllowed, 400},
	{broker.ErrArgument, argumentError, 400},
	{broker.ErrDisabled, entityDisabled, 400},
	{broker.ErrQuota, amqp.ResourceLimitExceeded, 403},
	{broker.ErrTooLarge, amqp.MessageSizeExceeded, 400},
	{broker.ErrMessageLockLost, messageLockLost, 410},
	{broker.ErrSessionLockLost, sessionLockLost, 410},
	{broker.ErrSessionHeld, sessionHeld, 409},
	{broker.ErrNoSession, timeoutCondition, 408},
	{broker.ErrNoMessage, messageNotFound, 404},
	{broker.ErrClosed, amqp.ConnectionForced, 503},
	{context.DeadlineExceeded, timeoutCondition, 408},
	{amqp.ErrDecode, amqp.DecodeError, 400},
	{amqp.ErrValue, amqp.InvalidField, 400},
}

// told is err as a client is told it.
func told(err error) (*amqp.Error, int) {
	var said *amqp.Error
	if errors.As(err, &said) {
		return said, 400
	}
	if errors.Is(err, broker.ErrNotFound) { // the JavaScript client knows it by these words
		return amqp.Errorf(amqp.NotFound, "The messaging entity asked for could not be found: %v", err), 404
	}
	for _, a := range answers {
		if errors.Is(err, a.err) {
			return amqp.Errorf(a.condition, "%v", err), a.status
		}
	}
	return amqp.Errorf(amqp.InternalError, "%v", err), 500
}
