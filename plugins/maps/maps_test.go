package main_test

import (
	"testing"

	"github.com/headgate/headgate/plugins/internal/golden"
	_ "github.com/headgate/headgate/plugins/maps"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

func TestGolden(t *testing.T) { golden.Test(t) }

func TestNoGarbage(t *testing.T) {
	golden.NoGarbage(t, `{"states":{"temperature":"/Temperature","pressure":"/Circuit/Pressure/inlet"}}`)
}

func BenchmarkTransform(b *testing.B) {
	golden.Benchmark(b, `{"states":{"temperature":"/Temperature"}}`)
}

func FuzzConfig(f *testing.F) {
	golden.FuzzConfig(f,
		`{"states":{"t":"/T"},"features":{"a":"b"}}`,
		`{"states":{},"features":{"a":""}}`,
	)
}

func TestConfigRefused(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"none", `{}`, `config: "states" is required`},
		{"states that are none", `{"states":["/T"]}`, `config: "states" names a property at least, such as {"temperature": "/Temperature"}`},
		{"no state", `{"states":{}}`, `config: "states" names a property at least, such as {"temperature": "/Temperature"}`},
		{"no path", `{"states":{"t":"Temperature"}}`, `config: "states" has paths of properties such as "/Temperature", and "t" is none`},
		{"features that are none", `{"states":{"t":"/T"},"features":["a"]}`, `config: "features" is an object`},
		{"empty feature", `{"states":{"t":"/T"},"features":{"a":""}}`, `config: "features" has texts that are not empty, and "a" is none`},
		{"unknown member", `{"states":{"t":"/T"},"stateset":"x"}`, `config: there is no "stateset"; it has "states" and "features"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { golden.Refused(t, tt.config, tt.want) })
	}
}

// FuzzUpdate demands of whatever data that what comes out is a body of states.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte(`{"patch":[{"op":"replace","path":"/T","value":1},{"op":"add","path":"/F","value":{"T":"x\u0000"}}]}`))
	f.Add([]byte(`{"patch":[{"op":"replace","path":"/F","value":{"T":null}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := plugintest.Event{ID: "1", Source: "s", Type: sdk.TwinUpdate, Subject: "twin", Time: "2024-03-05T07:11:42Z", Data: data}
		for _, o := range plugintest.Registered(t).Transform(`{"states":{"a":"/T","b":"/F/T"}}`, e)[0].Outputs {
			v, err := json.Parse(o.Data)
			if err != nil {
				t.Fatalf("%q: %q: %v", data, o.Data, err)
			}
			count := 0
			for _, s := range v.At("states").Elements() {
				count++
				if k := s.At("value").Kind(); k != json.String && k != json.Number && k != json.Bool {
					t.Errorf("%q: state %s", data, s)
				}
			}
			if count == 0 {
				t.Errorf("%q: no states in %q", data, o.Data)
			}
		}
	})
}
