package main // white-box: a command exports nothing

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway"
)

const plannedAnswer = `{"revision":12,"changes":[
 {"kind":"Endpoint","name":"desk","action":"replace","diff":[
  {"path":"delivery.maxAge","before":"24h","after":"1h"},
  {"path":"settings.headers.X-Key","before":"***","after":"***","secret":true},
  {"path":"settings.url","before":"https://old.example","after":"https://hunter2.example"}]},
 {"kind":"Route","name":"hot","action":"create","diff":[{"path":"endpointName","after":"desk"},{"path":"filter","after":"PATCH('/t') > 30"}]},
 {"kind":"Route","name":"same","action":"none","diff":[]},
 {"kind":"Route","name":"old","action":"delete","diff":[{"path":"endpointName","before":"desk\u001b[31m"}]}],
 "traffic":{"events":1000,"covered":{"from":"1-0","to":"42-9","fromTime":"2026-01-02T03:04:05Z","toTime":"2026-01-02T04:04:05Z","events":1000,"complete":true},"routes":[
  {"route":"broken","before":{"endpoint":"desk","matched":3,"dropped":0},"after":{"endpoint":"desk","matched":3,"dropped":0},"gained":0,"lost":0,"changed":0,"same":0,"trapped":0,"error":"no instance","examples":[]},
  {"route":"hot","before":null,"after":{"endpoint":"desk","matched":12,"dropped":3},"gained":12,"lost":0,"changed":0,"same":0,"trapped":1,"examples":[
   {"what":"trapped","id":"7-1","eventId":"e7","type":"t","subject":"room-7","after":{"matched":true,"why":"plugin p failed","error":"out of fuel","outputs":[],"fuel":9}},
   {"what":"gained","id":"42-1","eventId":"e1","type":"t","subject":"room-1","after":{"matched":true,"why":"the filter matches","outputs":[],"fuel":0}}]},
  {"route":"narrow","before":{"endpoint":"desk","matched":400,"dropped":0},"after":{"endpoint":"desk","matched":380,"dropped":0},"gained":0,"lost":20,"changed":1,"same":379,"trapped":0,"examples":[
   {"what":"lost","id":"42-2","eventId":"e2","type":"t","subject":"room-2","before":{"matched":true,"why":"","outputs":[],"fuel":0},"after":{"matched":false,"why":"PATCH('/t') > 30 is false: PATCH('/t') is 27 (hunter2)","outputs":[],"fuel":0}},
   {"what":"changed","id":"42-3","eventId":"e3","type":"t","subject":"room-3","before":{"matched":true,"why":"","outputs":[],"fuel":0},"after":{"matched":true,"why":"","outputs":[],"fuel":0},"diff":[{"path":"[0].event.data.t","before":27,"after":{"value":27}},{"path":"[1]","after":1}]}]},
  {"route":"old","before":{"endpoint":"desk","matched":5,"dropped":0},"after":null,"gained":0,"lost":5,"changed":0,"same":0,"trapped":0,"examples":[{"what":"lost","id":"42-4","eventId":"e4","type":"t","before":{"matched":true,"why":"","outputs":[],"fuel":0}}]},
  {"route":"same","before":{"endpoint":"desk","matched":7,"dropped":0},"after":{"endpoint":"desk","matched":7,"dropped":0},"gained":0,"lost":0,"changed":0,"same":7,"trapped":0,"untouched":true,"examples":[]}]}}`

