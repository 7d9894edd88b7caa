package gateway_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

// documents is a request of the whole catalog.
func documents(docs ...string) string { return `{"documents":[` + strings.Join(docs, ",") + `]}` }

func document(kind, name, spec string) string {
	return fmt.Sprintf(`{"kind":%q,"name":%q,"spec":%s}`, kind, name, spec)
}

// with adds members to a request.
func with(request, members string) string {
	return strings.TrimSuffix(request, "}") + "," + members + "}"
}

// actions is what an answer says of each resource, such as "create Route r".
func actions(t *testing.T, r reply) []string {
	t.Helper()
	var planned catalog.Planned
	if err := json.Unmarshal([]byte(r.want(t, 200).body), &planned); err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, c := range planned.Changes {
		list = append(list, string(c.Action)+" "+c.Kind+" "+c.Name)
	}
	return list
}

func (s *server) wantActions(request string, path string, want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, actions(s.t, s.api(http.MethodPost, path, request))); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestApply(t *testing.T) {
	s := start(t, t.TempDir())
	out := filepath.Join(t.TempDir(), "out.ndjson")
	file := document("Endpoint", "out", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, out))
	hook := document("Endpoint", "hook", `{"kind":"webhook","settings":{"url":"http://127.0.0.1:1/?code=s3cret"}}`)
	hot := document("Route", "hot", `{"endpointName":"out","filter":"PATCH('/temperature') > 20"}`)
	module := version(t, "../examples/threshold", "applied")
	gate := document("Plugin", "gate", fmt.Sprintf(`{"sha256":%q,"grants":[]}`, strings.TrimPrefix(digest(module), "sha256:")))
	gated := document("Route", "gated", `{"endpointName":"hook","filters":[{"plugin":"gate","config":{"path":"/temperature","min":20}}]}`)
	all := documents(gated, hot, hook, file, gate) // in no good order
	modules := fmt.Sprintf(`"modules":{%q:%q}`, digest(module), base64.StdEncoding.EncodeToString(module))

	t.Run("a plugin that nobody has", func(t *testing.T) {
		p := s.api(http.MethodPost, "/catalog:apply", all).problem(t, 400)
		if p["field"] != "documents[4].spec.sha256" {
			t.Errorf("problem %v", p)
		}
	})
	created := []string{"create Plugin gate", "create Endpoint hook", "create Endpoint out", "create Route gated", "create Route hot"}
	s.wantActions(with(all, modules), "/catalog:plan", created...)
	if snap := s.gateway.Snapshot(); len(snap.Endpoints)+len(snap.Routes) != 0 {
		t.Fatal("a plan changed the catalog")
	}
	s.wantActions(with(all, modules), "/catalog:apply", created...)
	revision := s.gateway.Snapshot().Revision
	same := []string{"none Plugin gate", "none Endpoint hook", "none Endpoint out", "none Route gated", "none Route hot"}
	s.wantActions(all, "/catalog:plan", same...)
	s.wantActions(all, "/catalog:apply", same...)
	if now := s.gateway.Snapshot().Revision; now != revision {
		t.Errorf("applying twice took the catalog from revision %d to %d", revision, now)
	}
	s.send(update("1", "room", "/temperature", "21"), update("2", "room", "/temperature", "19"))
	if got := ids(lines(t, out, 1)); len(got) != 1 || got[0] != "1" {
		t.Errorf("delivered %v", got)
	}

	t.Run("secrets", func(t *testing.T) {
		masked := strings.Replace(hook, "s3cret", "***", 1)
		s.wantActions(documents(masked), "/catalog:plan", "none Endpoint hook")
		answer := s.api(http.MethodPost, "/catalog:plan", documents(strings.Replace(hook, "s3cret", "0ther", 1))).want(t, 200)
		if diff := at(t, answer.object(t), "changes", 0, "diff", 0); at(t, diff, "secret") != true || at(t, diff, "path") != "settings.url" {
			t.Errorf("a new secret is shown as %v", diff)
		}
		export := s.api(http.MethodGet, "/catalog", "").want(t, 200)
		for _, body := range []string{answer.body, export.body} {
			if strings.Contains(body, "s3cret") || strings.Contains(body, "0ther") {
				t.Errorf("a secret is told: %s", body)
			}
		}
	})

	t.Run("one bad document", func(t *testing.T) {
		before := s.gateway.Snapshot()
		p := s.api(http.MethodPost, "/catalog:apply", documents(
			document("Route", "fine", `{"endpointName":"out"}`),
			document("Route", "bad", `{"endpointName":"out","filter":"type ="}`),
			document("Endpoint", "worse", `{"kind":"webhook","settings":{"url":"nowhere"}}`),
			document("Route", "lost", `{"endpointName":"nowhere"}`),
			document("Route", "config", `{"endpointName":"out","filters":[{"plugin":"gate","config":{"path":7}}]}`),
		)).problem(t, 400)
		fields := []string{}
		for _, e := range p["errors"].([]any) {
			fields = append(fields, at(t, e, "field").(string))
		}
		want := []string{"documents[2].spec.settings.url", "documents[1].spec.filter", "documents[3].spec.endpointName"}
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Errorf("faults (-want +got):\n%s", diff)
		}
		p = s.api(http.MethodPost, "/catalog:apply", documents(document("Route", "fine", `{"endpointName":"out"}`),
			document("Route", "config", `{"endpointName":"out","filters":[{"plugin":"gate","config":{"path":7}}]}`))).problem(t, 400)
		if field, _ := p["field"].(string); !strings.HasPrefix(field, "documents[1].spec.filters[0].config") {
			t.Errorf("problem %v", p)
		}
		if after := s.gateway.Snapshot(); after.Revision != before.Revision {
			t.Error("a bad document changed the catalog")
		}
	})

	t.Run("prune", func(t *testing.T) {
		s.wantActions(with(documents(file, hot), `"prune":true`), "/catalog:plan",
			"none Endpoint out", "none Route hot", "delete Route gated", "delete Endpoint hook", "delete Plugin gate")
		p := s.api(http.MethodPost, "/catalog:apply", with(documents(hot, gate), `"prune":true`)).problem(t, 409)
		if detail := p["detail"].(string); !strings.Contains(detail, `route "hot"`) || !strings.Contains(detail, `"out"`) {
			t.Errorf("409 says %q", detail)
		}
		if field := at(t, p, "errors", 0, "field"); field != "documents[0].spec.endpointName" {
			t.Errorf("409 is about %v, want the document that uses the endpoint", field)
		}
		if snap := s.gateway.Snapshot(); len(snap.Routes) != 2 {
			t.Error("a refused prune changed the catalog")
		}
		// A plugin that a kept route uses stays.
		s.wantActions(with(documents(hook, file, gated), `"prune":true`), "/catalog:apply",
			"none Endpoint hook", "none Endpoint out", "none Route gated", "delete Route hot")
		s.wantActions(with(documents(), `"prune":true`), "/catalog:apply",
			"delete Route gated", "delete Endpoint hook", "delete Endpoint out", "delete Plugin gate")
		snap := s.gateway.Snapshot()
		if _, ok := snap.Plugin("tsi"); !ok {
			t.Error("a first-party plugin was pruned")
		}
	})
}

