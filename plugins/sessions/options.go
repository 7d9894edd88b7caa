package main

import (
	"errors"
	"strings"

	"github.com/headgate/headgate/sdk/json"
)

const description = "Sets the Service Bus session, partition key, message id, subject and properties from the twin or from what the event says."

// one is the schema of an expression: $twin, an attribute's name, a path beneath
// data, or a constant. oneOrSeveral is that of a list, of which the first
// counts that says something of the event.
const (
	one          = `{"type": "string", "pattern": "^(\\$twin|\\$body(\\.[^.]+)+|[a-z0-9]+|'[\\s\\S]+')$"}`
	oneOrSeveral = one + `, {"type": "array", "minItems": 1, "items": ` + one + `}`
)

const schema = `{
	"type": "object",
	"properties": {
		"sessionId": {
			"anyOf": [` + oneOrSeveral + `, {"type": "null"}], "default": ["$twin", "source"],
			"description": "the session, in which messages keep their order; null for none"
		},
		"partitionKey": {
			"anyOf": [` + oneOrSeveral + `],
			"description": "what a partitioned entity places the message by; where there is a session too, it is the session"
		},
		"messageId": {
			"anyOf": [` + oneOrSeveral + `],
			"description": "what duplicates are detected by"
		},
		"subject": {
			"anyOf": [` + oneOrSeveral + `],
			"description": "the subject, in place of the event's own"
		},
		"properties": {
			"type": "object", "additionalProperties": {"anyOf": [` + oneOrSeveral + `]},
			"propertyNames": {"minLength": 1, "not": {"pattern": "^cloudEvents[:_]"}},
			"description": "application properties by name"
		}
	},
	"additionalProperties": false
}`

// options are the configuration. An empty list sets nothing.
type options struct {
	session, partition, message, subject []expression

	properties []property
	body       *body
}

// property is an application property.
type property struct {
	name string
	from []expression
}

func parseOptions(config json.Value) (options, error) {
	o := options{session: []expression{{from: twin}, {from: source}}, body: newBody()}
	for k, v := range config.Members() {
		name := k.String()
		var err error
		switch name {
		case "sessionId":
			if v.Kind() == json.Null {
				o.session = nil
			} else {
				o.session, err = parseFrom(v, o.body)
			}
		case "partitionKey":
			o.partition, err = parseFrom(v, o.body)
		case "messageId":
			o.message, err = parseFrom(v, o.body)
		case "subject":
			o.subject, err = parseFrom(v, o.body)
		case "properties":
			o.properties, err = parseProperties(v, o.body)
		default:
			return o, errors.New(`config: there is no "` + name + `"; it has "sessionId", "partitionKey", "messageId", "subject" and "properties"`)
		}
		if err != nil {
			return o, errors.New(`config: "` + name + `": ` + err.Error())
		}
	}
	return o, nil
}

var errFrom = errors.New("it is an expression, or an array of some")

// parseFrom reads an expression or several.
func parseFrom(v json.Value, b *body) ([]expression, error) {
	if v.Kind() == json.String {
		x, err := parseOne(v, b)
		return []expression{x}, err
	}
	var list []expression
	for _, element := range v.Elements() {
		x, err := parseOne(element, b)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	if list == nil {
		return nil, errFrom
	}
	return list, nil
}

func parseOne(v json.Value, b *body) (expression, error) {
	s, ok := v.String()
	if !ok {
		return expression{}, errFrom
	}
	x, err := parseExpression(s, b)
	if err != nil {
		return x, errors.New(`"` + s + `" is ` + err.Error())
	}
	return x, nil
}

func parseProperties(v json.Value, b *body) ([]property, error) {
	if v.Kind() != json.Object {
		return nil, errors.New("it is an object of expressions")
	}
	var list []property
	for k, value := range v.Members() {
		name := k.String()
		if name == "" || strings.HasPrefix(name, "cloudEvents:") || strings.HasPrefix(name, "cloudEvents_") {
			return nil, errors.New(`"` + name + `" cannot be the name of a property: it is empty, or an attribute's`)
		}
		from, err := parseFrom(value, b)
		if err != nil {
			return nil, errors.New(`"` + name + `": ` + err.Error())
		}
		list = append(list, property{name: name, from: from})
	}
	return list, nil
}
