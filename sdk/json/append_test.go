package json_test

import (
	"math"
	"testing"

	"github.com/headgate/headgate/sdk/json"
)

func TestAppendQuoted(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", `""`},
		{"plain", "abc", `"abc"`},
		{"quotes", `a"b\c`, `"a\"b\\c"`},
		{"controls", "\b\f\n\r\t\x00\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\""},
		{"no more than needed", "</a>&é€😀", `"</a>&é€😀"`},
		{"not UTF-8", "a\xffb\xc3", "\"a\ufffdb\ufffd\""},
		{"the replacement itself", "\ufffd", "\"\ufffd\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := json.AppendQuoted([]byte("x"), tt.in); string(got) != "x"+tt.want {
				t.Errorf("string: %s, want x%s", got, tt.want)
			}
			if got := json.AppendQuoted(nil, []byte(tt.in)); string(got) != tt.want {
				t.Errorf("bytes: %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWriter(t *testing.T) {
	w := json.NewWriter([]byte(`{"before":1}`))
	w.BeginObject()
	w.Name("list")
	w.BeginArray()
	w.Int(-5)
	w.Float(20.5)
	w.Float(1e21)
	w.Float(1e-7)
	w.Float(0)
	w.Float(math.NaN())
	w.Float(math.Inf(-1))
	w.Bool(true)
	w.Null()
	w.String(",")
	w.StringBytes([]byte("["))
	w.BeginArray()
	w.EndArray()
	w.BeginObject()
	w.EndObject()
	w.EndArray()
	w.NameBytes([]byte("a{"))
	w.Value(json.Value(`{"x":[]}`))
	w.Key(json.Key(`"\u0062"`))
	w.Value(nil)
	w.EndObject()
	const want = `{"list":[-5,20.5,1e+21,1e-07,0,null,null,true,null,",","[",[],{}],"a{":{"x":[]},"\u0062":null}`
	if got := string(w.Bytes()); got != `{"before":1}`+want {
		t.Fatalf("wrote %s\nwant   %s", got, want)
	}
	if w.Len() != len(want) {
		t.Errorf("Len() = %d, want %d", w.Len(), len(want))
	}
	parse(t, string(w.Bytes()[len(`{"before":1}`):]))
	w.Reset()
	w.Bool(false)
	if got := string(w.Bytes()); got != `{"before":1}false` {
		t.Errorf("after Reset: %s", got)
	}
	var zero json.Writer
	zero.String("a")
	if got := string(zero.Bytes()); got != `"a"` {
		t.Errorf("zero Writer: %s", got)
	}
}
