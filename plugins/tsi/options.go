package main

import (
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

const description = "Turns twin updates and telemetry into flat Time Series Insights events."

const schema = `{
	"type": "object",
	"properties": {
		"keys": {
			"enum": ["flat", "nested"], "default": "flat",
			"description": "how the path /Front/Temperature is written: flat as the one key Front.Temperature, nested as an object Front with a member Temperature"
		},
		"timestamp": {
			"type": "string", "minLength": 1, "not": {"const": "$dtId"},
			"description": "a property to put the event's time in; without one the time of arrival counts downstream"
		},
		"create": {
			"type": "boolean", "default": false,
			"description": "whether the creation of a twin sends the values that it starts with"
		}
	},
	"additionalProperties": false
}`

// options are the configuration.
type options struct {
	nested    bool
	timestamp []byte // the key of the property, with its colon; nil for none
	create    bool
}

func parseOptions(config json.Value) (o options, err error) {
	var keys, timestamp string
	c := sdk.ReadConfig(config)
	c.Enum(&keys, "keys", "flat", "nested")
	c.String(&timestamp, "timestamp")
	if timestamp == twinID {
		c.Fail("timestamp", "is the name of a property, and not "+twinID)
	}
	c.Bool(&o.create, "create")
	o.nested = keys == "nested"
	if timestamp != "" {
		o.timestamp = append(json.AppendQuoted(nil, timestamp), ':')
	}
	return o, c.Err()
}
