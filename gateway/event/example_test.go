package event_test

import (
	"fmt"

	"github.com/headgate/headgate/gateway/event"
)

func ExampleDecodeJSON() {
	e, err := event.DecodeJSON([]byte(`{"specversion":"1.0","id":"1","source":"plant.example","type":"Microsoft.DigitalTwins.Twin.Update",` +
		`"subject":"boiler-7","data":{"patch":[ {"op":"replace","path":"/Temperature","value":71.0} ]}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.TwinKey())
	fmt.Printf("%s\n", e.Data)

	_, err = event.DecodeJSON([]byte(`{"specversion":"1.0","id":"1","source":"plant.example","type":"t","time":"today"}`))
	fmt.Println(err)
	// Output:
	// boiler-7
	// {"patch":[ {"op":"replace","path":"/Temperature","value":71.0} ]}
	// event: time must be an RFC 3339 time, such as 2024-05-01T12:30:00Z
}
