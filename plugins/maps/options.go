package main

import (
	"errors"
	"strings"

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
	for k, v := range config.Members() {
		switch name := k.String(); name {
		case "states":
			if o.states, err = parseStates(v); err != nil {
				return o, err
			}
		case "features":
			if o.features, err = parseFeatures(v); err != nil {
				return o, err
			}
		default:
			return o, errors.New(`config: there is no "` + name + `"; it has "states" and "features"`)
		}
	}
	if len(o.states) == 0 {
		return o, errors.New(`config: "states" names a property at least, such as {"temperature": "/Temperature"}`)
	}
	return o, nil
}

func parseStates(v json.Value) (list []state, err error) {
	for k, value := range v.Members() {
		path, _ := value.String()
		if !strings.HasPrefix(path, "/") {
			return nil, errors.New(`config: "states": "` + k.String() + `" is the path of a property, such as "/Temperature"`)
		}
		list = append(list, state{key: k.String(), path: path})
	}
	return list, nil
}

func parseFeatures(v json.Value) (map[string]string, error) {
	if v.Kind() != json.Object {
		return nil, errors.New(`config: "features" is an object: the feature for each twin`)
	}
	features := map[string]string{}
	for k, value := range v.Members() {
		feature, _ := value.String()
		if feature == "" {
			return nil, errors.New(`config: "features": "` + k.String() + `" is the id of a feature`)
		}
		features[k.String()] = feature
	}
	return features, nil
}
