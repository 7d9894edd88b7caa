package main // white-box: a command exports nothing

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.golden.
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
		t.Fatalf("%v; write it with: go test ./cmd/headgate -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s has changed (-want +got); if it should, go test ./cmd/headgate -update and read the diff:\n%s", file, diff)
	}
}

// TestHelp holds the help of every command.
func TestHelp(t *testing.T) {
	var b strings.Builder
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "completion" || c.Name() == "help" {
			return
		}
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		fmt.Fprintf(&b, "$ headgate %s\n%s\n", strings.Join(args, " "), execute(t, "", args...))
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&app{}))
	golden(t, "help", b.String())
}

// answers is a server that says what it is told to say. What it is sent is
// written to sent.
type answers struct {
	t    *testing.T
	say  map[string]string // "METHOD /path?query" → "STATUS body"
	sent *strings.Builder
}

func (s answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	line := r.Method + " " + r.URL.RequestURI()
	fmt.Fprintf(s.sent, "> %s", line)
	if a := r.Header.Get("Authorization"); a != "" {
		fmt.Fprintf(s.sent, " (%s)", a)
	}
	if len(body) > 0 {
		fmt.Fprintf(s.sent, " %s %s", r.Header.Get("Content-Type"), body)
	}
	fmt.Fprintln(s.sent)
	status, text, ok := strings.Cut(s.say[line], " ")
	if !ok {
		s.t.Errorf("nobody taught the server to answer %q", line)
		status, text = "500", "{}"
	}
	switch {
	case strings.HasPrefix(status, "2") && strings.Contains(line, "/stream"):
		w.Header().Set("Content-Type", "text/event-stream")
	case strings.HasPrefix(status, "2"):
		w.Header().Set("Content-Type", "application/json")
	default:
		w.Header().Set("Content-Type", "application/problem+json")
	}
	var code int
	fmt.Sscan(status, &code)
	w.WriteHeader(code)
	io.WriteString(w, text)
}

// job is a redrive that ended.
const job = `{"id":"r-7","state":"done","selection":{"group":"9f2c1ab04d7e"},"total":300,"started":294,"delivered":290,"failed":4,"refused":6,"pending":0,"startedAt":"2026-01-02T03:04:05Z","endedAt":"2026-01-02T03:04:15Z","rate":30,"refusals":[{"reason":"route hot, as it is now, sends nothing for this event","count":6,"example":"7-2"}]}`

// outcome runs one command line and returns all that a person would see of it.
func outcome(t *testing.T, env map[string]string, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, err strings.Builder
	status = run(t.Context(), args, app{
		self: "headgate", in: strings.NewReader(stdin), out: &out, err: &err, zone: time.UTC,
		env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		serve: func(_ context.Context, cfg config.Config, stdout io.Writer, log *slog.Logger) error {
			fmt.Fprintf(stdout, "listening on http://%s\n", cfg.Listen)
			log.Info("served", "data", cfg.Data)
			return nil
		},
	})
	return out.String(), err.String(), status
}

// execute is outcome as one text.
func execute(t *testing.T, stdin string, args ...string) string {
	stdout, stderr, status := outcome(t, nil, stdin, args...)
	return text(stdout, stderr, status)
}

func text(stdout, stderr string, status int) string {
	if stderr != "" {
		stdout += "stderr:\n" + stderr
	}
	if status != 0 {
		stdout += fmt.Sprintf("exit status %d\n", status)
	}
	return stdout
}

