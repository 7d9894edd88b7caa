package main

const description = "Passes an update of a twin that sets a property to a value of at least min."

const schema = `{
	"type": "object",
	"properties": {
		"path": {"type": "string", "minLength": 1, "description": "the property, as a JSON Pointer: /Temperature or /Front/Temperature"},
		"min": {"type": "number", "description": "the least value that passes"}
	},
	"required": ["path", "min"],
	"additionalProperties": false
}`
