package main

import (
	"errors"

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
	for k, v := range config.Members() {
		switch name := k.String(); name {
		case "keys":
			o.nested = v.Is("nested")
			if !o.nested && !v.Is("flat") {
				return o, errors.New(`config: "keys" is "flat" or "nested"`)
			}
		case "timestamp":
			if v.Kind() != json.String || v.Is("") || v.Is(twinID) {
				return o, errors.New(`config: "timestamp" is the name of a property, and not ` + twinID)
			}
			name, _ := v.String()
			o.timestamp = append(json.AppendQuoted(nil, name), ':')
		case "create":
			var ok bool
			if o.create, ok = v.Bool(); !ok {
				return o, errors.New(`config: "create" is true or false`)
			}
		default:
			return o, errors.New(`config: there is no "` + name + `"; it has "keys", "timestamp" and "create"`)
		}
	}
	return o, nil
}
