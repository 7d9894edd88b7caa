// Package broker is an in-memory message broker with the rules of Azure Service Bus.
//
// It knows queues, topics with subscriptions, sessions, locks, dead letters,
// schedules, duplicates and quotas, and nothing of any wire: a sender's message
// passes through as an opaque body beside the few fields that the rules read.
//
// A subscription takes every message of its topic (the service's true filter,
// which is also its default); rules with other filters, forwarding,
// partitioning and transactions are not here.
//
// Time is the time package's, so that a test inside [testing/synctest] spends
// none. All methods are safe for concurrent use; what they return is a copy.
package broker

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Broker holds the entities of one namespace.
type Broker struct {
	rules        []Queue // declared names with a pattern, in the order declared
	declaredOnly bool

	// mu guards everything below, and every entity, session, message and
	// receiver: each operation is short, and the rules span entities.
	mu       sync.Mutex
	entities map[string]*Entity // queues and topics, by lower-case name
	alarms   heap[alarmer]
	timer    *time.Timer
	armed    time.Time // when timer fires, or zero
	closed   bool
}

// New returns a broker with the entities that cfg declares.
func New(cfg Config) (*Broker, error) {
	b := &Broker{
		declaredOnly: cfg.DeclaredOnly,
		entities:     map[string]*Entity{},
		alarms:       heap[alarmer]{before: earlier, moved: moveAlarm},
	}
	b.timer = time.AfterFunc(time.Hour, b.tick)
	b.timer.Stop()
	for _, q := range cfg.Queues {
		if err := q.validate(); err != nil {
			return nil, err
		}
		if strings.Contains(q.Name, "*") {
			b.rules = append(b.rules, q)
			continue
		}
		if err := b.declare(q.Name, kindQueue, q.Settings); err != nil {
			return nil, err
		}
	}
	for _, t := range cfg.Topics {
		if err := t.validate(); err != nil {
			return nil, err
		}
		if err := b.declare(t.Name, kindTopic, t.Settings); err != nil {
			return nil, err
		}
		topic := b.entities[strings.ToLower(t.Name)]
		for _, s := range t.Subscriptions {
			if topic.subscription(s.Name) != nil {
				return nil, fmt.Errorf("topic %s: subscription %s is declared twice", t.Name, s.Name)
			}
			topic.addSubscription(s.Name, s.Settings)
		}
	}
	return b, nil
}

// Close ends every wait with [ErrClosed] and stops the clock. What the broker
// holds is gone with it.
func (b *Broker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.timer.Stop()
	for _, e := range b.entities {
		e.each((*Entity).wakeAll)
	}
}

// Entity finds what address names: a queue, a topic, a subscription
// ("topic/Subscriptions/name"), or the "$DeadLetterQueue" or
// "$Transfer/$DeadLetterQueue" beneath a queue or a subscription, without
// regard to case. What does not exist is made on first use, unless the
// broker keeps to what was declared: then, and for a name that cannot be, the
// error is [ErrNotFound].
func (b *Broker) Entity(address string) (*Entity, error) {
	name, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	b.enter()
	defer b.mu.Unlock()
	e, err := b.find(name)
	if err != nil {
		return nil, err
	}
	switch {
	case name.box == boxNone:
		return e, nil
	case e.kind == kindTopic:
		return nil, fmt.Errorf("%w: %s is a topic, and has no dead-letter queue", ErrNotFound, e.path)
	case name.box == boxTransfer:
		return e.transfer, nil
	}
	return e.letters, nil
}

// Entities returns every entity, ordered by path.
func (b *Broker) Entities() []*Entity {
	b.enter()
	defer b.mu.Unlock()
	var all []*Entity
	for _, e := range b.entities {
		all = append(all, e)
		all = append(all, e.subs...)
	}
	slices.SortFunc(all, func(x, y *Entity) int { return cmp.Compare(x.path, y.path) })
	return all
}

// find is the queue, topic or subscription of name, made if that is allowed.
func (b *Broker) find(name address) (*Entity, error) {
	e := b.entities[strings.ToLower(name.entity)]
	if e == nil {
		kind := kindQueue
		if name.subscription != "" {
			kind = kindTopic
		}
		settings, ok := b.rule(name.entity, kind)
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, name.entity)
		}
		if err := b.declare(name.entity, kind, settings); err != nil {
			return nil, err
		}
		e = b.entities[strings.ToLower(name.entity)]
	}
	if name.subscription == "" {
		return e, nil
	}
	if e.kind != kindTopic {
		return nil, fmt.Errorf("%w: %s is a queue, and has no subscriptions", ErrNotFound, e.path)
	}
	if s := e.subscription(name.subscription); s != nil {
		return s, nil
	}
	if b.declaredOnly {
		return nil, fmt.Errorf("%w: topic %s has no subscription %s", ErrNotFound, e.path, name.subscription)
	}
	if len(e.subs) >= maxSubscriptions {
		return nil, fmt.Errorf("%w: topic %s has %d subscriptions", ErrQuota, e.path, maxSubscriptions)
	}
	return e.addSubscription(name.subscription, Settings{}), nil
}

// rule is how a name that nobody declared is made.
func (b *Broker) rule(name string, kind kind) (Settings, bool) {
	if kind == kindQueue {
		for _, r := range b.rules {
			if ok, _ := path.Match(strings.ToLower(r.Name), strings.ToLower(name)); ok {
				return r.Settings, true
			}
		}
	}
	return Settings{}, !b.declaredOnly
}

func (b *Broker) declare(name string, kind kind, s Settings) error {
	key := strings.ToLower(name)
	if b.entities[key] != nil {
		return fmt.Errorf("%s is declared twice", name)
	}
	if len(b.entities) >= maxEntities {
		return fmt.Errorf("%w: the namespace has %d queues and topics", ErrQuota, maxEntities)
	}
	b.entities[key] = newEntity(b, name, kind, s)
	return nil
}

// enter locks the broker and lets everything happen that is due, so that no
// operation sees a lock, a message or a session past its time.
func (b *Broker) enter() time.Time {
	b.mu.Lock()
	now := time.Now()
	b.ring(now)
	return now
}
