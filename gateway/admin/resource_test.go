package admin_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden files")

func TestEndpointLifecycle(t *testing.T) {
	s := serve(t)
	resp, body := s.do(t, "PUT", "/endpoints/hub", `{"kind":"webhook","settings":{"url":"https://me:pass@h/?code=c","headers":{"Authorization":"Bearer x"}},"delivery":{"maxAge":"1h"}}`)
	if resp.StatusCode != 201 || strings.Contains(body, "pass") || strings.Contains(body, "Bearer") || strings.Contains(body, "code=c") {
		t.Fatalf("PUT = %d %s", resp.StatusCode, body)
	}
	tag := resp.Header.Get("ETag")
	resp, got := s.do(t, "GET", "/endpoints/hub", "")
	own, status, ok := strings.Cut(got, `,"status":{"name":"hub","kind":"webhook","state":"failing"`)
	if own+"}\n" != body || !ok || !strings.Contains(status, `"backlog":3`) || resp.Header.Get("ETag") != tag {
		t.Errorf("GET = %s, tag %s; PUT answered %s, tag %s", got, resp.Header.Get("ETag"), body, tag)
	}
	s.want(t, 304, "GET", "/endpoints/hub", "", "If-None-Match: "+tag)
	if resp, _ := s.do(t, "HEAD", "/endpoints/hub", ""); resp.StatusCode != 200 || resp.Header.Get("ETag") != tag {
		t.Errorf("HEAD = %d, tag %q", resp.StatusCode, resp.Header.Get("ETag"))
	}

	// What was read may be sent back, and changes nothing.
	resp, _ = s.do(t, "PUT", "/endpoints/hub", got, "If-Match: "+tag)
	if resp.StatusCode != 200 || resp.Header.Get("ETag") != tag {
		t.Errorf("PUT of what was read = %d, tag %s, want 200, %s", resp.StatusCode, resp.Header.Get("ETag"), tag)
	}
	if e := s.Snapshot().Endpoints[0]; !strings.Contains(string(e.Settings), "Bearer x") || !strings.Contains(string(e.Settings), "me:pass@h/?code=c") {
		t.Errorf("stored settings = %s, want the secrets kept", e.Settings)
	}

	s.want(t, 412, "PUT", "/endpoints/hub", hubBody, `If-Match: "99"`)
	s.want(t, 412, "PUT", "/endpoints/hub", hubBody, `If-Match: W/`+tag)
	s.want(t, 412, "PUT", "/endpoints/hub", hubBody, "If-None-Match: *")
	s.want(t, 412, "PUT", "/endpoints/new", hubBody, "If-Match: *")
	s.want(t, 412, "DELETE", "/endpoints/hub", "", `If-Match: "99"`)
	s.want(t, 400, "PUT", "/endpoints/hub", hubBody, `If-Match: 99`)
	s.want(t, 400, "PUT", "/endpoints/hub", hubBody, `If-None-Match: "1"`)
	s.want(t, 201, "PUT", "/endpoints/new", hubBody, "If-None-Match: *")
	s.want(t, 204, "DELETE", "/endpoints/hub", "", `If-Match: "7", `+tag)
	s.want(t, 404, "GET", "/endpoints/hub", "")
	s.want(t, 404, "DELETE", "/endpoints/hub", "")

	history := s.want(t, 200, "GET", "/endpoints/hub/revisions", "")
	if strings.Contains(history, "pass") || !strings.Contains(history, `"deleted":true`) {
		t.Errorf("history = %s", history)
	}
	s.want(t, 404, "GET", "/endpoints/nobody/revisions", "")
	audit := s.want(t, 200, "GET", "/audit?limit=3", "")
	if !strings.Contains(audit, `"action":"delete","kind":"endpoint","name":"hub"`) || !strings.Contains(audit, `"by":"tester"`) {
		t.Errorf("audit = %s", audit)
	}
}

