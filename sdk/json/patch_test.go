package json_test

import (
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/sdk/json"
)

func ExampleReader_Operation() {
	r := json.NewReader([]byte(`[{"op":"replace","path":"/Front/Temperature","value":21.5},{"op":"remove","path":"/State"}]`))
	var o json.Operation
	if r.Array() {
		for r.Operation(&o) {
			fmt.Println(o.Op == json.OpReplace, string(o.Path), string(o.Value), string(o.AppendKey(nil, '.')))
		}
	}
	fmt.Println(r.End())
	// Output:
	// true "/Front/Temperature" 21.5 "Front.Temperature"
	// false "/State"  "State"
	// <nil>
}

// operations are elements of a patch, as programs and people write them.
var operations = []string{
	`{"value":81.25,"path":"/Temperature","op":"replace"}`,
	`{"op":"add","path":"/a","value":{"b":[1,{"c":"}"}]}}`,
	`{"op":"remove","path":"/a"}`,
	`{"path":"/a","op":"remove"}`,
	`{"op":"test","path":"/a","value":1}`,
	`{"op":"adds","path":"/a","value":-1}`,
	`{"op":"replaces","path":"/a","value":true}`,
	`{"op":"add","path":"/\u0061\"","value":"é\n"}`,
	`{"\u006fp":"\u0061dd","path":"\/a","value":null}`,
	`{"op":"add","op":"remove","value":1,"value":2,"path":"/a","path":"/b"}`,
	`{"from":"/x","op":"add","path":"/a","value":1,"extra":[{}]}`,
	` { "op" : "add" , "path" : "/a" , "value" : 1 } `,
	`{"op":1,"path":2,"value":""}`,
	`{"op":"add"}`,
	`{}`, `1`, `"x"`, `[]`, `null`,
}

func TestOperation(t *testing.T) {
	for _, s := range operations {
		requireOperations(t, "["+s+"]")
		requireOperations(t, "["+s+","+s+"]")
		for i := range s { // cut anywhere
			requireOperations(t, "["+s[:i])
			requireOperations(t, "["+s[:i]+"]")
		}
	}
	requireOperations(t, "["+strings.Join(operations, ",")+"]")
	deep := strings.Repeat("[", json.MaxDepth-3) + strings.Repeat("]", json.MaxDepth-3)
	for _, value := range []string{"[" + deep + "]", "[[" + deep + "]]", "[[[" + deep + "]]]"} {
		requireOperations(t, `[{"op":"add","path":"/a","value":`+value+`}]`)
	}
}

func FuzzOperation(f *testing.F) {
	for _, s := range operations {
		f.Add([]byte("[" + s + "]"))
		f.Add([]byte("[" + s + "," + s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { requireOperations(t, string(b)) })
}

// requireOperations holds a Reader's operations against a walk, and its errors
// against those of Parse.
func requireOperations(t *testing.T, text string) {
	t.Helper()
	v, parseErr := json.Parse([]byte(text))
	var want, got []string
	for _, e := range v.Elements() {
		o := json.Operation{Op: json.NoOp, Path: e.At("path"), Value: e.At("value")}
		switch op := e.At("op"); {
		case e.Kind() != json.Object:
		case op.Is("add"):
			o.Op = json.OpAdd
		case op.Is("replace"):
			o.Op = json.OpReplace
		case op.Is("remove"):
			o.Op = json.OpRemove
		default:
			o.Op = json.OpOther
		}
		want = append(want, fmt.Sprintf("%d %s %s", o.Op, o.Path, o.Value))
	}
	r := json.NewReader([]byte(text))
	if r.Array() {
		o := json.Operation{Path: json.Value(`"left over"`)}
		for r.Operation(&o) {
			got = append(got, fmt.Sprintf("%d %s %s", o.Op, o.Path, o.Value))
		}
	}
	if err := r.End(); fmt.Sprint(err) != fmt.Sprint(parseErr) {
		t.Fatalf("%s: %v, want %v", text, err, parseErr)
	}
	if parseErr == nil && strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%s:\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAppendKey(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"one part", `"/Temperature"`, `"Temperature"`},
		{"short", `"/a"`, `"a"`},
		{"parts", `"/Front/Circuit/Pressure/inlet"`, `"Front.Circuit.Pressure.inlet"`},
		{"an empty name", `"/"`, `""`},
		{"empty parts", `"//a//"`, `".a.."`},
		{"escapes of the pointer", `"/a~1b/~0c~2~"`, `"a/b.~c~2~"`},
		{"escapes of the text", `"\/\u0061\"\u007e1"`, `"a\"/"`},
		{"not ASCII", `"/Größe/é"`, `"Größe.é"`},
		{"no slash", `"abc"`, `"abc"`},
		{"no string", `7`, `""`},
		{"nothing", ``, `""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := json.Operation{Path: json.Value(tt.path)}
			if got := string(o.AppendKey([]byte("x"), '.')); got != "x"+tt.want {
				t.Errorf("AppendKey = %s, want x%s", got, tt.want)
			}
		})
	}
}

// FuzzAppendKey holds keys against a plain reading of the rules.
func FuzzAppendKey(f *testing.F) {
	f.Add("/Front/Temperature", "_")
	f.Add("/a~1b/~0c~2\\\"\n~", "/")
	f.Fuzz(func(t *testing.T, path, separator string) {
		if len(path) == 0 || path[0] != '/' || len(separator) != 1 || !strings.Contains("._-/ ", separator) {
			return
		}
		quoted := json.AppendQuoted(nil, path)
		v, _ := json.Value(quoted).String()
		parts := strings.Split(v[1:], "/")
		for i := range parts {
			parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[i])
		}
		want := string(json.AppendQuoted(nil, strings.Join(parts, separator)))
		odd, err := stdjson.Marshal(v) // written with other escapes
		if err != nil {
			t.Fatal(err)
		}
		for _, written := range [][]byte{quoted, odd} {
			o := json.Operation{Path: written}
			if got := string(o.AppendKey(nil, separator[0])); got != want {
				t.Fatalf("AppendKey of %s = %s, want %s", written, got, want)
			}
		}
	})
}

func BenchmarkOperation(b *testing.B) {
	text := []byte(`[{"value":81.25,"path":"/Temperature","op":"replace"},{"value":"running","path":"/State","op":"replace"},` +
		`{"value":{"inlet":3.125,"outlet":2.875},"path":"/Circuit/Pressure","op":"add"},{"value":40,"path":"/Humidity","op":"replace"}]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var r json.Reader
	var key []byte
	for b.Loop() {
		var o json.Operation
		n := 0
		r.Reset(text)
		r.Array()
		for r.Operation(&o) {
			key = o.AppendKey(key[:0], '.')
			n++
		}
		if err := r.End(); err != nil || n != 4 {
			b.Fatal(err, n)
		}
	}
}
