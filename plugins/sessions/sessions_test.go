package main_test

import (
	"bytes"
	"crypto/sha256"
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/plugins/internal/golden"
	_ "github.com/headgate/headgate/plugins/sessions"
	"github.com/headgate/headgate/sdk/plugintest"
)

func TestGolden(t *testing.T) { golden.Test(t) }

func TestNoGarbage(t *testing.T) {
	golden.NoGarbage(t, `{}`)
	golden.NoGarbage(t, `{"sessionId":["traceparent"],"partitionKey":"subject","messageId":"id","subject":"type","properties":{"a":"'b'"}}`)
}

func BenchmarkTransform(b *testing.B) {
	golden.Benchmark(b, `{}`, `{"partitionKey":"$twin","messageId":"id","properties":{"model":"$body.modelId"}}`)
}

func FuzzConfig(f *testing.F) {
	golden.FuzzConfig(f,
		`{"sessionId":["$body.site.id","$twin"],"partitionKey":"$twin","messageId":"id","subject":"'x'","properties":{"model":"$body.modelId"}}`,
		`{"sessionId":null,"messageId":["''","$body.a..b","A"],"properties":{"cloudEvents:id":[]}}`,
	)
}

func TestConfigRefused(t *testing.T) {
	const expressions = `none of $twin, an attribute's name in lower case, a path such as $body.site.id and a 'constant'`
	tests := []struct{ name, config, want string }{
		{"attribute in capitals", `{"sessionId":"Subject"}`, `config: "sessionId": "Subject" is ` + expressions},
		{"empty path", `{"messageId":"$body."}`, `config: "messageId": "$body." is ` + expressions},
		{"empty part", `{"messageId":"$body.a..b"}`, `config: "messageId": "$body.a..b" is ` + expressions},
		{"empty constant", `{"subject":"''"}`, `config: "subject": "''" is ` + expressions},
		{"empty", `{"subject":["id",""]}`, `config: "subject": "" is ` + expressions},
		{"empty list", `{"partitionKey":[]}`, `config: "partitionKey": it is an expression, or an array of some`},
		{"null where there is nothing to turn off", `{"partitionKey":null}`, `config: "partitionKey": it is an expression, or an array of some`},
		{"number in a list", `{"sessionId":[1]}`, `config: "sessionId": it is an expression, or an array of some`},
		{"properties that are no object", `{"properties":["id"]}`, `config: "properties": it is an object of expressions`},
		{"property with no expression", `{"properties":{"a":1}}`, `config: "properties": "a": it is an expression, or an array of some`},
		{"property in an attribute's place", `{"properties":{"cloudEvents:id":"id"}}`, `config: "properties": "cloudEvents:id" cannot be the name of a property: it is empty, or an attribute's`},
		{"unknown member", `{"session":"id"}`, `config: there is no "session"; it has "sessionId", "partitionKey", "messageId", "subject" and "properties"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { golden.Refused(t, tt.config, tt.want) })
	}
}

// FuzzKeys holds the limits against a plain reading of them.
func FuzzKeys(f *testing.F) {
	for _, s := range []string{"a", strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("€", 128), strings.Repeat("😀", 64), strings.Repeat("😀", 65), "a\nb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := plugintest.Event{ID: s, Source: "s", Type: "t"}
		r := plugintest.Registered(t).Transform(`{"sessionId":"id","partitionKey":"'other'","messageId":"id"}`, e)[0]
		want := s
		if s == "" || len(utf16.Encode([]rune(s))) > 128 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			want = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(s)))
		}
		if s == "" {
			want = "" // nothing said, and so nothing set
		}
		o := r.Outputs[0]
		if o.SessionID != want || o.MessageID != want || s != "" && o.PartitionKey != want {
			t.Errorf("%q became session %q, message %q, partition key %q; want %q", s, o.SessionID, o.MessageID, o.PartitionKey, want)
		}
	})
}

// FuzzBody holds paths against a plain reading of them.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"a":{"b":"x","c":[1]},"b":1.50}`))
	f.Add([]byte(`{"a":{"b":"x"},"a":{"c":true}}`))
	f.Add([]byte(`{"a":"x","\u0061":{"b":"\ud83d\ude00"}}`))
	f.Add([]byte(`{"a":{"b":`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := plugintest.Event{ID: "1", Source: "s", Type: "t", Data: data}
		r := plugintest.Registered(t).Transform(`{"properties":{"a":"$body.a","b":"$body.a.b","c":"$body.b"}}`, e)[0]
		got := map[string]string{}
		for _, p := range r.Outputs[0].Properties {
			got[p.Name] = p.Value
		}
		want := map[string]string{}
		var v any
		d := stdjson.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if utf8.Valid(data) && stdjson.Valid(data) && d.Decode(&v) == nil {
			body, _ := v.(map[string]any)
			under, _ := body["a"].(map[string]any)
			for name, x := range map[string]any{"a": body["a"], "b": under["b"], "c": body["b"]} {
				switch x.(type) {
				case string, bool, stdjson.Number:
					if s := fmt.Sprint(x); s != "" {
						want[name] = s
					}
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", data, diff)
		}
	})
}
