// Package demo simulates a factory full of digital twins: a plant with lines,
// lines with machines, orders that are made on them, alarms that come and go.
//
// Its events have the shapes that Azure Digital Twins gives them, so that what
// works here works there. The same seed makes the same factory.
package demo

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// Host is the source of the factory's events: the name of its imaginary instance
// of Azure Digital Twins.
const Host = "demo-factory.api.weu.digitaltwins.example"

// Models of the twins.
const (
	PlantModel    = "dtmi:example:factory:Plant;1"
	LineModel     = "dtmi:example:factory:Line;1"
	PressModel    = "dtmi:example:factory:Press;1"
	OvenModel     = "dtmi:example:factory:Oven;1"
	ConveyorModel = "dtmi:example:factory:Conveyor;1"
	RobotModel    = "dtmi:example:factory:Robot;1"
	OrderModel    = "dtmi:example:factory:Order;1"
	AlarmModel    = "dtmi:example:factory:Alarm;1"
)

// plant is the one twin above all lines.
const plant = "plant-1"

// Factory is a simulation. It is not safe for concurrent use.
type Factory struct {
	rnd    *rand.Rand
	lines  []*line
	orders int           // that were begun, by which they are numbered
	next   []event.Event // what already follows from the past
	built  bool
}

// New returns a factory of three lines, each with a press, an oven, a conveyor
// and a robot.
func New(seed uint64) *Factory {
	f := &Factory{rnd: rand.New(rand.NewPCG(seed, seed)), orders: 1000}
	for n := 1; n <= 3; n++ {
		l := &line{id: fmt.Sprintf("line-%d", n), speed: 30 + 5*f.rnd.Float64()}
		for _, kind := range []kind{press, oven, conveyor, robot} {
			l.machines = append(l.machines, newMachine(f.rnd, kind, n))
		}
		f.lines = append(f.lines, l)
	}
	f.lines[0].machines[1].overheat() // whoever watches is to see an alarm soon
	return f
}

// Next returns what happens next, at now: one event. The first ones are those of
// the factory's twins being made.
func (f *Factory) Next(now time.Time) event.Event {
	if !f.built {
		f.built = true
		f.build(now)
	}
	if len(f.next) == 0 {
		f.live(now)
	}
	e := f.next[0]
	f.next = f.next[1:]
	return e
}

// will adds events to those that come next.
func (f *Factory) will(events ...event.Event) { f.next = append(f.next, events...) }

// build makes the twins and their relationships, from the top.
func (f *Factory) build(now time.Time) {
	f.will(f.lifecycle(now, event.TwinCreate, plant, PlantModel, property{"site", `"north"`}))
	for _, l := range f.lines {
		f.will(
			f.lifecycle(now, event.TwinCreate, l.id, LineModel, property{"speed", number(l.speed, 1)}, property{"running", "false"}),
			f.relationship(now, event.RelationshipCreate, plant, "contains", l.id),
		)
		for _, m := range l.machines {
			f.will(
				f.lifecycle(now, event.TwinCreate, m.id, m.model(), m.properties()...),
				f.relationship(now, event.RelationshipCreate, l.id, "contains", m.id),
			)
		}
	}
}

// live lets a little time pass for some machine, and adds at least one event.
func (f *Factory) live(now time.Time) {
	l := f.lines[f.rnd.IntN(len(f.lines))]
	m := l.machines[f.rnd.IntN(len(l.machines))]
	m.drift(f.rnd, l.running())
	if f.alarm(now, m) {
		return
	}
	switch p := f.rnd.Float64(); {
	case p < .44:
		f.will(f.update(now, m.id, m.model(), m.changes(f.rnd)...))
	case p < .72:
		f.will(f.telemetry(m))
	case p < .76:
		l.speed = min(max(l.speed+f.rnd.NormFloat64(), 25), 40)
		f.will(f.update(now, l.id, LineModel, replace("/speed", number(l.speed, 1))))
	case p < .77 && !m.alarm: // nobody touches it then
		f.exchange(now, l, m)
	case p < .80 && m.kind == oven:
		m.setpoint = 210 + 5*float64(f.rnd.IntN(4))
		f.will(f.update(now, m.id, OvenModel, replace("/controller/setpoint", number(m.setpoint, 0))))
	default:
		f.work(now, l)
	}
}

// alarm creates the alarm of an oven that has become too hot, and deletes it once
// that has cooled down. It reports whether it did.
func (f *Factory) alarm(now time.Time, m *machine) bool {
	if m.kind != oven {
		return false
	}
	begins := !m.alarm && m.value > tooHot
	if !begins && !(m.alarm && m.value < tooHot-4) {
		return false
	}
	typ := event.TwinDelete
	if m.alarm = begins; begins {
		typ = event.TwinCreate
		m.alarmedAt = m.value
	}
	f.will(f.lifecycle(now, typ, "alarm-"+m.id, AlarmModel,
		property{"machine", fmt.Sprintf("%q", m.id)}, property{"temperature", number(m.alarmedAt, 1)}, property{"severity", `"high"`}))
	return true
}

// exchange takes a machine out of its line for a new one of the same name, as one
// does with what is worn.
func (f *Factory) exchange(now time.Time, l *line, m *machine) {
	f.will(f.relationship(now, event.RelationshipDelete, l.id, "contains", m.id))
	m.wear = 0
	f.will(
		f.update(now, m.id, m.model(), replace("/serial", fmt.Sprintf("%q", f.uuid()[:8]))),
		f.relationship(now, event.RelationshipCreate, l.id, "contains", m.id),
	)
}

// uuid makes an id from the factory's own chance, so that a seed fixes it.
func (f *Factory) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(f.rnd.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// trace is a W3C traceparent.
func (f *Factory) trace() []event.Extension {
	var b [24]byte
	for i := range b {
		b[i] = byte(f.rnd.Uint32())
	}
	id := hex.EncodeToString(b[:])
	return []event.Extension{{Name: "traceparent", Value: "00-" + id[:32] + "-" + id[32:] + "-01"}}
}

// Samples are events of every type that a factory has, the same each time: for
// whoever has none of their own to try something on.
func Samples() []event.Event {
	f, now := New(1), time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC)
	for range skipped {
		f.Next(now)
	}
	events := make([]event.Event, samples)
	for i := range events {
		events[i] = f.Next(now.Add(time.Duration(i) * time.Second))
	}
	return events
}

// Of the events that make the factory, most are skipped.
const samples, skipped = 200, 24
