package broker

import (
	"cmp"
	"container/list"
	"fmt"
	"strings"
	"time"
)

type kind int

const (
	kindQueue kind = iota
	kindTopic
	kindSubscription
	kindLetters
	kindTransfer
)

// dead is whether messages come to rest here: they do not expire, and no count
// of deliveries ends them.
func (k kind) dead() bool { return k == kindLetters || k == kindTransfer }

func (k kind) String() string {
	return [...]string{"queue", "topic", "subscription", "deadLetterQueue", "transferDeadLetterQueue"}[k]
}

// Entity is a queue, a topic, a subscription, or a dead-letter queue. One made
// by a broker lives as long as the broker.
type Entity struct {
	b        *Broker
	path     string
	kind     kind
	declared Settings // with defaults
	settings Settings // what holds now
	owner    *Entity  // the queue or topic whose quota counts what lies here

	subs              []*Entity // of a topic
	letters, transfer *Entity   // of a queue or a subscription

	ledger   ledger
	sequence int64
	ready    heap[*entry]     // without sessions
	locked   map[Token]*entry // with or without
	sessions map[string]*session
	waiting  *list.List // of sessions that have ready messages and no holder
	arrived  signal     // a message is ready, or a session waits
	recent   duplicates
	bytes    int64 // held under this quota
}

func newEntity(b *Broker, path string, kind kind, s Settings) *Entity {
	e := &Entity{
		b:        b,
		path:     path,
		kind:     kind,
		declared: s.withDefaults(),
		ready:    heap[*entry]{before: bySequence, moved: moveReady},
		locked:   map[Token]*entry{},
		sessions: map[string]*session{},
		waiting:  list.New(),
	}
	e.owner, e.settings = e, e.declared
	if kind == kindQueue || kind == kindSubscription {
		e.letters = e.beneath("/$DeadLetterQueue", kindLetters)
		e.transfer = e.beneath("/$Transfer/$DeadLetterQueue", kindTransfer)
	}
	return e
}

// beneath makes a dead-letter queue of e.
func (e *Entity) beneath(suffix string, kind kind) *Entity {
	d := newEntity(e.b, e.path+suffix, kind, Settings{
		LockDuration:    e.declared.LockDuration,
		MaxMessageBytes: e.declared.MaxMessageBytes,
	})
	d.owner = e.owner
	return d
}

func (e *Entity) addSubscription(name string, s Settings) *Entity {
	sub := newEntity(e.b, e.path+"/Subscriptions/"+name, kindSubscription, s)
	for _, x := range []*Entity{sub, sub.letters, sub.transfer} {
		x.owner = e
		x.declared.MaxMessageBytes = e.declared.MaxMessageBytes
		x.settings = x.declared
	}
	e.subs = append(e.subs, sub)
	return sub
}

func (e *Entity) subscription(name string) *Entity {
	for _, s := range e.subs {
		if strings.EqualFold(s.path[len(e.path)+len("/Subscriptions/"):], name) {
			return s
		}
	}
	return nil
}

// each calls f for e and what lies beneath it.
func (e *Entity) each(f func(*Entity)) {
	f(e)
	for _, s := range e.subs {
		s.each(f)
	}
	if e.letters != nil {
		f(e.letters)
		f(e.transfer)
	}
}

// Path is the entity's address, spelled as it was first.
func (e *Entity) Path() string { return e.path }

// RequiresSession is whether messages are received by session alone.
func (e *Entity) RequiresSession() bool { return e.declared.RequiresSession }

// MaxMessageBytes is the most that one transfer to the entity may hold.
func (e *Entity) MaxMessageBytes() int64 {
	e.b.mu.Lock()
	defer e.b.mu.Unlock()
	return e.settings.MaxMessageBytes
}

// Sendable returns nil for an entity that senders may attach to.
func (e *Entity) Sendable() error {
	e.b.enter()
	defer e.b.mu.Unlock()
	return e.sendable()
}

func (e *Entity) sendable() error {
	switch {
	case e.b.closed:
		return ErrClosed
	case e.kind != kindQueue && e.kind != kindTopic:
		return fmt.Errorf("%w: %s: a %v takes no messages from senders", ErrNotAllowed, e.path, e.kind)
	case e.settings.Status == Disabled || e.settings.Status == SendDisabled:
		return fmt.Errorf("%w: %s: status %s", ErrDisabled, e.path, e.settings.Status)
	}
	return nil
}

func (e *Entity) receivable() error {
	switch {
	case e.b.closed:
		return ErrClosed
	case e.kind == kindTopic:
		return fmt.Errorf("%w: %s is a topic: receive from a subscription", ErrNotAllowed, e.path)
	case e.settings.Status == Disabled || e.settings.Status == ReceiveDisabled:
		return fmt.Errorf("%w: %s: status %s", ErrDisabled, e.path, e.settings.Status)
	}
	return nil
}

// SetStatus changes what may be done from now on. Receivers that wait learn of it.
func (e *Entity) SetStatus(s Status) error {
	if err := (Settings{Status: s}).validate(e.path); err != nil {
		return err
	}
	e.b.enter()
	defer e.b.mu.Unlock()
	e.settings.Status = (Settings{Status: s}).withDefaults().Status
	e.wakeAll()
	return nil
}

// SetLimits changes from now on how large a transfer may be and how much the
// entity may hold; 0 is what was declared.
func (e *Entity) SetLimits(maxMessageBytes, maxSizeBytes int64) error {
	if err := (Settings{MaxMessageBytes: maxMessageBytes, MaxSizeBytes: maxSizeBytes}).validate(e.path); err != nil {
		return err
	}
	e.b.enter()
	defer e.b.mu.Unlock()
	e.settings.MaxMessageBytes = cmp.Or(maxMessageBytes, e.declared.MaxMessageBytes)
	e.settings.MaxSizeBytes = cmp.Or(maxSizeBytes, e.declared.MaxSizeBytes)
	return nil
}

// Restore makes status and limits again what was declared.
func (e *Entity) Restore() {
	e.b.enter()
	defer e.b.mu.Unlock()
	e.settings = e.declared
	e.wakeAll()
}

func (e *Entity) wakeAll() {
	e.arrived.wake()
	for _, s := range e.sessions {
		s.arrived.wake()
	}
}

func (e *Entity) lockDuration() time.Duration { return time.Duration(e.settings.LockDuration) }

// signal wakes everyone who waits, who then look for themselves.
type signal struct{ ch chan struct{} }

func (s *signal) wait() <-chan struct{} {
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) wake() {
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
