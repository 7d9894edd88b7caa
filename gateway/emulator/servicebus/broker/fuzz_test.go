package broker_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// FuzzOperations does to a queue what the bytes say, with and without sessions,
// and holds it to this after each step:
//
//  1. What was sent is in the queue, in its dead-letter queue, or was taken for good.
//  2. Its numbers agree: ready + locked + deferred + scheduled is what Peek lists.
//  3. Its bytes are those of the messages that it and its dead letters hold.
//  4. What a receiver is fed comes in order, and nothing twice while it is locked.
//  5. One receiver at a time holds a session.
func FuzzOperations(f *testing.F) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		ops := make([]byte, 300)
		for i := range ops {
			ops[i] = byte(r.Uint32())
		}
		f.Add(seed%2 == 0, ops)
	}
	f.Fuzz(func(t *testing.T, withSessions bool, ops []byte) {
		b := open(t, broker.Config{Queues: []broker.Queue{{Name: "q", Settings: broker.Settings{RequiresSession: withSessions, MaxDeliveryCount: 3}}}})
		m := &model{t: t, sessions: withSessions, q: entity(t, b, "q"), letters: entity(t, b, "q/$DeadLetterQueue"), locked: map[broker.Token]held{}}
		for i := 0; i+1 < len(ops); i += 2 {
			m.step(ops[i], int(ops[i+1]))
			m.check()
		}
	})
}

// model is what a queue must agree with.
type model struct {
	t          *testing.T
	sessions   bool
	q, letters *broker.Entity
	sent, done int
	receivers  []*broker.Receiver
	locked     map[broker.Token]held
	order      []broker.Token // of locked, as they came
	deferred   []int64
}

type held struct {
	r *broker.Receiver
	m broker.Message
}

func (m *model) step(op byte, arg int) {
	switch op % 8 {
	case 0, 1:
		m.send(arg)
	case 2:
		m.receive(arg)
	case 3, 4:
		m.feed(arg)
	case 5:
		m.settle(arg)
	case 6:
		m.takeDeferred(arg)
	case 7:
		m.interrupt(arg)
	}
}

func (m *model) send(arg int) {
	batch := make([]broker.Message, 1+arg%3)
	for i := range batch {
		batch[i] = broker.Message{Size: int64(1 + arg%7), Body: "x", HasSession: m.sessions}
		if m.sessions {
			batch[i].SessionID = fmt.Sprint(arg % 4)
		}
		if arg%11 == 0 {
			batch[i].EnqueueAt = time.Now().Add(time.Hour)
		}
	}
	send(m.t, m.q, batch...)
	m.sent += len(batch)
}

func (m *model) receive(arg int) {
	if len(m.receivers) > 8 {
		return
	}
	var r *broker.Receiver
	var err error
	if m.sessions {
		id := fmt.Sprint(arg % 4)
		r, err = m.q.AcceptSession(ever, m.t, &id, broker.PeekLock)
		if errors.Is(err, broker.ErrSessionHeld) != m.holds(id) {
			m.t.Fatalf("accepting session %s: %v", id, err)
		}
	} else {
		r, err = m.q.Receive(m.t, broker.PeekLock)
	}
	if err == nil {
		m.receivers = append(m.receivers, r)
	} else if !errors.Is(err, broker.ErrSessionHeld) {
		m.t.Fatal(err)
	}
}

func (m *model) holds(id string) bool {
	for _, r := range m.receivers {
		if held, _, ok := r.Session(); ok && held == id {
			return true
		}
	}
	return false
}

func (m *model) feed(arg int) {
	if len(m.receivers) == 0 {
		return
	}
	r := m.receivers[arg%len(m.receivers)]
	last, room := int64(0), arg%5
	if _, err := r.Feed(func(got broker.Message) error {
		if room--; room < 0 {
			return errors.New("enough")
		}
		if got.Sequence <= last {
			m.t.Fatalf("fed %d after %d", got.Sequence, last)
		}
		last = got.Sequence
		for _, h := range m.locked {
			if h.m.Sequence == got.Sequence {
				m.t.Fatalf("fed %d, which is locked", got.Sequence)
			}
		}
		m.locked[got.LockToken] = held{r, got}
		m.order = append(m.order, got.LockToken)
		return nil
	}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) settle(arg int) {
	if len(m.order) == 0 {
		return
	}
	at := arg % len(m.order)
	token := m.order[at]
	h, is := m.locked[token]
	d := broker.Disposition{Verdict: broker.Verdict(arg % 5)}
	var err error
	if h.r != nil {
		err = h.r.Settle(token, d)
	} else {
		err = m.q.Settle(m.t, token, d)
	}
	if (err == nil) != is {
		m.t.Fatalf("settling a message that is locked (%v): %v", is, err)
	}
	delete(m.locked, token)
	m.order = append(m.order[:at], m.order[at+1:]...)
	switch {
	case err != nil:
	case d.Verdict == broker.Complete:
		m.done++
	case d.Verdict == broker.Defer:
		m.deferred = append(m.deferred, h.m.Sequence)
	}
}

func (m *model) takeDeferred(arg int) {
	if len(m.deferred) == 0 {
		return
	}
	n := m.deferred[arg%len(m.deferred)]
	got, err := m.q.ReceiveDeferred(m.t, broker.Mode(arg%2), n)
	switch {
	case errors.Is(err, broker.ErrNoMessage), errors.Is(err, broker.ErrSessionLockLost):
	case err != nil:
		m.t.Fatal(err)
	case arg%2 == int(broker.ReceiveAndDelete):
		m.done++
	default:
		m.locked[got[0].LockToken] = held{nil, got[0]}
		m.order = append(m.order, got[0].LockToken)
	}
}

// interrupt closes a receiver, is lost, or breaks all locks.
func (m *model) interrupt(arg int) {
	if len(m.receivers) == 0 {
		return
	}
	at := arg % len(m.receivers)
	r := m.receivers[at]
	id, _, _ := r.Session()
	m.receivers = append(m.receivers[:at], m.receivers[at+1:]...)
	lost := arg%3 > 0
	r.Close(lost)
	for token, h := range m.locked {
		if m.sessions && h.m.SessionID == id || !m.sessions && lost && h.r == r {
			delete(m.locked, token)
		}
	}
	if arg%16 != 0 {
		return
	}
	m.q.BreakLocks()
	clear(m.locked)
	if m.sessions {
		m.receivers = nil
	}
}

func (m *model) check() {
	info := m.q.Info()
	if got := info.Messages + info.DeadLetters + m.done; got != m.sent {
		m.t.Fatalf("1: of %d messages %d are accounted for: %+v", m.sent, got, info)
	}
	listed, bytes := m.q.Peek(0, m.sent, nil), int64(0)
	if len(listed) != info.Messages || info.Ready+info.Locked+info.Deferred+info.Scheduled != info.Messages || info.Locked != len(m.locked) {
		m.t.Fatalf("2: %d are listed, %d locked: %+v", len(listed), len(m.locked), info)
	}
	for _, x := range append(listed, m.letters.Peek(0, m.sent, nil)...) {
		bytes += x.Size
	}
	if bytes != info.Bytes {
		m.t.Fatalf("3: %d bytes are held: %+v", bytes, info)
	}
	inSessions := 0
	for _, s := range info.Sessions {
		inSessions += s.Messages
		if m.holds(s.ID) == s.LockedUntil.IsZero() {
			m.t.Fatalf("5: session %+v", s)
		}
	}
	if m.sessions && inSessions != info.Messages {
		m.t.Fatalf("2: %d messages in sessions: %+v", inSessions, info)
	}
}
