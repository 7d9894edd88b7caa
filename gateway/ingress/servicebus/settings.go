package servicebus

import (
	"encoding/json"
	"strings"

	"github.com/headgate/headgate/gateway/ingress/pull"
)

// sessionMode is whether to receive by session.
type sessionMode uint8

const (
	sessionsAuto sessionMode = iota // as the entity wants it
	sessionsOn
	sessionsOff
)

type settings struct {
	pull.Target
	queue, topic, subscription string // a queue, or the other two
	sessions                   sessionMode
	maxSessions, maxBatch      int
	wrap                       pull.Wrap
}

// Bounds of settings.
const (
	usualSessions, mostSessions = 8, 256
	usualBatch, mostBatch       = 256, 2048
)

func validate(raw json.RawMessage) error {
	set, err := parse(raw)
	if err != nil {
		return err
	}
	return set.Check()
}

func parse(raw json.RawMessage) (settings, error) {
	in := pull.ReadSettings(raw)
	s := settings{Target: pull.ReadTarget(in)}
	s.Right = "Azure Service Bus Data Receiver"
	s.readEntity(in, in.Text("topic"), in.Text("subscription"))
	switch mode := in.Raw("sessions"); string(mode) {
	case "", "null", `"auto"`:
	case "true":
		s.sessions = sessionsOn
	case "false":
		s.sessions = sessionsOff
	default:
		in.Refuse("sessions", `must be true, false or "auto"`)
	}
	s.maxSessions = in.Integer("maxConcurrentSessions", usualSessions, 1, mostSessions)
	s.maxBatch = in.Integer("maxBatch", usualBatch, 1, mostBatch)
	s.wrap = pull.ReadWrap(in, pull.Wrap{
		Type: "headgate.servicebus.message", Source: s.Origin(), Subject: "$sessionId|$partitionKey", ID: "$messageId|$sequenceNumber",
	})
	return s, in.Err()
}

// readEntity finds out what to receive from: a queue, or a subscription that
// is named apart or in the path.
func (s *settings) readEntity(in *pull.Settings, topic, subscription string) {
	field := "entityPath"
	if topic != "" {
		if s.Entity != "" && !strings.EqualFold(s.Entity, topic) {
			in.Refuse("topic", "is not the entityPath; remove one of them")
		}
		field, s.Entity = "topic", topic
		if subscription == "" {
			in.Refuse("subscription", "is required with a topic")
		}
	}
	if s.Entity == "" {
		in.Refuse("entityPath", "is required: a queue, or TOPIC/Subscriptions/NAME")
		return
	}
	pull.CheckEntity(in, field, s.Entity)
	pull.CheckEntity(in, "subscription", subscription)
	const between = "/subscriptions/"
	at := strings.Index(strings.ToLower(s.Entity), between)
	switch {
	case at >= 0 && subscription != "":
		in.Refuse("subscription", "stands beside a path that names one already; remove one of them")
	case at >= 0:
		s.topic, s.subscription = s.Entity[:at], s.Entity[at+len(between):]
	case subscription != "":
		s.topic, s.subscription = s.Entity, subscription
	default:
		s.queue = s.Entity
		return
	}
	s.Entity = s.topic + "/Subscriptions/" + s.subscription
}
