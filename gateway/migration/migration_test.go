package migration_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/migration"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s has changed (-want +got); if it should, use -update and read the diff:\n%s", file, diff)
	}
}

func read(t *testing.T, names ...string) *migration.Export {
	t.Helper()
	var files []migration.File
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, migration.File{Name: name, Text: text})
	}
	export, err := migration.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return export
}

func show(documents []migration.Document, report *migration.Report) string {
	var b strings.Builder
	for _, d := range documents {
		b.WriteString("---\n")
		b.Write(d.YAML())
	}
	return b.String() + "===\n" + report.Text()
}

func TestImport(t *testing.T) {
	t.Run("what the command line prints", func(t *testing.T) {
		documents, report := read(t, "routes.json", "endpoints.json").Import()
		golden(t, "import", show(documents, report))
		requireValid(t, documents)
	})
	t.Run("what the services answer", func(t *testing.T) {
		documents, report := read(t, "pages.json").Import()
		golden(t, "pages", show(documents, report))
		requireValid(t, documents)
	})
	t.Run("routes alone", func(t *testing.T) {
		documents, report := read(t, "routes.json").Import()
		if len(documents) != 6 || !slices.Equal(report.Missing, []string{"telemetry-hub", "Alarms", "alarms", "grid", "gone"}) || len(report.Left) != 1 {
			t.Errorf("%d documents, report:\n%s", len(documents), report.Text())
		}
	})
}

// requireValid demands that the server takes the documents, once their references
// are resolved.
func requireValid(t testing.TB, documents []migration.Document) {
	t.Helper()
	for _, d := range documents {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Kind, Name string
			Spec       json.RawMessage
		}
		if err := json.Unmarshal(b, &read); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		if d.Kind == "Route" {
			_, err = catalog.DecodeRoute(read.Name, read.Spec)
			if err == nil {
				err = catalog.CheckRouteID("name", read.Name)
			}
		} else if _, err = catalog.DecodeEndpoint(read.Name, read.Spec); err == nil {
			err = catalog.CheckName("name", read.Name)
		}
		if err != nil {
			t.Errorf("%s: %v", b, err)
		}
	}
}

const hub = `{"name":"hub","properties":{"endpointType":"EventHub","connectionStringPrimaryKey":"***"}}`

func TestReadRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", "f: holds neither a route nor an endpoint; write it with: az dt route list --dt-name NAME, az dt endpoint list --dt-name NAME"},
		{"an empty list", "[]", "f: holds neither a route nor an endpoint; write it with: az dt route list --dt-name NAME, az dt endpoint list --dt-name NAME"},
		{"no JSON", "[\n  {\"id\" \"a\"}\n]", "f:2:9: is not JSON: invalid character '\"' after object key"},
		{"a message", "\nERROR: Please run 'az login'", "f:2:1: is not JSON: invalid character 'E' looking for beginning of value"},
		{"cut short", "[{\"id\":\"a\",\n\"endp", "f:2:6: is not JSON: the JSON ends too early; the file was cut short"},
		{"text after it", hub + "\nx", "f:2:1: is not JSON: invalid character 'x' looking for beginning of value"},
		{"no object", "[\n1]", "f:2:1: want a route or an endpoint, have 1"},
		{"null", "[null]", "f:1:2: want a route or an endpoint, have null"},
		{"lists in lists", "[[[[[" + hub + "]]]]]", "f:1:5: want a route or an endpoint, have lists in lists"},
		{"something else", `[{"id":"a","name":"b"}]`, "f:1:2: is neither a route, which has endpointName, nor an endpoint, which has properties"},
		{"an error", `{"error":{"code":"Unauthorized","message":"no"}}`, "f:1:1: is an error of Azure, Unauthorized: no; export it again"},
		{"an error of another form", `{"error":"no"}`, "f:1:10: want an object, have \"no\"\nf:1:1: is an error of Azure, : ; export it again"},
		{"a page that is none", `{"value":{}}`, "f:1:10: value: want a list"},
		{"no id", `{"endpointName":"a","filter":"true"}`, "f:1:1: the route has no id"},
		{"no endpointName", `{"endpointName":"","id":"r"}`, "f:1:1: the route \"r\" has no endpointName"},
		{"a filter that is no text", "{\"endpointName\":\"a\",\"id\":\"r\",\n \"filter\":true}", "f:2:11: filter: want a string"},
		{"no name", `{"properties":{"endpointType":"EventHub"}}`, "f:1:1: the endpoint has no name"},
		{"another type", `{"name":"e","properties":{"endpointType":"Kafka"}}`, `f:1:1: the endpoint "e" has the endpointType "Kafka", which is none of EventHub, ServiceBus, EventGrid`},
		{"another way in", `{"name":"e","properties":{"endpointType":"EventHub","authenticationType":"Magic"}}`, `f:1:1: the endpoint "e" has the authenticationType "Magic", which is neither KeyBased nor IdentityBased`},
		{"identity without address", `{"name":"e","properties":{"endpointType":"EventHub","authenticationType":"IdentityBased"}}`, `f:1:1: the endpoint "e" is IdentityBased and has no endpointUri or no entityPath`},
		{"no topic", `{"name":"e","properties":{"endpointType":"EventGrid"}}`, `f:1:1: the endpoint "e" has no TopicEndpoint`},
		{"properties that are none", `{"name":"e","properties":[]}`, "f:1:26: want an object, have []\nf:1:1: the endpoint \"e\" has the endpointType \"\", which is none of EventHub, ServiceBus, EventGrid"},
		{"two instances", hub + "\n" + strings.Replace(hub, "EventHub", "ServiceBus", 1), `f:2:1: the endpoint "hub" is another one at f:1:1; import one instance of Azure Digital Twins at a time`},
		{"two routes", `[{"id":"r","endpointName":"a"},{"id":"r","endpointName":"b"}]`, `f:1:32: the route "r" is another one at f:1:2; import one instance of Azure Digital Twins at a time`},
		{"Latin 1", "[{\"id\":\"\xe4\"}]", "f: is neither UTF-8 nor UTF-16 with a byte order mark"},
		{"half a character", "\xff\xfe[\x00]", "f: is UTF-16 that ends within a character; the file was cut short"},
		{"every fault", `[1,{"endpointName":"a"}]`, "f:1:2: want a route or an endpoint, have 1\nf:1:4: the route has no id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := migration.Read([]migration.File{{Name: "f", Text: []byte(tt.text)}})
			if err == nil || err.Error() != tt.want {
				t.Errorf("Read = %v\nwant   %s", err, tt.want)
			}
		})
	}
}