func TestRouteLifecycle(t *testing.T) {
	s := serve(t)
	s.seed(t)
	resp, body := s.do(t, "GET", "/routes/r", "")
	tag := resp.Header.Get("ETag")
	var r catalog.Route
	if err := json.Unmarshal([]byte(body), &r); err != nil || r.Filter != "true" || !r.Enabled || r.Transforms[0].Plugin.Name != "tsi" {
		t.Errorf("route = %s, %v", body, err)
	}
	s.want(t, 200, "PUT", "/plugins/tsi/active", `{"version":2}`)
	if resp, _ := s.do(t, "PUT", "/routes/r", body); resp.Header.Get("ETag") != tag {
		t.Errorf("an identical route went from %s to %s", tag, resp.Header.Get("ETag"))
	}
	s.want(t, 409, "DELETE", "/endpoints/hub", "")
	s.want(t, 409, "DELETE", "/plugins/tsi", "")
	s.want(t, 409, "DELETE", "/plugins/tsi/versions/2", "")
	s.want(t, 204, "DELETE", "/plugins/tsi/versions/1", "")
	s.want(t, 204, "DELETE", "/routes/r", "", "If-Match: "+tag)
	s.want(t, 404, "GET", "/routes/r", "")
	s.want(t, 200, "GET", "/routes/r/revisions", "")
	s.want(t, 404, "GET", "/routes/x/revisions", "")
	s.want(t, 204, "DELETE", "/endpoints/hub", "")
	s.want(t, 204, "DELETE", "/plugins/tsi", "")
}

// An id is unescaped once, whichever way the client wrote it.
func TestRouteIDsInPaths(t *testing.T) {
	s := serve(t)
	s.seed(t)
	for path, id := range map[string]string{
		"a%20b": "a b", "50%25": "50%", "a%2525": "a%25", "100%2541": "100%41", "z%C3%A4hler": "zähler",
		"a:b": "a:b", "a%3Ab%3Fc%23": "a:b?c#", "%61": "a", "A": "A", "a+b": "a+b", "routes:test": "routes:test",
	} {
		body := s.want(t, 201, "PUT", "/routes/"+path, `{"endpointName":"hub"}`)
		var r catalog.Route
		if err := json.Unmarshal([]byte(body), &r); err != nil || r.ID != id {
			t.Errorf("PUT /routes/%s made %q, want %q", path, r.ID, id)
		}
		s.want(t, 200, "GET", "/routes/"+url.PathEscape(id), "")
	}
	for _, path := range []string{"a%2Fb", "a%5Cb", "%00", "%FF", "%20", "..%2Fx"} {
		s.want(t, 400, "PUT", "/routes/"+path, `{"endpointName":"hub"}`)
	}
}

