package main // white-box: a command exports nothing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadResources(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
		wantErr    string
	}{
		{"an object", `{"n": 1.50}`, []string{`{"n": 1.50}`}, ""},
		{"a list", `[{"a":1},{"b":2}]`, []string{`{"a":1}`, `{"b":2}`}, ""},
		{"as the API lists", `{"items":[{"a":1}],"next":null}`, []string{`{"a":1}`}, ""},
		{"an empty list", `{"items":[]}`, nil, "read FILE: it holds nothing"},
		{"JSON lines", "{\"a\":1}\n{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}, ""},
		{"YAML", "kind: webhook\nsettings:\n  url: http://x\n", []string{`{"kind":"webhook","settings":{"url":"http://x"}}`}, ""},
		{"YAML documents", "# first\na: 1\n---\n- b: true\n- c: 'x'\n---\n", []string{`{"a":1}`, `{"b":true}`, `{"c":"x"}`}, ""},
		{"a filter in a block", "filter: |-\n  type = 'a'\n  AND $body.b > 1\n", []string{`{"filter":"type = 'a'\nAND $body.b \u003e 1"}`}, ""},
		{"a scalar", "hello", nil, `read FILE: want objects, have "hello"`},
		{"a number in a list", "[1]", nil, `read FILE: want objects, have 1`},
		{"neither", "a: [", nil, "read FILE: [1:4] "},
		{"nothing", "", nil, "read FILE: it holds nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := new(app).readResources(file)
			if err != nil || tt.wantErr != "" {
				if have := strings.ReplaceAll(errorText(err), file, "FILE"); tt.wantErr == "" || !strings.HasPrefix(have, tt.wantErr) {
					t.Fatalf("error %q, want %q", have, tt.wantErr)
				}
				return
			}
			var texts []string
			for _, v := range got {
				texts = append(texts, string(v))
			}
			if diff := cmp.Diff(tt.want, texts); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, "a: b\n---\nc: d", "[", "&a [*a]", "{}\nx"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		values, err := documents(text)
		if err != nil {
			return
		}
		for _, v := range values {
			_, _ = flatten(v)
		}
	})
}
