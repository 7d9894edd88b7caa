package servicebus

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// operation answers one kind of request to an entity's $management, for an
// owner of sessions: the connection it came by. Its error is told as [told] says.
type operation func(e *broker.Entity, owner any, in fields) (amqp.Response, error)

// operations are those that the official clients ask for, but for the rules of
// subscriptions, which here all have the true filter.
var operations = map[string]operation{
	"com.microsoft:renew-lock":                 renewLock,
	"com.microsoft:renew-session-lock":         renewSessionLock,
	"com.microsoft:get-session-state":          getSessionState,
	"com.microsoft:set-session-state":          setSessionState,
	"com.microsoft:get-message-sessions":       getMessageSessions,
	"com.microsoft:peek-message":               peekMessage,
	"com.microsoft:schedule-message":           scheduleMessage,
	"com.microsoft:cancel-scheduled-message":   cancelScheduledMessage,
	"com.microsoft:receive-by-sequence-number": receiveBySequenceNumber,
	"com.microsoft:update-disposition":         updateDisposition,
}

// requests is the $management node of e.
func (s *Server) requests(e *broker.Entity) *amqp.Requests {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[e]
	if n == nil {
		n = amqp.NewRequests(func(_ context.Context, r amqp.Request) amqp.Response {
			return manage(e, r.Link.Conn(), r.Operation(), r.Body())
		})
		s.nodes[e] = n
	}
	return n
}

func manage(e *broker.Entity, owner any, operation string, body any) amqp.Response {
	do, ok := operations[operation]
	if !ok {
		return amqp.Response{
			Status: 501, Condition: amqp.NotImplemented,
			Description: fmt.Sprintf("operation %q is not implemented", operation),
		}
	}
	in, _ := body.(amqp.Map)
	out, err := do(e, owner, fields(in))
	if err != nil {
		reason, status := told(err)
		return amqp.Response{Status: status, Condition: reason.Condition, Description: reason.Description}
	}
	return out
}

func renewLock(e *broker.Entity, _ any, in fields) (amqp.Response, error) {
	tokens, err := in.tokens()
	if err != nil {
		return amqp.Response{}, err
	}
	until, err := e.RenewLocks(tokens...)
	return ok("expirations", amqp.NewArray(until...)), err
}

func renewSessionLock(e *broker.Entity, owner any, in fields) (amqp.Response, error) {
	id, err := field[string](in, "session-id")
	if err != nil {
		return amqp.Response{}, err
	}
	until, err := e.RenewSession(owner, id)
	return ok("expiration", until), err
}

func getSessionState(e *broker.Entity, owner any, in fields) (amqp.Response, error) {
	id, err := field[string](in, "session-id")
	if err != nil {
		return amqp.Response{}, err
	}
	state, err := e.SessionState(owner, id)
	if state == nil {
		return ok("session-state", nil), err
	}
	return ok("session-state", state), err
}

func setSessionState(e *broker.Entity, owner any, in fields) (amqp.Response, error) {
	id, err := field[string](in, "session-id")
	if err != nil {
		return amqp.Response{}, err
	}
	state, err := optional[[]byte](in, "session-state")
	if err != nil {
		return amqp.Response{}, err
	}
	return amqp.Response{Status: 200}, e.SetSessionState(owner, id, state)
}

// endOfTime is what clients send to list all sessions: .NET's last moment, or later.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func getMessageSessions(e *broker.Entity, _ any, in fields) (amqp.Response, error) {
	since, err1 := field[time.Time](in, "last-updated-time")
	skip, err2 := in.integer("skip")
	top, err3 := in.integer("top")
	if err := cmp.Or(err1, err2, err3); err != nil {
		return amqp.Response{}, err
	}
	if !since.Before(endOfTime) {
		since = time.Time{}
	}
	ids := e.Sessions(since)
	ids = ids[min(max(skip, 0), int64(len(ids))):]
	ids = ids[:min(max(top, 0), int64(len(ids)))]
	if len(ids) == 0 {
		return amqp.Response{Status: 204}, nil
	}
	out := ok("sessions-ids", amqp.NewArray(ids...))
	out.Body = append(out.Body.(amqp.Map), amqp.Pair{Key: "skip", Value: int32(len(ids))})
	return out, nil
}

// maxPeekBytes is about how much one answer to a peek holds.
const maxPeekBytes = 1 << 20