// A version that can do something else is activated together with the routes
// that use it otherwise, in whichever order they stand.
func TestApplyChangesAPluginAndItsRoutes(t *testing.T) {
	s := start(t, t.TempDir())
	filter, transform := version(t, "../examples/threshold", "kind"), version(t, "../plugins/tsi", "kind")
	s.pushVersion("p", filter).want(t, 201)
	s.pushVersion("p", transform).want(t, 201)
	s.fileEndpoint("out")
	s.put("/routes/r", `{"endpointName":"out","filters":[{"plugin":"p","config":{"path":"/t","min":1}}]}`)
	plugin := document("Plugin", "p", fmt.Sprintf(`{"sha256":%q}`, strings.TrimPrefix(digest(transform), "sha256:")))
	p := s.api(http.MethodPost, "/catalog:apply", documents(plugin)).problem(t, 400)
	if p["field"] != "documents[0].spec" || !strings.Contains(p["detail"].(string), `route "r"`) {
		t.Errorf("problem %v", p)
	}
	s.wantActions(documents(document("Route", "r", `{"endpointName":"out","transforms":[{"plugin":"p"}]}`), plugin), "/catalog:apply",
		"replace Plugin p", "replace Route r")
}

func TestPlanTraffic(t *testing.T) {
	s := start(t, t.TempDir())
	s.fileEndpoint("out")
	module := version(t, "../examples/threshold", "traffic")
	s.pushVersion("gate", module).want(t, 201)
	s.put("/routes/narrow", `{"endpointName":"out","filter":"PATCH('/temperature') > 20"}`)
	s.put("/routes/gone", `{"endpointName":"out"}`)
	s.put("/routes/same", `{"endpointName":"out","filter":"subject = 'room-1'"}`)
	s.put("/routes/shaped", `{"endpointName":"out"}`)
	var events []string
	for i := range 10 {
		events = append(events, update(fmt.Sprint(i), fmt.Sprint("room-", i), "/temperature", fmt.Sprint(16+i)))
	}
	s.send(events...)
	answer := s.api(http.MethodPost, "/catalog:plan", with(documents(
		document("Endpoint", "out", `{"kind":"webhook","settings":{"url":"http://127.0.0.1:1/"}}`),
		document("Route", "narrow", `{"endpointName":"out","filter":"PATCH('/temperature') > 22"}`),
		document("Route", "new", `{"endpointName":"out","filters":[{"plugin":"gate","config":{"path":"/temperature","min":24}}]}`),
		document("Route", "same", `{"endpointName":"out","filter":"subject = 'room-1'"}`),
		document("Route", "shaped", `{"endpointName":"out","transforms":[{"plugin":"tsi"}]}`),
	), `"prune":true,"events":8`))
	var planned catalog.Planned
	if err := json.Unmarshal([]byte(answer.want(t, 200).body), &planned); err != nil {
		t.Fatal(err)
	}
	if planned.Traffic.Events != 8 || planned.Traffic.Covered.Events != 8 || planned.Traffic.Covered.To != "1-9" {
		t.Errorf("covered %+v", planned.Traffic.Covered)
	}
	got := []string{}
	for _, r := range planned.Traffic.Routes {
		side := func(s *catalog.RouteSide) string {
			if s == nil {
				return "-"
			}
			return fmt.Sprintf("%d/%d", s.Matched, s.Dropped)
		}
		examples := map[string]int{}
		for _, e := range r.Examples {
			examples[e.What]++
		}
		got = append(got, fmt.Sprintf("%s %s %s gained %d lost %d changed %d same %d trapped %d %v %v",
			r.Route, side(r.Before), side(r.After), r.Gained, r.Lost, r.Changed, r.Same, r.Trapped, r.Untouched, examples))
	}
	want := []string{
		"gone 8/0 - gained 0 lost 8 changed 0 same 0 trapped 0 false map[lost:3]",
		"narrow 5/0 3/0 gained 0 lost 2 changed 0 same 3 trapped 0 false map[lost:2]",
		"new - 2/6 gained 2 lost 0 changed 0 same 0 trapped 0 false map[gained:2]",
		"same 0/0 0/0 gained 0 lost 0 changed 0 same 0 trapped 0 true map[]",
		"shaped 8/0 8/0 gained 0 lost 0 changed 8 same 0 trapped 0 false map[changed:3]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("traffic (-want +got):\n%s\n%s", diff, answer.body)
	}
	for _, r := range planned.Traffic.Routes {
		for _, e := range r.Examples {
			if r.Route == "narrow" && !strings.Contains(e.After.Why, "> 22 is false") {
				t.Errorf("narrow loses an event since %q", e.After.Why)
			}
			if r.Route == "shaped" && len(e.Diff) == 0 {
				t.Error("an example of what changed shows no difference")
			}
		}
	}
	if n := at(t, s.api(http.MethodPost, "/catalog:plan", with(documents(), `"events":0`)).want(t, 200).object(t), "traffic"); n != nil {
		t.Errorf("no events asked for, and traffic is %v", n)
	}
}

