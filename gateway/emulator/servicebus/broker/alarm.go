package broker

import "time"

// alarm is a moment at which something happens to its owner, unless it is
// moved or taken out before. The zero value is not set.
type alarm struct {
	at    time.Time
	place int // in the broker's heap, plus one; 0 is not set
}

// alarmer is what has an alarm: a message or a session.
type alarmer interface {
	clock() *alarm
	ring(now time.Time)
}

func earlier(x, y alarmer) bool { return x.clock().at.Before(y.clock().at) }

func moveAlarm(x alarmer, place int) { x.clock().place = place + 1 }

// setAlarm makes x ring at a time, instead of when it would have; the zero
// time is never.
func (b *Broker) setAlarm(x alarmer, at time.Time) {
	a := x.clock()
	switch {
	case at.IsZero() && a.place == 0:
		return
	case at.IsZero():
		b.alarms.remove(a.place - 1)
	case a.place == 0:
		a.at = at
		b.alarms.push(x)
	default:
		a.at = at
		b.alarms.fix(a.place - 1)
	}
	if a.place == 1 {
		b.rearm()
	}
}

// ring lets everything happen that is due at now.
func (b *Broker) ring(now time.Time) {
	for len(b.alarms.items) > 0 {
		first := b.alarms.items[0]
		if first.clock().at.After(now) {
			return
		}
		b.alarms.remove(0)
		first.ring(now)
	}
}

// rearm has the timer fire no later than the earliest alarm. That it may fire
// before, for an alarm that was moved or taken out, saves a reset for each
// message: tick then finds nothing to do, and sets it anew.
func (b *Broker) rearm() {
	if b.closed || len(b.alarms.items) == 0 {
		return
	}
	at := b.alarms.items[0].clock().at
	if b.armed.IsZero() || at.Before(b.armed) {
		b.armed = at
		b.timer.Reset(time.Until(at))
	}
}

func (b *Broker) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = time.Time{}
	b.ring(time.Now())
	b.rearm()
}
