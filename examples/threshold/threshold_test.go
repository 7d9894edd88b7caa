package main_test

import (
	"testing"

	_ "github.com/headgate/headgate/examples/threshold"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/plugintest"
)

func update(patch string) plugintest.Event {
	return plugintest.Event{
		ID: "1", Source: "plant.example", Type: sdk.TwinUpdate, Subject: "boiler-7",
		Data: []byte(`{"modelId":"dtmi:example:Boiler;1","patch":` + patch + `}`),
	}
}

func TestThreshold(t *testing.T) {
	tests := []struct {
		name  string
		event plugintest.Event
		want  bool
	}{
		{"above", update(`[{"value":81.5,"path":"/Temperature","op":"replace"}]`), true},
		{"equal", update(`[{"value":30,"path":"/Temperature","op":"add"}]`), true},
		{"below", update(`[{"value":29.999,"path":"/Temperature","op":"replace"}]`), false},
		{"another property", update(`[{"value":81,"path":"/Pressure","op":"replace"}]`), false},
		{"removed", update(`[{"path":"/Temperature","op":"remove"}]`), false},
		{"a string", update(`[{"value":"81","path":"/Temperature","op":"replace"}]`), false},
		{"data that is not JSON", plugintest.Event{ID: "1", Source: "s", Type: "t", Data: []byte("81")}, false},
		{"no data", plugintest.Event{ID: "1", Source: "s", Type: "t"}, false},
	}
	events := make([]plugintest.Event, len(tests))
	for i, tt := range tests {
		events[i] = tt.event
	}
	verdicts := plugintest.Registered(t).Filter(`{"path":"/Temperature","min":30}`, events...)
	for i, tt := range tests {
		if got := verdicts[i]; got.Pass != tt.want || got.Err != "" {
			t.Errorf("%s: %+v, want pass %v", tt.name, got, tt.want)
		}
	}
}

func TestConfig(t *testing.T) {
	guest := plugintest.Registered(t)
	for config, want := range map[string]string{
		`{}`:                            `config: "path" is required`,
		`{"path":"/a"}`:                 `config: "min" is required`,
		`{"path":"","min":3}`:           `config: "path" is a text that is not empty`,
		`{"path":"/a","min":"3"}`:       `config: "min" is a number`,
		`{"path":"/a","min":3,"max":4}`: `config: there is no "max"; it has "path" and "min"`,
	} {
		if got := guest.Refusal(abi.Filter, config); got != want {
			t.Errorf("config %s is refused with %q, want %q", config, got, want)
		}
	}
	if got := guest.Refusal(abi.Transform, `{}`); got == "" {
		t.Error("a filter opened as a transform says nothing")
	}
}
