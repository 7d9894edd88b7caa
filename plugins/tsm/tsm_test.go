package main_test

import (
	"testing"

	"github.com/headgate/headgate/plugins/internal/golden"
	_ "github.com/headgate/headgate/plugins/tsm"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

func TestGolden(t *testing.T) { golden.Test(t) }

func FuzzConfig(f *testing.F) {
	golden.FuzzConfig(f,
		`{"typeId":"a","types":{"m":"b"},"fields":["F"],"hierarchies":{"contains":{"id":"h","field":"f","name":"n","typeId":"t","child":"source"}}}`,
		`{"fields":[""],"hierarchies":{"x":{"id":"","child":"both"}}}`,
	)
}

func TestConfigRefused(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"empty type", `{"typeId":""}`, `config: "typeId" is a text that is not empty`},
		{"type that is no text", `{"types":{"m":1}}`, `config: "types" has texts that are not empty, and "m" is none`},
		{"types that are none", `{"types":[]}`, `config: "types" is an object`},
		{"fields that are none", `{"fields":"a"}`, `config: "fields" is an array of texts that are not empty`},
		{"hierarchies that are none", `{"hierarchies":null}`, `config: "hierarchies" is an object`},
		{"field that is no text", `{"fields":["a",1]}`, `config: "fields" is an array of texts that are not empty`},
		{"hierarchy without a field", `{"hierarchies":{"contains":{"id":"x"}}}`, `config: "hierarchies": "contains": "field" is required`},
		{"hierarchy that is none", `{"hierarchies":{"contains":"x"}}`, `config: "hierarchies": "contains" is an object`},
		{"empty name", `{"hierarchies":{"contains":{"name":""}}}`, `config: "hierarchies": "contains": "name" is a text that is not empty`},
		{"unknown child", `{"hierarchies":{"contains":{"child":"both"}}}`, `config: "hierarchies": "contains": "child" is "target" or "source"`},
		{"unknown member of a hierarchy", `{"hierarchies":{"contains":{"id":"h","field":"f","ids":"x"}}}`, `config: "hierarchies": "contains": there is no "ids"; it has "id", "field", "name", "typeId" and "child"`},
		{"unknown member", `{"type":"x"}`, `config: there is no "type"; it has "typeId", "types", "fields" and "hierarchies"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { golden.Refused(t, tt.config, tt.want) })
	}
}

// FuzzData demands of whatever data that what comes out is a batch of one part.
func FuzzData(f *testing.F) {
	f.Add([]byte(`{"$relationshipName":"contains","$targetId":"a\u0000","X":[1],"Y":1e5,"Z":"\ud800"}`))
	f.Add([]byte(`{"$metadata":{"$model":"m"},"$targetId":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, eventType := range []string{sdk.TwinCreate, sdk.TwinDelete, sdk.RelationshipCreate, sdk.RelationshipDelete} {
			e := plugintest.Event{ID: "1", Source: "s", Type: eventType, Subject: "a/relationships/b", Data: data}
			const config = `{"types":{"m":"x"},"fields":["X","Y","Z"],"hierarchies":{"contains":{"id":"h","field":"f","name":"n"}}}`
			for _, o := range plugintest.Registered(t).Transform(config, e)[0].Outputs {
				v, err := json.Parse(o.Data)
				if err != nil {
					t.Fatalf("%s of %q: %q: %v", eventType, data, o.Data, err)
				}
				members := 0
				for range v.Members() {
					members++
				}
				if members != 1 {
					t.Errorf("%s of %q: %s", eventType, data, o.Data)
				}
			}
		}
	})
}
