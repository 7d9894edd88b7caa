package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/headgate/headgate/gateway/manifest"
	"github.com/headgate/headgate/gateway/plugin"
)

// documentSchema is the schema that the gateway serves.
func documentSchema(t *testing.T, s *server) (compiled *validator.Schema, raw map[string]any) {
	t.Helper()
	served := s.api(http.MethodGet, "/schema.json", "").want(t, 200)
	if served.body != string(manifest.Schema()) {
		t.Error("what is served is not what the command line prints")
	}
	doc, err := validator.UnmarshalJSON(strings.NewReader(served.body))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	if err := c.AddResource("urn:test", doc); err != nil {
		t.Fatal(err)
	}
	if compiled, err = c.Compile("urn:test"); err != nil {
		t.Fatal(err)
	}
	return compiled, served.object(t)
}

// TestSchema holds the schema and what the gateway accepts together.
func TestSchema(t *testing.T) {
	s := start(t, t.TempDir())
	compiled, raw := documentSchema(t, s)
	s.fileEndpoint("out")
	const (
		bus     = "Endpoint=sb://h.example/;SharedAccessKeyName=n;SharedAccessKey=a2V5"
		account = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=example.net"
	)
	endpoint := func(kind, settings string) string {
		return document("Endpoint", "e", fmt.Sprintf(`{"kind":%q,"settings":%s}`, kind, settings))
	}
	source := func(kind, settings string) string {
		return document("Source", "s", fmt.Sprintf(`{"kind":%q,"enabled":false,"settings":%s}`, kind, settings))
	}
	route := func(spec string) string { return document("Route", "r", spec) }
	delivery := func(d string) string {
		return document("Endpoint", "e", `{"kind":"file","settings":{"path":"/x"},"delivery":`+d+`}`)
	}
	tests := []struct {
		doc   string
		valid bool
	}{
		{endpoint("webhook", `{"url":"https://h/?code=x","mode":"raw","method":"PUT","headers":{"X-A":"b"},"deadLetterUri":"https://a.blob.core.windows.net/c?sig=x"}`), true},
		{endpoint("webhook", `{}`), false},
		{endpoint("webhook", `{"url":"https://h/","mode":"loud"}`), false},
		{endpoint("webhook", `{"url":"https://h/","method":"GET"}`), false},
		{endpoint("webhook", `{"url":"https://h/","headers":{"X":1}}`), false},
		{endpoint("webhook", `{"url":"https://h/","path":"/x"}`), false},
		{endpoint("file", `{"path":"/x"}`), true},
		{endpoint("file", `{"path":""}`), false},
		{endpoint("file", `{"path":"/x","url":"y"}`), false},
		{endpoint("serviceBus", `{"connectionString":"`+bus+`","entityPath":"q"}`), true},
		{endpoint("serviceBus", `{"endpointUri":"sb://h.example","entityPath":"q","transport":"webSockets"}`), true},
		{endpoint("serviceBus", `{"endpointUri":"sb://h.example","entityPath":"q","transport":"carrierPigeon"}`), false},
		{endpoint("serviceBus", `{"entityPath":"q"}`), false},
		{endpoint("serviceBus", `{"connectionString":"`+bus+`","endpointUri":"sb://h","entityPath":"q"}`), false},
		{endpoint("eventHub", `{"connectionString":"`+bus+`;EntityPath=q","partitionId":"0"}`), true},
		{endpoint("eventHub", `{"connectionString":"`+bus+`;EntityPath=q","partitionId":"a"}`), false},
		{endpoint("eventGrid", `{"topicEndpoint":"https://t.example/api/events","accessKey":"k","schema":"cloudEventSchemaV1_0"}`), true},
		{endpoint("eventGrid", `{"accessKey":"k"}`), false},
		{endpoint("eventGrid", `{"topicEndpoint":"https://t","schema":"other"}`), false},
		{endpoint("blob", `{"connectionString":"`+account+`","container":"letters","prefix":"p","maxAge":"5s","maxBytes":1048576}`), true},
		{endpoint("blob", `{"containerUri":"https://a.blob.core.windows.net/letters?sig=x"}`), true},
		{endpoint("blob", `{"containerUri":"https://a.blob.core.windows.net/c","container":"c"}`), false},
		{endpoint("blob", `{"connectionString":"`+account+`"}`), false},
		{endpoint("blob", `{"containerUri":"https://a.blob.core.windows.net/letters?sig=x","maxBytes":1}`), false},
		{endpoint("kafka", `{}`), false},
		{document("Endpoint", "e", `{"kind":"file","settings":[]}`), false},
		{document("Endpoint", "e", `{"settings":{}}`), false},
		{document("Endpoint", "a b", `{"kind":"file","settings":{"path":"/x"}}`), false},

		{delivery(`{"maxAttempts":8,"maxAge":"7d","initialBackoff":"1.5s","maxBackoff":"1h30m","timeout":"250ms","orderBy":"none"}`), true},
		{delivery(`{"maxAge":"1d12h"}`), true},
		{delivery(`{"maxAge":7}`), false},
		{delivery(`{"maxAge":"soon"}`), false},
		{delivery(`{"maxAttempts":-1}`), false},
		{delivery(`{"maxTries":1}`), false},

		{route(`{"endpointName":"out","filter":"true","filters":[],"transforms":[{"plugin":"tsi","config":{}},{"plugin":"tsi@1"}],"enabled":false}`), true},
		{route(`{}`), false},
		{route(`{"endpointName":""}`), false},
		{route(`{"endpointName":"out","enabled":"yes"}`), false},
		{route(`{"endpointName":"out","transforms":[{"plugin":"tsi@x"}]}`), false},
		{route(`{"endpointName":"out","transforms":[{"plugin":"tsi","conf":{}}]}`), false},
		{route(`{"endpointName":"out","transforms":["tsi"]}`), false},
		{route(`{"endpointName":"out","fliter":"true"}`), false},
		{document("Route", "a/b", `{"endpointName":"out"}`), false},
		{document("Route", "..", `{"endpointName":"out"}`), false},
		{document("Route", "a b é", `{"endpointName":"out"}`), true},

		{source("serviceBus", `{"connectionString":"`+bus+`","topic":"t","subscription":"s","sessions":true,"maxConcurrentSessions":8,"maxBatch":1,"transport":"amqp","wrap":{"type":"t","source":"s","subject":"$sessionId","id":"$messageId"}}`), true},
		{source("serviceBus", `{"connectionString":"`+bus+`","entityPath":"q","sessions":"auto","wrap":false}`), true},
		{source("serviceBus", `{"connectionString":"`+bus+`","topic":"t"}`), false},
		{source("serviceBus", `{"connectionString":"`+bus+`","entityPath":"q","sessions":"often"}`), false},
		{source("serviceBus", `{"connectionString":"`+bus+`","entityPath":"q","maxBatch":2049}`), false},
		{source("eventHub", `{"endpointUri":"sb://h.example","entityPath":"h","consumerGroup":"g","start":"latest","prefetch":1,"maxBatch":1,"checkpointConnectionString":"`+account+`","checkpointContainer":"letters"}`), true},
		{source("eventHub", `{"endpointUri":"sb://h.example","entityPath":"h","start":"middle"}`), false},
		{source("eventHub", `{"endpointUri":"sb://h.example","entityPath":"h","checkpointConnectionString":"`+account+`"}`), false},
		{source("file", `{}`), false},

		{`{"apiVersion":"headgate/v1","kind":"Route","name":"r","spec":{"endpointName":"out"}}`, true},
		{`{"apiVersion":"v1","kind":"Route","name":"r","spec":{"endpointName":"out"}}`, false},
		{`{"kind":"Rule","name":"r","spec":{}}`, false},
		{`{"kind":"Route","name":"r"}`, false},
		{`{"kind":"Route","spec":{"endpointName":"out"}}`, false},
		{`{"kind":"Route","name":"r","spec":{"endpointName":"out"},"status":{}}`, false},
		{document("Plugin", "p", `{"sha256":"abc"}`), false},
		{document("Plugin", "p", `{"file":"p.wasm"}`), false},
	}
	for _, tt := range tests {
		var v any
		if err := json.Unmarshal([]byte(tt.doc), &v); err != nil {
			t.Fatalf("%s: %v", tt.doc, err)
		}
		err := compiled.Validate(v)
		if (err == nil) != tt.valid {
			t.Errorf("the schema says of %s: %v", tt.doc, err)
		}
		if r := s.api(http.MethodPost, "/catalog:plan", with(documents(tt.doc), `"events":0`)); (r.status == 200) != tt.valid {
			t.Errorf("the gateway says of %s: %d %s", tt.doc, r.status, r.body)
		}
	}
	t.Run("Plugin", func(t *testing.T) { schemaOfPlugins(t, s, compiled, raw) })
	t.Run("settings", func(t *testing.T) { schemaOfSettings(t, s, raw) })
}

