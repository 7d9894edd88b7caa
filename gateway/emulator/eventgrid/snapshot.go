package eventgrid

import "slices"

// Snapshot is what lies in the emulator at one moment.
type Snapshot struct {
	Topics []TopicSnapshot `json:"topics"`
}

// TopicSnapshot is a topic at one moment.
type TopicSnapshot struct {
	Name     string `json:"name"`
	Schema   string `json:"schema"`
	Endpoint string `json:"endpoint"`
	// Requests counts all that came, Accepted the events that were taken.
	Requests int `json:"requests"`
	Accepted int `json:"accepted"`
	// Events are the latest that were taken, oldest first.
	Events        []Published            `json:"events"`
	Subscriptions []SubscriptionSnapshot `json:"subscriptions"`
}

// SubscriptionSnapshot is a subscription at one moment.
type SubscriptionSnapshot struct {
	Name        string `json:"name"`
	EndpointURL string `json:"endpointUrl"`
	State       State  `json:"provisioningState"`
	// Reason says why the validation failed.
	Reason string `json:"reason,omitempty"`
	// Pending counts the events that wait, also for another attempt, and those
	// under way; Delivered those that the endpoint took; Dead those given up.
	Pending   int `json:"pending"`
	Delivered int `json:"delivered"`
	Dead      int `json:"dead"`
	// DeadLetters are the latest, oldest first.
	DeadLetters []DeadLetter `json:"deadLetters"`
}

// Snapshot returns what lies in the emulator now.
func (s *Server) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Snapshot{Topics: []TopicSnapshot{}}
	for _, t := range s.topics {
		out.Topics = append(out.Topics, s.snapshotOf(t))
	}
	return out
}

// Topic returns one topic of the snapshot, and the zero value if there is none.
func (s *Server) Topic(name string) TopicSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.find(name); t != nil {
		return s.snapshotOf(t)
	}
	return TopicSnapshot{}
}

// snapshotOf copies t. The caller holds mu.
func (s *Server) snapshotOf(t *topic) TopicSnapshot {
	out := TopicSnapshot{
		Name: t.Name, Schema: t.Schema, Endpoint: s.Endpoint(t.Name), Requests: t.requests, Accepted: t.accepted,
		Events: slices.Clone(last(t.events, s.opts.Keep)), Subscriptions: []SubscriptionSnapshot{},
	}
	for _, sub := range t.subscriptions {
		copied := sub.snapshot()
		copied.DeadLetters = slices.Clone(last(sub.letters, s.opts.Keep))
		out.Subscriptions = append(out.Subscriptions, copied)
	}
	return out
}

// snapshot is sub without its dead letters.
func (sub *subscription) snapshot() SubscriptionSnapshot {
	return SubscriptionSnapshot{
		Name: sub.Name, EndpointURL: sub.EndpointURL, State: sub.state, Reason: sub.reason,
		Pending: len(sub.pending) + sub.sending, Delivered: sub.delivered, Dead: sub.dead,
	}
}

// last returns the last n elements of list, never nil.
func last[T any](list []T, n int) []T {
	if list == nil {
		return []T{}
	}
	return list[max(0, len(list)-n):]
}
