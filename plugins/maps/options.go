package main

import (
	"strings"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

const description = "Turns updates of twins into feature states of an Azure Maps indoor map."

const schema = `{
	"type": "object",
	"properties": {
		"states": {
			"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "pattern": "^/"},
			"description": "the path of the property, such as /Front/Temperature, for each key of a state"
		},
		"features": {
			"type": "object", "additionalProperties": {"type": "string", "minLength": 1},
			"description": "the feature for each twin, by id; other twins are not on the map. Without it the feature is called as the twin"
		}
	},
	"required": ["states"],
	"additionalProperties": false
}`

// options are the configuration.
type options struct {
	states   []state
	features map[string]string // by twin; nil where both are called the same
}

// state is a key of the stateset and the JSON Pointer of its property.
type state struct{ key, path string }

func parseOptions(config json.Value) (o options, err error) {
	c := sdk.ReadConfig(config)
	c.Require("states")
	states, _ := c.Value("states")
	for k, value := range states.Members() {
		path, _ := value.String()
		if !strings.HasPrefix(path, "/") {
			c.Fail("states", `has paths of properties such as "/Temperature", and "`+k.String()+`" is none`)
		}
		o.states = append(o.states, state{key: k.String(), path: path})
	}
	if len(o.states) == 0 {
		c.Fail("states", `names a property at least, such as {"temperature": "/Temperature"}`)
	}
	c.Map(&o.features, "features")
	return o, c.Err()
}
