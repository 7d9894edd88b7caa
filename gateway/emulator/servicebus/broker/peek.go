package broker

import (
	"maps"
	"slices"
	"time"
)

// Peek returns up to n messages, in order, from a sequence number on; of one
// session, if a session is given. Nothing is locked by that.
func (e *Entity) Peek(from int64, n int, session *string) []Message {
	e.b.enter()
	defer e.b.mu.Unlock()
	var found []Message
	for _, m := range e.ledger.entries[e.ledger.from(from):] {
		if len(found) >= n {
			break
		}
		if m.gone || session != nil && (!m.HasSession || m.SessionID != *session) {
			continue
		}
		found = append(found, m.Message)
	}
	return found
}

// Sessions lists, by name, the sessions that have messages or a state; or, if
// since is not zero, those whose state was set after it.
func (e *Entity) Sessions(since time.Time) []string {
	e.b.enter()
	defer e.b.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(e.sessions)) {
		s := e.sessions[id]
		if since.IsZero() && (s.messages > 0 || s.state != nil) || !since.IsZero() && s.updated.After(since) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Info is what an entity is and holds, in numbers.
type Info struct {
	Path            string `json:"path"`
	Kind            string `json:"kind"`
	Status          Status `json:"status"`
	RequiresSession bool   `json:"requiresSession,omitempty"`
	// Bytes is what counts against the quota, of a topic with its subscriptions.
	Bytes int64 `json:"bytes"`
	// Messages is the total of the four counts after it.
	Messages  int `json:"messages"`
	Ready     int `json:"ready"`
	Locked    int `json:"locked"`
	Deferred  int `json:"deferred"`
	Scheduled int `json:"scheduled"`
	// DeadLetters and TransferDeadLetters lie in the queues beneath.
	DeadLetters         int           `json:"deadLetters"`
	TransferDeadLetters int           `json:"transferDeadLetters"`
	Sessions            []SessionInfo `json:"sessions,omitempty"`
}

// SessionInfo is what a session holds.
type SessionInfo struct {
	ID          string    `json:"id"`
	Messages    int       `json:"messages"`
	StateBytes  int       `json:"stateBytes"`
	LockedUntil time.Time `json:"lockedUntil,omitzero"`
}

// Info counts what the entity holds.
func (e *Entity) Info() Info {
	e.b.enter()
	defer e.b.mu.Unlock()
	info := Info{
		Path: e.path, Kind: e.kind.String(), Status: e.settings.Status,
		RequiresSession: e.settings.RequiresSession,
		Bytes:           e.owner.bytes,
		Messages:        e.ledger.len(),
		Locked:          len(e.locked),
	}
	for _, m := range e.ledger.entries {
		switch {
		case m.gone || m.locked:
		case m.State == StateScheduled:
			info.Scheduled++
		case m.State == StateDeferred:
			info.Deferred++
		default:
			info.Ready++
		}
	}
	if e.letters != nil {
		info.DeadLetters, info.TransferDeadLetters = e.letters.ledger.len(), e.transfer.ledger.len()
	}
	for _, id := range slices.Sorted(maps.Keys(e.sessions)) {
		s := e.sessions[id]
		one := SessionInfo{ID: id, Messages: s.messages, StateBytes: len(s.state)}
		if s.holder != nil {
			one.LockedUntil = s.lockedUntil
		}
		info.Sessions = append(info.Sessions, one)
	}
	return info
}
