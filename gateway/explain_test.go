package gateway_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// explained is what the API says of an event and a route.
func (s *server) explained(id, route string) map[string]any {
	s.t.Helper()
	whole := s.api(http.MethodGet, "/events/"+id+"?route="+route, "").want(s.t, 200).object(s.t)
	v, _ := at(s.t, whole, "routes", 0).(map[string]any)
	return v
}

// idOf is the position of the event with the source and id.
func (s *server) idOf(source, id string) string {
	s.t.Helper()
	page := s.api(http.MethodGet, "/events?source="+source+"&id="+id, "").want(s.t, 200).object(s.t)
	position, _ := at(s.t, page, "items", 0, "id").(string)
	return position
}

func contractExplain(t *testing.T, s *server) {
	s.pushVersion("why-gate", version(t, "../examples/threshold", "one")).want(t, 201)
	path := s.fileEndpoint("why-file")
	k := serveSink(t)
	k.answers(http.StatusBadGateway)
	s.put("/endpoints/why-slow", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"initialBackoff":"1h","maxBackoff":"1h"}}`, k.URL))
	s.put("/endpoints/why-dead", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"maxAttempts":1}}`, k.URL))
	for id, body := range map[string]string{
		"why-all":   `{"endpointName":"why-file","filter":"source = 'why'"}`,
		"why-shape": `{"endpointName":"why-file","filter":"source = 'why' AND PATCH('/T') > 20","filters":[{"plugin":"why-gate","config":{"path":"/T","min":30}}],"transforms":[{"plugin":"tsi"}]}`,
		"why-slow":  `{"endpointName":"why-slow","filter":"source = 'why' AND PATCH('/T') > 30"}`,
		"why-dead":  `{"endpointName":"why-dead","filter":"source = 'why' AND PATCH('/T') > 30"}`,
		"why-off":   `{"endpointName":"why-file","filter":"source = 'why'","enabled":false}`,
	} {
		s.put("/routes/"+id, body)
		t.Cleanup(func() { s.api(http.MethodDelete, "/routes/"+id, "") })
	}
	s.send(from("why", update("hot", "room-1", "/T", "35")), from("why", update("warm", "room-2", "/T", "25")), from("why", update("cold", "room-3", "/T", "15")))
	lines(t, path, 4)
	hot, warm, cold := s.idOf("why", "hot"), s.idOf("why", "warm"), s.idOf("why", "cold")
	eventually(t, "the attempts", func() bool {
		return at(t, s.explained(hot, "why-slow"), "deliveries", 0, "state") == "retrying" && at(t, s.explained(hot, "why-dead"), "deliveries", 0, "state") == "dead" &&
			at(t, s.explained(hot, "why-shape"), "deliveries", 0, "state") == "delivered"
	})

	for _, tt := range []struct {
		id, route string
		matched   bool
		why       string
		state     any
	}{
		{hot, "why-all", true, "the filter matches", "delivered"},
		{hot, "why-shape", true, "all plugins let it pass", "delivered"},
		{warm, "why-shape", false, "why-gate@1 does not let it pass", nil},
		{cold, "why-shape", false, "PATCH('/T') > 20 is false: PATCH('/T') is 15", nil},
		{hot, "why-slow", true, "the filter matches", "retrying"},
		{hot, "why-dead", true, "the filter matches", "dead"},
		{hot, "why-off", false, "the route is disabled; its filter matches", nil},
	} {
		v := s.explained(tt.id, tt.route)
		if v["matched"] != tt.matched || !strings.Contains(v["why"].(string), tt.why) || at(t, v, "deliveries", 0, "state") != tt.state {
			t.Errorf("%s of event %s: %v, want %+v", tt.route, tt.id, v, tt)
		}
	}

	v := s.explained(cold, "why-shape")
	for want, got := range map[any]any{
		"PATCH('/T') > 20": at(t, v, "condition", "text"), 19.0: at(t, v, "condition", "start"), 35.0: at(t, v, "condition", "end"),
		"false": v["verdict"], "PATCH('/T')": at(t, v, "values", 0, "field"), 15.0: at(t, v, "values", 0, "value"),
	} {
		if got != want {
			t.Errorf("the condition that failed: %v, want %v in %v", got, want, v)
		}
	}
	v = s.explained(hot, "why-shape")
	if at(t, v, "plugins", 0, "verdict") != "pass" || at(t, v, "plugins", 1, "verdict") != "outputs" || at(t, v, "plugins", 1, "fuel") == 0.0 {
		t.Errorf("plugins %v", v["plugins"])
	}
	var diff []string
	for _, c := range at(t, v, "outputs", 0, "diff").([]any) {
		diff = append(diff, fmt.Sprint(at(t, c, "part"), " ", at(t, c, "op"), " ", at(t, c, "path"), " ", at(t, c, "after")))
	}
	if want := []string{"data add /$dtId room-1", "data add /T 35", "data remove /modelId <nil>", "data remove /patch <nil>"}; !slices.Equal(diff, want) {
		t.Errorf("diff %q, want %q", diff, want)
	}
	if d := at(t, s.explained(hot, "why-slow"), "deliveries", 0); at(t, d, "next") == nil || at(t, d, "tries") != 1.0 || !strings.Contains(fmt.Sprint(at(t, d, "attempts")), "502") {
		t.Errorf("a retry is %v", d)
	}
	letter := at(t, s.letters("why-dead"), 0, "id")
	if d := at(t, s.explained(hot, "why-dead"), "deliveries", 0); at(t, d, "letter") != letter || at(t, d, "tries") != 1.0 || !strings.Contains(fmt.Sprint(at(t, d, "reason")), "502") {
		t.Errorf("a dead letter is %v, want %v", d, letter)
	}
	if d := at(t, s.explained(hot, "why-all"), "deliveries", 0); at(t, d, "attempts", 0, "outcome") != "delivered" || at(t, d, "attempts", 0, "attempt") != 1.0 {
		t.Errorf("a delivery is %v", d)
	}

	explainUnderOtherTables(t, s, hot)
	explainUnsent(t, s)
	explainCounts(t, s)
	s.api(http.MethodGet, "/events/999999-0", "").problem(t, 404)
	s.api(http.MethodGet, "/events/"+hot+"?route=nobody", "").problem(t, 404)
	s.api(http.MethodGet, "/routes/nobody/explain", "").problem(t, 404)
}