// A plan says on which events a plugin would fail, and why, and keeps nothing of
// it.
func TestPlanTraps(t *testing.T) {
	s := start(t, t.TempDir())
	out := s.fileEndpoint("out")
	module := version(t, "../examples/threshold", "traps")
	s.pushVersion("gate", module).want(t, 201)
	s.put("/routes/r", `{"endpointName":"out","filters":[{"plugin":"gate","config":{"path":"/temperature","min":20}}]}`)
	s.send(update("1", "room-1", "/temperature", "21"), update("2", "room-2", "/temperature", "19"), update("3", "room-3", "/temperature", "22"))
	starved := document("Plugin", "gate", fmt.Sprintf(`{"sha256":%q,"limits":{"eventFuel":1,"byteFuel":1}}`, strings.TrimPrefix(digest(module), "sha256:")))
	var planned catalog.Planned
	if err := json.Unmarshal([]byte(s.api(http.MethodPost, "/catalog:plan", documents(starved)).want(t, 200).body), &planned); err != nil {
		t.Fatal(err)
	}
	r := planned.Traffic.Routes[0]
	if r.Before.Matched != 2 || r.After.Matched != 3 || r.Trapped != 3 || r.Changed != 2 || r.Gained != 1 {
		t.Errorf("traffic %+v, before %+v, after %+v", r, r.Before, r.After)
	}
	for _, e := range r.Examples {
		if e.What != catalog.ExampleTrapped || e.After.Error == "" {
			t.Errorf("example %+v", e)
		}
	}
	if traps := s.api(http.MethodGet, "/traps", "").want(t, 200).object(t)["items"].([]any); len(traps) != 0 {
		t.Errorf("a plan left traps: %v", traps)
	}
	if got := ids(lines(t, out, 2)); len(got) != 2 {
		t.Errorf("delivered %v", got)
	}
}

