package gateway_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// contractAdmission holds what an upload tells of a module, what an operator
// can set for a plugin, and what is kept of a trap.
func contractAdmission(t *testing.T, s *server) {
	module := guest(t, "workbench/testdata/awkward")

	dry := s.call(http.MethodPost, "/api/v1/plugins/adm/versions?dryRun=true", string(module), "Content-Type", wasm).want(t, 200).object(t)
	if dry["dryRun"] != true || dry["version"] != 0.0 || dry["digest"] != digest(module) || len(dry["kinds"].([]any)) != 2 {
		t.Errorf("a dry run answers %v", dry)
	}
	s.api(http.MethodGet, "/plugins/adm", "").problem(t, 404)
	refused := s.call(http.MethodPost, "/api/v1/plugins/adm/versions?dryRun=true", "\x00asm\x01\x00\x00\x00", "Content-Type", wasm).problem(t, 400)
	if text := refused["detail"].(string); !strings.Contains(text, "it lacks the exports memory") || !strings.Contains(text, "Link the SDK") {
		t.Errorf("a module without exports is refused with %q", text)
	}

	first := s.pushVersion("adm", module).want(t, 201).object(t)
	for i, kind := range []string{"filter", "transform"} {
		trial := at(t, first, "report", "trials", i)
		if at(t, trial, "kind") != kind || at(t, trial, "route") != nil || at(t, trial, "events").(float64) == 0 ||
			at(t, trial, "deterministic") != true || at(t, trial, "fuel", "p99").(float64) <= 0 || at(t, trial, "latencyNs", "p50").(float64) <= 0 {
			t.Errorf("trial %d is %v", i, trial)
		}
	}

	path := s.fileEndpoint("adm-hub")
	route := func(config string) string {
		return fmt.Sprintf(`{"endpointName":"adm-hub","filter":"source = 'adm'","filters":[{"plugin":"adm","config":%s}]}`, config)
	}
	if p := s.api(http.MethodPut, "/routes/adm", route(`7`)).problem(t, 400); p["field"] != "filters[0].config" {
		t.Errorf("a configuration against the schema is refused with %v", p)
	}
	s.put("/routes/adm", route(`{"do":"trap"}`))
	defer s.api(http.MethodDelete, "/routes/adm", "")

	// A trap is kept, and can be had.
	s.send(from("adm", update("1", "room", "/x", "1")), from("adm", update("2", "room", "/x", "2")), from("adm", update("3", "room", "/x", "3")))
	eventually(t, "the letter of the event that traps", func() bool { return len(s.letters("adm-hub")) == 1 })
	lines(t, path, 2)
	traps := at(t, s.api(http.MethodGet, "/traps?plugin=adm", "").want(t, 200).object(t), "items").([]any)
	if len(traps) != 1 || at(t, traps, 0, "plugin") != "adm@1" || at(t, traps, 0, "fault") != "trapped" || at(t, traps, 0, "position") == nil {
		t.Fatalf("the traps are %v", traps)
	}
	bundle := s.api(http.MethodGet, "/traps/"+at(t, traps, 0, "id").(string), "").want(t, 200).object(t)
	if bundle["format"] != "headgate-trap/1" || at(t, bundle, "event", "event", "id") != "2" {
		t.Errorf("the bundle is %v", bundle)
	}
	for _, id := range []string{"x", "..%2Fcatalog.db", "%2e%2e"} {
		s.api(http.MethodGet, "/traps/"+id, "").problem(t, 404)
	}

	// The next version is tried as the route uses it, on what the route takes.
	again := s.pushVersion("adm", module).want(t, 200).object(t)
	trial := at(t, again, "report", "trials", 0)
	if at(t, trial, "route") != "adm" || at(t, trial, "events") != 3.0 || at(t, trial, "failed") != 1.0 || at(t, trial, "failures", 0, "event") != "2" {
		t.Errorf("the trial in the route is %v", trial)
	}

	contractSettings(t, s)
}