// explainUnderOtherTables holds that verdicts are by the table in force, and say
// so.
func explainUnderOtherTables(t *testing.T, s *server, hot string) {
	s.put("/routes/why-late", `{"endpointName":"why-file","filter":"source = 'why'"}`)
	v := s.explained(hot, "why-late")
	if note, _ := v["note"].(string); v["matched"] != true || !strings.Contains(note, "made after the event") || at(t, v, "deliveries", 0, "state") != "unknown" {
		t.Errorf("a route that came after the event: %v", v)
	}
	s.put("/routes/why-all", `{"endpointName":"why-file","filter":"source = 'why' AND false"}`)
	v = s.explained(hot, "why-all")
	if v["matched"] != false || at(t, v, "deliveries", 0, "state") != "delivered" || !strings.Contains(fmt.Sprint(v["note"]), "changed after the event") {
		t.Errorf("a route that was changed after it delivered: %v", v)
	}
	s.api(http.MethodDelete, "/routes/why-late", "").want(t, 204)
	s.api(http.MethodDelete, "/routes/why-all", "").want(t, 204)
	v = s.explained(hot, "why-all")
	if v["gone"] != true || at(t, v, "deliveries", 0, "state") != "delivered" {
		t.Errorf("a route that is gone: %v", v)
	}
}

// explainUnsent tries events that nobody sent on the routes in force.
func explainUnsent(t *testing.T, s *server) {
	before := s.api(http.MethodGet, "/events", "").body
	body := fmt.Sprintf(`{"route":"why-shape","events":[%s,%s]}`, from("why", update("1", "room-1", "/T", "35")), from("why", update("2", "room-1", "/T", "10")))
	got := s.api(http.MethodPost, "/events:explain", body).want(t, 200).object(t)
	if at(t, got, "results", 0, "routes", 0, "matched") != true || at(t, got, "results", 1, "routes", 0, "matched") != false {
		t.Errorf("events that nobody sent: %v", got)
	}
	all := s.api(http.MethodPost, "/events:explain", strings.Replace(body, `"route":"why-shape",`, "", 1)).want(t, 200).object(t)
	if routes, _ := at(t, all, "results", 0, "routes").([]any); len(routes) < 4 {
		t.Errorf("on all routes: %v", all)
	}
	if after := s.api(http.MethodGet, "/events", "").body; after != before {
		t.Error("events that are explained are in the journal")
	}
	s.api(http.MethodPost, "/events:explain", `{"route":"nobody","events":[]}`).problem(t, 404)
}

