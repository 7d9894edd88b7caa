package main_test

import (
	stdjson "encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	_ "github.com/headgate/headgate/plugins/adx"
	"github.com/headgate/headgate/plugins/internal/golden"
	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/plugintest"
)

func TestGolden(t *testing.T) { golden.Test(t) }

func TestNoGarbage(t *testing.T) {
	golden.NoGarbage(t, `{}`)
	golden.NoGarbage(t, `{"recordRemovals":true,"output":"lines"}`)
}

func BenchmarkTransform(b *testing.B) { golden.Benchmark(b, `{}`, `{"output":"rows"}`) }

func FuzzConfig(f *testing.F) {
	golden.FuzzConfig(f,
		`{"tables":{"properties":"p","twins":"t","relationships":"r"},"recordRemovals":true,"keys":"dot","columns":"camel","output":"rows"}`,
		`{"tables":{},"keys":"slash","output":"lines"}`,
	)
}

func TestConfigRefused(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"no table", `{"tables":{}}`, `config: "tables" names a table at least`},
		{"tables that are none", `{"tables":["a"]}`, `config: "tables" is an object`},
		{"table without a name", `{"tables":{"twins":""}}`, `config: "tables": "twins" is a text that is not empty`},
		{"unknown table", `{"tables":{"models":"a"}}`, `config: "tables": there is no "models"; it has "properties", "twins" and "relationships"`},
		{"removals that are no truth", `{"recordRemovals":"true"}`, `config: "recordRemovals" is true or false`},
		{"unknown keys", `{"keys":"flat"}`, `config: "keys" is "underscore", "dot" or "slash"`},
		{"unknown columns", `{"columns":"snake"}`, `config: "columns" is "pascal" or "camel"`},
		{"unknown output", `{"output":1}`, `config: "output" is "array", "lines" or "rows"`},
		{"unknown member", `{"table":"x"}`, `config: there is no "table"; it has "tables", "recordRemovals", "keys", "columns" and "output"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { golden.Refused(t, tt.config, tt.want) })
	}
}

func TestManyRows(t *testing.T) {
	const operation = `{"op":"add","path":"/a","value":1}`
	update := func(count int) plugintest.Event {
		return plugintest.Event{
			ID: "1", Source: "s", Type: sdk.TwinUpdate, Subject: "twin",
			Data: []byte(`{"patch":[` + strings.Repeat(operation+",", count-1) + operation + `]}`),
		}
	}
	const config = `{"output":"rows"}`
	if r := plugintest.Registered(t).Transform(config, update(1024))[0]; len(r.Outputs) != 1024 || r.Outputs[1023].ID != "1-1023" {
		t.Errorf("%d outputs, %s", len(r.Outputs), r.Err)
	}
	if r := plugintest.Registered(t).Transform(config, update(1025))[0]; !strings.Contains(r.Err, "more than 1024 rows") {
		t.Errorf("%d outputs, %s", len(r.Outputs), r.Err)
	}
}

// FuzzUpdate holds updates against a plain reading of the rules, made with
// encoding/json, in each form of output.
func FuzzUpdate(f *testing.F) {
	for _, s := range []string{
		`{"patch":[{"op":"add","path":"/a/b","value":1},{"op":"remove","path":"/c"},{"op":"replace","path":"/$metadata/a/sourceTime","value":"x"}]}`,
		`{"modelId":"m","patch":[{"op":"add","path":"/a~1b/~0c~2","value":"é"},{"path":"\/q\"","value":null,"op":"add"}]}`,
		"{\"patch\":[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\n\"x\":\r\n[1,\n2]}},{\"op\":\"add\",\"path\":\"/b\",\"value\":1}]}",
		`{"patch":[{"op":"add","path":"a","value":1}]}`, `{"patch":[1]}`, `{"patch":1,"patch":[]}`, `{`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := plugintest.Event{ID: "1", Source: "s", Type: sdk.TwinUpdate, Subject: "twin", Data: data}
		want, known := expected(data)
		for _, output := range []string{"array", "lines", "rows"} {
			r := plugintest.Registered(t).Transform(`{"recordRemovals":true,"output":"`+output+`"}`, e)[0]
			var got []map[string]any
			for _, o := range r.Outputs {
				text := string(o.Data)
				if output == "lines" {
					text = "[" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", ",") + "]"
				} else if output == "rows" {
					text = "[" + text + "]"
				}
				var rows []map[string]any
				if err := stdjson.Unmarshal([]byte(text), &rows); err != nil {
					t.Fatalf("%s of %q: %q: %v", output, data, o.Data, err)
				}
				got = append(got, rows...)
			}
			if !known {
				continue
			}
			for i := range got {
				if got[i]["Id"] != "twin" || got[i]["ServiceId"] != "s" {
					t.Fatalf("%s of %q: row %v", output, data, got[i])
				}
				got[i] = map[string]any{"Key": got[i]["Key"], "Value": got[i]["Value"], "Action": got[i]["Action"]}
			}
			if diff := cmp.Diff(want, got); diff != "" || r.Err != "" {
				t.Fatalf("%s of %q: error %q, -want +got:\n%s", output, data, r.Err, diff)
			}
		}
	})
}

// expected is what becomes of data. It is not known for data that fails, and
// for what encoding/json reads otherwise.
func expected(data []byte) (rows []map[string]any, known bool) {
	var all map[string]any
	if !utf8.Valid(data) || strings.Contains(string(data), `\u`) || strings.Count(string(data), `"patch"`) > 1 || stdjson.Unmarshal(data, &all) != nil {
		return nil, false
	}
	patch, ok := all["patch"].([]any)
	if !ok || len(patch) > 1000 {
		return nil, false
	}
	for _, element := range patch {
		o, ok := element.(map[string]any)
		if !ok {
			return nil, false
		}
		action := "Update"
		switch o["op"] {
		case "remove":
			action = "Delete"
			o["value"] = nil
		case "add", "replace":
		default:
			continue
		}
		path, isString := o["path"].(string)
		value, hasValue := o["value"]
		if !isString || !hasValue || !strings.HasPrefix(path, "/") {
			return nil, false
		}
		if strings.Contains(path, "/$") {
			continue
		}
		parts := strings.Split(path[1:], "/")
		for i := range parts {
			parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[i])
		}
		rows = append(rows, map[string]any{"Key": strings.Join(parts, "_"), "Value": value, "Action": action})
	}
	return rows, true
}
