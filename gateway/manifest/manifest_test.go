package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/manifest"
)

// files writes files, given as name, text, name, text, and returns where.
func files(t testing.TB, pairs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(pairs); i += 2 {
		name := filepath.Join(dir, filepath.FromSlash(pairs[i]))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(pairs[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func env(name string) (string, bool) {
	v, ok := map[string]string{"KEY": "hunter2-secret", "EMPTY": "", "QUOTED": `a"b\c` + "\n", "BINARY": "\xff\xfe"}[name]
	return v, ok
}

const route = "kind: Route\nname: r\nspec:\n  endpointName: hub\n"

func TestRead(t *testing.T) {
	dir := files(t,
		"b.yaml", route+"  filter: |\n    type = 'x'\n    AND $body.a > 1\n---\n# nothing\n---\nkind: Endpoint\nname: hub\nspec:\n  kind: file\n  settings: {path: /x}\n",
		"a/c.json", `{"kind":"Endpoint","name":"grid","spec":{"kind":"eventGrid","settings":{"topicEndpoint":"https://h","accessKey":"${KEY}"}}}
{"kind":"Source","name":"s","spec":{"kind":"serviceBus","settings":{"entityPath":"q","endpointUri":"sb://h"}}}`,
		"a/d.yml", "kind: Endpoint\nname: hook\nspec:\n  kind: webhook\n  settings:\n    url: https://h/?a=$${b}&key=${file:../secret.txt}\n    headers: {X-Q: '${QUOTED}', X-E: \"${EMPTY}\"}\n",
		"a/e.json", `[{"kind":"Source","name":"t","spec":{"kind":"eventHub","settings":{}}},
{"kind":"Source","name":"u","spec":{"kind":"eventHub","settings":{}}}]`,
		"secret.txt", "from file\n",
		"README.md", "not a document", "x.schema.json", "{}", ".hidden/x.yaml", "nonsense: [", ".x.yaml", "nonsense: [")
	set, err := manifest.Read([]string{dir, filepath.Join(dir, "b.yaml")}, manifest.Options{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range set.Documents {
		got = append(got, fmt.Sprintf("%s %s %s", d.Kind, d.Name, d.Spec))
	}
	want := []string{
		`Endpoint grid {"kind":"eventGrid","settings":{"topicEndpoint":"https://h","accessKey":"hunter2-secret"}}`,
		`Source s {"kind":"serviceBus","settings":{"entityPath":"q","endpointUri":"sb://h"}}`,
		`Endpoint hook {"kind":"webhook","settings":{"url":"https://h/?a=${b}&key=from file","headers":{"X-Q":"a\"b\\c\n","X-E":""}}}`,
		`Source t {"kind":"eventHub","settings":{}}`,
		`Source u {"kind":"eventHub","settings":{}}`,
		`Route r {"endpointName":"hub","filter":"type = 'x'\nAND $body.a > 1\n"}`,
		`Endpoint hub {"kind":"file","settings":{"path":"/x"}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

func TestReadValues(t *testing.T) {
	text := "kind: Route\nname: r\nspec:\n  endpointName: hub\n  transforms:\n  - plugin: p\n    config:\n" +
		"      int: 12345678901234567890\n      hex: 0x1F\n      float: 1.50\n      exp: 1e3\n      yes: yes\n      no: null\n      empty:\n      date: 2024-05-01\n      text: !!str 12\n      flow: [1, {a: b}, \"x\\u00e9\"]\n" +
		"      base: &base {x: 1, y: 2}\n      merged:\n        <<: *base\n        y: 3\n      alias: *base\n      folded: >-\n        one\n        two\n      1: number\n      true: bool\n"
	set, err := manifest.Read([]string{"-"}, manifest.Options{Stdin: strings.NewReader(text)})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"int":12345678901234567890,"hex":31,"float":1.50,"exp":1e3,"yes":"yes","no":null,"empty":null,"date":"2024-05-01","text":"12","flow":[1,{"a":"b"},"xé"],"base":{"x":1,"y":2},"merged":{"y":3,"x":1},"alias":{"x":1,"y":2},"folded":"one two","1":"number","true":"bool"}`
	if diff := cmp.Diff(want, string(set.Documents[0].Route.Transforms[0].Config)); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestReadFaults(t *testing.T) {
	bomb := "kind: Route\nname: r\nspec:\n  a: &a [" + strings.Repeat("xxxxxxxxx,", 20) + "x]\n"
	for i := range 8 {
		bomb += fmt.Sprintf("  %c: &%c [*%c,*%[3]c,*%[3]c,*%[3]c,*%[3]c,*%[3]c,*%[3]c,*%[3]c,*%[3]c,*%[3]c]\n", 'b'+i, 'b'+i, 'a'+i)
	}
	tests := []struct {
		name, text string
		want       []string // "line:column: field: …" each
	}{
		{"unknown member", route + "  fliter: x\n", []string{"5:3: spec.fliter: is not known here"}},
		{"deep member", "kind: Endpoint\nname: e\nspec:\n  kind: file\n  delivery:\n    maxAge: soon\n", []string{`6:5: spec.delivery.maxAge: "soon" is not a duration`}},
		{"missing member", "kind: Route\nname: r\nspec:\n  filter: x\n", []string{"3:1: spec.endpointName: is required"}},
		{"element", route + "  filters:\n  - plugin: a\n  - plugin: b@x\n", []string{"7:5: spec.filters[1].plugin: "}},
		{"every document", "kind: Rule\nname: r\nspec: {}\n---\nname: x\nspec: {}\n---\n" + route + "---\nkind: Endpoint\nname: a b\nspec: {kind: file}\n",
			[]string{`1:1: kind: "Rule" is none of`, "5:1: kind: is required", "14:1: name: \"a b\" is not a name"}},
		{"syntax in one of three", route + "---\nkind: [\n---\nkind: Endpoint\nname: e\nspec: 7\n", []string{"6:7: ", "10:1: spec: want an object"}},
		{"given twice", route + "  filter: a\n  filter: b\n", []string{`6:3: "filter" is given twice`}},
		{"claimed twice", route + "---\n" + route, []string{"7:1: name: the route \"r\" is claimed at FILE:2:1 too"}},
		{"a list", "- kind: Route\n", []string{"1:1: want a document, which is a mapping with kind, name and spec; have a list"}},
		{"a text", "hello\n", []string{"1:1: want a document, which is a mapping with kind, name and spec; have a text"}},
		{"a number", "7\n", []string{"1:1: want a document, which is a mapping with kind, name and spec; have a number, true, false or null"}},
		{"an unknown kind alone", "kind: Rout\nname: r\n", []string{`1:1: kind: "Rout" is none of`}},
		{"a filter without quotes", route + "  filter: true\n", []string{"5:3: spec.filter: want a string, have a boolean; put it in quotes"}},
		{"filters among other faults", "kind: Route\nname: r\nspec:\n  filter: type ==\n---\n" + route + "  filter: |\n    type = 'a'\n    AND\n",
			[]string{"3:1: spec.endpointName: is required", "4:3: spec.filter: Parsing error, Line=1, Position=7, Message=Unexpected input '='", "10:3: spec.filter: Parsing error, Line=3, Position=1, Message=Unexpected end of input"}},
		{"a filter that tells", route + "  filter: type = 'a' ${KEY}\n", []string{"5:3: spec.filter: "}},
		{"nothing", "# nothing\n", []string{"holds no document"}},
		{"not UTF-8", "kind: R\nname: \xff\n", []string{"2:7: is not UTF-8"}},
		{"bomb of aliases", bomb, []string{": makes the document larger than 16 MiB"}},
		{"alias of itself", route + "  filter: &a [*a]\n", []string{"5:15: *a names no anchor"}},
		{"unknown alias", route + "  filter: *b\n", []string{"5:11: *b names no anchor"}},
		{"nested too deep", route + "  filter: " + strings.Repeat("[", 2000), []string{"is nested deeper"}},
		{"nested too deep by hyphens", strings.Repeat("- ", 200000) + "x", []string{"is nested deeper"}},
		{"a custom tag", route + "  filter: !secret x\n", []string{"5:11: the tag !secret is not read"}},
		{"unset variable", route + "  filter: a\n---\nkind: Endpoint\nname: e\nspec:\n  kind: file\n  settings:\n    path: /${NONE}/x\n", []string{"12:11: spec.settings.path: ${NONE} is not set"}},
		{"open reference", route + "  filter: x${KEY\n", []string{"5:11: spec.filter: has a ${ without a }"}},
		{"no reference", route + "  filter: ${a-b}\n", []string{"${a-b} is no reference"}},
		{"missing file", route + "  filter: ${file:no/such}\n", []string{"no such file"}},
		{"binary variable", route + "  filter: ${BINARY}\n", []string{"${BINARY} holds what is not UTF-8"}},
		{"no number", route + "  filters:\n  - plugin: a\n    config: {x: .nan}\n", []string{"7:17: .nan is no number"}},
		{"plugin without digest", "kind: Plugin\nname: p\nspec: {file: x.wasm}\n", []string{"3:1: spec.sha256: is required"}},
		{"another version", "apiVersion: v1\n" + route, []string{`1:1: apiVersion: "v1" is not known`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(files(t, "x.yaml", tt.text), "x.yaml")
			_, err := manifest.Read([]string{file}, manifest.Options{Env: env})
			var errs manifest.Errors
			if !errors.As(err, &errs) || len(errs) != len(tt.want) {
				t.Fatalf("faults:\n%v\nwant %d", err, len(tt.want))
			}
			for i, want := range tt.want {
				got := strings.ReplaceAll(strings.TrimPrefix(errs[i].Error(), file+":"), file, "FILE")
				if !strings.Contains(got, want) {
					t.Errorf("fault %d is\n%q, want\n%q", i, got, want)
				}
				if strings.Contains(got, "hunter2") {
					t.Errorf("a secret is told: %s", got)
				}
			}
		})
	}
}

func TestReadJSONFaults(t *testing.T) {
	tests := []struct{ text, want string }{
		{"{\n \"kind\": \"Route\",\n \"name\": \"r\",\n \"spec\": {\n  \"endpointName\": \"é\", \"x\": 1}}", "5:24: spec.x: is not known"},
		{"{\n \"kind\": 7,\n", "3:1: the JSON ends too early"},
		{"{\n \"kind\" 7}", "2:8: the JSON is malformed"},
		{`{"a":1,"a":2}`, `1:8: "a" is given twice`},
		{"[]", "holds no document"},
		{"[[]]", "1:2: want a document"},
		{"[\n {\"kind\": \"Source\"},\n {\"kind\": \"Rule\"}]", "3:3: kind: \"Rule\" is none of"},
		{"[{\"kind\": \"Route\"}", "the JSON ends too early"},
		{strings.Repeat("[", 5000), "is nested deeper"},
	}
	for _, tt := range tests {
		file := filepath.Join(files(t, "x.json", tt.text), "x.json")
		if _, err := manifest.Read([]string{file}, manifest.Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestReadNoFiles(t *testing.T) {
	for _, path := range []string{"no-such-file", t.TempDir()} {
		if _, err := manifest.Read([]string{path}, manifest.Options{}); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("Read(%s) = %v", path, err)
		}
	}
}

func TestRedact(t *testing.T) {
	set, err := manifest.Read([]string{"-"}, manifest.Options{Env: env, Stdin: strings.NewReader(route + "  filter: x = '${KEY}'\n")})
	if err != nil {
		t.Fatal(err)
	}
	d := &set.Documents[0]
	if got := set.Redact("the text hunter2-secret is bad"); got != "the text ${KEY} is bad" {
		t.Errorf("Redact = %s", got)
	}
	if got := d.Fault("spec.filter", "near 'hunter2-s'").Error(); strings.Contains(got, "hunter2") || !strings.Contains(got, "${KEY}") {
		t.Errorf("a fault tells a piece: %s", got)
	}
	if template, ok := d.Template("filter"); !ok || template != "x = '${KEY}'" {
		t.Errorf("Template = %q, %v", template, ok)
	}
}

func TestReadModule(t *testing.T) {
	module := []byte("\x00asm")
	sum := strings.TrimPrefix(catalog.Digest(module), "sha256:")
	doc := "kind: Plugin\nname: p\nspec:\n  file: m/p.wasm\n  sha256: "
	dir := files(t, "x.yaml", doc+sum+"\n", "bad.yaml", doc+strings.Repeat("a", 64)+"\n", "m/p.wasm", string(module))
	for name, want := range map[string]string{"x.yaml": "", "bad.yaml": "5:3: spec.sha256: "} {
		set, err := manifest.Read([]string{filepath.Join(dir, name)}, manifest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := set.Documents[0].ReadModule()
		if want == "" && (err != nil || !bytes.Equal(got, module)) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestFormat(t *testing.T) {
	spec := `{"kind":"webhook","settings":{"url":"https://me:***@h/?sig=***&sig=***","headers":{"X-Api-Key":"***","X-T":"${x}"},"list":[{"a":[],"b":{}},1.50,null,true,"true"]}}`
	text, err := manifest.Format(catalog.Document{Kind: "Endpoint", Name: "my-hook", Spec: json.RawMessage(spec)}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := `# Set what the server does not tell, or write *** to keep it: ENDPOINT_MY_HOOK_URL, ENDPOINT_MY_HOOK_URL_SIG, ENDPOINT_MY_HOOK_URL_SIG_2, ENDPOINT_MY_HOOK_HEADERS_X_API_KEY
apiVersion: headgate/v1
kind: Endpoint
name: my-hook
spec:
  kind: webhook
  settings:
    url: "https://me:${ENDPOINT_MY_HOOK_URL}@h/?sig=${ENDPOINT_MY_HOOK_URL_SIG}&sig=${ENDPOINT_MY_HOOK_URL_SIG_2}"
    headers:
      X-Api-Key: "${ENDPOINT_MY_HOOK_HEADERS_X_API_KEY}"
      X-T: "$${x}"
    list:
      - a: []
        b: {}
      - 1.50
      - null
      - true
      - "true"
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("Format (-want +got):\n%s", diff)
	}
}

// FuzzRead has no input take the reader down, and what is read is what the
// catalog reads from its JSON.
func FuzzRead(f *testing.F) {
	f.Add([]byte(route + "  filter: ${KEY} $${x}\n---\n" + route))
	f.Add([]byte(`{"kind":"Plugin","name":"p","spec":{"sha256":"00"}}`))
	f.Add([]byte("a: &a [*a, {<<: *a}]\n--- !!str |\n x\n...\n"))
	f.Add([]byte("? [a, b]\n: - c\n  - ? d\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4096 {
			return
		}
		set, err := manifest.Read([]string{"-"}, manifest.Options{Env: env, Stdin: bytes.NewReader(text)})
		if err != nil {
			if strings.Contains(err.Error(), "hunter2-secret") {
				t.Fatalf("a secret is told: %v", err)
			}
			return
		}
		for _, d := range set.Documents {
			if _, err := catalog.DecodeDocument(d.JSON); err != nil {
				t.Fatalf("%s was read, and is refused: %v", d.JSON, err)
			}
		}
	})
}

// FuzzFormat has every document come back as it was written.
func FuzzFormat(f *testing.F) {
	f.Add("r", `{"filter":"a: b # c","x":["- d","? e"," f ","\u2028","${g}","0x1","1_000","2024-05-01","~","=","<<"],"y":{"":{},"a b":[[]],"null":null}}`)
	f.Add("yes", `{"x":1e5,"y":"\t\r\n\u0000\u0085\ufeff😀","z":"'\"\\"}`)
	f.Fuzz(func(t *testing.T, name, config string) {
		if catalog.CheckRouteID("name", name) != nil || catalog.CheckJSON([]byte(config)) != nil || len(config) > 4096 || strings.Contains(config, "\ufffd") || strings.Contains(config, `\ud`) || strings.Contains(config, `\uD`) {
			return
		}
		spec := `{"endpointName":"hub","transforms":[{"plugin":"p","config":` + config + `}]}`
		want, err := catalog.DecodeRoute(name, []byte(spec))
		if err != nil {
			return
		}
		text, err := manifest.Format(catalog.NewRouteDocument(want), "")
		if err != nil {
			return // nested deeper than files are
		}
		set, err := manifest.Read([]string{"-"}, manifest.Options{Stdin: bytes.NewReader(text), Env: env})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var a, b any
		if json.Unmarshal(want.Transforms[0].Config, &a) != nil || json.Unmarshal(set.Documents[0].Route.Transforms[0].Config, &b) != nil || cmp.Diff(a, b) != "" || set.Documents[0].Name != name {
			t.Fatalf("%s\ncame back as\n%s\nby\n%s", spec, set.Documents[0].JSON, text)
		}
	})
}
