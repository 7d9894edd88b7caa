package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
)

// kind is what a machine is.
type kind int

const (
	press kind = iota
	oven
	conveyor
	robot
)

// tooHot is the temperature at which an oven raises an alarm; it ends four
// degrees below.
const tooHot = 230.0

// machine is one of a line. Its value is what is measured first: bars, degrees,
// metres a second, seconds a cycle.
type machine struct {
	id        string
	kind      kind
	value     float64
	setpoint  float64
	phase     float64
	age       int
	wear      float64 // from 0 to 1
	count     int     // strokes, or parts
	alarm     bool
	alarmedAt float64
}

func newMachine(rnd *rand.Rand, k kind, line int) *machine {
	m := &machine{kind: k, phase: 2 * math.Pi * rnd.Float64(), wear: rnd.Float64() / 2}
	name := ""
	switch k {
	case press:
		name, m.setpoint = "press", 180
	case oven:
		name, m.setpoint = "oven", 220
	case conveyor:
		name, m.setpoint = "conveyor", .8
	case robot:
		name, m.setpoint = "robot", 6
	}
	m.id, m.value = fmt.Sprintf("%s-%d", name, line), m.setpoint
	return m
}

// overheat has an oven be too hot, at the height of its swing, from which it cools.
func (m *machine) overheat() {
	m.value, m.phase = tooHot+8, math.Pi/2
}

func (m *machine) model() string {
	return [...]string{PressModel, OvenModel, ConveyorModel, RobotModel}[m.kind]
}

// drift moves the value towards where the machine wants it, which is never quite
// there: an oven swings around its setpoint, a robot becomes slower as it wears,
// and all of them are slower to respond than they are disturbed.
func (m *machine) drift(rnd *rand.Rand, running bool) {
	m.age++
	m.wear = min(m.wear+.0004, 1)
	goal, noise := m.setpoint, m.setpoint/150
	switch m.kind {
	case oven:
		goal += 13 * math.Sin(float64(m.age)/12+m.phase)
		noise = .8
	case press:
		goal += 6 * math.Sin(float64(m.age)/60+m.phase)
	case robot:
		goal += 2 * m.wear
	}
	m.value += (goal-m.value)/4 + noise*rnd.NormFloat64()
	if running {
		m.count += 1 + rnd.IntN(5)
	}
}

// property is one of a twin, with its value in JSON.
type property struct{ name, value string }

// properties are those that the machine's twin has.
func (m *machine) properties() []property {
	switch m.kind {
	case press:
		return []property{{"pressure", number(m.value, 1)}, {"strokes", strconv.Itoa(m.count)}}
	case oven:
		return []property{{"temperature", number(m.value, 1)}, {"controller", `{"$metadata":{},"setpoint":` + number(m.setpoint, 0) + `}`}}
	case conveyor:
		return []property{{"speed", number(m.value, 2)}}
	}
	return []property{{"cycleTime", number(m.value, 2)}, {"parts", strconv.Itoa(m.count)}}
}

// changes are the operations of an update: what is measured, and now and then
// more of it at once.
func (m *machine) changes(rnd *rand.Rand) []operation {
	more := rnd.IntN(3) == 0
	switch m.kind {
	case press:
		ops := []operation{replace("/pressure", number(m.value, 1))}
		if more {
			ops = append(ops, replace("/strokes", strconv.Itoa(m.count)))
		}
		return ops
	case oven:
		return []operation{replace("/temperature", number(m.value, 1))}
	case conveyor:
		return []operation{replace("/speed", number(m.value, 2))}
	}
	ops := []operation{replace("/cycleTime", number(m.value, 2))}
	if more {
		ops = append(ops, replace("/parts", strconv.Itoa(m.count)))
	}
	return ops
}

// readings are what the machine says by telemetry, and the component that says
// it, if it is one.
func (m *machine) readings(rnd *rand.Rand) (component, data string) {
	vibration := number(1.2+3*m.wear+.2*rnd.NormFloat64(), 2)
	switch m.kind {
	case press:
		return "", fmt.Sprintf(`{"Pressure":%s,"Vibration":%s}`, number(m.value, 1), vibration)
	case oven:
		return "", fmt.Sprintf(`{"Temperature":%s,"Power":%s}`, number(m.value, 1), number(18+(m.setpoint-m.value)/4, 1))
	case conveyor:
		return "", fmt.Sprintf(`{"Speed":%s,"Load":%s}`, number(m.value, 2), number(45+10*rnd.Float64(), 0))
	}
	return "arm", fmt.Sprintf(`{"Torque":%s,"Vibration":%s}`, number(34+8*m.wear+rnd.NormFloat64(), 1), vibration)
}

// number writes a measured value with so many decimals at most.
func number(v float64, decimals int) string {
	scale := math.Pow10(decimals)
	return strconv.FormatFloat(math.Round(v*scale)/scale, 'f', -1, 64)
}
