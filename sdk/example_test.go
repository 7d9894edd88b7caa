package sdk_test

import (
	"fmt"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
)

// A plugin gives each update of a twin the session of that twin, and says how
// many properties it sets.
func Example() {
	sessions := sdk.Plugin{
		Name: "sessions",
		Transform: func(json.Value) (sdk.TransformFunc, error) {
			return func(e *sdk.Event, out *sdk.Outputs) error {
				data, err := e.JSON()
				if err != nil {
					return err
				}
				count := 0
				for range data.At("patch").Elements() {
					count++
				}
				o := out.Add()
				o.SetSessionID(e.TwinID())
				w := o.JSON()
				w.BeginObject()
				w.Name("set")
				w.Int(int64(count))
				w.EndObject()
				return nil
			}, nil
		},
	}
	// In a module this would be: func init() { sdk.Register(sessions) }

	g := sdk.NewGuest(sessions, silent{})
	handle := g.Open(abi.Transform, []byte(`{}`))
	arena := arenaOf(g, "a")
	out, _ := abi.NewOutput(arena, g.Transform(handle, arena))
	session, _ := out.Bytes(out.Record(0).Slot(abi.SessionID))
	data, _ := out.Bytes(out.Record(0).Slot(abi.Data))
	fmt.Printf("%s %s\n", session, data)
	// Output: twin {"set":1}
}