const (
	routeTSI = `{"id":"tsi","endpointName":"readings","filter":"type = 'Microsoft.DigitalTwins.Twin.Update'","filters":[],` +
		`"transforms":[{"plugin":"tsi","config":{}}],"enabled":true,"revision":7,"createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z"}`
	routeOld = `{"id":"old","endpointName":"desk","filter":"true","filters":[{"plugin":"threshold@3","config":{"min":1}},` +
		`{"plugin":"geo@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","config":{}}],"transforms":[],"enabled":false,` +
		`"revision":9,"createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z"}`
	endpointDesk = `{"name":"desk","kind":"webhook","settings":{"url":"https://desk.example/in","headers":{"X-Key":"***"}},` +
		`"delivery":{"maxAttempts":8,"maxAge":"24h","initialBackoff":"1s","maxBackoff":"5m","timeout":"30s","orderBy":"subject"},` +
		`"revision":3,"createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z"}`
	sourceOrders = `{"name":"orders","kind":"serviceBus","settings":{"connectionString":"Endpoint=sb://n.example;SharedAccessKeyName=listen;SharedAccessKey=***","entityPath":"orders"},` +
		`"enabled":true,"revision":4,"createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z"`
	sourceStatus = `{"name":"orders","kind":"serviceBus","state":"failing","reason":"sb://n.example/orders: amqp:not-found: no such queue","received":12,"refused":1}`
	versionTwo   = `{"name":"threshold","version":2,"digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",` +
		`"kinds":["filter"],"size":2097152,"createdAt":"2026-01-02T03:04:05Z"}`
	pluginThreshold = `{"name":"threshold","active":1,"versions":[{"name":"threshold","version":1,"digest":` +
		`"sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210","kinds":["filter"],"size":900,"createdAt":"2026-01-02T03:04:05Z"},` + versionTwo + `]}`
	eventOne = `{"specversion":"1.0","id":"e1","source":"house","type":"Microsoft.DigitalTwins.Twin.Update","subject":"room-1",` +
		`"datacontenttype":"application/json","data":{"modelId":"dtmi:r;1","patch":[{"value":27,"path":"/temperature","op":"replace"}]}}`
	eventTwo = `{"specversion":"1.0","id":"e2","source":"house/digitaltwins/t1","type":"microsoft.iot.telemetry","data":{"Temperature":20}}`
	letter   = `{"id":"7-0","endpoint":"desk","route":"hot","reason":"400 Bad Request: no\nthank you","attempts":3,"history":[],"deadAt":"2026-01-02T03:04:05Z",` +
		`"acceptedAt":"2026-01-02T03:04:00Z","position":"42-1","output":0,"event":` + eventOne + `}`
	status = `{"state":"failing","reason":"endpoint desk fails since 03:04","version":"v1","startedAt":"2026-01-02T03:04:05Z","revision":12,"routes":2,"plugins":1,` +
		`"journal":{"first":1,"last":420,"bytes":5242880,"limitBytes":10737418240,"full":false},"endpoints":[` +
		`{"name":"readings","kind":"file","state":"healthy","backlog":0,"waiting":4,"retrying":0,"deadLetters":2,"delivered":1234,"failed":2,` +
		`"lastRejection":"archive.ndjson: a line of 17 MiB is\ntoo large","lastRejectedAt":"2026-01-02T03:04:05Z","deadLetterError":"container letters: 403 Forbidden"},` +
		`{"name":"desk","kind":"webhook","state":"failing","reason":"connection refused","backlog":17,"waiting":64,"retrying":3,"deadLetters":1,"delivered":5,"failed":21}],"sources":[` + sourceStatus + `],` +
		`"tail":{"followers":0,"dropped":0}}`
	verdictCold = `{"route":"cold","endpoint":"desk","filter":"type = 'x' AND PATCH('/t') < 5","matched":false,"why":"…","outputs":[],"fuel":0,"verdict":"false",` +
		`"condition":{"text":"PATCH('/t') < 5","start":15,"end":30},"values":[{"field":"PATCH('/t')","text":"27","value":27}],"deliveries":[]}`
	explained = `{"id":"42-1","acceptedAt":"2026-01-02T03:04:05Z","event":` + eventOne + `,"revision":3,"routes":[` + verdictCold + `,` +
		`{"route":"hot","endpoint":"desk","filter":"true","matched":true,"why":"the filter and all plugins let it pass","fuel":12,"plugins":[{"plugin":"tsi@1","kind":"transform","verdict":"outputs","outputs":1,"fuel":12}],` +
		`"outputs":[{"event":` + eventTwo + `,"diff":[{"part":"data","op":"replace","path":"/t","before":1,"after":"\u001b[31m"},{"part":"attribute","op":"remove","path":"subject","before":"room-1"},{"part":"property","op":"add","path":"sessionId","after":"room-1"}]}],` +
		`"note":"the route was changed","deliveries":[{"endpoint":"desk","output":0,"state":"retrying","tries":2,"next":"2026-01-02T03:05:05Z","attempts":[` +
		`{"attempt":1,"at":"2026-01-02T03:04:05Z","took":"1.5ms","outcome":"transient","error":"503\nno"},{"attempt":2,"at":"2026-01-02T03:04:06Z","error":"503"}]},` +
		`{"endpoint":"desk","output":1,"state":"dead","tries":1,"letter":"7-0","reason":"400","note":"made before","attempts":[]}]},` +
		`{"route":"off","endpoint":"desk","filter":"true","disabled":true,"matched":false,"why":"the route is disabled; its filter matches","outputs":[],"fuel":0,"deliveries":[]},` +
		`{"route":"sick","endpoint":"desk","filter":"true","matched":true,"why":"plugin tsi@1 failed","error":"out of fuel","outputs":[],"fuel":9,"logs":["hello"],"plugins":[{"plugin":"tsi@1","kind":"transform","verdict":"failed","outputs":0,"fuel":9,"error":"out of fuel"}],"deliveries":[]}]}`
	stream = ": following\n\nevent: accepted\nid: 42-1\ndata: {\"id\":\"42-1\",\"acceptedAt\":\"2026-01-02T03:04:05Z\",\"event\":" + eventOne + "}\n\n" +
		"event: delivery\ndata: {\"id\":\"42-1\",\"eventId\":\"e1\",\"route\":\"tsi\",\"endpoint\":\"readings\",\"output\":0,\"attempt\":1,\"at\":\"2026-01-02T03:04:05Z\",\"took\":\"1.2345ms\",\"outcome\":\"delivered\"}\n\n" +
		"event: delivery\ndata: {\"id\":\"42-1\",\"eventId\":\"e1\",\"route\":\"hot\",\"endpoint\":\"desk\",\"output\":0,\"attempt\":8,\"at\":\"2026-01-02T03:04:06Z\",\"took\":\"2s\",\"outcome\":\"transient\",\"error\":\"503 \\u001b[31mService Unavailable\",\"dead\":true}\n\n" +
		"event: dropped\ndata: {\"dropped\":12}\n\n"
)

