// Command threshold is a filter plugin, and the tutorial of how to write one:
// it passes an update of a twin that sets a property to a value that is large
// enough.
package main

import (
	"errors"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "threshold", Description: description, Config: schema, Filter: open})
}

func main() {} // never run: the gateway calls open, and then what it returns

func open(config json.Value) (sdk.FilterFunc, error) {
	path, hasPath := config.At("path").String()
	min, hasMin := config.At("min").Float()
	if !hasPath || !hasMin {
		return nil, errors.New(`config needs a string "path", such as "/Temperature", and a number "min"`)
	}
	return func(e *sdk.Event) (bool, error) {
		value, ok := e.Patched(path).Float()
		return ok && value >= min, nil
	}, nil
}