func explainCounts(t *testing.T, s *server) {
	hot := s.idOf("why", "hot")
	h := s.api(http.MethodGet, "/routes/why-shape/explain?from="+hot, "").want(t, 200).object(t)
	if h["events"] != 3.0 || h["matched"] != 1.0 || at(t, h, "conditions", 0, "text") != "PATCH('/T') > 20" || at(t, h, "conditions", 0, "count") != 1.0 ||
		at(t, h, "conditions", 0, "values", 0, "text") != "PATCH('/T') is 15" || at(t, h, "plugins", 0, "dropped") != 1.0 || at(t, h, "plugins", 1, "passed") != 1.0 || at(t, h, "covered", "complete") != true {
		t.Errorf("counts %v", h)
	}
	h = s.api(http.MethodGet, "/routes/why-shape/explain?limit=2&from="+hot, "").want(t, 200).object(t)
	next, _ := h["next"].(string)
	if h["events"] != 2.0 || next == "" {
		t.Errorf("two of them: %v", h)
	}
	if h = s.api(http.MethodGet, "/routes/why-shape/explain?after="+next, "").want(t, 200).object(t); h["events"] != 1.0 || h["matched"] != 0.0 {
		t.Errorf("the rest: %v", h)
	}
	if h = s.api(http.MethodGet, "/routes/why-shape/explain?limit=1", "").want(t, 200).object(t); h["events"] != 1.0 || at(t, h, "covered", "complete") != true {
		t.Errorf("the latest one: %v", h)
	}
	if h = s.api(http.MethodGet, "/routes/why-off/explain", "").want(t, 200).object(t); h["disabled"] != true || h["note"] == nil {
		t.Errorf("a route that is disabled: %v", h)
	}
}

// What is on disk of deliveries is known after a restart, and what is not known
// is said to be.
func TestExplainAfterRestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	k := serveSink(t)
	k.answers(http.StatusBadGateway)
	path := s.fileEndpoint("file")
	s.put("/endpoints/slow", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"initialBackoff":"1h","maxBackoff":"1h"}}`, k.URL))
	s.put("/endpoints/dead", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"maxAttempts":1}}`, k.URL))
	for _, name := range []string{"file", "slow", "dead"} {
		s.put("/routes/"+name, fmt.Sprintf(`{"endpointName":%q}`, name))
	}
	s.send(update("1", "room-1", "/T", "35"))
	lines(t, path, 1)
	eventually(t, "the attempts", func() bool { return len(s.letters("dead")) == 1 && s.state("slow")["retrying"] == 1.0 })
	s.stop()
	k.Close() // a retry is due at once after a start
	s = start(t, dir)
	want := map[string]string{"file": "unknown", "slow": "retrying", "dead": "dead"}
	for route, state := range want {
		d := at(t, s.explained("1-0", route), "deliveries", 0)
		// While the retry is under way, what was before it is not told.
		eventually(t, route+" to have its history", func() bool {
			d = at(t, s.explained("1-0", route), "deliveries", 0)
			return state == "unknown" || strings.Contains(fmt.Sprint(at(t, d, "attempts")), "502")
		})
		if at(t, d, "state") != state {
			t.Errorf("%s after a restart is %v, want %s", route, d, state)
		}
		if note, _ := at(t, d, "note").(string); state == "unknown" && !strings.Contains(note, "not remembered") {
			t.Errorf("%s after a restart: %v", route, d)
		}
	}
}

// The histogram of 10,000 events counts each once.
func TestExplainRouteOfManyEvents(t *testing.T) {
	s := start(t, t.TempDir())
	s.fileEndpoint("file")
	s.put("/routes/one", `{"endpointName":"file","enabled":false,"filter":"type = 'Microsoft.DigitalTwins.Twin.Update' AND STARTS_WITH($body.modelId, 'dtmi:plant:') AND PATCH('/T') > 50"}`)
	var batch []string
	for i := range 10_000 {
		batch = append(batch, update(fmt.Sprint(i), fmt.Sprint("room-", i%50), "/T", fmt.Sprint(i%100)))
		if len(batch) == 1000 {
			s.send(batch...)
			batch = batch[:0]
		}
	}
	h := s.api(http.MethodGet, "/routes/one/explain", "").want(t, 200).object(t)
	if h["events"] != 10_000.0 || h["matched"] != 4900.0 || at(t, h, "conditions", 0, "count") != 5100.0 {
		t.Errorf("counts %v", h)
	}
}
