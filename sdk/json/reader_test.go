package json_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/sdk/json"
)

func ExampleReader() {
	r := json.NewReader([]byte(`{"modelId":"dtmi:example:Room;1","patch":[{"op":"add","path":"/a"},{"op":"remove","path":"/b"}]}`))
	if r.Object() {
		for r.Member() {
			if !r.Is("patch") || !r.Array() {
				continue
			}
			for r.Element() {
				fmt.Println(string(r.Value().At("path")))
			}
		}
	}
	fmt.Println(r.End())
	// Output:
	// "/a"
	// "/b"
	// <nil>
}

// TestReaderMisplaced asks for what does not come next, which reads nothing.
func TestReaderMisplaced(t *testing.T) {
	tests := []struct {
		name, text string
		read       func(*json.Reader) bool
		want       string // of End
	}{
		{"array of an object", `{"a":1}`, func(r *json.Reader) bool { return !r.Array() && r.Object() && r.Member() }, ""},
		{"object of a number", `1`, func(r *json.Reader) bool { return !r.Object() && !r.Member() && !r.Element() }, ""},
		{"two values", `1`, func(r *json.Reader) bool { return string(r.Value()) == "1" && r.Value() == nil }, ""},
		{"a value where a member begins", `{"a":1}`, func(r *json.Reader) bool { return r.Object() && r.Value() == nil && r.Kind() == json.Invalid }, ""},
		{"a member after the last", `{"a":1} ,"b":2`, func(r *json.Reader) bool { return r.Object() && r.Member() && !r.Member() && !r.Member() }, "offset 8: expected nothing after the value"},
		{"after a fault", `{"a":?,"b":1}`, func(r *json.Reader) bool { return r.Object() && r.Member() && r.Value() == nil && !r.Member() }, "offset 5: expected a value"},
		{"no name yet", `{}`, func(r *json.Reader) bool { return r.Key() == nil && !r.Is("") && !r.Is("a") }, ""},
		{"nothing", ``, func(r *json.Reader) bool { return r.Kind() == json.Invalid }, "offset 0: the text ends too early"},
		{"as deep as may be", strings.Repeat("[", json.MaxDepth+1), func(r *json.Reader) bool {
			for r.Array() && r.Element() {
			}
			return !r.Element()
		}, "offset 512: nested deeper than 512"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := json.NewReader([]byte(tt.text))
			if !tt.read(&r) {
				t.Error("the Reader answers otherwise")
			}
			got := ""
			if err := r.End(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("End() = %q, want %q", got, tt.want)
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	text := []byte(twinUpdate)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := json.NewReader(text)
		found := false
		if r.Object() {
			for r.Member() {
				found = found || r.Is("subject")
			}
		}
		if err := r.End(); err != nil || !found {
			b.Fatal(err, found)
		}
	}
}