func contractSettings(t *testing.T, s *server) {
	put := func(body string, header ...string) reply {
		return s.api(http.MethodPut, "/plugins/adm", body, header...)
	}
	for body, field := range map[string]string{
		`{"limits":{"nope":1}}`:                       "limits.nope",
		`{"limits":{"eventFuel":"much"}}`:             "limits.eventFuel",
		`{"limits":{"eventFuel":0}}`:                  "limits.eventFuel",
		`{"limits":{"eventFuel":9000000000000}}`:      "limits",
		`{"limits":{"instanceAge":"soon"}}`:           "limits.instanceAge",
		`{"grants":["files"]}`:                        "grants[0]",
		`{"breaker":{"window":65}}`:                   "breaker.window",
		`{"breaker":{"pause":"10s","maxPause":"1s"}}`: "breaker.maxPause",
		`{"unknown":1}`:                               "unknown",
	} {
		if p := put(body).problem(t, 400); p["field"] != field {
			t.Errorf("%s: field %v, want %s", body, p["field"], field)
		}
	}
	s.api(http.MethodPut, "/plugins/nobody", `{}`).problem(t, 404)

	before := s.api(http.MethodGet, "/plugins/adm", "").want(t, 200)
	set := put(`{"limits":{"eventFuel":20000,"byteFuel":1,"instanceAge":"30m"},"grants":["random","clock"]}`, "If-Match", before.header.Get("ETag")).want(t, 200)
	p := set.object(t)
	if at(t, p, "limits", "eventFuel") != 20000.0 || at(t, p, "limits", "instanceAge") != "30m" || !slices.Equal(p["grants"].([]any), []any{"clock", "random"}) {
		t.Errorf("the plugin is %v", p)
	}
	put(`{}`, "If-Match", before.header.Get("ETag")).problem(t, 412)
	if same := put(set.body).want(t, 200); same.header.Get("ETag") != set.header.Get("ETag") {
		t.Error("what was read and put back changed the plugin")
	}

	test := `{"route":{"filters":[{"plugin":"adm","config":{}}]},"events":[` + update("9", "room", "/x", "1") + `]}`
	result := at(t, s.api(http.MethodPost, "/routes:test", test).want(t, 200).object(t), "results", 0)
	if text, _ := at(t, result, "error").(string); !strings.Contains(text, "the limit of eventFuel is 20000") {
		t.Errorf("under a limit of 20000 the test of a route says %v", result)
	}
	s.send(from("adm", update("4", "room", "/x", "4")))
	eventually(t, "a letter of the event that ran out of fuel", func() bool {
		for _, l := range s.letters("adm-hub") {
			if strings.Contains(at(t, l, "reason").(string), "eventFuel is 20000") {
				return true
			}
		}
		return false
	})
	put(`{}`).want(t, 200)
	result = at(t, s.api(http.MethodPost, "/routes:test", test).want(t, 200).object(t), "results", 0)
	if at(t, result, "matched") != true {
		t.Errorf("under the server's limits the test of a route says %v", result)
	}
}

// contractBreaker holds that a plugin which keeps trapping is left alone: its
// events wait, another route to the same endpoint goes on, and they come, in
// their order, when the plugin does again.
func contractBreaker(t *testing.T, s *server) {
	s.pushVersion("broken", guest(t, "workbench/testdata/awkward")).want(t, 201)
	s.api(http.MethodPut, "/plugins/broken", `{"breaker":{"traps":1,"window":1,"pause":"50ms","maxPause":"100ms","onOpen":"wait"}}`).want(t, 200)
	path := s.fileEndpoint("broken-hub")
	s.put("/routes/broken", `{"endpointName":"broken-hub","filter":"source = 'broken'","filters":[{"plugin":"broken","config":{"do":"trap"}}]}`)
	s.put("/routes/broken-plain", `{"endpointName":"broken-hub","filter":"source = 'broken'"}`)
	defer s.api(http.MethodDelete, "/routes/broken", "")
	defer s.api(http.MethodDelete, "/routes/broken-plain", "")
	for i := range 10 {
		s.send(from("broken", update(fmt.Sprint(i), "room", "/x", "1")))
	}
	all := lines(t, path, 19)
	byRoute := map[string][]string{}
	for _, e := range all {
		by := e["producedby"].(string)
		byRoute[by] = append(byRoute[by], e["id"].(string))
	}
	var got []string
	for _, ids := range byRoute {
		got = append(got, strings.Join(ids, " "))
	}
	slices.Sort(got)
	if want := []string{"0 1 2 3 4 5 6 7 8 9", "0 1 3 4 5 6 7 8 9"}; !slices.Equal(got, want) {
		t.Errorf("the routes delivered %q, want %q", got, want)
	}
	if letters := s.letters("broken-hub"); len(letters) != 1 || at(t, letters, 0, "event", "id") != "2" {
		t.Errorf("the letters are %v, want that of the event that traps", letters)
	}
}
