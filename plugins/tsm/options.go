package main

import (
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

const description = "Turns lifecycle events of twins and relationships into updates of a Time Series Model."

// defaultType is the type that every environment has from the start.
const defaultType = "1be09af9-f089-4d6b-9f0b-48018b5f7393"

const schema = `{
	"type": "object",
	"properties": {
		"typeId": {
			"type": "string", "minLength": 1, "default": "` + defaultType + `",
			"description": "the type of an instance; by default the one that every environment has"
		},
		"types": {
			"type": "object", "additionalProperties": {"type": "string", "minLength": 1},
			"description": "the type of an instance by the model of its twin"
		},
		"fields": {
			"type": "array", "items": {"type": "string", "minLength": 1},
			"description": "properties of a new twin that become instance fields"
		},
		"hierarchies": {
			"type": "object",
			"additionalProperties": {
				"type": "object",
				"properties": {
					"id": {"type": "string", "minLength": 1, "description": "the id of the hierarchy"},
					"field": {"type": "string", "minLength": 1, "description": "the instance field that names the parent"},
					"name": {"type": "string", "minLength": 1, "description": "the name of the hierarchy, to have it defined as well"},
					"typeId": {"type": "string", "minLength": 1, "description": "the type of the child's instance"},
					"child": {"enum": ["target", "source"], "default": "target", "description": "which end of the relationship is the child"}
				},
				"required": ["id", "field"],
				"additionalProperties": false
			},
			"description": "the hierarchy that a relationship makes, by the relationship's name; others send nothing"
		}
	},
	"additionalProperties": false
}`

// options are the configuration.
type options struct {
	typeID      string
	types       map[string]string // by model
	fields      []string
	hierarchies []hierarchy
}

// hierarchy is what relationships of one name make.
type hierarchy struct {
	relationship string

	id, field, name, typeID string

	up bool // the relationship leads from the child to its parent
}

func parseOptions(config json.Value) (*options, error) {
	o := &options{typeID: defaultType}
	c := sdk.ReadConfig(config)
	c.String(&o.typeID, "typeId")
	c.Map(&o.types, "types")
	c.Strings(&o.fields, "fields")
	all, _ := c.Object("hierarchies")
	for _, relationship := range all.Names() {
		h := hierarchy{relationship: relationship, typeID: o.typeID}
		child := "target"
		one, _ := all.Object(relationship)
		one.String(&h.id, "id")
		one.String(&h.field, "field")
		one.String(&h.name, "name")
		one.String(&h.typeID, "typeId")
		one.Enum(&child, "child", "target", "source")
		one.Require("id", "field")
		h.up = child == "source"
		o.hierarchies = append(o.hierarchies, h)
	}
	return o, c.Err()
}
