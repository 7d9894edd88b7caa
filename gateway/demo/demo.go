// Package demo simulates a house full of digital twins: thermostats that
// report, rooms that fill and empty, people who move, alarms that come and go.
//
// Its events have the shapes that Azure Digital Twins gives them, so that what
// works here works there. The same seed makes the same house.
package demo

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// Host is the source of the house's events: the name of its imaginary instance
// of Azure Digital Twins.
const Host = "demo-house.api.weu.digitaltwins.example"

// Models of the twins.
const (
	ThermostatModel = "dtmi:demo:house:Thermostat;1"
	RoomModel       = "dtmi:demo:house:Room;1"
	AlarmModel      = "dtmi:demo:house:Alarm;1"
	personModel     = "dtmi:demo:house:Person;1"
)

// hot is the temperature at which a room raises an alarm; it ends one degree
// below.
const hot = 26.0

// House is a simulation. It is not safe for concurrent use.
type House struct {
	rnd    *rand.Rand
	rooms  []room
	people []person
	next   []event.Event // what already follows from the past
	ticks  int
}

type room struct {
	number      string
	temperature float64
	setpoint    float64
	phase       float64
	occupants   int
	alarm       bool
}

// person is somewhere: the index of a room, or -1 for outside.
type person struct {
	name string
	in   int
}

// New returns a house of three floors with four rooms each.
func New(seed uint64) *House {
	h := &House{rnd: rand.New(rand.NewPCG(seed, seed))}
	for floor := 1; floor <= 3; floor++ {
		for n := 1; n <= 4; n++ {
			h.rooms = append(h.rooms, room{
				number:      strconv.Itoa(floor*100 + n),
				temperature: 20 + 4*h.rnd.Float64(),
				setpoint:    21,
				phase:       2 * math.Pi * h.rnd.Float64(),
			})
		}
	}
	for i := range 8 {
		h.people = append(h.people, person{name: fmt.Sprintf("person-%d", i+1), in: -1})
	}
	return h
}

// Next returns what happens next, at now: one event.
func (h *House) Next(now time.Time) event.Event {
	if len(h.next) > 0 {
		e := h.next[0]
		h.next = h.next[1:]
		return e
	}
	h.ticks++
	r := &h.rooms[h.rnd.IntN(len(h.rooms))]
	h.drift(r)
	if e, ok := h.alarm(r, now); ok {
		return e
	}
	switch p := h.rnd.Float64(); {
	case p < .50:
		return h.update(now, "thermostat-"+r.number, ThermostatModel, "/temperature", number(r.temperature))
	case p < .58:
		r.setpoint = 19 + float64(h.rnd.IntN(9))/2
		return h.update(now, "room-"+r.number, RoomModel, "/Climate/setpoint", number(r.setpoint))
	case p < .82:
		return h.telemetry(r)
	default:
		return h.move(now)
	}
}

// drift lets the temperature of r follow the sun, the heating and its people.
func (h *House) drift(r *room) {
	sun := 4.5 * math.Sin(float64(h.ticks)/120+r.phase)
	goal := r.setpoint + sun + .3*float64(r.occupants)
	r.temperature += (goal-r.temperature)/4 + h.rnd.NormFloat64()/5
}

// alarm creates the alarm of a room that has become hot, and deletes it once
// the room has cooled down.
func (h *House) alarm(r *room, now time.Time) (event.Event, bool) {
	switch {
	case !r.alarm && r.temperature > hot:
		r.alarm = true
		return h.lifecycle(now, event.TwinCreate, r), true
	case r.alarm && r.temperature < hot-1:
		r.alarm = false
		return h.lifecycle(now, event.TwinDelete, r), true
	}
	return event.Event{}, false
}

// move takes somebody through a door: the relationship to the room begins or
// ends, and when that fills or empties the room, its twin says so next.
func (h *House) move(now time.Time) event.Event {
	p := &h.people[h.rnd.IntN(len(h.people))]
	enters := p.in < 0
	if enters {
		p.in = h.rnd.IntN(len(h.rooms))
	}
	r, before := &h.rooms[p.in], h.rooms[p.in].occupants
	typ := event.RelationshipCreate
	if enters {
		r.occupants++
	} else {
		r.occupants--
		p.in, typ = -1, event.RelationshipDelete
	}
	if before == 0 || r.occupants == 0 {
		h.next = append(h.next, h.update(now, "room-"+r.number, RoomModel, "/occupied", strconv.FormatBool(enters)))
	}
	return h.relationship(now, typ, p.name, r)
}

// uuid makes an id from the house's own chance, so that a seed fixes it.
func (h *House) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(h.rnd.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// trace is a W3C traceparent.
func (h *House) trace() []event.Extension {
	var b [24]byte
	for i := range b {
		b[i] = byte(h.rnd.Uint32())
	}
	id := hex.EncodeToString(b[:])
	return []event.Extension{{Name: "traceparent", Value: "00-" + id[:32] + "-" + id[32:] + "-01"}}
}

// number writes a measured value with one decimal.
func number(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// Samples are events of every type that a house has, the same each time: for
// whoever has none of their own to try something on.
func Samples() []event.Event {
	h, now := New(1), time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC)
	events := make([]event.Event, samples)
	for i := range events {
		events[i] = h.Next(now.Add(time.Duration(i) * time.Second))
	}
	return events
}

const samples = 200