// TestCommands holds what a person sees of each command, and what the server
// is sent. A case is a command line as a shell would split it.
func TestCommands(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	module := write("m.wasm", "\x00asm")
	route := write("route.yaml", "id: tsi\nendpointName: readings\nfilter: |-\n  type = 'Microsoft.DigitalTwins.Twin.Update'\ntransforms:\n  - plugin: tsi\n")
	events := write("events.ndjson", eventOne+"\n"+eventTwo+"\n")
	token := write("token", "s3cret\n")

	tests := []struct {
		name  string
		say   map[string]string
		env   map[string]string
		stdin string
		args  []string
	}{
		{name: "get-routes", say: map[string]string{"GET /api/v1/routes?limit=500": `200 {"items":[` + routeOld + "," + routeTSI + `],"next":null}`}, args: []string{"get", "routes"}},
		{name: "get-routes-none", say: map[string]string{"GET /api/v1/routes?limit=500": `200 {"items":[]}`}, args: []string{"get", "routes"}},
		{name: "get-route-json", say: map[string]string{"GET /api/v1/routes/tsi": "200 " + routeTSI}, args: []string{"get", "route", "tsi", "--json"}},
		{name: "get-route-missing", say: map[string]string{"GET /api/v1/routes/no": `404 {"status":404,"title":"Not Found","detail":"there is no route \"no\""}`}, args: []string{"get", "route", "no"}},
		{name: "get-endpoints", say: map[string]string{"GET /api/v1/endpoints?limit=500": `200 {"items":[` + endpointDesk + `]}`}, args: []string{"get", "endpoints"}},
		{name: "get-endpoints-json", say: map[string]string{"GET /api/v1/endpoints?limit=500": `200 {"items":[` + endpointDesk + `]}`}, args: []string{"get", "endpoints", "--json"}},
		{name: "get-sources", say: map[string]string{"GET /api/v1/sources?limit=500": `200 {"items":[` + sourceOrders + `,"status":` + sourceStatus + `}]}`}, args: []string{"get", "sources"}},
		{name: "get-source-json", say: map[string]string{"GET /api/v1/sources/orders": `200 ` + sourceOrders + `,"status":` + sourceStatus + `}`}, args: []string{"get", "source", "orders", "--json"}},
		{name: "put-source", say: map[string]string{"PUT /api/v1/sources/orders": "201 " + sourceOrders + "}"},
			args: []string{"put", "source", "orders", "--kind", "serviceBus", "--set", "connectionString=Endpoint=sb://n.example;SharedAccessKeyName=listen;SharedAccessKey=abc", "--set", "entityPath=orders", "--set", "sessions=true", "--set", "wrap.subject=$sessionId"}},
		{name: "put-source-without-kind", args: []string{"put", "source", "orders"}},
		{name: "delete-source", say: map[string]string{"DELETE /api/v1/sources/orders": "204 "}, args: []string{"delete", "source", "orders"}},
		{name: "plugin-list", say: map[string]string{"GET /api/v1/plugins?limit=500": `200 {"items":[` + pluginThreshold + `]}`}, args: []string{"plugin", "list"}},
		{name: "put-endpoint", say: map[string]string{"PUT /api/v1/endpoints/desk": "201 " + endpointDesk},
			args: []string{"put", "endpoint", "desk", "--kind", "webhook", "--set", "url=https://desk.example/in", "--set", "headers.X-Key=abc", "--delivery", "maxAttempts=8"}},
		{name: "put-route", say: map[string]string{"PUT /api/v1/routes/hot": "200 " + routeTSI},
			args: []string{"put", "route", "hot", "--endpoint", "desk", "--filter", "PATCH('/t') > 1", "--filter-plugin", `threshold@2={"min":1}`, "--transform", "tsi", "--disabled"}},
		{name: "put-route-file", say: map[string]string{"PUT /api/v1/routes/tsi": "201 " + routeTSI}, args: []string{"put", "route", "-f", route}},
		{name: "put-routes-stdin", say: map[string]string{"PUT /api/v1/routes/tsi": "200 " + routeTSI, "PUT /api/v1/routes/old": "200 " + routeOld},
			stdin: `{"items":[` + routeOld + "," + routeTSI + `]}`, args: []string{"put", "routes", "-f", "-"}},
		{name: "put-route-refused", say: map[string]string{"PUT /api/v1/routes/x": `400 {"status":400,"detail":"filter: line 1, position 6: unexpected 'is'","field":"filter"}`},
			args: []string{"put", "route", "x", "--endpoint", "desk", "--filter", "this is"}},
		{name: "put-route-config", args: []string{"put", "route", "x", "--endpoint", "desk", "--transform", "tsi={oops"}},
		{name: "put-file-without-name", stdin: "kind: file", args: []string{"put", "endpoint", "-f", "-"}},
		{name: "delete-endpoint-in-use", say: map[string]string{"DELETE /api/v1/endpoints/a%20b": `204 `, "DELETE /api/v1/endpoints/desk": `409 {"status":409,"detail":"endpoint \"desk\" is used by route \"hot\": change or delete that first"}`},
			args: []string{"delete", "endpoint", "a b", "desk"}},
		{name: "plugin-push", say: map[string]string{"POST /api/v1/plugins/threshold/versions": "201 " + versionTwo}, args: []string{"plugin", "push", "threshold", "--file", module}},
		{name: "plugin-push-activate", say: map[string]string{"POST /api/v1/plugins/threshold/versions": "200 " + versionTwo, "PUT /api/v1/plugins/threshold/active": "200 " + pluginThreshold},
			args: []string{"plugin", "push", "threshold", "--file", module, "--activate"}},
		{name: "plugin-set", say: map[string]string{
			"GET /api/v1/plugins/threshold": `200 {"name":"threshold","active":1,"versions":[],"limits":{"eventFuel":5},"grants":["clock"],"breaker":{"traps":24,"onOpen":"wait"},"revision":7}`,
			"PUT /api/v1/plugins/threshold": `200 {"name":"threshold","active":1,"versions":[],"limits":{"memoryBytes":9},"breaker":{"traps":24,"pause":"30s"},"revision":8}`,
		}, args: []string{"plugin", "set", "threshold", "--limit", "eventFuel=", "--limit", "memoryBytes=9", "--grant", "", "--breaker", "onOpen=", "--breaker", "pause=30s"}},
		{name: "plugin-set-refused", say: map[string]string{"GET /api/v1/plugins/threshold": `200 {"name":"threshold","active":1,"versions":[],"revision":7}`},
			args: []string{"plugin", "set", "threshold", "--breaker", "window=99"}},
		{name: "plugin-activate", say: map[string]string{"PUT /api/v1/plugins/threshold/active": "200 " + pluginThreshold}, args: []string{"plugin", "activate", "threshold", "1"}},
		{name: "routes-test", say: map[string]string{"POST /api/v1/routes:test": `200 {"results":[{"matched":true,"why":"all","outputs":[{"event":` + eventTwo + `}],"logs":["hello"]},{"matched":false,"why":"type is 'microsoft.iot.telemetry'","outputs":[]}]}`},
			args: []string{"routes", "test", "-f", route, "--events", events}},
		{name: "routes-test-failed", say: map[string]string{"POST /api/v1/routes:test": `200 {"results":[{"matched":true,"why":"","outputs":[],"error":"tsi: no patch"}]}`},
			stdin: eventOne, args: []string{"routes", "test", "--transform", "tsi", "--events", "-"}},
		{name: "filter-check", args: []string{"filter", "check", "type = 'microsoft.iot.Telemetry' AND (subject = 'it''s' OR NOT $body.list[0] > 1)"}},
		{name: "filter-check-kinds", args: []string{"filter", "check", "type = 'microsoft.iot.telemetry' AND $body.x > 1"}},
		{name: "filter-check-fault", args: []string{"filter", "check", "-f", "-"}, stdin: "type = 'ä'\n\tAND $body.x <> 5\n"},
		{name: "filter-check-json", args: []string{"filter", "check", "startswith(a, 'b')", "--json"}},
		{name: "filter-check-complete", args: []string{"filter", "check", "type = 'micro", "--complete", "13"}},
		{name: "filter-check-live", say: map[string]string{"POST /api/v1/filters:parse": `200 {"text":"$bo","valid":true,"canonical":"$bo","tree":{"op":"field","start":0,"end":3},"types":[],"anyType":true,"fields":[],"conditions":[],"hints":[],` +
			`"completions":{"from":0,"to":3,"items":[{"label":"$body.T","kind":"field","detail":"in 3 of 9 events, such as 5","insert":"$body.T"}]}}`}, args: []string{"filter", "check", "$bo", "--live", "--complete", "3"}},
		{name: "explain-event", say: map[string]string{"GET /api/v1/events/42-1": "200 " + explained}, args: []string{"explain", "--event", "42-1"}},
		{name: "explain-event-json", say: map[string]string{"GET /api/v1/events/42-1?route=cold": `200 {"id":"42-1","acceptedAt":"2026-01-02T03:04:05Z","event":` + eventTwo + `,"revision":3,"routes":[]}`}, args: []string{"explain", "--event", "42-1", "--route", "cold", "--json"}},
		{name: "explain-file", say: map[string]string{"POST /api/v1/events:explain": `200 {"results":[{"routes":[` + verdictCold + `]},{"routes":[]}]}`}, args: []string{"explain", "--event", events}},
		{name: "explain-missing", say: map[string]string{"GET /api/v1/events/42-1": `404 {"status":404,"detail":"there is no event \"42-1\""}`}, args: []string{"explain", "--event", "42-1"}},
		{name: "explain-route", say: map[string]string{"GET /api/v1/routes/a%2Fb/explain?from=7-0&limit=5": `200 {"route":"a/b","revision":4,"filter":"type = 'x'\n AND $body.t > 5","events":5,"matched":1,"share":0.2,"examples":["7-0"],` +
			`"conditions":[{"text":"$body.t > 5","start":16,"end":27,"count":3,"undefined":1,"share":0.6,"values":[{"text":"$body.t is 4","count":2},{"text":"$body.t is missing","count":1}],"examples":["7-1","7-2"]}],` +
			`"plugins":[{"plugin":"gate@1","kind":"filter","passed":1,"dropped":0,"failed":1,"share":0.2,"error":"out of fuel","examples":["7-4"]}],` +
			`"covered":{"from":"7-0","to":"7-4","fromTime":"2026-01-02T03:04:05Z","toTime":"2026-01-02T03:05:05Z","events":5,"complete":false},"next":"7-4","note":"the route was changed"}`},
			args: []string{"explain", "--route", "a/b", "--from", "7-0", "--limit", "5"}},
		{name: "dead-letters-list", say: map[string]string{"GET /api/v1/dead-letters?endpoint=desk&limit=500": `200 {"items":[` + letter + "," + letter + `]}`}, args: []string{"dead-letters", "list", "--endpoint", "desk", "--limit", "1"}},
		{name: "dead-letters-redrive", say: map[string]string{"POST /api/v1/dead-letters/redrive": `202 {"redriving":1,"refused":[{"id":"9-1","reason":"route hot, as it is now, sends nothing for this event"}]}`}, args: []string{"dead-letters", "redrive", "7-0", "9-1"}},
		{name: "dead-letters-groups", say: map[string]string{"GET /api/v1/dead-letters/groups?endpoint=desk&limit=1000": `200 {"items":[{"id":"9f2c1ab04d7e","endpoint":"desk","cause":"400 Bad Request: event N is \"…\"","example":"400 Bad Request: event 7 is \"x\"","count":312,"routes":[{"id":"hot","count":312}],"first":"2026-01-02T03:04:05Z","last":"2026-01-02T04:04:05Z","series":[1]}],"groups":1,"letters":312,"complete":false,"series":{"from":"2026-01-02T03:04:05Z","stepSeconds":90,"steps":1}}`},
			args: []string{"dead-letters", "groups", "--endpoint", "desk"}},
		{name: "dead-letters-preview", say: map[string]string{"POST /api/v1/dead-letters/preview": `200 {"selected":30,"counts":{"same":1,"changed":1,"nothing":1},"items":[` +
			`{"id":"7-0","endpoint":"desk","route":"hot","reason":"400","result":"same","before":` + eventOne + `,"outputs":[{"event":` + eventOne + `}]},` +
			`{"id":"7-1","endpoint":"desk","route":"hot","reason":"400","result":"changed","before":` + eventOne + `,"outputs":[{"event":` + eventTwo + `,"diff":[{"part":"data","op":"replace","path":"/t","before":1,"after":"warm"},{"part":"attribute","op":"remove","path":"subject","before":"x\u001b[31m"}]}]},` +
			`{"id":"7-2","endpoint":"desk","route":"hot","reason":"400","result":"nothing","why":"subject is 'room-2'","outputs":[]}]}`},
			args: []string{"dead-letters", "preview", "--group", "9f2c1ab04d7e", "--limit", "3"}},
		{name: "dead-letters-redrive-watch", say: map[string]string{"POST /api/v1/dead-letters/redrive": `202 {"redriving":3,"refused":[],"job":` + job + `}`, "GET /api/v1/redrives/r-7": "200 " + job},
			args: []string{"dead-letters", "redrive", "--group", "9f2c1ab04d7e", "--watch"}},
		{name: "dead-letters-redrives", say: map[string]string{"DELETE /api/v1/redrives/r-7": "200 " + job}, args: []string{"dead-letters", "redrives", "r-7", "--stop"}},
		{name: "dead-letters-purge", say: map[string]string{"POST /api/v1/dead-letters/purge": `200 {"purged":312}`}, args: []string{"dead-letters", "purge", "--group", "9f2c1ab04d7e", "--yes"}},
		{name: "dead-letters-purge-through", say: map[string]string{"POST /api/v1/dead-letters/purge": `200 {"purged":311}`}, args: []string{"dead-letters", "purge", "--all", "--through", "42-0", "--yes"}},
		{name: "dead-letters-purge-through-ids", args: []string{"dead-letters", "purge", "7-0", "--through", "42-0", "--yes"}},
		{name: "simulation-start", say: map[string]string{"PUT /api/v1/simulation": `200 {"running":true,"rate":100,"sent":0,"startedAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T04:04:05Z"}`},
			args: []string{"simulation", "start", "--rate", "100", "--for", "1h"}},
		{name: "simulation-stop", say: map[string]string{"DELETE /api/v1/simulation": `200 {"running":false,"rate":100,"sent":1,"startedAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T03:04:06Z","error":"the journal is full"}`}, args: []string{"simulation", "stop"}},
		{name: "simulation-show", say: map[string]string{"GET /api/v1/simulation": `200 {"running":false,"sent":0}`}, args: []string{"simulation", "show"}},
		{name: "twin", say: map[string]string{
			"GET /api/v1/twins?key=room+1&limit=2":           `200 {"key":"room 1","items":[{"id":"9-0","acceptedAt":"2026-01-02T03:04:06Z","time":"2026-01-02T03:04:05Z","event":` + eventTwo + `,"deliveries":[{"id":"9-0","eventId":"2","route":"hot","endpoint":"desk","output":0,"attempt":1,"at":"2026-01-02T03:04:07Z","took":"12ms","outcome":"delivered"}]}],"next":"8-0","covered":{"events":400,"complete":false},"series":[{"path":"/t","points":[[1767322000000,20],[1767323045000,21.5]]}]}`,
			"GET /api/v1/twins?after=8-0&key=room+1&limit=1": `200 {"key":"room 1","items":[],"covered":{"events":12,"complete":true},"series":[]}`,
		}, args: []string{"twin", "room 1", "--limit", "2"}},
		{name: "plugin-logs", say: map[string]string{"GET /api/v1/plugins/tsi/logs?level=info&limit=100": `200 {"dropped":7,"items":[{"at":"2026-01-02T03:04:06Z","version":2,"level":"error","text":"it failed on an event: trapped","from":"server","position":"9-0","trap":"trap-1.json"},{"at":"2026-01-02T03:04:05Z","version":1,"level":"info","text":"two\nlines","from":"plugin"}]}`},
			args: []string{"plugin", "logs", "tsi", "--level", "info"}},
		{name: "endpoints-test", say: map[string]string{"POST /api/v1/endpoints/hub:test": `200 {"ok":true,"said":"connected to sb://h/q over TLS, and opened a link for sending; no message was sent, so that the entity's rules on size, quota and sessions were not tried","tookMs":12}`}, args: []string{"endpoints", "test", "hub"}},
		{name: "sources-test", say: map[string]string{"POST /api/v1/sources/orders:test": `200 {"ok":true,"said":"connected to sb://h/q over TLS","tookMs":12}`}, args: []string{"sources", "test", "orders"}},
		{name: "sources-test-fails", say: map[string]string{"POST /api/v1/sources/orders:test": `200 {"ok":false,"said":"sb://h/q: unauthorized","tookMs":12}`}, args: []string{"sources", "test", "orders"}},
		{name: "endpoints-test-sends", say: map[string]string{"POST /api/v1/endpoints/hub:test": `200 {"ok":true,"said":"took the event 7F3A, of type Headgate.Probe","tookMs":31,"eventId":"7F3A"}`}, args: []string{"endpoints", "test", "hub", "--send"}},
		{name: "endpoints-test-fails", say: map[string]string{"POST /api/v1/endpoints/hub:test": `200 {"ok":false,"said":"sb://h/q: unauthorized","tookMs":12}`}, args: []string{"endpoints", "test", "hub"}},
		{name: "endpoints-blocked", say: map[string]string{"GET /api/v1/endpoints/hub/blocked?limit=20": `200 {"items":[
			{"key":"host/pump-1","behind":12,"position":"42-0","route":"hot-pumps","output":0,"tries":5,"error":"https://hub.example/in: 503 Service Unavailable","triedAt":"2026-01-02T03:04:05Z","next":"2026-01-02T03:05:05Z"},
			{"behind":0,"position":"43-7","route":"all","output":1,"underWay":true,"tries":0,"next":"2026-01-02T03:04:05Z","note":"a plugin of the route is left alone for a while, or it has not been tried yet"}],"keys":3}`}, args: []string{"endpoints", "blocked", "hub"}},
		{name: "endpoints-blocked-by-nothing", say: map[string]string{"GET /api/v1/endpoints/hub/blocked?limit=20": `200 {"items":[],"keys":0}`}, args: []string{"endpoints", "blocked", "hub"}},
		{name: "endpoints-skip", say: map[string]string{"POST /api/v1/endpoints/hub/skip": `202 {"endpoint":"hub","position":"42-0","route":"hot-pumps","output":0,"reason":"skipped by hand, after it failed with: 503 Service Unavailable"}`}, args: []string{"endpoints", "skip", "hub", "42-0", "--route", "hot-pumps"}},
		{name: "endpoints-skip-under-way", say: map[string]string{"POST /api/v1/endpoints/hub/skip": `409 {"title":"In use","status":409,"detail":"output 0 of event 42-0 by route hot-pumps is being tried at this moment: ask again when that try is over"}`}, args: []string{"endpoints", "skip", "hub", "42-0", "--route", "hot-pumps"}},
		{name: "endpoints-skip-without-route", args: []string{"endpoints", "skip", "hub", "42-0"}},
		{name: "endpoints-retry", say: map[string]string{"POST /api/v1/endpoints/hub/retry": `202 {"endpoint":"hub","retrying":13}`}, args: []string{"endpoints", "retry", "hub"}},
		{name: "endpoints-pause", say: map[string]string{
			"GET /api/v1/endpoints/hub": `200 {"name":"hub","kind":"webhook","settings":{"url":"https://h.example/in","headers":{"Authorization":"***"}},"delivery":{"maxAttempts":3},"revision":7,"status":{"name":"hub"}}`,
			"PUT /api/v1/endpoints/hub": `200 {"name":"hub","kind":"webhook","settings":{"url":"https://h.example/in"},"paused":true,"revision":8}`,
		}, args: []string{"endpoints", "pause", "hub"}},
		{name: "endpoints-resume-raced", say: map[string]string{
			"GET /api/v1/endpoints/hub": `200 {"name":"hub","kind":"webhook","settings":{},"paused":true,"revision":8}`,
			"PUT /api/v1/endpoints/hub": `412 {"status":412,"detail":"endpoint \"hub\" is at revision 9"}`,
		}, args: []string{"endpoints", "resume", "hub"}},
		{name: "replay", say: map[string]string{"POST /api/v1/endpoints/desk/replay": `202 {"endpoint":"desk","from":"42-0","acceptedAt":"2024-05-01T12:00:00Z","truncated":true}`}, args: []string{"replay", "desk", "--from", "7-0"}},
		{name: "status", say: map[string]string{"GET /api/v1/status": "200 " + status}, args: []string{"status"}},
		{name: "tail", say: map[string]string{"GET /api/v1/events/stream?deliveries=true&subject=room-1": "200 " + stream}, args: []string{"tail", "--deliveries", "--subject", "room-1"}},
		{name: "tail-json", say: map[string]string{"GET /api/v1/events/stream": "200 " + stream}, args: []string{"tail", "--json", "-n", "2"}},
		{name: "send", say: map[string]string{"POST /events": `202 {"accepted":2}`}, args: []string{"send", events}},
		{name: "send-json", say: map[string]string{"POST /events": `202 {"accepted":1}`}, stdin: eventTwo, args: []string{"send", "--json"}, env: map[string]string{"HEADGATE_TOKEN": "s3cret"}},
		{name: "send-refused", say: map[string]string{"POST /events": `413 {"status":413,"detail":"the event is larger than 1 MiB","index":1}`}, args: []string{"send", events, "--token-file", token}},
		{name: "send-bad-event", say: map[string]string{"POST /events": `202 {"accepted":1}`}, stdin: eventOne + `{"specversion":"1.0","id":"x"}`, args: []string{"send", "--batch", "1"}},
		{name: "unauthorized", say: map[string]string{"GET /api/v1/status": `401 {"status":401,"detail":"a token is required"}`}, args: []string{"status"}},
		{name: "not-ready", say: map[string]string{"GET /api/v1/status": `503 {"status":503,"detail":"the gateway is starting"}`}, args: []string{"status"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sent strings.Builder
			server := httptest.NewServer(answers{t, tt.say, &sent})
			defer server.Close()
			env := map[string]string{"HEADGATE_SERVER": server.URL}
			for k, v := range tt.env {
				env[k] = v
			}
			stdout, stderr, status := outcome(t, env, tt.stdin, tt.args...)
			got := "$ headgate " + strings.Join(tt.args, " ") + "\n" + text(stdout, stderr, status) + "server:\n" + sent.String()
			got = strings.NewReplacer(dir, "DIR", server.URL, "SERVER").Replace(got)
			got = regexp.MustCompile(`up [0-9]+d[0-9]+h`).ReplaceAllString(got, "up AGE")
			golden(t, tt.name, got)
		})
	}
}