func TestPluginVersions(t *testing.T) {
	s := serve(t)
	upload := func(status int, module string) (v catalog.Version) {
		t.Helper()
		body := s.want(t, status, "POST", "/plugins/tsi/versions", module, "Content-Type: application/wasm")
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	one := upload(201, "\x00asm one")
	if one.Version != 1 || one.Digest != catalog.Digest([]byte("\x00asm one")) || one.Size != 8 {
		t.Errorf("version = %+v", one)
	}
	two := upload(201, "\x00asm two")
	if again := upload(200, "\x00asm one"); !cmp.Equal(one, again) {
		t.Errorf("the same bytes again = %+v, want %+v", again, one)
	}
	resp, body := s.do(t, "GET", "/plugins/tsi", "")
	var p catalog.Plugin
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Active != 1 || !cmp.Equal(p.Versions, []catalog.Version{one, two}) {
		t.Errorf("plugin = %s, %v", body, err)
	}
	tag := resp.Header.Get("ETag")
	resp, body = s.do(t, "PUT", "/plugins/tsi/active", `{"version":2}`, "If-Match: "+tag)
	if resp.StatusCode != 200 || !strings.Contains(body, `"active":2`) || resp.Header.Get("ETag") == tag {
		t.Errorf("activate = %d %s", resp.StatusCode, body)
	}
	s.want(t, 412, "PUT", "/plugins/tsi/active", `{"version":1}`, "If-Match: "+tag)
	s.want(t, 404, "PUT", "/plugins/tsi/active", `{"version":9}`)
	s.want(t, 400, "PUT", "/plugins/tsi/active", `{"version":0}`)
	s.want(t, 404, "PUT", "/plugins/x/active", `{"version":1}`)
	s.want(t, 200, "GET", "/plugins/tsi/versions/2", "")
	s.want(t, 404, "GET", "/plugins/tsi/versions/3", "")
	s.want(t, 400, "GET", "/plugins/tsi/versions/two", "")
	s.want(t, 409, "DELETE", "/plugins/tsi/versions/2", "")
	s.want(t, 204, "DELETE", "/plugins/tsi/versions/1", "")
	s.want(t, 404, "DELETE", "/plugins/x", "")
	s.want(t, 400, "POST", "/plugins/tsi/versions", "", "Content-Type: application/wasm")
	s.want(t, 400, "POST", "/plugins/a%20b/versions", "\x00asm", "Content-Type: application/wasm")
}

func TestPaging(t *testing.T) {
	s := serve(t)
	s.seed(t)
	for i := range 7 {
		s.want(t, 201, "PUT", fmt.Sprintf("/routes/p%d", i), `{"endpointName":"hub"}`)
	}
	var seen []string
	for after, pages := "", 0; ; pages++ {
		var p struct {
			Items []catalog.Route
			Next  string
		}
		body := s.want(t, 200, "GET", "/routes?limit=3&after="+after, "")
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Items {
			seen = append(seen, r.ID)
		}
		if after = p.Next; after == "" {
			if pages != 2 {
				t.Errorf("%d pages, want 3", pages+1)
			}
			break
		}
	}
	if got := strings.Join(seen, " "); got != "p0 p1 p2 p3 p4 p5 p6 r" {
		t.Errorf("pages hold %s", got)
	}
	if body := s.want(t, 200, "GET", "/plugins?after=zzz", ""); body != "{\"items\":[]}\n" {
		t.Errorf("page behind the end = %s", body)
	}
	for _, q := range []string{"limit=0", "limit=1001", "limit=x", "limit=-1"} {
		s.want(t, 400, "GET", "/endpoints?"+q, "")
	}
}

func TestRouteTest(t *testing.T) {
	s := serve(t)
	s.seed(t)
	body := s.want(t, 200, "POST", "/routes:test", `{"route":{"filter":"room"},"events":[
		{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"hall"},
		{"specversion":"1.0","id":"2","source":"s","type":"t","subject":"room","data":{"a":1,"a":2}}]}`)
	want := `{"results":[{"matched":false,"why":"subject = hall","outputs":[],"fuel":0},{"matched":true,"why":"all conditions hold",` +
		`"outputs":[{"event":{"specversion":"1.0","id":"2","source":"s","type":"t","subject":"room","data":{"a":1,"a":2}},"properties":{"sessionId":"room","timeToLive":"1m"}},` +
		`{"event":{"specversion":"1.0","id":"2","source":"s","type":"t","subject":"room","data":{"a":1,"a":2}},"properties":{"sessionId":"room","timeToLive":"1m"}}],` +
		`"fuel":12,"logs":["hello"]}]}` + "\n"
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if body := s.want(t, 200, "POST", "/routes:test", `{"route":{}}`); body != "{\"results\":[]}\n" {
		t.Errorf("a test without events = %s", body)
	}
	if r := s.Snapshot().Routes; len(r) != 1 {
		t.Errorf("a test stored a route: %v", r)
	}
}

func TestEndpointAttempts(t *testing.T) {
	s := serve(t)
	s.seed(t)
	both := s.want(t, 200, "GET", "/endpoints/hub/attempts", "")
	if want := `{"items":[{"position":"8-1","route":"all","output":0,"attempt":1,"at":"1970-01-01T00:00:09Z","took":"1ms","outcome":"delivered"},` +
		`{"position":"7-0","route":"all","output":0,"attempt":2,"at":"1970-01-01T00:00:09Z","outcome":"event","error":"400","dead":true}]}` + "\n"; both != want {
		t.Errorf("attempts are %s, want %s", both, want)
	}
	if failed := s.want(t, 200, "GET", "/endpoints/hub/attempts?failed=true&limit=1", ""); strings.Contains(failed, "8-1") || !strings.Contains(failed, "7-0") {
		t.Errorf("those that failed are %s", failed)
	}
}

func TestSimulation(t *testing.T) {
	s := serve(t)
	for _, step := range []struct{ method, body, want string }{
		{"GET", "", `{"running":false,"sent":0}`},
		{"PUT", `{"rate":20,"for":"1m"}`, `{"running":true,"rate":20,"sent":0,"startedAt":"1970-01-01T00:00:00Z","endsAt":"1970-01-01T00:01:00Z"}`},
		{"PUT", `{}`, `{"running":true,"rate":10,"sent":0,"startedAt":"1970-01-01T00:00:00Z","endsAt":"1970-01-01T00:10:00Z"}`},
		{"DELETE", "", `{"running":false,"rate":10,"sent":0,"startedAt":"1970-01-01T00:00:00Z","endsAt":"1970-01-01T00:10:00Z"}`},
	} {
		if got := s.want(t, 200, step.method, "/simulation", step.body); got != step.want+"\n" {
			t.Errorf("%s %s: %s, want %s", step.method, step.body, got, step.want)
		}
	}
}

// Each refusal, as a person reads it, is in the golden file.
func TestProblems(t *testing.T) {
	s := serve(t)
	s.seed(t)
	tests := []struct{ name, method, path, body string }{
		{"no such path", "GET", "/nothing", ""},
		{"the root", "GET", "", ""},
		{"a path too long", "GET", "/endpoints/hub/revisions/1", ""},
		{"no such method", "POST", "/endpoints/hub", "{}"},
		{"no such action", "POST", "/endpoints/hub:try", ""},
		{"test of no endpoint", "POST", "/endpoints/x:test", ""},
		{"test of no source", "POST", "/sources/x:test", ""},
		{"no such method of a list", "DELETE", "/routes", ""},
		{"no such method of an action", "GET", "/dead-letters/redrive", ""},
		{"no such method of a test", "GET", "/routes:test", ""},
		{"no such endpoint", "GET", "/endpoints/x", ""},
		{"no body", "PUT", "/endpoints/x", ""},
		{"malformed JSON", "PUT", "/endpoints/x", `{"kind":"webhook",}`},
		{"unknown member", "PUT", "/endpoints/x", `{"kind":"webhook","setting":{}}`},
		{"member twice", "PUT", "/endpoints/x", `{"kind":"webhook","settings":{"url":"a","url":"b"}}`},
		{"invalid setting", "PUT", "/endpoints/x", `{"kind":"webhook"}`},
		{"unknown kind", "PUT", "/endpoints/x", `{"kind":"kafka"}`},
		{"kind of another version", "PUT", "/endpoints/x", `{"kind":"serviceBus"}`},
		{"duration", "PUT", "/endpoints/x", `{"kind":"webhook","settings":{"url":"http://h"},"delivery":{"maxAge":"1 day"}}`},
		{"secret that is not stored", "PUT", "/endpoints/x", `{"kind":"webhook","settings":{"url":"http://h","headers":{"X-Api-Key":"***"}}}`},
		{"filter", "PUT", "/routes/x", `{"endpointName":"hub","filter":"syntax error"}`},
		{"route to no endpoint", "PUT", "/routes/x", `{"endpointName":"nowhere"}`},
		{"route with no plugin", "PUT", "/routes/x", `{"endpointName":"hub","filters":[{"plugin":"gate"}]}`},
		{"id with a slash", "PUT", "/routes/a%2Fb", `{"endpointName":"hub"}`},
		{"endpoint in use", "DELETE", "/endpoints/hub", ""},
		{"plugin in use", "DELETE", "/plugins/tsi", ""},
		{"settings that are none", "PUT", "/plugins/tsi", `{"limit":{}}`},
		{"limits that are none", "PUT", "/plugins/tsi", `{"limits":[1]}`},
		{"a breaker that never opens", "PUT", "/plugins/tsi", `{"breaker":{"traps":9,"window":8}}`},
		{"events that neither wait nor die", "PUT", "/plugins/tsi", `{"breaker":{"onOpen":"drop"}}`},
		{"settings of no plugin", "PUT", "/plugins/x", `{}`},
		{"trap that is gone", "GET", "/traps/x", ""},
		{"a flag that is none", "POST", "/plugins/tsi/versions?dryRun=maybe", "MZ"},
		{"module that is none", "POST", "/plugins/tsi/versions", "MZ"},
		{"limit", "GET", "/routes?limit=many", ""},
		{"position", "GET", "/events/42", ""},
		{"event that is gone", "GET", "/events/42-0", ""},
		{"time", "GET", "/events?from=yesterday", ""},
		{"dead letter that is gone", "GET", "/dead-letters/7-0", ""},
		{"redrive of nothing", "POST", "/dead-letters/redrive", `{}`},
		{"redrive of two things", "POST", "/dead-letters/redrive", `{"endpoint":"hub","all":true}`},
		{"redrive of no id", "POST", "/dead-letters/redrive", `{"ids":["seven"]}`},
		{"replay from nowhere", "POST", "/endpoints/hub/replay", `{}`},
		{"replay from the past", "POST", "/endpoints/hub/replay", `{"from":"yesterday"}`},
		{"replay of no endpoint", "POST", "/endpoints/x/replay", `{"from":"42-0"}`},
		{"attempts of no endpoint", "GET", "/endpoints/x/attempts", ""},
		{"attempts of a bad flag", "GET", "/endpoints/hub/attempts?failed=perhaps", ""},
		{"simulation too fast", "PUT", "/simulation", `{"rate":1001}`},
		{"simulation without end", "PUT", "/simulation", `{"for":"48h"}`},
		{"purge unconfirmed", "POST", "/dead-letters/purge", `{"all":true}`},
		{"purge through nothing", "POST", "/dead-letters/purge", `{"all":true,"through":"yesterday","confirm":true}`},
		{"purge of ids through another", "POST", "/dead-letters/purge", `{"ids":["7-0"],"through":"9-0","confirm":true}`},
		{"blocked keys of no endpoint", "GET", "/endpoints/x/blocked", ""},
		{"skip of nothing", "POST", "/endpoints/hub/skip", `{}`},
		{"skip of what holds up nothing", "POST", "/endpoints/hub/skip", `{"position":"8-0","route":"all"}`},
		{"skip of what is being tried", "POST", "/endpoints/hub/skip", `{"position":"9-0","route":"all","output":1}`},
		{"retry of no endpoint", "POST", "/endpoints/x/retry", ""},
		{"test of an endpoint with an unknown member", "POST", "/endpoints/hub:test", `{"sned":true}`},
		{"test of an endpoint that is asked in words", "POST", "/endpoints/hub:test", `{"send":"yes"}`},
		{"test of a faulty route", "POST", "/routes:test", `{"route":{"filter":"syntax error"},"events":[]}`},
		{"test with an unknown member", "POST", "/routes:test", `{"route":{"fliter":"true"},"events":[]}`},
		{"test of a faulty event", "POST", "/routes:test", `{"route":{},"events":[{"specversion":"1.0","id":"1","source":"s","type":"t"},{"specversion":"1.0","id":"2","type":"t"}]}`},
		{"test of no event", "POST", "/routes:test", `{"route":{},"events":[42]}`},
		{"stream of a bad flag", "GET", "/events/stream?deliveries=perhaps", ""},
		{"stream of a bad filter", "GET", "/events/stream?filter=syntax+error", ""},
		{"stream of a bad sample", "GET", "/events/stream?sample=0", ""},
		{"stream of a large sample", "GET", "/events/stream?sample=10001", ""},
		{"provenance of nothing", "GET", "/provenance/0000000000000000", ""},
	}
	var got strings.Builder
	for _, tt := range tests {
		_, body := s.do(t, tt.method, tt.path, tt.body)
		fmt.Fprintf(&got, "# %s\n%s %s %s\n%s\n", tt.name, tt.method, tt.path, tt.body, body)
	}
	golden(t, "problems.golden", got.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update rewrites it:\n%s", name, diff)
	}
}

func TestMethodsNotAllowed(t *testing.T) {
	s := serve(t)
	resp, _ := s.do(t, "PATCH", "/routes/x", "{}")
	if allow := resp.Header.Get("Allow"); resp.StatusCode != 405 || allow != "DELETE, GET, HEAD, PUT" {
		t.Errorf("PATCH = %d, Allow %q", resp.StatusCode, allow)
	}
	resp, _ = s.do(t, "OPTIONS", "/routes:test", "")
	if allow := resp.Header.Get("Allow"); resp.StatusCode != 204 || allow != "POST" {
		t.Errorf("OPTIONS = %d, Allow %q", resp.StatusCode, allow)
	}
}

func TestBodyLimits(t *testing.T) {
	s := serveWith(t, admin.Options{MaxModuleBytes: 100})
	s.want(t, 413, "PUT", "/endpoints/x", `{"kind":"`+strings.Repeat("x", 1<<20)+`"}`)
	s.want(t, 413, "POST", "/plugins/x/versions", strings.Repeat("x", 101))
	s.want(t, 201, "POST", "/plugins/x/versions", "\x00asm"+strings.Repeat("x", 96), "Content-Type: application/wasm")
}

func TestOtherSitesAreRefused(t *testing.T) {
	s := serve(t)
	s.seed(t)
	s.want(t, 403, "POST", "/dead-letters/redrive", `{"all":true}`, "Sec-Fetch-Site: cross-site")
	s.want(t, 403, "PUT", "/endpoints/x", hubBody, "Origin: https://evil.example")
	s.want(t, 200, "PUT", "/endpoints/hub", hubBody, "Sec-Fetch-Site: same-origin")
	s.want(t, 200, "GET", "/endpoints", "", "Sec-Fetch-Site: cross-site")
}

// busy is an error that says "not now".
type busy struct{}

func (busy) Error() string             { return "the journal is full: free some space" }
func (busy) RetryAfter() time.Duration { return 1500 * time.Millisecond }

func TestServerErrors(t *testing.T) {
	s := serve(t)
	s.fail = fmt.Errorf("status: %w", busy{})
	resp, body := s.do(t, "GET", "/status", "")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "2" || !strings.Contains(body, "free some space") {
		t.Errorf("busy = %d, Retry-After %q, %s", resp.StatusCode, resp.Header.Get("Retry-After"), body)
	}
	s.fail = errors.New("open /secret/path: permission denied")
	resp, body = s.do(t, "GET", "/status", "")
	var p struct{ ID string }
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != 500 || p.ID == "" || strings.Contains(body, "secret") {
		t.Errorf("failure = %d %s", resp.StatusCode, body)
	}
}

func TestStatusAndProvenance(t *testing.T) {
	s := serve(t)
	s.seed(t)
	var status catalog.Status
	if err := json.Unmarshal([]byte(s.want(t, 200, "GET", "/status", "")), &status); err != nil || status.Routes != 1 || status.Endpoints[0].State != catalog.Failing {
		t.Errorf("status = %+v, %v", status, err)
	}
	snap := s.Snapshot()
	p, err := snap.Provenance(snap.Routes[0])
	if err != nil {
		t.Fatal(err)
	}
	body := s.want(t, 200, "GET", "/provenance/"+p.ProducedBy, "")
	var got catalog.Provenance
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Route != "r" || got.Plugins[0].Digest != snap.Plugins[0].Versions[0].Digest {
		t.Errorf("provenance = %s, %v", body, err)
	}
	resp, _ := s.do(t, http.MethodGet, "/openapi.json", "")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("openapi.json = %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
}
