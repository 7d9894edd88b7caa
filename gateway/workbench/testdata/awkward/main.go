// Command awkward does what its configuration says, mostly wrongly.
package main

import (
	"errors"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "awkward", Description: "Does wrong.", Config: `{"type":"object"}`, Filter: filter, Transform: transform})
}

func main() {}

var seen int

func filter(config json.Value) (sdk.FilterFunc, error) {
	if refuse, ok := config.At("refuse").String(); ok {
		return nil, errors.New(refuse)
	}
	do, _ := config.At("do").String()
	return func(e *sdk.Event) (bool, error) {
		sdk.Log(sdk.Info, "looks at "+e.ID())
		switch do {
		case "count":
			seen++
			return seen == 1, nil
		case "fail":
			return false, errors.New("not " + e.ID())
		case "trap":
			if e.ID() == "2" {
				panic("at the disco")
			}
		case "spin":
			for {
				seen++
			}
		}
		return true, nil
	}, nil
}

func transform(json.Value) (sdk.TransformFunc, error) {
	return func(e *sdk.Event, out *sdk.Outputs) error {
		out.Add().SetSubject("once")
		out.Add().SetTimeToLive(1e9)
		return nil
	}, nil
}
