package broker

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"
)

// Defaults of [Settings], and limits of a namespace.
const (
	DefaultLockDuration     = time.Minute
	DefaultMaxDeliveryCount = 10
	DefaultDuplicateWindow  = 10 * time.Minute
	DefaultMaxMessageBytes  = 256 << 10 // the Standard tier's
	DefaultMaxSizeBytes     = 1 << 30

	maxEntities      = 10_000
	maxSubscriptions = 2_000
	maxLockDuration  = 5 * time.Minute
)

// Config declares the entities of a namespace. Its zero value declares none,
// and makes each on first use.
//
// On first use a name is a topic when it is addressed with a subscription, and
// a queue otherwise; neither requires sessions, since who comes first must not
// decide that. A queue declared with a "*" in its name is a rule instead: it
// gives its settings to every queue made on first use whose name matches, the
// first rule that does.
type Config struct {
	Queues []Queue `json:"queues,omitempty"`
	Topics []Topic `json:"topics,omitempty"`
	// DeclaredOnly leaves every other name not found.
	DeclaredOnly bool `json:"declaredOnly,omitempty"`
}

// Queue declares a queue, or a rule for queues made on first use.
type Queue struct {
	Name string `json:"name"`
	Settings
}

// Topic declares a topic. Sessions, locks and delivery counts are its
// subscriptions' affair.
type Topic struct {
	Name string `json:"name"`
	Settings
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription declares a subscription, which takes every message of its
// topic. Duplicates and sizes are its topic's affair.
type Subscription struct {
	Name string `json:"name"`
	Settings
}

// Settings are named as the service's resource manager names them. A zero
// value is the default.
type Settings struct {
	RequiresSession bool `json:"requiresSession,omitempty"`
	// LockDuration is how long a message or a session stays locked: at most 5m.
	LockDuration Duration `json:"lockDuration,omitempty"`
	// MaxDeliveryCount is how many deliveries may fail before a message is
	// dead-lettered.
	MaxDeliveryCount int `json:"maxDeliveryCount,omitempty"`
	// DefaultMessageTimeToLive bounds every message's own; 0 is no bound.
	DefaultMessageTimeToLive         Duration `json:"defaultMessageTimeToLive,omitempty"`
	DeadLetteringOnMessageExpiration bool     `json:"deadLetteringOnMessageExpiration,omitempty"`
	RequiresDuplicateDetection       bool     `json:"requiresDuplicateDetection,omitempty"`
	// DuplicateDetectionHistoryTimeWindow is how long a message id is remembered.
	DuplicateDetectionHistoryTimeWindow Duration `json:"duplicateDetectionHistoryTimeWindow,omitempty"`
	// MaxMessageBytes bounds one transfer: a message, or a batch.
	MaxMessageBytes int64 `json:"maxMessageSizeBytes,omitempty"`
	// MaxSizeBytes bounds what a queue, or a topic with its subscriptions, holds.
	MaxSizeBytes int64  `json:"maxSizeBytes,omitempty"`
	Status       Status `json:"status,omitempty"`
}

// Status says what an entity lets be done.
type Status string

// The statuses of an entity.
const (
	Active          Status = "active"
	Disabled        Status = "disabled"
	SendDisabled    Status = "sendDisabled"
	ReceiveDisabled Status = "receiveDisabled"
)

// Duration is a time.Duration that JSON spells as Go does: "30s".
type Duration time.Duration

// MarshalJSON writes a duration as a string.
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON reads a duration from a string.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf(`duration %s: want a string such as "30s"`, b)
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

func (q Queue) validate() error {
	if _, err := path.Match(q.Name, ""); err != nil || !validName(strings.ReplaceAll(q.Name, "*", "x")) {
		return fmt.Errorf("queue %q: not a name", q.Name)
	}
	return q.Settings.validate("queue " + q.Name)
}

func (t Topic) validate() error {
	if !validName(t.Name) {
		return fmt.Errorf("topic %q: not a name", t.Name)
	}
	if t.RequiresSession || t.LockDuration != 0 || t.MaxDeliveryCount != 0 || t.DeadLetteringOnMessageExpiration {
		return fmt.Errorf("topic %s: sessions, locks, delivery counts and dead letters are set for its subscriptions", t.Name)
	}
	if err := t.Settings.validate("topic " + t.Name); err != nil {
		return err
	}
	for _, s := range t.Subscriptions {
		subject := fmt.Sprintf("topic %s: subscription %s", t.Name, s.Name)
		if !validName(s.Name) || strings.Contains(s.Name, "/") {
			return fmt.Errorf("topic %s: subscription %q: not a name", t.Name, s.Name)
		}
		if s.RequiresDuplicateDetection || s.DuplicateDetectionHistoryTimeWindow != 0 || s.MaxMessageBytes != 0 || s.MaxSizeBytes != 0 {
			return fmt.Errorf("%s: duplicates and sizes are set for the topic", subject)
		}
		if err := s.Settings.validate(subject); err != nil {
			return err
		}
	}
	return nil
}

func (s Settings) validate(subject string) error {
	switch {
	case s.LockDuration < 0 || time.Duration(s.LockDuration) > maxLockDuration:
		return fmt.Errorf("%s: lockDuration %v: want at most %v", subject, time.Duration(s.LockDuration), maxLockDuration)
	case s.MaxDeliveryCount < 0, s.DefaultMessageTimeToLive < 0, s.MaxMessageBytes < 0, s.MaxSizeBytes < 0,
		s.DuplicateDetectionHistoryTimeWindow < 0:
		return fmt.Errorf("%s: a count, a size or a duration is negative", subject)
	}
	switch s.Status {
	case "", Active, Disabled, SendDisabled, ReceiveDisabled:
		return nil
	}
	return fmt.Errorf("%s: status %q: want %s, %s, %s or %s", subject, s.Status, Active, Disabled, SendDisabled, ReceiveDisabled)
}

// withDefaults gives every zero value its default.
func (s Settings) withDefaults() Settings {
	if s.LockDuration == 0 {
		s.LockDuration = Duration(DefaultLockDuration)
	}
	if s.MaxDeliveryCount == 0 {
		s.MaxDeliveryCount = DefaultMaxDeliveryCount
	}
	if s.DuplicateDetectionHistoryTimeWindow == 0 {
		s.DuplicateDetectionHistoryTimeWindow = Duration(DefaultDuplicateWindow)
	}
	if s.MaxMessageBytes == 0 {
		s.MaxMessageBytes = DefaultMaxMessageBytes
	}
	if s.MaxSizeBytes == 0 {
		s.MaxSizeBytes = DefaultMaxSizeBytes
	}
	if s.Status == "" {
		s.Status = Active
	}
	return s
}
