package main

import (
	"github.com/headgate/headgate/sdk"
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

// options are the configuration. A table without a name is not filled.
type options struct {
	properties, twins, relationships string

	removals  bool
	separator byte
	camel     bool
	output    string // how rows become outputs
}

const (
	asArray = "array"
	asLines = "lines"
	asRows  = "rows"
)

func parseOptions(config json.Value) (options, error) {
	o := options{output: asArray}
	keys, columns := "underscore", "pascal"
	c := sdk.ReadConfig(config)
	o.parseTables(c)
	c.Bool(&o.removals, "recordRemovals")
	c.Enum(&keys, "keys", "underscore", "dot", "slash")
	c.Enum(&columns, "columns", "pascal", "camel")
	c.Enum(&o.output, "output", asArray, asLines, asRows)
	o.separator = map[string]byte{"underscore": '_', "dot": '.', "slash": '/'}[keys]
	o.camel = columns == "camel"
	return o, c.Err()
}

func (o *options) parseTables(c *sdk.Config) {
	tables, given := c.Object("tables")
	if !given {
		o.properties = "AdtPropertyEvents"
	} else if len(tables.Names()) == 0 {
		c.Fail("tables", "names a table at least")
	}
	tables.String(&o.properties, "properties")
	tables.String(&o.twins, "twins")
	tables.String(&o.relationships, "relationships")
}
