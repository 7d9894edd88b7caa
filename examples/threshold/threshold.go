// Command threshold is a filter plugin, and the tutorial of how to write one:
// it passes an update of a twin that sets a property to a value that is large
// enough.
package main

import (
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "threshold", Description: description, Config: schema, Filter: open})
}

func main() {} // never run: the gateway calls open, and then what it returns

func open(config json.Value) (sdk.FilterFunc, error) {
	var path string
	var min float64
	c := sdk.ReadConfig(config)
	c.String(&path, "path")
	c.Float(&min, "min")
	c.Require("path", "min")
	if err := c.Err(); err != nil {
		return nil, err
	}
	return func(e *sdk.Event) (bool, error) {
		value, ok := e.Patched(path).Float()
		return ok && value >= min, nil
	}, nil
}
