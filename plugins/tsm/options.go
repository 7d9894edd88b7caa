package main

import (
	"errors"

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
	o := &options{typeID: defaultType, types: map[string]string{}}
	for k, v := range config.Members() {
		var err error
		switch name := k.String(); name {
		case "typeId":
			o.typeID, err = parseText(v, `"typeId"`)
		case "types":
			if err = requireKind(v, json.Object, name); err != nil {
				return nil, err
			}
			for model, id := range v.Members() {
				if o.types[model.String()], err = parseText(id, `"types": "`+model.String()+`"`); err != nil {
					return nil, err
				}
			}
		case "fields":
			if err = requireKind(v, json.Array, name); err != nil {
				return nil, err
			}
			for _, field := range v.Elements() {
				text, err := parseText(field, `"fields": each`)
				if err != nil {
					return nil, err
				}
				o.fields = append(o.fields, text)
			}
		case "hierarchies":
			if err = requireKind(v, json.Object, name); err != nil {
				return nil, err
			}
			for relationship, h := range v.Members() {
				if err := o.parseHierarchy(relationship.String(), h); err != nil {
					return nil, err
				}
			}
		default:
			err = errors.New(`config: there is no "` + name + `"; it has "typeId", "types", "fields" and "hierarchies"`)
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range o.hierarchies {
		if h := &o.hierarchies[i]; h.typeID == "" {
			h.typeID = o.typeID
		}
	}
	return o, nil
}

func (o *options) parseHierarchy(relationship string, v json.Value) error {
	h := hierarchy{relationship: relationship}
	at := `"hierarchies": "` + relationship + `": `
	for k, value := range v.Members() {
		var err error
		switch name := k.String(); name {
		case "id":
			h.id, err = parseText(value, at+`"id"`)
		case "field":
			h.field, err = parseText(value, at+`"field"`)
		case "name":
			h.name, err = parseText(value, at+`"name"`)
		case "typeId":
			h.typeID, err = parseText(value, at+`"typeId"`)
		case "child":
			if h.up = value.Is("source"); !h.up && !value.Is("target") {
				err = errors.New(`config: ` + at + `"child" is "target" or "source"`)
			}
		default:
			err = errors.New(`config: ` + at + `there is no "` + name + `"; it has "id", "field", "name", "typeId" and "child"`)
		}
		if err != nil {
			return err
		}
	}
	if h.id == "" || h.field == "" {
		return errors.New(`config: ` + at + `it needs "id" and "field"`)
	}
	o.hierarchies = append(o.hierarchies, h)
	return nil
}

func parseText(v json.Value, what string) (string, error) {
	s, _ := v.String()
	if s == "" {
		return "", errors.New(`config: ` + what + ` is a text that is not empty`)
	}
	return s, nil
}

func requireKind(v json.Value, kind json.Kind, name string) error {
	if v.Kind() != kind {
		return errors.New(`config: "` + name + `" is an ` + kind.String())
	}
	return nil
}
