package main

import (
	"fmt"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/plugin/peers/guests/wanted"
)

// twinUpdate is an event as Azure Digital Twins sends it, of some 560 bytes
// when it is written as JSON.
func twinUpdate(n int, model string) event.Event {
	return event.Event{
		ID:              fmt.Sprintf("39d4abb9-e3ee-4ed5-ad17-%012d", n),
		Source:          "plant-example-one.api.sea.digitaltwins.azure.net",
		Type:            wanted.Type,
		Subject:         fmt.Sprintf("thermostat-%02d", n),
		Time:            "2026-01-09T20:28:52.9795363Z",
		DataContentType: "application/json",
		Extensions: []event.Extension{
			{Name: "traceparent", Value: "00-2aa957558db348f387ef704b3d1f1c58-5a4b5a4b5a4b5a4b-01"},
		},
		Data: fmt.Appendf(nil, `{"modelId":%q,"patch":[`+
			`{"value":71.5,"path":"/Temperature","op":"replace"},`+
			`{"value":40,"path":"/Humidity","op":"replace"},`+
			`{"value":"occupied","path":"/Front/State","op":"add"}]}`, model),
	}
}

// timed are the events that the benchmarks run: all pass the filter, so that
// it has to look at all of each.
func timed(n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = twinUpdate(i, wanted.Model)
	}
	return events
}

// mixed are events that a filter must tell apart, and whether it passes them.
func mixed() (events []event.Event, pass []bool) {
	other := twinUpdate(1, wanted.Model)
	other.Type = event.TwinCreate
	nested := twinUpdate(2, "dtmi:other;1")
	nested.Data = fmt.Appendf(nil, `{"was":{"modelId":%q},"modelId":"dtmi:other;1"}`, wanted.Model)
	without := twinUpdate(3, "")
	without.Data = []byte(`{"patch":[]}`)
	array := twinUpdate(4, "")
	array.Data = fmt.Appendf(nil, `[%q]`, wanted.Model)
	last := twinUpdate(5, "")
	last.Data = fmt.Appendf(nil, `{"patch":[],"modelId":%q}`, wanted.Model)
	return []event.Event{
			twinUpdate(0, wanted.Model), other, nested, twinUpdate(6, wanted.Model+"0"), without, array, last,
		}, []bool{
			true, false, false, false, false, false, true,
		}
}
