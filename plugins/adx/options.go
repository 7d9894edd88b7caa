package main

import (
	"errors"

	"github.com/headgate/headgate/sdk/json"
)

const description = "Turns events of twins and relationships into data-history rows for Azure Data Explorer or a Fabric Eventhouse."

const schema = `{
	"type": "object",
	"properties": {
		"tables": {
			"type": "object", "default": {"properties": "AdtPropertyEvents"}, "minProperties": 1,
			"properties": {
				"properties": {"type": "string", "minLength": 1, "description": "the table of the properties that updates of twins and relationships change"},
				"twins": {"type": "string", "minLength": 1, "description": "the table of twins that were created or deleted"},
				"relationships": {"type": "string", "minLength": 1, "description": "the table of relationships that were created or deleted"}
			},
			"additionalProperties": false,
			"description": "the tables to fill, by their names; events for any other are dropped"
		},
		"recordRemovals": {
			"type": "boolean", "default": false,
			"description": "whether a property that is removed makes a row too; rows of properties then have the column Action"
		},
		"keys": {
			"enum": ["underscore", "dot", "slash"], "default": "underscore",
			"description": "what joins the parts of the path /Front/Temperature in the column Key: Front_Temperature, Front.Temperature or Front/Temperature"
		},
		"columns": {
			"enum": ["pascal", "camel"], "default": "pascal",
			"description": "how columns are called: TimeStamp, as the tables have them, or timeStamp"
		},
		"output": {
			"enum": ["array", "lines", "rows"], "default": "array",
			"description": "an output for each event, with its rows as a JSON array or by line, or an output for each row"
		}
	},
	"additionalProperties": false
}`

type output uint8

const (
	asArray output = iota
	asLines
	asRows
)

// options are the configuration. A table without a name is not filled.
type options struct {
	properties, twins, relationships string

	removals  bool
	separator byte
	camel     bool
	output    output
}

func parseOptions(config json.Value) (options, error) {
	o := options{properties: "AdtPropertyEvents", separator: '_'}
	for k, v := range config.Members() {
		switch name := k.String(); name {
		case "tables":
			if err := o.parseTables(v); err != nil {
				return o, err
			}
		case "recordRemovals":
			var ok bool
			if o.removals, ok = v.Bool(); !ok {
				return o, errors.New(`config: "recordRemovals" is true or false`)
			}
		case "keys":
			switch {
			case v.Is("underscore"):
				o.separator = '_'
			case v.Is("dot"):
				o.separator = '.'
			case v.Is("slash"):
				o.separator = '/'
			default:
				return o, errors.New(`config: "keys" is "underscore", "dot" or "slash"`)
			}
		case "columns":
			if o.camel = v.Is("camel"); !o.camel && !v.Is("pascal") {
				return o, errors.New(`config: "columns" is "pascal" or "camel"`)
			}
		case "output":
			switch {
			case v.Is("array"):
				o.output = asArray
			case v.Is("lines"):
				o.output = asLines
			case v.Is("rows"):
				o.output = asRows
			default:
				return o, errors.New(`config: "output" is "array", "lines" or "rows"`)
			}
		default:
			return o, errors.New(`config: there is no "` + name + `"; it has "tables", "recordRemovals", "keys", "columns" and "output"`)
		}
	}
	return o, nil
}

func (o *options) parseTables(v json.Value) error {
	o.properties, o.twins, o.relationships = "", "", ""
	for k, table := range v.Members() {
		name, ok := table.String()
		if !ok || name == "" {
			return errors.New(`config: "tables": "` + k.String() + `" is the name of a table`)
		}
		switch key := k.String(); key {
		case "properties":
			o.properties = name
		case "twins":
			o.twins = name
		case "relationships":
			o.relationships = name
		default:
			return errors.New(`config: "tables": there is no "` + key + `"; it has "properties", "twins" and "relationships"`)
		}
	}
	if o.properties == "" && o.twins == "" && o.relationships == "" {
		return errors.New(`config: "tables" names a table at least`)
	}
	return nil
}