// TestUsage holds the words for command lines that cannot be meant.
func TestUsage(t *testing.T) {
	var b strings.Builder
	for _, line := range []string{
		"nonsense", "get", "get nonsense", "put route x", "put endpoint", "put endpoint x --set a", "delete route", "serve extra",
		"serve --lisen x", "serve --listen :80", "serve --config no.yaml", "send --batch 0 x", "send a --type t", "send no-such-file",
		"plugin push x", "plugin activate x y", "plugin activate x", "filter check", "filter check -f x y", "filter check a --complete 9", "explain", "explain --event no-such-file", "explain --event 42-1 --since 1h", "explain --route x --from 7-0 --since 1h", "explain --route x --from soon", "explain --route x --limit 0", "routes test", "routes test --events e", "dead-letters redrive",
		"dead-letters redrive --all 7-0", "dead-letters redrive seven", "dead-letters redrive --group x --all", "dead-letters preview --all --limit 0", "dead-letters redrives --stop", "dead-letters purge --all", "dead-letters purge --yes", "simulation", "simulation start --for soon", "dead-letters list --group x --endpoint y", "twin", "twin a --limit 0", "twin a --from soon", "plugin logs a --level loud", "replay", "replay desk", "replay desk --from soon", "demo --rate 0", "tail --server ftp://x", "status --token a --token-file b",
		"status --token-file no-such-file", "status --ca-file no-such-file",
	} {
		fmt.Fprintf(&b, "$ headgate %s\n%s\n", line, execute(t, "", strings.Fields(line)...))
	}
	golden(t, "usage", b.String())
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, stderr, status := outcome(t, nil, "", "status", "--server", server.URL)
	if status != exitUnreachable || !strings.Contains(stderr, "headgate serve") {
		t.Errorf("status %d, stderr %q; want %d and what to do", status, stderr, exitUnreachable)
	}
}

func TestServePassesSettings(t *testing.T) {
	stdout, stderr, status := outcome(t, map[string]string{"HEADGATE_DATA": "/from/env"}, "", "serve", "--listen", "127.0.0.1:0", "--log-format", "json")
	if status != 0 || stdout != "listening on http://127.0.0.1:0\n" || !strings.Contains(stderr, `"data":"/from/env"`) {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// TestSendWaits holds that a full gateway is waited for, not given up on.
func TestSendWaits(t *testing.T) {
	refusals := 2
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusals--; refusals >= 0 {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			json.NewEncoder(w).Encode(map[string]any{"status": 503, "detail": "the journal is full"})
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	stdout, stderr, status := outcome(t, nil, eventOne, "send", "--server", server.URL)
	if status != 0 || stdout != "1 event accepted\n" || refusals != -1 {
		t.Errorf("status %d, stdout %q, stderr %q, %d refusals left", status, stdout, stderr, refusals+1)
	}
}
