package matcher_test

import (
	"testing"

	"github.com/headgate/headgate/gateway/event"
)

func TestExplain(t *testing.T) {
	room := update(`{"n":5,"on":false,"text":"it's","none":null,"list":[],"obj":{},"patch":[{"op":"replace","path":"/Front","value":{"T":7}}]}`)
	broken := update(`{"n":`)
	tests := []struct {
		name, filter string
		event        event.Event
		part, why    string
	}{
		{
			"false", "subject = 'room-1' AND type = 'Microsoft.DigitalTwins.Twin.Create'", room,
			"type = 'Microsoft.DigitalTwins.Twin.Create'",
			"type = 'Microsoft.DigitalTwins.Twin.Create' is false: type is 'Microsoft.DigitalTwins.Twin.Update'",
		},
		{"the first of several", "$body.n < 1 AND $body.n < 2", room, "$body.n < 1", "$body.n < 1 is false: $body.n is 5"},
		{"missing", "$body.x > 1", room, "$body.x > 1", "$body.x > 1 is undefined: $body.x is missing"},
		{"kinds that do not compare", "$body.text>1", room, "$body.text>1", "$body.text > 1 is undefined: $body.text is 'it''s'"},
		{"alternatives", "(subject = 'a' OR $body.on) AND true", room, "subject = 'a' OR $body.on", "subject = 'a' OR $body.on is false: subject is 'room-1', $body.on is false"},
		{"negation", "NOT subject = 'room-1'", room, "NOT subject = 'room-1'", "NOT subject = 'room-1' is false: subject is 'room-1'"},
		{"null and containers", "$body.none > $body.obj AND true", room, "$body.none > $body.obj", "$body.none > $body.obj is undefined: $body.none is null, $body.obj is an object"},
		{"array", "$body.list = 1", room, "$body.list = 1", "$body.list = 1 is undefined: $body.list is an array"},
		{"unchanged", "CHANGED('/Back')", room, "CHANGED('/Back')", "CHANGED('/Back') is false: no operation in $body.patch touches /Back"},
		{"changed", "CHANGED('/Front/T') AND PATCH('/Front/T') > 9", room, "PATCH('/Front/T') > 9", "PATCH('/Front/T') > 9 is false: PATCH('/Front/T') is 7"},
		{"name of nothing", "$eventType = 'x'", room, "$eventType = 'x'", "$eventType = 'x' is undefined: $eventType names nothing that events have"},
		{"constant", "false", room, "false", "false is false for every event"},
		{"data is not JSON", "$body.n = 5", broken, "$body.n = 5", "$body.n = 5 is undefined: $body.n is missing (the event's data is not JSON: offset 5: the text ends too early)"},
		{"match", "$body.n = 5 AND (true OR false)", room, "", ""},
	}
	rt := newRuntime(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := rt.NewExplainer(t.Context(), parse(t, tt.filter))
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			got := x.Explain(&tt.event)
			if got.Matched != (tt.why == "") || got.Why != tt.why {
				t.Errorf("Explain = %+v\nwant %s", got, tt.why)
			}
			if part := tt.filter[got.Start:got.End]; part != tt.part {
				t.Errorf("the condition is at %q, want %q", part, tt.part)
			}
		})
	}
}
