package eventgrid

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The schemas of topics and deliveries.
const (
	EventGridSchema  = "eventGridSchema"
	CloudEventSchema = "cloudEventSchemaV1_0"
)

// Topic declares a custom topic.
type Topic struct {
	Name string `json:"name"`
	// Schema is what the topic takes; EventGridSchema when empty.
	Schema string `json:"schema,omitempty"`
	// Key is what publishers must show; see Options.Key.
	Key           string         `json:"key,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription declares where the events of a topic go. The names of members
// are those of an event subscription in Azure.
type Subscription struct {
	Name string `json:"name"`
	// EndpointURL is a webhook; unlike the service's it may be plain HTTP.
	EndpointURL string `json:"endpointUrl"`
	// EventDeliverySchema is the topic's when empty. A topic for CloudEvents
	// delivers nothing else.
	EventDeliverySchema string `json:"eventDeliverySchema,omitempty"`

	IncludedEventTypes []string `json:"includedEventTypes,omitempty"`
	SubjectBeginsWith  string   `json:"subjectBeginsWith,omitempty"`
	SubjectEndsWith    string   `json:"subjectEndsWith,omitempty"`

	// MaxDeliveryAttempts is 30 and EventTimeToLiveInMinutes 1440 when 0.
	MaxDeliveryAttempts      int `json:"maxDeliveryAttempts,omitempty"`
	EventTimeToLiveInMinutes int `json:"eventTimeToLiveInMinutes,omitempty"`
	// MaxEventsPerBatch is 1 and PreferredBatchSizeInKilobytes 64 when 0.
	MaxEventsPerBatch             int `json:"maxEventsPerBatch,omitempty"`
	PreferredBatchSizeInKilobytes int `json:"preferredBatchSizeInKilobytes,omitempty"`

	// DeliveryHeaders go with every delivery.
	DeliveryHeaders map[string]string `json:"deliveryHeaders,omitempty"`
}

// Validate says what [Server.Declare] would refuse t for, as such.
func (t Topic) Validate() error { return new(Server).declare(t) }

// topic is a declared one and what became of it.
type topic struct {
	Topic
	id            string // its resource id
	requests      int
	accepted      int
	events        []Published // the latest
	subscriptions []*subscription
	fault         fault
}

// errName is the reason why a name is none.
var errName = errors.New("must be 3 to 50 letters, digits and hyphens")

// Declare creates a topic, or replaces the declaration of one without
// subscriptions; its subscriptions are validated in the background.
func (s *Server) Declare(t Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	before := len(s.topics)
	if err := s.declare(t); err != nil {
		return err
	}
	for _, declared := range s.topics[before:] {
		for _, sub := range declared.subscriptions {
			s.delivery.Go(func() { s.validateUntilDone(sub) })
		}
	}
	return nil
}

var errClosed = errors.New("the emulator is closed")

// declare adds t. The caller holds mu, or is the only one.
func (s *Server) declare(t Topic) error {
	if !isName(t.Name) || t.Name == "emulator" {
		return fmt.Errorf("topic %q: name %w", t.Name, errName)
	}
	schema, err := schemaOf(t.Schema, EventGridSchema)
	if err != nil {
		return fmt.Errorf("topic %s: %w", t.Name, err)
	}
	t.Schema = schema
	if t.Key == "" {
		t.Key = s.opts.Key
	}
	added := &topic{Topic: t, id: "/subscriptions/emulator/resourceGroups/emulator/providers/Microsoft.EventGrid/topics/" + t.Name}
	for _, declared := range t.Subscriptions {
		sub, err := added.newSubscription(declared)
		if err != nil {
			return fmt.Errorf("topic %s: %w", t.Name, err)
		}
		added.subscriptions = append(added.subscriptions, sub)
	}
	if old := s.find(t.Name); old != nil {
		if len(old.subscriptions)+len(added.subscriptions) > 0 {
			return fmt.Errorf("topic %s: exists, with subscriptions", t.Name)
		}
		old.Topic = added.Topic
		return nil
	}
	s.topics = append(s.topics, added)
	return nil
}

// find returns a topic, or nil. The caller holds mu.
func (s *Server) find(name string) *topic {
	for _, t := range s.topics {
		if strings.EqualFold(t.Name, name) {
			return t
		}
	}
	return nil
}

// newSubscription checks d and gives it its defaults.
func (t *topic) newSubscription(d Subscription) (*subscription, error) {
	if !isName(d.Name) {
		return nil, fmt.Errorf("subscription %q: name %w", d.Name, errName)
	}
	fail := func(format string, args ...any) (*subscription, error) {
		return nil, fmt.Errorf("subscription %s: "+format, append([]any{d.Name}, args...)...)
	}
	u, err := url.Parse(d.EndpointURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fail("endpointUrl must be an http or https URL")
	}
	if d.EventDeliverySchema, err = schemaOf(d.EventDeliverySchema, t.Schema); err != nil {
		return fail("%w", err)
	}
	if t.Schema == CloudEventSchema && d.EventDeliverySchema != CloudEventSchema {
		return fail("a topic for CloudEvents delivers CloudEvents alone")
	}
	for _, n := range []struct {
		name        string
		at          *int
		usual, most int
	}{
		{"maxDeliveryAttempts", &d.MaxDeliveryAttempts, 30, 30},
		{"eventTimeToLiveInMinutes", &d.EventTimeToLiveInMinutes, 1440, 1440},
		{"maxEventsPerBatch", &d.MaxEventsPerBatch, 1, 5000},
		{"preferredBatchSizeInKilobytes", &d.PreferredBatchSizeInKilobytes, 64, 1024},
	} {
		if *n.at == 0 {
			*n.at = n.usual
		}
		if *n.at < 1 || *n.at > n.most {
			return fail("%s must be 1 to %d", n.name, n.most)
		}
	}
	if len(d.DeliveryHeaders) > 10 {
		return fail("deliveryHeaders may be 10 at most")
	}
	for name := range d.DeliveryHeaders {
		if strings.HasPrefix(strings.ToLower(name), "aeg-") {
			return fail("deliveryHeaders must not begin with aeg-")
		}
	}
	return &subscription{Subscription: d, topic: t, state: Creating, wake: make(chan struct{}, 1)}, nil
}

// ttl is how old an event may become.
func (d *Subscription) ttl() time.Duration {
	return time.Duration(d.EventTimeToLiveInMinutes) * time.Minute
}

// wants reports whether the filters let an event through.
func (d *Subscription) wants(e accepted) bool {
	if len(d.IncludedEventTypes) > 0 && !slices.ContainsFunc(d.IncludedEventTypes, func(t string) bool { return strings.EqualFold(t, e.eventType) }) {
		return false
	}
	subject := strings.ToLower(e.subject) // the service compares without regard to case unless told otherwise
	return strings.HasPrefix(subject, strings.ToLower(d.SubjectBeginsWith)) &&
		strings.HasSuffix(subject, strings.ToLower(d.SubjectEndsWith))
}

// schemaOf returns the schema that name means; empty means usual.
func schemaOf(name, usual string) (string, error) {
	for _, schema := range []string{EventGridSchema, CloudEventSchema} {
		if strings.EqualFold(name, schema) {
			return schema, nil
		}
	}
	if name == "" {
		return usual, nil
	}
	return "", fmt.Errorf("schema %q is not one of %s, %s", name, EventGridSchema, CloudEventSchema)
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 50
}
