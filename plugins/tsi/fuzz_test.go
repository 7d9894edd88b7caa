package main_test

import (
	stdjson "encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/plugintest"
)

// FuzzUpdate holds updates against a plain reading of the rules, made with
// encoding/json: the same properties, or no output, or an error.
func FuzzUpdate(f *testing.F) {
	for _, s := range []string{
		`{"patch":[{"op":"add","path":"/a/b","value":1},{"op":"replace","path":"/a.b","value":{"x":[2]}},{"op":"remove","path":"/c"}]}`,
		`{"patch":[{"op":"add","path":"/a~1b/~0c~2","value":"\u00e9"},{"path":"\/q\"","value":null,"op":"\u0061dd"}]}`,
		`{"patch":[{"op":"add","path":"/a","value":{"b":1}},{"op":"add","path":"/a/b/c","value":2},{"op":"add","path":"/a","value":3}]}`,
		`{"patch":[{"op":"add","path":"a","value":1}]}`, `{"patch":[1]}`, `{"patch":1,"patch":[]}`, `{`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := plugintest.Event{ID: "1", Source: "s", Type: sdk.TwinUpdate, Subject: "twin", Data: data}
		for _, nested := range []bool{false, true} {
			config := `{"keys":"flat"}`
			if nested {
				config = `{"keys":"nested"}`
			}
			got := plugintest.Registered(t).Transform(config, e)[0]
			want, ok := expected(data, nested)
			if !ok { // beyond the oracle: what comes is JSON all the same
				for _, o := range got.Outputs {
					if !stdjson.Valid(o.Data) {
						t.Fatalf("%s of %q: output %q", config, data, o.Data)
					}
				}
				continue
			}
			var properties map[string]any
			for _, o := range got.Outputs {
				if err := stdjson.Unmarshal(o.Data, &properties); err != nil {
					t.Fatalf("%s of %q: output %q: %v", config, data, o.Data, err)
				}
			}
			if got.Err != "" || !reflect.DeepEqual(properties, want) {
				t.Fatalf("%s of %q: %v, error %q, want %v", config, data, properties, got.Err, want)
			}
		}
	})
}

// expected is what becomes of data, nil for no output. It is not ok for data
// that fails, and for what encoding/json reads otherwise.
func expected(data []byte, nested bool) (properties map[string]any, ok bool) {
	var all map[string]any
	if !utf8.Valid(data) || strings.Contains(string(data), `\u`) || strings.Count(string(data), `"patch"`) > 1 || stdjson.Unmarshal(data, &all) != nil {
		return nil, false
	}
	patch, ok := all["patch"].([]any)
	if !ok {
		return nil, false
	}
	set := map[string]any{}
	for _, element := range patch {
		operation, ok := element.(map[string]any)
		if !ok {
			return nil, false
		}
		op := operation["op"]
		if op != "add" && op != "replace" && op != "remove" {
			continue
		}
		path, isString := operation["path"].(string)
		value, hasValue := operation["value"]
		if !isString || !hasValue && op != "remove" || !strings.HasPrefix(path, "/") || strings.Count(path, "/") > 64 {
			return nil, false
		}
		if op != "remove" {
			put(set, path[1:], value, nested)
		}
	}
	if len(set) == 0 {
		return nil, true
	}
	set["$dtId"] = "twin"
	return set, true
}

func put(set map[string]any, path string, value any, nested bool) {
	decode := strings.NewReplacer("~1", "/", "~0", "~").Replace
	if !nested {
		parts := strings.Split(path, "/")
		for i := range parts {
			parts[i] = decode(parts[i])
		}
		set[strings.Join(parts, ".")] = value
		return
	}
	for {
		part, rest, more := strings.Cut(path, "/")
		name := decode(part)
		if !more {
			set[name] = value
			return
		}
		next, ok := set[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			set[name] = next
		}
		set, path = next, rest
	}
}
