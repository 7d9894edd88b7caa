// Command adx is a transform plugin: it turns events of Azure Digital Twins into
// rows for Azure Data Explorer or a Fabric Eventhouse, in the tables that the
// service's data history keeps.
package main

import (
	"errors"
	"strings"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "adx", Description: description, Config: schema, Transform: open})
}

func main() {}

// historian is the transform with its configuration. What it gathers of one
// event is kept as memory for the next.
type historian struct {
	options
	update update
	rows   rows
}

func open(config json.Value) (sdk.TransformFunc, error) {
	o, err := parseOptions(config)
	if err != nil {
		return nil, err
	}
	h := &historian{options: o}
	h.rows.camel = o.camel
	return h.transform, nil
}

func (h *historian) transform(e *sdk.Event, out *sdk.Outputs) error {
	table, fill := h.tableOf(e.Type())
	if table == "" {
		return nil
	}
	if e.TwinID() == "" {
		return errors.New("the event has no subject, which would be the id of the twin")
	}
	h.rows.reset()
	if err := fill(e); err != nil {
		return err
	}
	return h.send(table, e, out)
}

// tableOf returns the table for events of a type, and what makes rows of one;
// an empty name for none.
func (h *historian) tableOf(eventType string) (table string, fill func(*sdk.Event) error) {
	switch eventType {
	case sdk.TwinUpdate, sdk.RelationshipUpdate:
		return h.properties, h.propertyRows
	case sdk.TwinCreate, sdk.TwinDelete:
		return h.twins, h.twinRow
	case sdk.RelationshipCreate, sdk.RelationshipDelete:
		return h.relationships, h.relationshipRow
	}
	return "", nil
}

// propertyRows makes a row of each property that an update changes.
func (h *historian) propertyRows(e *sdk.Event) error {
	patch := e.Patch()
	if err := h.update.read(patch); err != nil {
		return err
	}
	r := &h.rows
	r.share()
	r.text("TimeStamp", e.Time())
	r.text("ServiceId", serviceID(e))
	r.text("Id", e.TwinID())
	r.value("ModelId", patch.ModelID())
	if _, id, ok := strings.Cut(e.Subject(), "/relationships/"); ok {
		r.text("RelationshipId", id)
	}
	r.shared()
	for i := range h.update.operations {
		op := &h.update.operations[i]
		removes := op.Op == sdk.OpRemove
		if op.hidden || removes && !h.removals {
			continue
		}
		r.begin()
		r.value("SourceTimeStamp", h.update.sourceTime(op))
		r.column("Key")
		r.all = op.AppendKey(r.all, h.separator)
		if !removes {
			r.value("Value", op.Value)
		}
		if h.removals {
			r.text("Action", action(removes, "Update"))
		}
		r.end()
	}
	return nil
}

// twinRow makes the row of a twin that came or went.
func (h *historian) twinRow(e *sdk.Event) error {
	twin, err := e.JSON()
	if err != nil {
		return err
	}
	r := &h.rows
	r.begin()
	r.text("TwinId", e.TwinID())
	r.text("Action", action(e.Type() == sdk.TwinDelete, "Create"))
	r.text("TimeStamp", e.Time())
	r.text("ServiceId", serviceID(e))
	r.value("ModelId", twin.At("$metadata", "$model"))
	r.end()
	return nil
}

// relationshipRow makes the row of a relationship that came or went.
func (h *historian) relationshipRow(e *sdk.Event) error {
	relationship, err := e.JSON()
	if err != nil {
		return err
	}
	source, id, _ := strings.Cut(e.Subject(), "/relationships/")
	r := &h.rows
	r.begin()
	r.text("RelationshipId", id)
	r.value("Name", relationship.At("$relationshipName"))
	r.text("Action", action(e.Type() == sdk.RelationshipDelete, "Create"))
	r.text("TimeStamp", e.Time())
	r.text("ServiceId", serviceID(e))
	r.text("Source", source)
	r.value("Target", relationship.At("$targetId"))
	r.end()
	return nil
}

func action(deletes bool, otherwise string) string {
	if deletes {
		return "Delete"
	}
	return otherwise
}

// serviceID is the host of the instance that sent e.
func serviceID(e *sdk.Event) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(e.Source(), "https://"), "/")
	return host
}
