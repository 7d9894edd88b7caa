// Package wanted is the filter that all guests in standard Go run, so that
// none has a better one: it passes updates of the twins of one model.
package wanted

import "github.com/headgate/headgate/sdk/json"

// What an event needs to pass.
const (
	Type  = "Microsoft.DigitalTwins.Twin.Update"
	Model = "dtmi:examplecom:floor:thermostat;1"
)

// Split judges an event whose type its host gives apart from the data.
func Split(typ string, data []byte) bool {
	if typ != Type {
		return false
	}
	v, err := json.Parse(data)
	return err == nil && v.At("modelId").Is(Model)
}

// Whole judges an event in structured mode: one JSON text.
func Whole(text []byte) bool {
	v, err := json.Parse(text)
	return err == nil && v.At("type").Is(Type) && v.At("data", "modelId").Is(Model)
}
