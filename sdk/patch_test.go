package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

// A plugin keeps what an update sets, by the names of the properties.
func ExampleEvent_Patch() {
	flat := sdk.Plugin{
		Name: "flat",
		Transform: func(json.Value) (sdk.TransformFunc, error) {
			return func(e *sdk.Event, out *sdk.Outputs) error {
				w := out.Add().JSON()
				w.BeginObject()
				patch := e.Patch()
				for patch.Next() {
					if patch.Sets() {
						w.Key(patch.AppendKey(nil, '.'))
						w.Value(patch.Value)
					}
				}
				w.EndObject()
				return patch.Err()
			}, nil
		},
	}
	g := sdk.NewGuest(flat, silent{})
	handle := g.Open(abi.Transform, []byte(`{}`))
	arena := make([]byte, abi.InputBytes(1, 0, 200))
	w := abi.NewInputWriter(arena, 1, 0)
	w.Next()
	w.SetData([]byte(`{"modelId":"dtmi:example:Boiler;1","patch":[{"op":"replace","path":"/Front/Temperature","value":71.5}]}`))

	out, _ := abi.NewOutput(arena, g.Transform(handle, arena))
	data, _ := out.Bytes(out.Record(0).Slot(abi.Data))
	fmt.Printf("%s\n", data)
	// Output: {"Front.Temperature":71.5}
}

func TestPatch(t *testing.T) {
	const add = `{"op":"add","path":"/a","value":1}`
	tests := []struct{ name, data, want string }{
		{"none", `{"modelId":"m","patch":[]}`, `"m"`},
		{"operations", `{"modelId":"m","patch":[` + add + `,{"op":"remove","path":"/b"},{"op":"test"}]}`, `2 "/a" 1; 4 "/b" ; 1  ; "m"`},
		{"model behind", `{"patch":[` + add + `],"modelId":"m"}`, `2 "/a" 1; "m"`},
		{"no model", `{"patch":[` + add + `]}`, `2 "/a" 1; `},
		{"escaped slash", `{"patch":[{"op":"add","path":"\u002fa","value":1}]}`, `2 "\u002fa" 1; `},
		{"other members", `{"x":[{"patch":1}],"patch":[` + add + `],"y":{}}`, `2 "/a" 1; `},

		{"no data", "\x00", "error: the event has no data"},
		{"empty data", ``, "error: data is not JSON: offset 0: the text ends too early"},
		{"no object", `[` + add + `]`, `error: data has no array "patch"`},
		{"no patch", `{"modelId":"m"}`, `error: data has no array "patch"`},
		{"patch that is no array", `{"patch":{}}`, `error: data has no array "patch"`},
		{"two patches", `{"patch":[],"patch":[` + add + `]}`, `error: data has more than one "patch"`},
		{"no operation", `{"patch":[` + add + `,7]}`, `2 "/a" 1; error: patch operation 1: it is not an object`},
		{"no value", `{"patch":[{"op":"replace","path":"/a"}]}`, "error: patch operation 0: it has no value"},
		{"no path", `{"patch":[{"op":"remove"}]}`, "error: patch operation 0: its path is not a string that starts with a slash"},
		{"whole twin", `{"patch":[{"op":"add","path":"","value":{}}]}`, "error: patch operation 0: its path is not a string that starts with a slash"},
		{"relative path", `{"patch":[{"op":"add","path":"a","value":{}}]}`, "error: patch operation 0: its path is not a string that starts with a slash"},
		{"fault behind a fault", `{"patch":[7]} x`, "error: data is not JSON: offset 14: expected nothing after the value"},
		{"fault in an operation", `{"patch":[{"op":"add","path":"/a","value":01}]}`, "error: data is not JSON: offset 43: expected a comma or }"},
		{"cut short", `{"patch":[` + add, `2 "/a" 1; error: data is not JSON: offset 44: the text ends too early`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := []byte(tt.data)
			if tt.data == "\x00" {
				data = nil
			}
			f := filter(func(e *sdk.Event) (bool, error) {
				for range 2 { // a second pass says the same
					if got := patchOf(e); got != tt.want {
						t.Errorf("got  %s\nwant %s", got, tt.want)
					}
				}
				return true, nil
			})
			plugintest.New(t, f).Filter(`{}`, plugintest.Event{ID: "1", Source: "s", Type: "t", Data: data})
		})
	}
}

// patchOf is the operations of e's patch, then the model or the error.
func patchOf(e *sdk.Event) string {
	var b strings.Builder
	patch := e.Patch()
	for patch.Next() {
		fmt.Fprintf(&b, "%d %s %s; ", patch.Op, patch.Path, patch.Value)
	}
	again := patch.Next()
	switch err := patch.Err(); {
	case again:
		b.WriteString("an operation after the last")
	case err != nil:
		b.WriteString("error: " + err.Error())
	default:
		b.Write(patch.ModelID())
	}
	return b.String()
}

// FuzzPatch demands of whatever data that a patch has an error or is sound, as
// Parse sees it, and that Patched finds nothing in one with an error.
func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"modelId":"m","patch":[{"op":"add","path":"/a","value":{"b":1}},{"op":"remove","path":"/a/b"}]}`))
	f.Add([]byte(`{"patch":[7],"patch":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		check := filter(func(e *sdk.Event) (bool, error) {
			patch := e.Patch()
			for patch.Next() {
				if s, ok := patch.Path.String(); patch.Op != sdk.OpOther && !(ok && s[0] == '/') {
					t.Fatalf("%q: path %s", data, patch.Path)
				}
			}
			err := patch.Err()
			v, parseErr := json.Parse(data)
			switch {
			case err == nil && (parseErr != nil || v.At("patch").Kind() != json.Array):
				t.Fatalf("%q: no error", data)
			case parseErr != nil && (len(data) > 0 || e.Data() != nil) && err.Error() != "data is not JSON: "+parseErr.Error():
				t.Fatalf("%q: %v, want %v", data, err, parseErr)
			}
			if got := e.Patched("/a/b"); err != nil && got != nil {
				t.Fatalf("%q: Patched is %s, but %v", data, got, err)
			}
			return true, nil
		})
		plugintest.New(t, check).Filter(`{}`, plugintest.Event{ID: "1", Source: "s", Type: "t", Data: data})
	})
}
