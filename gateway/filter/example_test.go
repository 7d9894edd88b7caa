package filter_test

import (
	"fmt"

	"github.com/headgate/headgate/gateway/filter"
)

func ExampleParse() {
	f, err := filter.Parse("type='microsoft.iot.telemetry' and ($body.temperature>22)")
	fmt.Println(f, err)

	_, err = filter.Parse("this is not a valid filter")
	fmt.Println(err)
	// Output:
	// type = 'microsoft.iot.telemetry' AND $body.temperature > 22 <nil>
	// Parsing error, Line=1, Position=6, Message=Unexpected input 'is'
}

func ExampleFilter_Conditions() {
	f, _ := filter.Parse("type = 'a' AND (subject = 'b' OR subject = 'c')")
	for _, c := range f.Conditions() {
		fmt.Println(c)
	}
	// Output:
	// type = 'a'
	// subject = 'b' OR subject = 'c'
}
