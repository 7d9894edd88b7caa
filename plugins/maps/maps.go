// Command maps is a transform plugin: it turns updates of twins into the states
// of features on an indoor map of Azure Maps.
package main

import (
	"errors"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "maps", Description: description, Config: schema, Transform: open})
}

func main() {}

// painter is the transform with its configuration. What it gathers of one event
// is kept as memory for the next.
type painter struct {
	options
	values []json.Value // of the states, in their order; nil for one that is not set
}

func open(config json.Value) (sdk.TransformFunc, error) {
	o, err := parseOptions(config)
	if err != nil {
		return nil, err
	}
	p := &painter{options: o, values: make([]json.Value, len(o.states))}
	return p.paint, nil
}

func (p *painter) paint(e *sdk.Event, out *sdk.Outputs) error {
	if e.Type() != sdk.TwinUpdate {
		return nil
	}
	feature := e.TwinID()
	if feature == "" {
		return errors.New("the event has no subject, which would be the id of the twin")
	}
	if p.features != nil {
		if feature = p.features[feature]; feature == "" {
			return nil // the twin is not on the map
		}
	}
	if !p.gather(e) {
		_, err := e.JSON() // nothing is set; but was it an update?
		return err
	}
	if e.Time() == "" {
		return errors.New("the event has no time, and a state must have one")
	}
	o := out.Add()
	o.SetExtension("feature", feature)
	o.SetDataSchema("")
	p.write(o.JSON(), e.Time())
	return nil
}

// gather finds the values that e sets, and reports whether there is one.
func (p *painter) gather(e *sdk.Event) (any bool) {
	for i, s := range p.states {
		v := e.Patched(s.path)
		switch v.Kind() {
		case json.String, json.Number, json.Bool: // what a state can be
			any = true
		default:
			v = nil
		}
		p.values[i] = v
	}
	return any
}

func (p *painter) write(w *json.Writer, time string) {
	w.BeginObject()
	w.Name("states")
	w.BeginArray()
	for i, v := range p.values {
		if v == nil {
			continue
		}
		w.BeginObject()
		w.Name("keyName")
		w.String(p.states[i].key)
		w.Name("value")
		w.Value(v)
		w.Name("eventTimestamp")
		w.String(time)
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
}
