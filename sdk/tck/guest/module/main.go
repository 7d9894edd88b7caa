// Command module is the conformance guest as a WebAssembly module.
package main

import (
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/tck/guest"
)

func init() { sdk.Register(guest.Plugin()) }

func main() {}