// randomCatalog is a catalog of a few resources; those that make it unusable
// are in it when bad is set.
func randomCatalog(r *rand.Rand, dir string) map[string]string {
	docs := map[string]string{}
	var endpoints []string
	for _, name := range []string{"a", "b", "c"} {
		if r.IntN(3) == 0 && len(endpoints) > 0 {
			continue
		}
		endpoints = append(endpoints, name)
		spec := fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, filepath.Join(dir, fmt.Sprint(name, r.IntN(2))))
		if r.IntN(2) == 0 {
			spec = fmt.Sprintf(`{"kind":"webhook","settings":{"url":"http://127.0.0.1:1/?sig=%d"},"delivery":{"maxAge":"%dh"}}`, r.IntN(3), 1+r.IntN(3))
		}
		docs["Endpoint "+name] = document("Endpoint", name, spec)
	}
	for i := range 5 {
		if r.IntN(2) == 0 {
			continue
		}
		name := fmt.Sprint("r", i)
		spec := fmt.Sprintf(`{"endpointName":%q,"filter":"subject = '%d'","enabled":%v`, endpoints[r.IntN(len(endpoints))], r.IntN(3), r.IntN(4) > 0)
		if r.IntN(2) == 0 {
			spec += `,"transforms":[{"plugin":"tsi"}]`
		}
		docs["Route "+name] = document("Route", name, spec+"}")
	}
	if r.IntN(2) == 0 {
		docs["Source s"] = document("Source", "s", fmt.Sprintf(`{"kind":"serviceBus","enabled":false,"settings":{"connectionString":"Endpoint=sb://127.0.0.1:1/;SharedAccessKeyName=n;SharedAccessKey=k%d;UseDevelopmentEmulator=true","entityPath":"q"}}`, r.IntN(2)))
	}
	return docs
}