func TestReadTakes(t *testing.T) {
	utf16LE := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(hub)) {
		utf16LE = append(utf16LE, byte(u), byte(u>>8))
	}
	for name, text := range map[string]string{
		"one":                hub,
		"a list":             "[" + hub + "]",
		"a page":             `{"value":[` + hub + `],"nextLink":null}`,
		"one after another":  hub + "\n" + hub,
		"pages in a list":    `[{"value":[` + hub + `]}]`,
		"a byte order mark":  "\xef\xbb\xbf" + hub,
		"UTF-16":             string(utf16LE),
		"another case":       strings.ReplaceAll(hub, "endpointType", "EndpointType"),
		"properties alone":   `{"name":"hub","endpointType":"eventhub"}`,
		"the name in the id": `{"id":"/subscriptions/s/resourceGroups/g/x/endpoints/hub","properties":{"endpointType":"EventHub"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			export, err := migration.Read([]migration.File{{Name: "f", Text: []byte(text)}})
			if err != nil {
				t.Fatal(err)
			}
			documents, report := export.Import()
			if len(documents) != 1 || documents[0].Name != "hub" || len(report.Secrets) != 1 {
				t.Errorf("%s", show(documents, report))
			}
		})
	}
}

// A secret that a file holds, by whatever means, is nowhere in what is written.
func TestSecretsStayOut(t *testing.T) {
	const key = "bm90IGEga2V5"
	text := `[
	{"name":"a","properties":{"endpointType":"EventHub","connectionStringPrimaryKey":"Endpoint=sb://plant.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=` + key + `;EntityPath=twins","deadLetterSecret":"https://dead.blob.core.windows.net/letters?sig=` + key + `"}},
	{"name":"b","properties":{"endpointType":"EventGrid","topicEndpoint":"https://t.example","accessKey1":"` + key + `","accessKey2":"` + key + `"}},
	{"name":"c","properties":{"endpointType":"ServiceBus","primaryConnectionString":"` + key + `","deadLetterUri":"https://dead.blob.core.windows.net/letters?sig=` + key + `"}}]`
	export, err := migration.Read([]migration.File{{Name: "f", Text: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	documents, report := export.Import()
	all := show(documents, report)
	if strings.Contains(all, key) {
		t.Errorf("a secret is in\n%s", all)
	}
	for _, want := range []string{
		"--namespace-name plant --eventhub-name twins --name send ", "https://dead.blob.core.windows.net/letters?$(az storage", "keep that file out of Git",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("ä", 200)
	text := `[
	{"name":"2-hub","properties":{"endpointType":"EventHub"}},
	{"name":"2_hub","properties":{"endpointType":"EventHub"}},
	{"name":"a b","properties":{"endpointType":"EventHub"}},
	{"name":"a/b","properties":{"endpointType":"EventHub"}},
	{"name":"--","properties":{"endpointType":"EventHub"}},
	{"id":"` + long + `x","endpointName":"A B","filter":"true"},
	{"id":"` + long + `y","endpointName":"a/b","filter":"CONTAINS(subject, '${X}')"},
	{"id":" \u0000\u001b[31m ","endpointName":"--","filter":"true"},
	{"id":"..","endpointName":"--","filter":"true"},
	{"id":"no","endpointName":"--","filter":"true"}]`
	export, err := migration.Read([]migration.File{{Name: "f", Text: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	documents, report := export.Import()
	requireValid(t, documents)
	golden(t, "names", show(documents, report))
}

func FuzzImport(f *testing.F) {
	for _, name := range []string{"routes.json", "endpoints.json", "pages.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("\xff\xfe[\x00]\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		export, err := migration.Read([]migration.File{{Name: "f", Text: text}})
		if err != nil {
			return
		}
		documents, report := export.Import()
		requireValid(t, documents)
		names := map[string]bool{}
		for _, d := range documents {
			if names[d.Kind+d.Name] {
				t.Errorf("two documents are called %s", d.Name)
			}
			names[d.Kind+d.Name] = true
		}
		if i := strings.IndexFunc(report.Text(), func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
			t.Errorf("the report has a control character:\n%q", report.Text())
		}
	})
}
