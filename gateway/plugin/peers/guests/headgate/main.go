// Command headgate is the guest for Headgate: {"do":"no-op"} passes every
// event, {"do":"filter"} the wanted ones.
package main

import (
	"github.com/headgate/headgate/gateway/plugin/peers/guests/wanted"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() { sdk.Register(sdk.Plugin{Name: "judge", Filter: open}) }

func main() {}

func open(config json.Value) (sdk.FilterFunc, error) {
	if config.At("do").Is("no-op") {
		return func(*sdk.Event) (bool, error) { return true, nil }, nil
	}
	return func(e *sdk.Event) (bool, error) { return wanted.Split(e.Type(), e.Data()), nil }, nil
}
