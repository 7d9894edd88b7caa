package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/plugin/schema"
)

const keys = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,
	"required":["mode"],
	"properties":{
		"mode":{"enum":["flat","nested"]},
		"limit":{"type":"integer","minimum":1},
		"keys":{"type":"array","items":{"$ref":"#/$defs/key"}}
	},
	"$defs":{"key":{"type":"object","required":["name"],"properties":{"name":{"type":"string","pattern":"^[a-z]+$"}}}}}`

func TestCheck(t *testing.T) {
	s, err := schema.Parse([]byte(keys))
	if err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string]string{
		`{"mode":"flat"}`: "",
		`{"mode":"flat","limit":3,"keys":[{"name":"a"}]}`: "",
		`{}`:                          "missing property 'mode'",
		`[]`:                          "got array, want object",
		`{"mode":"round"}`:            "mode: value must be one of 'flat', 'nested'",
		`{"mode":"flat","limti":3}`:   "additional properties 'limti' not allowed",
		`{"mode":"flat","limit":"3"}`: "limit: got string, want integer",
		`{"mode":"flat","limit":0}`:   "limit: minimum: got 0, want 1",
		`{"mode":"flat","keys":[{"name":"a"},{}]}`:     "keys[1]: missing property 'name'",
		`{"mode":"flat","keys":[{"name":"A"}]}`:        "keys[0].name: 'A' does not match pattern '^[a-z]+$'",
		`{"mode":"flat","limit":12345678901234567890}`: "",
		`{"mode":`: "it is not JSON",
	} {
		err := s.Check([]byte(config))
		var e *schema.Error
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", config, err)
		case want != "" && (!errors.As(err, &e) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

func TestCheckOfAlternatives(t *testing.T) {
	s, err := schema.Parse([]byte(`{"oneOf":[
		{"type":"string"},
		{"type":"object","properties":{"path":{"type":"string"}},"required":["path"],"additionalProperties":false}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check([]byte(`{"path":7}`)); err == nil || err.Error() != "path: got number, want string" {
		t.Errorf("the fault of the form that was meant is told as %v", err)
	}
}

// TestParse holds what a hostile schema may not do.
func TestParse(t *testing.T) {
	bomb := `{"$defs":{`
	for i := range 40 {
		bomb += fmt.Sprintf(`"a%d":{"anyOf":[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%[2]d"}]},`, i, i+1)
	}
	bomb += `"a40":{"type":"string"}},"$ref":"#/$defs/a0"}`
	for text, want := range map[string]string{
		`{"type":"object"`:                            "not JSON",
		`{"type":"objekt"}`:                           "not a JSON Schema",
		`{"properties":[]}`:                           "not a JSON Schema",
		`{"pattern":"("}`:                             "regex",
		`{"$ref":"https://example.com/schema.json"}`:  "leads out of it",
		`{"$ref":"file:///etc/passwd"}`:               "leads out of it",
		`{"$schema":"https://example.com/meta.json"}`: "outside of it",
		`{"$ref":"#/$defs/none"}`:                     "leads nowhere",
		`{"$ref":"#"}`:                                "circle",
		`{"$defs":{"a":{"items":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"}`: "circle",
		`{"$dynamicRef":"#a"}`:                          "$dynamicRef",
		`{"$id":"https://example.com/","$ref":"other"}`: "it has $id",
		bomb: "subschemas",
		strings.Replace(bomb, `"$ref":"#/$defs/a0"`, `"properties":{"enum":{"$ref":"#/$defs/a0"}}`, 1): "subschemas",
	} {
		begin := time.Now()
		if _, err := schema.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%.80s took %s", text, took)
		}
	}
	for _, text := range []string{`true`, `{}`, `{"properties":{"$ref":{"type":"string"},"id":{}}}`, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}`} {
		if _, err := schema.Parse([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzSchema holds every schema and configuration to an end, and an error to a
// sentence.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(keys), []byte(`{"mode":"flat","keys":[{"name":"a"}]}`))
	f.Add([]byte(`{"oneOf":[{"type":"string"},{"items":{"uniqueItems":true}}]}`), []byte(`[[1,1]]`))
	f.Fuzz(func(t *testing.T, text, config []byte) {
		s, err := schema.Parse(text)
		if err != nil {
			return
		}
		if err := s.Check(config); err != nil {
			if e := (*schema.Error)(nil); !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("%s against %s: %v", config, text, err)
			}
		}
	})
}
