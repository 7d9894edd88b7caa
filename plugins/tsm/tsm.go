// Command tsm is a transform plugin: it keeps the Time Series Model of a Time
// Series Insights environment in step with twins and their relationships.
package main

import (
	"errors"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "tsm", Description: description, Config: schema, Transform: open})
}

func main() {}

// The parts of the model that a request is for: the extension attribute
// collection of an output, by which an endpoint's URL tells them apart.
const (
	collection  = "collection"
	instances   = "instances"
	hierarchies = "hierarchies"
)

func open(config json.Value) (sdk.TransformFunc, error) {
	o, err := parseOptions(config)
	if err != nil {
		return nil, err
	}
	return o.transform, nil
}

func (o *options) transform(e *sdk.Event, out *sdk.Outputs) error {
	var write func(*sdk.Event, *sdk.Outputs, json.Value) error
	switch e.Type() {
	case sdk.TwinCreate:
		write = o.createTwin
	case sdk.TwinDelete:
		write = o.deleteTwin
	case sdk.RelationshipCreate, sdk.RelationshipDelete:
		write = o.relate
	default:
		return nil
	}
	if e.TwinID() == "" {
		return errors.New("the event has no subject, which would be the id of the twin")
	}
	data, err := e.JSON()
	if err != nil {
		return err
	}
	return write(e, out, data)
}

// add starts an output whose data is a batch of one for a part of the model.
func add(out *sdk.Outputs, part, operation string) (*sdk.Output, *json.Writer) {
	made := out.Add()
	made.SetExtension(collection, part)
	made.SetDataSchema("")
	w := made.JSON()
	w.BeginObject()
	w.Name(operation)
	return made, w
}

// createTwin puts the instance of a twin, of the type for its model.
func (o *options) createTwin(e *sdk.Event, out *sdk.Outputs, twin json.Value) error {
	typeID := o.typeID
	model, _ := twin.At("$metadata", "$model").String()
	if id, ok := o.types[model]; ok {
		typeID = id
	}
	_, w := add(out, instances, "put")
	beginInstance(w, e.TwinID(), typeID)
	w.Name("instanceFields")
	w.BeginObject()
	for _, name := range o.fields {
		if v := twin.At(name); v.Kind() == json.String {
			w.Name(name)
			w.Value(v)
		} else if k := v.Kind(); k == json.Number || k == json.Bool { // a field is text
			w.Name(name)
			w.StringBytes(v)
		}
	}
	w.EndObject()
	endInstance(w)
	return nil
}

func (o *options) deleteTwin(e *sdk.Event, out *sdk.Outputs, _ json.Value) error {
	_, w := add(out, instances, "delete")
	w.BeginObject()
	w.Name("timeSeriesIds")
	w.BeginArray()
	writeID(w, e.TwinID())
	w.EndArray()
	w.EndObject()
	w.EndObject()
	return nil
}

// relate puts the twin that a relationship leads to beneath the one that it
// comes from, or takes it away from there.
func (o *options) relate(e *sdk.Event, out *sdk.Outputs, relationship json.Value) error {
	name, _ := relationship.At("$relationshipName").String()
	h := o.hierarchy(name)
	if h == nil {
		return nil
	}
	child, ok := relationship.At("$targetId").String()
	if !ok || child == "" {
		return errors.New("data has no text $targetId, which would be the twin that the relationship leads to")
	}
	parent := e.TwinID()
	if h.up {
		child, parent = parent, child
	}
	comes := e.Type() == sdk.RelationshipCreate
	if comes && h.name != "" {
		h.define(out, child)
	}
	made, w := add(out, instances, "update")
	if comes && h.name != "" {
		made.SetID(e.ID() + "-1") // source and id together name an event
	}
	made.SetPartitionKey(child) // so that it stays behind the child's creation
	beginInstance(w, child, h.typeID)
	w.Name("hierarchyIds")
	w.BeginArray()
	if comes {
		w.String(h.id)
	}
	w.EndArray()
	w.Name("instanceFields")
	w.BeginObject()
	if comes {
		w.Name(h.field)
		w.String(parent)
	}
	w.EndObject()
	endInstance(w)
	return nil
}

// define puts the hierarchy itself, in order with what follows for the child. It
// changes nothing where the hierarchy is known.
func (h *hierarchy) define(out *sdk.Outputs, child string) {
	made, w := add(out, hierarchies, "put")
	made.SetPartitionKey(child)
	w.BeginArray()
	w.BeginObject()
	w.Name("id")
	w.String(h.id)
	w.Name("name")
	w.String(h.name)
	w.Name("source")
	w.BeginObject()
	w.Name("instanceFieldNames")
	w.BeginArray()
	w.String(h.field)
	w.EndArray()
	w.EndObject()
	w.EndObject()
	w.EndArray()
	w.EndObject()
}

func (o *options) hierarchy(relationship string) *hierarchy {
	for i := range o.hierarchies {
		if o.hierarchies[i].relationship == relationship {
			return &o.hierarchies[i]
		}
	}
	return nil
}

func beginInstance(w *json.Writer, twin, typeID string) {
	w.BeginArray()
	w.BeginObject()
	w.Name("timeSeriesId")
	writeID(w, twin)
	w.Name("typeId")
	w.String(typeID)
}

// endInstance ends the instance, the list of them and the batch.
func endInstance(w *json.Writer) {
	w.EndObject()
	w.EndArray()
	w.EndObject()
}

func writeID(w *json.Writer, twin string) {
	w.BeginArray()
	w.String(twin)
	w.EndArray()
}
