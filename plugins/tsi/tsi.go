// Command tsi is a transform plugin: it turns events of Azure Digital Twins into
// the flat events that Time Series Insights, and what came after it, ingests.
//
// A twin's update becomes one object with a member for each property that the
// update sets, and the twin's id as $dtId.
package main

import (
	"errors"
	"strconv"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "tsi", Description: description, Config: schema, Transform: open})
}

func main() {}

// twinID is the member that holds the id of the twin.
const twinID = "$dtId"

// shaper is the transform with its configuration. What it gathers of one event
// is kept as memory for the next.
type shaper struct {
	options
	properties properties
	path       []byte // the name or path at hand, decoded
	text       []byte // of stamps
}

func open(config json.Value) (sdk.TransformFunc, error) {
	o, err := parseOptions(config)
	if err != nil {
		return nil, err
	}
	s := &shaper{options: o, properties: newProperties(o.nested)}
	return s.shape, nil
}

func (s *shaper) shape(e *sdk.Event, out *sdk.Outputs) error {
	if !s.shapes(e.Type()) {
		return nil
	}
	twin := e.TwinID()
	if twin == "" {
		return errNoTwin(e)
	}
	data, err := e.JSON()
	if err != nil {
		return err
	}
	s.properties.reset()
	if err := s.gather(e, data); err != nil || s.properties.empty() {
		return err
	}
	s.text = s.text[:0]
	s.stamp(twinID, twin)
	if time := e.Time(); time != "" && s.timestamp != "" {
		s.stamp(s.timestamp, time)
	}
	s.properties.write(out.Add().JSON())
	return nil
}

func (s *shaper) shapes(kind string) bool {
	return kind == sdk.TwinUpdate || kind == sdk.Telemetry || kind == sdk.TwinCreate && s.create
}

func errNoTwin(e *sdk.Event) error {
	if e.Type() == sdk.Telemetry {
		return errors.New("source does not end in /digitaltwins/ and the id of a twin")
	}
	return errors.New("the event has no subject, which would be the id of the twin")
}

// stamp sets a property of the event itself, over what the event set.
func (s *shaper) stamp(name, value string) {
	start := len(s.text)
	s.text = json.AppendQuoted(s.text, value)
	s.properties.ascend(place{})
	s.path = append(s.path[:0], name...)
	s.properties.descend(s.path)
	s.properties.set(s.text[start:])
}

func (s *shaper) gather(e *sdk.Event, data json.Value) error {
	if e.Type() == sdk.TwinUpdate {
		return s.update(data)
	}
	if data.Kind() != json.Object {
		return errors.New("data is not a JSON object")
	}
	if e.Type() == sdk.Telemetry {
		return s.telemetry(e.Subject(), data)
	}
	s.creation(data)
	return nil
}

// update gathers what the operations add and replace of a JSON Patch set.
// Other operations set nothing.
func (s *shaper) update(data json.Value) error {
	patch := data.At("patch")
	if patch.Kind() != json.Array {
		return errors.New(`data has no array "patch"`)
	}
	for i, operation := range patch.Elements() {
		if err := s.apply(operation); err != nil {
			return errors.New("patch operation " + strconv.Itoa(i) + ": " + err.Error())
		}
	}
	return nil
}

func (s *shaper) apply(operation json.Value) error {
	if operation.Kind() != json.Object {
		return errors.New("it is not an object")
	}
	var op, path, value json.Value
	for k, v := range operation.Members() {
		switch {
		case k.Equal("value"):
			value = v
		case k.Equal("path"):
			path = v
		case k.Equal("op"):
			op = v
		}
	}
	if !op.Is("replace") && !op.Is("add") {
		return nil
	}
	if value == nil {
		return errors.New("it has no value")
	}
	s.path, _ = path.AppendString(s.path[:0])
	if len(s.path) == 0 || s.path[0] != '/' {
		return errors.New("its path is not a string that starts with a slash")
	}
	top, err := s.properties.descendPath(s.path[1:])
	if err != nil {
		return err
	}
	s.properties.set(value)
	s.properties.ascend(top)
	return nil
}

// telemetry gathers the members of the body, beneath the component that sent
// it, if one did.
func (s *shaper) telemetry(component string, body json.Value) error {
	p := &s.properties
	if component != "" {
		s.path = append(s.path[:0], component...)
		if _, err := p.descendPath(s.path); err != nil {
			return err
		}
	}
	for k, v := range body.Members() {
		s.path = k.AppendString(s.path[:0])
		from := p.descend(s.path)
		p.set(v)
		p.ascend(from)
	}
	return nil
}

// creation gathers the properties of a new twin and of its components, which
// are the objects with metadata of their own.
func (s *shaper) creation(twin json.Value) {
	p := &s.properties
	for k, v := range twin.Members() {
		s.path = k.AppendString(s.path[:0])
		if len(s.path) > 0 && s.path[0] == '$' {
			continue // $dtId, $etag, $metadata
		}
		from := p.descend(s.path)
		if _, component := v.Get("$metadata"); component {
			s.creation(v)
		} else {
			p.set(v)
		}
		p.ascend(from)
	}
}
