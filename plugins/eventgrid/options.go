package main

import (
	"errors"

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
	for k, v := range config.Members() {
		var ok bool
		switch name := k.String(); name {
		case "to":
			if o.back = v.Is("cloudEvents"); !o.back && !v.Is("eventGrid") {
				return o, errors.New(`config: "to" is "eventGrid" or "cloudEvents"`)
			}
		case "data":
			if o.plain = v.Is("plain"); !o.plain && !v.Is("wrapped") {
				return o, errors.New(`config: "data" is "wrapped" or "plain"`)
			}
		case "topic":
			if o.topic, ok = v.String(); !ok || o.topic == "" {
				return o, errors.New(`config: "topic" is a text that is not empty`)
			}
		case "dataVersion":
			if o.dataVersion, ok = v.String(); !ok || o.dataVersion == "" {
				return o, errors.New(`config: "dataVersion" is a text that is not empty`)
			}
		default:
			return o, errors.New(`config: there is no "` + name + `"; it has "to", "data", "topic" and "dataVersion"`)
		}
	}
	return o, nil
}
