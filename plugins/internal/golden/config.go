package golden

import (
	stdjson "encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/plugin/schema"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/plugintest"
)

// Refused demands that the plugin refuses a configuration in these words, and
// that its schema, by which the gateway checks before it, does as well.
func Refused(t *testing.T, config, words string) {
	t.Helper()
	if got := plugintest.Registered(t).Refusal(abi.Transform, config); got != words {
		t.Errorf("refused with %q, want %q", got, words)
	}
	if err := configSchema(t).Check([]byte(config)); err == nil {
		t.Errorf("the schema allows %s", config)
	}
}

// FuzzConfig holds the plugin and its schema together: what the one refuses the
// other does too.
func FuzzConfig(f *testing.F, configs ...string) {
	for _, config := range append(configs, `{}`, `[]`, `null`, `{"a":1}`) {
		f.Add([]byte(config))
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		var doc any
		if !utf8.Valid(config) || stdjson.Unmarshal(config, &doc) != nil {
			return
		}
		config, err := stdjson.Marshal(doc) // each name once
		if err != nil {
			t.Fatal(err)
		}
		p, _ := sdk.Registered()
		taken := sdk.NewGuest(p, silent{}).Open(abi.Transform, config) >= 0
		if err := configSchema(t).Check(config); taken != (err == nil) {
			t.Fatalf("config %s: the plugin takes it: %v, its schema: %v", config, taken, err)
		}
	})
}

// configSchema is the plugin's schema, which must leave nothing open: an object
// says what members it has, all of which are described.
func configSchema(t *testing.T) *schema.Schema {
	t.Helper()
	p, _ := sdk.Registered()
	s, err := schema.Parse([]byte(p.Config))
	if err != nil {
		t.Fatal(err)
	}
	var node any
	if err := stdjson.Unmarshal([]byte(p.Config), &node); err != nil {
		t.Fatal(err)
	}
	requireStrict(t, "config", node)
	return s
}

func requireStrict(t *testing.T, path string, node any) {
	t.Helper()
	o, _ := node.(map[string]any)
	properties, known := o["properties"].(map[string]any)
	switch more := o["additionalProperties"].(type) {
	case map[string]any:
		requireStrict(t, path+".*", more)
	case bool:
		if more {
			t.Errorf("%s: any member is allowed", path)
		}
	case nil:
		if known || o["type"] == "object" {
			t.Errorf("%s: members that it does not list are allowed", path)
		}
	}
	for name, member := range properties {
		path := path + "." + name
		if m, _ := member.(map[string]any); m["description"] == nil || m["type"] == nil && m["enum"] == nil && m["anyOf"] == nil {
			t.Errorf("%s: it has no description, or no type", path)
		}
		requireStrict(t, path, member)
	}
	if items, ok := o["items"]; ok {
		requireStrict(t, path+"[]", items)
	} else if o["type"] == "array" {
		t.Errorf("%s: any element is allowed", path)
	}
	list, _ := o["anyOf"].([]any)
	for _, one := range list {
		requireStrict(t, path, one)
	}
}