// schemaOfPlugins holds what is said of plugins to what the host knows.
func schemaOfPlugins(t *testing.T, s *server, compiled *validator.Schema, raw map[string]any) {
	module := version(t, "../examples/threshold", "schema")
	s.pushVersion("p", module).want(t, 201)
	sum := strings.TrimPrefix(digest(module), "sha256:")
	for spec, valid := range map[string]bool{
		`{"file":"p.wasm","sha256":"` + sum + `","active":false,"limits":{"eventFuel":1000,"instanceAge":"30m"},"grants":["clock","random"],"breaker":{"traps":3,"window":9,"pause":"1s","maxPause":"1m","onOpen":"wait"}}`: true,
		`{"sha256":"` + sum + `","limits":{"fuel":1}}`:         false,
		`{"sha256":"` + sum + `","grants":["network"]}`:        false,
		`{"sha256":"` + sum + `","breaker":{"onOpen":"drop"}}`: false,
		`{"sha256":"` + sum + `","breaker":{"window":65}}`:     false,
		`{"sha256":"` + sum + `","active":1}`:                  false,
		`{"sha256":"` + sum + `","version":1}`:                 false,
	} {
		var v any
		doc := document("Plugin", "p", spec)
		if err := json.Unmarshal([]byte(doc), &v); err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(v); (err == nil) != valid {
			t.Errorf("the schema says of %s: %v", doc, err)
		}
		if r := s.api(http.MethodPost, "/catalog:plan", with(documents(doc), `"events":0`)); (r.status == 200) != valid {
			t.Errorf("the gateway says of %s: %d %s", doc, r.status, r.body)
		}
	}
	var limits plugin.Limits
	_, known, _ := strings.Cut(limits.Set("", "1").Error(), "there are ")
	want := strings.Split(known, ", ")
	slices.Sort(want)
	have, _ := at(t, raw, "$defs", "plugin", "properties", "limits", "properties").(map[string]any)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(have))); diff != "" {
		t.Errorf("limits (-host +schema):\n%s", diff)
	}
}