// TestPlan holds what a person sees of plan and apply against a server that says
// what it is told to.
func TestPlan(t *testing.T) {
	file := filepath.Join(t.TempDir(), "all.yaml")
	docs := "kind: Endpoint\nname: desk\nspec:\n  kind: webhook\n  settings:\n    url: https://${HOST}.example\n---\nkind: Route\nname: hot\nspec:\n  endpointName: desk\n"
	if err := os.WriteFile(file, []byte(docs), 0o600); err != nil {
		t.Fatal(err)
	}
	const nothing = `{"revision":12,"changes":[{"kind":"Endpoint","name":"desk","action":"none","diff":[]}]}`
	const applied = `{"revision":13,"changes":[{"kind":"Endpoint","name":"desk","action":"replace","diff":[]},{"kind":"Route","name":"old","action":"delete","diff":[]}]}`
	problem := func(status int, members string) string {
		return fmt.Sprintf(`%d {"type":"about:blank","title":"x","status":%d,%s}`, status, status, members)
	}
	conflict := problem(412, `"detail":"the catalog is at revision 13, not what the request expects"`)
	tests := []struct {
		name string
		args []string
		say  []string // one answer after the other: "STATUS body"
	}{
		{"plan", []string{"plan", "--events", "1000"}, []string{"200 " + plannedAnswer}},
		{"plan-nothing", []string{"plan"}, []string{"200 " + nothing}},
		{"plan-json", []string{"plan", "--json"}, []string{"200 " + applied}},
		{"plan-faults", []string{"plan"}, []string{problem(400, `"detail":"…","field":"documents[0].spec.settings.url","errors":[`+
			`{"field":"events","detail":"is wrong"},{"field":"documents[1].spec.filter","detail":"is wrong"},{"field":"documents[0].spec.settings.url","detail":"\"https://hunter2.example\" is no URL"},{"field":"documents[0].name","detail":"is wrong"}]`)}},
		{"plan-in-use", []string{"plan", "--prune"}, []string{problem(409, `"detail":"endpoint \"hub\" is used by route \"hot\": change or delete that first","errors":[{"field":"documents[1].spec.endpointName","detail":"uses the endpoint \"hub\""}]`)}},
		{"apply", []string{"apply"}, []string{"200 " + plannedAnswer, "200 " + applied}},
		{"apply-nothing", []string{"apply"}, []string{"200 " + nothing}},
		{"apply-raced", []string{"apply"}, []string{"200 " + plannedAnswer, conflict, "200 " + plannedAnswer, "200 " + applied}},
		{"apply-raced-always", []string{"apply"}, []string{"200 " + plannedAnswer, conflict, "200 " + plannedAnswer, conflict, "200 " + plannedAnswer, conflict,
			"200 " + plannedAnswer, conflict, "200 " + plannedAnswer, conflict}},
		{"apply-overtaken", []string{"apply"}, []string{"200 " + plannedAnswer, conflict, "200 " + applied}},
		{"plan-usage", []string{"plan", "--events", "10001"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sent strings.Builder
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				fmt.Fprintf(&sent, "> %s %s %s\n", r.Method, r.URL.Path, strings.TrimSpace(string(body)))
				if len(tt.say) == 0 {
					t.Error("nobody taught the server to answer that much")
					return
				}
				var status int
				code, answer, _ := strings.Cut(tt.say[0], " ")
				tt.say = tt.say[1:]
				fmt.Sscan(code, &status)
				w.Header().Set("Content-Type", map[bool]string{true: "application/json", false: "application/problem+json"}[status == 200])
				w.WriteHeader(status)
				io.WriteString(w, answer)
			}))
			defer server.Close()
			args := append(tt.args, "-f", file, "--server", server.URL)
			stdout, stderr, status := outcome(t, map[string]string{"HOST": "hunter2"}, "", args...)
			seen := strings.ReplaceAll(text(stdout, stderr, status), file, "all.yaml")
			if strings.Contains(seen, "hunter2") {
				t.Error("what a reference stands for is shown")
			}
			golden(t, tt.name, sent.String()+seen)
		})
	}
}

