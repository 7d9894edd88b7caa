package main

import (
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

const description = "Maps events to the Event Grid schema, as Azure Digital Twins does, and back."

const schema = `{
	"type": "object",
	"properties": {
		"to": {
			"enum": ["eventGrid", "cloudEvents"], "default": "eventGrid",
			"description": "the direction: cloudEvents takes the Event Grid events in data and makes of each the CloudEvent that it was"
		},
		"data": {
			"enum": ["wrapped", "plain"], "default": "wrapped",
			"description": "wrapped puts data into an envelope with the content type, the schema and the extension attributes, as Azure Digital Twins does, or takes it out of that; plain leaves data as it is"
		},
		"topic": {
			"type": "string", "minLength": 1,
			"description": "the member topic, for receivers that want one; Event Grid itself writes its own"
		},
		"dataVersion": {
			"type": "string", "minLength": 1, "default": "1.0",
			"description": "the member dataVersion of an event that has no extension attribute dataversion"
		}
	},
	"additionalProperties": false
}`

// options are the configuration.
type options struct {
	back        bool // to CloudEvents
	plain       bool
	topic       string
	dataVersion string
}

func parseOptions(config json.Value) (options, error) {
	o := options{dataVersion: "1.0"}
	var to, data string
	c := sdk.ReadConfig(config)
	c.Enum(&to, "to", "eventGrid", "cloudEvents")
	c.Enum(&data, "data", "wrapped", "plain")
	c.String(&o.topic, "topic")
	c.String(&o.dataVersion, "dataVersion")
	o.back, o.plain = to == "cloudEvents", data == "plain"
	return o, c.Err()
}