// schemaOfSettings compares the names of settings with those that each kind
// says it has.
func schemaOfSettings(t *testing.T, s *server, raw map[string]any) {
	defs := raw["$defs"].(map[string]any)
	for name, def := range defs {
		kind, of := "", "Endpoint"
		if rest, ok := strings.CutPrefix(name, "endpoint"); ok && rest != "" {
			kind = strings.ToLower(rest[:1]) + rest[1:]
		} else if rest, ok := strings.CutPrefix(name, "source"); ok && rest != "" {
			kind, of = strings.ToLower(rest[:1])+rest[1:], "Source"
		} else {
			continue
		}
		properties := at(t, def, "properties").(map[string]any)
		required := map[string]string{"webhook": `"url":"https://h",`, "file": `"path":"/x",`, "eventGrid": `"topicEndpoint":"https://h",`,
			"blob": `"containerUri":"https://a.blob.core.windows.net/letters?sig=x",`}[kind]
		if required == "" {
			required = `"endpointUri":"sb://h.example","entityPath":"q",`
		}
		doc := document(of, "x", fmt.Sprintf(`{"kind":%q,"settings":{%s"unheardOf":1}}`, kind, required))
		detail := s.api(http.MethodPost, "/catalog:plan", documents(doc)).problem(t, 400)["detail"].(string)
		_, known, ok := strings.Cut(strings.Replace(detail, "this kind has ", "there are ", 1), "there are ")
		if !ok {
			t.Errorf("%s %s says %q", of, kind, detail)
			continue
		}
		want := strings.Split(known, ", ")
		if of == "Endpoint" {
			want = append(want, "deadLetterUri") // which is the gateway's, for all kinds
		}
		slices.Sort(want)
		if diff := cmp.Diff(slices.Compact(want), slices.Sorted(maps.Keys(properties))); diff != "" {
			t.Errorf("settings of %s %s (-gateway +schema):\n%s", of, kind, diff)
		}
	}
	if !bytes.Contains(manifest.Schema(), []byte("draft/2020-12")) {
		t.Error("the schema does not say its draft")
	}
}
