package guest_test

import (
	"fmt"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/tck/guest"
)

type silent struct{}

func (silent) Begin(uint32)        {}
func (silent) Fail(uint32, string) {}

// The guest describes itself as every guest in every language does.
func ExamplePlugin() {
	fmt.Printf("%s\n", sdk.NewGuest(guest.Plugin(), silent{}).Describe())
	// Output: {"name":"tck","description":"Does what each event says.","kinds":["filter","transform"],"config":{"type":"object"}}
}