// TestRoutesInGit takes a gateway through the commands: what one exports makes
// another the same.
func TestRoutesInGit(t *testing.T) {
	serve := func() string {
		g, err := gateway.Open(t.Context(), gateway.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(g.Handler())
		t.Cleanup(func() {
			server.Close()
			if err := g.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
		return server.URL
	}
	one, two, dir := serve(), serve(), t.TempDir()
	env := map[string]string{"CODE": "s3cret"}
	do := func(server, stdin string, want int, args ...string) string {
		t.Helper()
		env["HEADGATE_SERVER"] = server
		stdout, stderr, status := outcome(t, env, stdin, args...)
		if status != want || strings.Contains(stdout+stderr, "s3cret") {
			t.Fatalf("headgate %s: %s, want exit status %d and no secret", strings.Join(args, " "), text(stdout, stderr, status), want)
		}
		return stdout + stderr
	}
	docs := "kind: Endpoint\nname: Desk\nspec:\n  kind: webhook\n  settings: {url: \"https://h.example/?code=${CODE}\"}\n---\n" +
		"kind: Endpoint\nname: desk\nspec: {kind: file, settings: {path: " + filepath.Join(dir, "out") + "}}\n---\n" +
		"kind: Route\nname: hot & cold\nspec:\n  endpointName: desk\n  filter: subject = '${}'\n"
	if out := do(one, docs, 1, "apply", "-f", "-"); !strings.Contains(out, "standard input:15:11: spec.filter: ${} is no reference") {
		t.Errorf("a wrong reference is said to be %q", out)
	}
	docs = strings.Replace(docs, "${}", "$${x}", 1)
	do(one, docs, 2, "plan", "-f", "-")
	do(one, docs, 0, "apply", "-f", "-")
	do(one, docs, 0, "plan", "-f", "-")
	env["CODE"] = "other-code"
	if out := do(one, docs, 2, "plan", "-f", "-"); !strings.Contains(out, "the secret differs") || strings.Contains(out, "other-code") {
		t.Errorf("another secret is shown as %q", out)
	}

	plugin := func(name, sum string) string {
		return "---\nkind: Plugin\nname: mine\nspec:\n  file: " + filepath.Join(dir, name) + "\n  sha256: \"" + sum + "\"\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "no.wasm"), []byte("\x00asm"), 0o600); err != nil {
		t.Fatal(err)
	}
	for doc, want := range map[string]string{
		plugin("none.wasm", strings.Repeat("a", 64)): "none.wasm: no such file",
		plugin("no.wasm", strings.Repeat("a", 64)):   "has the SHA-256 cd5d4935a48c0672cb06407bb443bc0087aff947c6b864bac886982c73b3027f",
	} {
		if out := do(one, docs+doc, 1, "apply", "-f", "-"); !strings.Contains(out, want) {
			t.Errorf("a module that is not there is said to be %q", out)
		}
	}
	if out := do(one, docs+plugin("no.wasm", "cd5d4935a48c0672cb06407bb443bc0087aff947c6b864bac886982c73b3027f"), 4, "apply", "-f", "-"); !strings.Contains(out, "standard input:19:1: spec: ") {
		t.Errorf("a module that is none is said to be %q", out)
	}

	exported := filepath.Join(dir, "exported")
	do(one, "", 0, "export", "-o", exported)
	if out := do(one, "", 1, "plan", "-f", exported); !strings.Contains(out, "${ENDPOINT_DESK_URL_CODE} is not set") {
		t.Errorf("a missing secret is said to be %q", out)
	}
	env["ENDPOINT_DESK_URL_CODE"] = "s3cret"
	do(one, "", 0, "plan", "-f", exported, "--prune")
	do(two, "", 0, "apply", "-f", exported)
	all := do(two, "", 0, "export")
	if all != do(one, "", 0, "export") {
		t.Errorf("the second server exports:\n%s", all)
	}
	do(two, all, 0, "plan", "-f", "-", "--prune")
	golden(t, "export", strings.ReplaceAll(all, dir, "/DIR"))

	if schema := do(two, "", 0, "schema"); !json.Valid([]byte(schema)) {
		t.Error("the schema is no JSON")
	}
}

// TestExportTellsOthers exports to a directory that holds what the server has no
// longer.
func TestExportTellsOthers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"documents":[{"kind":"Route","name":"hot","spec":{"endpointName":"desk"}}],"revision":3}`)
	}))
	defer server.Close()
	dir := t.TempDir()
	for _, name := range []string{"routes/hot.yaml", "routes/race1.yaml", "routes/.hidden.yaml", "routes/README.md", "endpoints/desk.yaml", "other/x.yaml", "x.yaml"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("# mine\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, status := outcome(t, nil, "", "export", "-o", dir, "--server", server.URL)
	golden(t, "export-others", strings.ReplaceAll(text(stdout, stderr, status), dir, "DIR"))
	if b, err := os.ReadFile(filepath.Join(dir, "routes", "race1.yaml")); err != nil || string(b) != "# mine\n" {
		t.Errorf("a file that was not exported is now %q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "routes", "hot.yaml")); err != nil || !strings.Contains(string(b), "name: hot") {
		t.Errorf("a file that was exported is now %q, %v", b, err)
	}
}
