// Command stamp writes its mark on each event. A test makes other versions of
// its module by writing over the mark; one that begins with "fragile" fails on
// temperatures above 100.
package main

import (
	"strings"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

var mark = "mark of the stamp, 32 characters"

const schema = `{"type":"object","additionalProperties":false,"properties":{
	"field":{"type":"string","default":"stamp","description":"the attribute that gets the mark"}}}`

func init() {
	sdk.Register(sdk.Plugin{Name: "stamp", Description: "Writes its mark on each event.", Config: schema, Transform: open})
}

func main() {}

func open(config json.Value) (sdk.TransformFunc, error) {
	field := "stamp"
	c := sdk.ReadConfig(config)
	c.String(&field, "field")
	if err := c.Err(); err != nil {
		return nil, err
	}
	text := strings.TrimSpace(mark)
	fragile := strings.HasPrefix(text, "fragile")
	return func(e *sdk.Event, out *sdk.Outputs) error {
		hot, ok := e.Patched("/temperature").Float()
		sdk.Log(sdk.Info, "stamps "+e.Subject())
		if fragile && ok && hot > 100 {
			panic("too hot to be stamped: " + e.Subject())
		}
		out.Add().SetExtension(field, text)
		return nil
	}, nil
}
