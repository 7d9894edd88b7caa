package sdk_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func ExampleReadConfig() {
	read := func(text string) {
		config, _ := json.Parse([]byte(text))
		keys, limit := "flat", 10.0
		c := sdk.ReadConfig(config)
		c.Enum(&keys, "keys", "flat", "nested")
		c.Float(&limit, "limit")
		fmt.Println(keys, limit, c.Err())
	}
	read(`{"limit":21.5}`)
	read(`{"limits":21.5}`)
	read(`{"keys":"deep"}`)
	// Output:
	// flat 21.5 <nil>
	// flat 10 config: there is no "limits"; it has "keys" and "limit"
	// flat 10 config: "keys" is "flat" or "nested"
}

// settings are of every kind.
type settings struct {
	text, mode string
	on         bool
	count      int64
	share      float64
	names      []string
	table      map[string]string
	inner      string
	any        json.Value
}

func readSettings(c *sdk.Config) (settings, error) {
	s := settings{text: "t", mode: "a", count: 1, share: 0.5}
	c.String(&s.text, "text")
	c.Enum(&s.mode, "mode", "a", "b", "c")
	c.Bool(&s.on, "on")
	c.Int(&s.count, "count")
	c.Float(&s.share, "share")
	c.Strings(&s.names, "names")
	c.Map(&s.table, "table")
	inner, there := c.Object("inner")
	inner.String(&s.inner, "text")
	if there {
		inner.Require("text")
	}
	s.any, _ = c.Value("any")
	return s, c.Err()
}

func TestConfig(t *testing.T) {
	config, err := json.Parse([]byte(`{"text":"\u0078","mode":"c","on":true,"count":-3,"share":2,"names":["a","b"],"table":{"k":"v"},"inner":{"text":"i"},"any":null}`))
	if err != nil {
		t.Fatal(err)
	}
	want := settings{text: "x", mode: "c", on: true, count: -3, share: 2, names: []string{"a", "b"}, table: map[string]string{"k": "v"}, inner: "i", any: json.Value("null")}
	if got, err := readSettings(sdk.ReadConfig(config)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	want = settings{text: "t", mode: "a", count: 1, share: 0.5}
	if got, err := readSettings(sdk.ReadConfig(json.Value(`{}`))); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("without members: %+v, %v, want %+v", got, err, want)
	}
}

func TestConfigFaults(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"text that is none", `{"text":1}`, `config: "text" is a text that is not empty`},
		{"empty text", `{"text":""}`, `config: "text" is a text that is not empty`},
		{"null", `{"text":null}`, `config: "text" is a text that is not empty`},
		{"none of them", `{"mode":"d"}`, `config: "mode" is "a", "b" or "c"`},
		{"no truth", `{"on":"true"}`, `config: "on" is true or false`},
		{"fraction", `{"count":1.5}`, `config: "count" is a whole number`},
		{"no number", `{"share":"1"}`, `config: "share" is a number`},
		{"no array", `{"names":"a"}`, `config: "names" is an array of texts that are not empty`},
		{"array of others", `{"names":["a",1]}`, `config: "names" is an array of texts that are not empty`},
		{"no object", `{"table":[]}`, `config: "table" is an object`},
		{"object of others", `{"table":{"a":"x","b":2}}`, `config: "table" has texts that are not empty, and "b" is none`},
		{"object that is none", `{"inner":7}`, `config: "inner" is an object`},
		{"what is required", `{"inner":{}}`, `config: "inner": "text" is required`},
		{"unknown within", `{"inner":{"text":"a","x":1}}`, `config: "inner": there is no "x"; it has "text"`},
		{"unknown", `{"x":1}`, `config: there is no "x"; it has "text", "mode", "on", "count", "share", "names", "table", "inner" and "any"`},
		{"the first of several", `{"share":"1","on":1,"x":1}`, `config: "on" is true or false`},
		{"the last of one name", `{"on":true,"on":1}`, `config: "on" is true or false`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readSettings(sdk.ReadConfig(json.Value(tt.config)))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	c := sdk.ReadConfig(json.Value(`{"x":1}`))
	if err := c.Err(); err == nil || err.Error() != `config: there is no "x"; it has no members` {
		t.Error(err)
	}
}
