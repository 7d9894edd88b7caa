// Command sessions is a transform plugin: it sets what Service Bus orders,
// places and recognises a message by, from the twin or from anything that the
// event says.
package main

import (
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "sessions", Description: description, Config: schema, Transform: open})
}

func main() {}

func open(config json.Value) (sdk.TransformFunc, error) {
	o, err := parseOptions(config)
	if err != nil {
		return nil, err
	}
	return o.stamp, nil
}

func (o *options) stamp(e *sdk.Event, out *sdk.Outputs) error {
	o.body.read = false
	made := out.Add()
	// Service Bus refuses a message whose partition key is another than its
	// session, so that the session is both when both are asked for.
	session := key(o.value(o.session, e))
	if session != "" {
		made.SetSessionID(session)
	}
	if o.partition != nil {
		if session == "" {
			session = key(o.value(o.partition, e))
		}
		if session != "" {
			made.SetPartitionKey(session)
		}
	}
	if id := key(o.value(o.message, e)); id != "" {
		made.SetMessageID(id)
	}
	if subject := o.value(o.subject, e); subject != "" {
		made.SetSubject(subject)
	}
	for i := range o.properties {
		if v := o.value(o.properties[i].from, e); v != "" {
			made.SetProperty(o.properties[i].name, v)
		}
	}
	return nil
}

// value is the first of the expressions that says something of e, empty when
// none does.
func (o *options) value(list []expression, e *sdk.Event) string {
	for i := range list {
		if v := list[i].value(e, o.body); v != "" {
			return v
		}
	}
	return ""
}
