package json_test

import (
	"fmt"

	"github.com/headgate/headgate/sdk/json"
)

func Example() {
	v, err := json.Parse([]byte(`{"modelId":"dtmi:example:Room;1","patch":[{"op":"replace","path":"/Temperature","value":21.5}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	patch, _ := v.Get("patch")
	for _, op := range patch.Elements() {
		path, _ := op.Get("path")
		value, _ := op.Get("value")
		degrees, _ := value.Float()
		fmt.Println(path.Is("/Temperature"), degrees)
	}
	// Output: true 21.5
}

func ExampleWriter() {
	w := json.NewWriter(nil)
	w.BeginObject()
	w.Name("Temperature")
	w.Float(21.5)
	w.Name("$dtId")
	w.String("room-1")
	w.EndObject()
	fmt.Println(string(w.Bytes()))
	// Output: {"Temperature":21.5,"$dtId":"room-1"}
}