// TestApplyModel takes a gateway from one random catalog to the next.
func TestApplyModel(t *testing.T) {
	s := start(t, t.TempDir())
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var exported string
	for step := range 25 {
		docs := randomCatalog(r, dir)
		list := slices.Collect(maps.Values(docs))
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		request := with(documents(list...), `"prune":true,"events":0`)

		// With a document that cannot be, nothing happens.
		bad := document("Route", "zz", `{"endpointName":"a","filter":"x ="}`)
		if step%2 == 0 {
			bad = document("Route", "zz", `{"endpointName":"missing"}`)
		}
		s.api(http.MethodPost, "/catalog:apply", with(documents(append([]string{bad}, list...)...), `"prune":true`)).problem(t, 400)
		if now := s.api(http.MethodGet, "/catalog", "").want(t, 200).body; exported != "" && now != exported {
			t.Fatalf("step %d: a refused change made %s of %s", step, now, exported)
		}

		planned := actions(t, s.api(http.MethodPost, "/catalog:plan", request))
		if diff := cmp.Diff(planned, actions(t, s.api(http.MethodPost, "/catalog:apply", request))); diff != "" {
			t.Fatalf("step %d: what was done is not what was planned:\n%s", step, diff)
		}
		for _, a := range actions(t, s.api(http.MethodPost, "/catalog:plan", request)) {
			if !strings.HasPrefix(a, "none ") {
				t.Fatalf("step %d: after applying, the plan is to %s", step, a)
			}
		}
		exported = s.api(http.MethodGet, "/catalog", "").want(t, 200).body
		var have struct{ Documents []catalog.Document }
		if err := json.Unmarshal([]byte(exported), &have); err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, d := range have.Documents {
			names = append(names, d.Kind+" "+d.Name)
		}
		slices.Sort(names)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(docs)), names); diff != "" {
			t.Fatalf("step %d: the catalog holds (-want +got):\n%s", step, diff)
		}
	}
}

// Of two that apply at one revision, one is told.
func TestApplyRace(t *testing.T) {
	s := start(t, t.TempDir())
	s.fileEndpoint("out")
	c, err := client.New(s.http.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 10 {
		revision := s.gateway.Snapshot().Revision
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				route := document("Route", "r", fmt.Sprintf(`{"endpointName":"out","filter":"id = '%d-%d'"}`, round, i))
				_, errs[i] = c.Apply(t.Context(), client.Change{Documents: []json.RawMessage{json.RawMessage(route)}, Revision: &revision})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, catalog.ErrConflict) {
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d of %d applied at revision %d", round, won, len(errs), revision)
		}
	}
}

// What is exported makes an empty gateway the same.
func TestExportRoundTrip(t *testing.T) {
	a, b := start(t, t.TempDir()), start(t, t.TempDir())
	module := version(t, "../examples/threshold", "exported")
	a.pushVersion("gate", module).want(t, 201)
	a.put("/plugins/gate", `{"limits":{"eventFuel":1000000},"breaker":{"traps":3,"window":9}}`)
	a.fileEndpoint("out")
	a.put("/endpoints/hook", `{"kind":"webhook","settings":{"url":"http://h/?code=s3cret"},"delivery":{"maxAge":"7h","orderBy":"none"}}`)
	a.put("/routes/r%20%C3%A9", `{"endpointName":"out","filter":"subject = '<&>'","filters":[{"plugin":"gate","config":{"path":"/t","min":1e2}}],"enabled":false}`)
	a.put("/sources/s", `{"kind":"serviceBus","enabled":false,"settings":{"connectionString":"Endpoint=sb://127.0.0.1:1/;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true","entityPath":"q"}}`)
	exported := a.api(http.MethodGet, "/catalog", "").want(t, 200).body
	if strings.Contains(exported, "s3cret") {
		t.Fatalf("a secret is told: %s", exported)
	}
	var list struct{ Documents json.RawMessage }
	if err := json.Unmarshal([]byte(exported), &list); err != nil {
		t.Fatal(err)
	}
	sent := strings.NewReplacer("code=***", "code=s3cret", "Key=***", "Key=k").Replace(string(list.Documents))
	request := fmt.Sprintf(`{"documents":%s,"modules":{%q:%q}}`, sent, digest(module), base64.StdEncoding.EncodeToString(module))
	b.api(http.MethodPost, "/catalog:apply", request).want(t, 200)
	again := b.api(http.MethodGet, "/catalog", "").want(t, 200).body
	cut := func(s string) string { s, _, _ = strings.Cut(s, `],"revision"`); return s }
	if diff := cmp.Diff(cut(exported), cut(again)); diff != "" {
		t.Errorf("export after apply (-first +second):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "catalog.db")); err != nil {
		t.Fatal(err)
	}
}
