// Command tsi is a transform plugin: it turns events of Azure Digital Twins into
// the flat events that Time Series Insights, and what came after it, ingests.
//
// A twin's update becomes one object with a member for each property that the
// update sets, and the twin's id as $dtId.
package main

import (
	"errors"
	"strings"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "tsi", Description: description, Config: schema, Transform: open})
}

func main() {}

// twinID is the member that holds the id of the twin.
const twinID = "$dtId"

const applicationJSON = "application/json"

var twinKey = []byte(`"` + twinID + `":`)

// shaper is the transform with its configuration. What it gathers of one event
// is kept as memory for the next.
type shaper struct {
	options
	properties properties
	path       []byte // the JSON Pointer at hand, as JSON text
	text       []byte // of stamps
	data       []byte
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
	kind := e.Type()
	if !s.shapes(kind) {
		return nil
	}
	twin := e.TwinID()
	if twin == "" {
		return errNoTwin(kind)
	}
	s.properties.reset()
	if err := s.gather(kind, e); err != nil || s.properties.empty() {
		return err
	}
	// What is stamped wins over what the event set under the same name.
	s.text = s.text[:0]
	s.stamp(twinKey, twin)
	if time := e.Time(); time != "" && s.timestamp != nil {
		s.stamp(s.timestamp, time)
	}
	s.data = s.properties.append(s.data[:0], root)
	o := out.Add()
	o.SetData(s.data)
	if e.DataContentType() != applicationJSON {
		o.SetDataContentType(applicationJSON)
	}
	return nil
}

func (s *shaper) shapes(kind string) bool {
	return kind == sdk.TwinUpdate || kind == sdk.Telemetry || kind == sdk.TwinCreate && s.create
}

func errNoTwin(kind string) error {
	if kind == sdk.Telemetry {
		return errors.New("source does not end in /digitaltwins/ and the id of a twin")
	}
	return errors.New("the event has no subject, which would be the id of the twin")
}

func (s *shaper) stamp(key []byte, value string) {
	start := len(s.text)
	s.text = json.AppendQuoted(s.text, value)
	s.properties.setKey(key, s.text[start:])
}

func (s *shaper) gather(kind string, e *sdk.Event) error {
	if kind == sdk.TwinUpdate {
		return s.update(e.Patch())
	}
	data, err := e.JSON()
	if err != nil {
		return err
	}
	if data.Kind() != json.Object {
		return errors.New("data is not a JSON object")
	}
	if kind == sdk.Telemetry {
		component := e.Subject()
		if !strings.Contains(e.Source(), "/digitaltwins/") { // it came in the Event Grid schema
			component = ""
		}
		return s.telemetry(component, data)
	}
	return s.creation(data)
}

// update gathers what the operations add and replace set. Others set nothing.
func (s *shaper) update(patch *sdk.Patch) error {
	for patch.Next() {
		if !patch.Sets() {
			continue
		}
		if err := s.properties.setPatched(&patch.Operation); err != nil {
			return patch.Fault(err)
		}
	}
	return patch.Err()
}

// telemetry gathers the members of the body, beneath the component that sent
// it, if one did.
func (s *shaper) telemetry(component string, body json.Value) error {
	s.path = s.path[:0]
	if component != "" {
		s.path = appendUnquoted(append(s.path, '/'), component)
	}
	return s.members(body, false)
}

// creation gathers the properties of a new twin and of its components, which
// are the objects with metadata of their own.
func (s *shaper) creation(twin json.Value) error {
	s.path = s.path[:0]
	return s.members(twin, true)
}

// members gathers the members of an object beneath the path at hand. Those of a
// twin are without metadata, and its components are taken apart.
func (s *shaper) members(object json.Value, twin bool) error {
	around := len(s.path)
	for k, v := range object.Members() {
		s.path = s.properties.appendName(s.path[:around], k)
		if twin && len(s.path) > around+1 && s.path[around+1] == '$' {
			continue // $dtId, $etag, $metadata
		}
		var err error
		if _, component := v.Get("$metadata"); twin && component {
			err = s.members(v, true)
		} else {
			err = s.properties.set(s.path, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