func peekMessage(e *broker.Entity, _ any, in fields) (amqp.Response, error) {
	from, err1 := in.integer("from-sequence-number")
	count, err2 := in.integer("message-count")
	omit, err3 := optional[bool](in, "omit-message-body")
	session, err4 := optionalPointer[string](in, "session-id")
	if err := cmp.Or(err1, err2, err3, err4); err != nil {
		return amqp.Response{}, err
	}
	list, size := amqp.List{}, 0
	for _, m := range e.Peek(from, int(min(max(count, 0), 1000)), session) {
		m.LockToken, m.LockedUntil = broker.Token{}, time.Time{} // not the caller's
		if omit {
			head := *m.Body.(*amqp.Message)
			head.Body = nil
			m.Body = &head
		}
		b, err := encode(m)
		if err != nil {
			return amqp.Response{}, err
		}
		if size += len(b); size > maxPeekBytes && len(list) > 0 {
			break
		}
		list = append(list, amqp.MapOf(map[string]any{"message": b}))
	}
	out := ok("messages", list)
	if len(list) == 0 {
		out.Status = 204
	}
	return out, nil
}

func scheduleMessage(e *broker.Entity, _ any, in fields) (amqp.Response, error) {
	list, err := in.list("messages")
	if err != nil {
		return amqp.Response{}, err
	}
	messages := make([]broker.Message, len(list))
	for i, v := range list {
		entry, _ := v.(amqp.Map)
		b, err := field[[]byte](fields(entry), "message")
		if err != nil {
			return amqp.Response{}, err
		}
		if messages[i], err = decodeOne(b); err != nil {
			return amqp.Response{}, err
		}
		if id, _ := optionalPointer[string](fields(entry), "session-id"); id != nil && !messages[i].HasSession {
			messages[i].SessionID, messages[i].HasSession = *id, true
		}
	}
	numbers, err := e.Schedule(messages...)
	return ok("sequence-numbers", amqp.NewArray(numbers...)), err
}

func cancelScheduledMessage(e *broker.Entity, _ any, in fields) (amqp.Response, error) {
	numbers, err := in.integers("sequence-numbers")
	if err != nil {
		return amqp.Response{}, err
	}
	return amqp.Response{Status: 200}, e.Cancel(numbers...)
}

func receiveBySequenceNumber(e *broker.Entity, owner any, in fields) (amqp.Response, error) {
	numbers, err1 := in.integers("sequence-numbers")
	settle, err2 := in.integer("receiver-settle-mode")
	if err := cmp.Or(err1, err2); err != nil {
		return amqp.Response{}, err
	}
	mode := broker.ReceiveAndDelete
	if settle == 1 {
		mode = broker.PeekLock
	}
	messages, err := e.ReceiveDeferred(owner, mode, numbers...)
	if err != nil {
		return amqp.Response{}, err
	}
	list := make(amqp.List, len(messages))
	for i, m := range messages {
		b, err := encode(m)
		if err != nil {
			return amqp.Response{}, err
		}
		list[i] = amqp.MapOf(map[string]any{"message": b, "lock-token": amqp.UUID(m.LockToken)})
	}
	return ok("messages", list), nil
}

// verdicts are spelled as the service spells them.
var verdicts = map[string]broker.Verdict{
	"completed": broker.Complete,
	"abandoned": broker.Abandon,
	"suspended": broker.DeadLetter,
	"defered":   broker.Defer,
}

func updateDisposition(e *broker.Entity, owner any, in fields) (amqp.Response, error) {
	status, err1 := field[string](in, "disposition-status")
	tokens, err2 := in.tokens()
	changes, err3 := optional[amqp.Map](in, "properties-to-modify")
	reason, err4 := optional[string](in, "deadletter-reason")
	description, err5 := optional[string](in, "deadletter-description")
	if err := cmp.Or(err1, err2, err3, err4, err5); err != nil {
		return amqp.Response{}, err
	}
	verdict, known := verdicts[status]
	if !known {
		return amqp.Response{}, fmt.Errorf("%w: disposition-status %q", broker.ErrArgument, status)
	}
	d := broker.Disposition{Verdict: verdict, Reason: reason, Description: description, Properties: properties(changes)}
	for _, t := range slices.Compact(tokens) {
		if err := e.Settle(owner, t, d); err != nil {
			return amqp.Response{}, err
		}
	}
	return amqp.Response{Status: 200}, nil
}

// ok is an answer that holds one value.
func ok(name string, v any) amqp.Response {
	return amqp.Response{Status: 200, Body: amqp.MapOf(map[string]any{name: v})}
}
