package gateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const wasm = "application/wasm"

// pushVersion uploads a module and returns the answer.
func (s *server) pushVersion(name string, module []byte) reply {
	s.t.Helper()
	return s.call(http.MethodPost, "/api/v1/plugins/"+name+"/versions", string(module), "Content-Type", wasm)
}

// version is the module of dir in bytes of its own. The tests share few
// versions, since each costs the time to compile it.
func version(t *testing.T, dir, label string) []byte {
	return append(append([]byte{}, guest(t, dir)...), customSection(label)...)
}

func digest(module []byte) string {
	sum := sha256.Sum256(module)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func contractPlugins(t *testing.T, s *server) {
	one, two := version(t, "../examples/threshold", "one"), version(t, "../examples/threshold", "two")
	shape := version(t, "../plugins/tsi", "two")
	t.Run("upload", func(t *testing.T) {
		v := s.pushVersion("gate", one).want(t, 201).object(t)
		if v["name"] != "gate" || v["version"] != 1.0 || v["digest"] != digest(one) || fmt.Sprint(v["kinds"]) != "[filter]" {
			t.Errorf("version %v", v)
		}
		if again := s.pushVersion("gate", one).want(t, 200).object(t); again["version"] != 1.0 || again["digest"] != digest(one) {
			t.Errorf("the same bytes again made %v", again)
		}
		if v := s.pushVersion("gate", two).want(t, 201).object(t); v["version"] != 2.0 {
			t.Errorf("other bytes made %v", v)
		}
		p := s.api(http.MethodGet, "/plugins/gate", "").want(t, 200).object(t)
		if p["active"] != 1.0 || len(p["versions"].([]any)) != 2 {
			t.Errorf("plugin %v, want two versions of which the first is active", p)
		}
		if v := s.pushVersion("shape", shape).want(t, 201).object(t); fmt.Sprint(v["kinds"]) != "[transform]" {
			t.Errorf("version %v", v)
		}
		if tsi := s.api(http.MethodGet, "/plugins/tsi", "").want(t, 200).object(t); tsi["active"] != 1.0 {
			t.Errorf("first-party plugin %v", tsi)
		}
	})
	t.Run("what is no plugin", func(t *testing.T) {
		empty := "\x00asm\x01\x00\x00\x00"
		for name, tt := range map[string]struct{ module, says string }{
			"text":             {"#!/bin/sh", "WebAssembly"},
			"nothing":          {"", "empty"},
			"half a module":    {string(one[:len(one)/2]), ""},
			"a component":      {"\x00asm\x0d\x00\x01\x00", "component"},
			"no exports":       {empty, "export"},
			"a foreign import": {empty + "\x01\x04\x01\x60\x00\x00\x02\x0c\x01\x03env\x04evil\x00\x00", "env"},
		} {
			p := s.pushVersion("bad", []byte(tt.module)).problem(t, 400)
			if !strings.Contains(p["detail"].(string), tt.says) {
				t.Errorf("%s: %v, want %q", name, p["detail"], tt.says)
			}
		}
		s.api(http.MethodGet, "/plugins/bad", "").problem(t, 404)
		s.pushVersion("no%20name", one).problem(t, 400)
	})
	t.Run("references", func(t *testing.T) {
		path := s.fileEndpoint("ref-hub")
		for i, ref := range []string{"gate", "gate@2", "gate@" + digest(one)} {
			s.put(fmt.Sprintf("/routes/ref-%d", i), fmt.Sprintf(`{"endpointName":"ref-hub","filter":"source = 'ref'","filters":[{"plugin":%q,"config":{"path":"/T","min":80}}]}`, ref))
		}
		for _, ref := range []string{"gate@3", "gate@0", "gate@", "gate@sha256:00", "gate@" + digest(shape), "gone", "gate@latest"} {
			s.api(http.MethodPut, "/routes/ref-x", fmt.Sprintf(`{"endpointName":"ref-hub","filters":[{"plugin":%q,"config":{"path":"/T","min":80}}]}`, ref)).problem(t, 400)
		}
		s.send(from("ref", update("ref1", "t", "/T", "79")), from("ref", update("ref2", "t", "/T", "80")))
		if got := ids(lines(t, path, 3)); fmt.Sprint(got) != "[ref2 ref2 ref2]" {
			t.Errorf("delivered %v", got)
		}
	})
	t.Run("activate", func(t *testing.T) {
		for body, status := range map[string]int{`{"version":9}`: 404, `{"version":0}`: 400, `{}`: 400, `{"version":"2"}`: 400, `{"version":2,"x":1}`: 400} {
			s.api(http.MethodPut, "/plugins/gate/active", body).problem(t, status)
		}
		s.api(http.MethodPut, "/plugins/nobody/active", `{"version":1}`).problem(t, 404)
		if p := s.api(http.MethodPut, "/plugins/gate/active", `{"version":2}`).want(t, 200).object(t); p["active"] != 2.0 {
			t.Errorf("active %v", p)
		}
		// A version of another kind cannot take the place of one that routes use.
		s.pushVersion("gate", shape).want(t, 201)
		s.api(http.MethodPut, "/plugins/gate/active", `{"version":3}`).problem(t, 400)
	})
	t.Run("delete", func(t *testing.T) {
		s.api(http.MethodDelete, "/plugins/gate", "").problem(t, 409)
		s.api(http.MethodDelete, "/plugins/gate/versions/1", "").problem(t, 409)
		s.api(http.MethodDelete, "/plugins/gate/versions/3", "").want(t, 204)
		for i := range 3 {
			s.api(http.MethodDelete, fmt.Sprintf("/routes/ref-%d", i), "").want(t, 204)
		}
		s.api(http.MethodDelete, "/plugins/gate", "").want(t, 204)
		s.api(http.MethodDelete, "/plugins/gate", "").problem(t, 404)
		s.api(http.MethodDelete, "/plugins/shape", "").want(t, 204)
	})
}

// from gives an event of update another source.
func from(source, event string) string {
	return strings.Replace(event, "plant.api.weu.digitaltwins.azure.net", source, 1)
}

// contractProvenance holds that copies of one output have one idempotencykey,
// and that producedby follows what made them.
func contractProvenance(t *testing.T, s *server) {
	one, two := guest(t, "../plugins/tsi"), version(t, "../plugins/tsi", "two")
	s.pushVersion("prov", one).want(t, 201)
	s.pushVersion("prov", two).want(t, 201)
	path := s.fileEndpoint("prov-hub")
	route := `{"endpointName":"prov-hub","filter":"source = 'prov'","transforms":[{"plugin":"prov"}]}`
	put := func(body string) string {
		t.Helper()
		return s.api(http.MethodPut, "/routes/prov", body).header.Get("ETag")
	}
	n := 0
	next := func() map[string]any {
		t.Helper()
		n++
		s.send(from("prov", update("same id", "room", "/x", fmt.Sprint(n))))
		return lines(t, path, n)[n-1]
	}
	revision := put(route)
	first := next()
	s.put("/plugins/prov/active", `{"version":2}`)
	activated := next()
	if etag := s.api(http.MethodGet, "/routes/prov", "").header.Get("ETag"); etag != revision {
		t.Errorf("activating a version changed the route's revision from %s to %s", revision, etag)
	}
	s.put("/plugins/prov/active", `{"version":1}`)
	if put(route) != revision {
		t.Error("putting an identical route changed its revision")
	}
	back := next()
	put(strings.Replace(route, "source = 'prov'", "source = 'prov' AND true", 1))
	edited := next()

	key := first["idempotencykey"]
	for name, e := range map[string]map[string]any{"activated": activated, "rolled back": back, "edited": edited} {
		if e["idempotencykey"] != key || key == nil {
			t.Errorf("%s: idempotencykey %v, want %v", name, e["idempotencykey"], key)
		}
		if same := e["producedby"] == first["producedby"]; same != (name == "rolled back") {
			t.Errorf("%s: producedby %v, at first %v", name, e["producedby"], first["producedby"])
		}
	}
	if by, _ := first["producedby"].(string); len(by) != 16 || strings.Trim(by, "0123456789abcdef") != "" {
		t.Errorf("producedby = %q", by)
	}
	for by, want := range map[any]string{first["producedby"]: digest(one), activated["producedby"]: digest(two)} {
		p := s.api(http.MethodGet, fmt.Sprint("/provenance/", by), "").want(t, 200).object(t)
		if p["route"] != "prov" || `"`+fmt.Sprint(p["revision"])+`"` != revision || at(t, p, "plugins", 0, "digest") != want || at(t, p, "plugins", 0, "name") != "prov" {
			t.Errorf("provenance of %v: %v", by, p)
		}
	}
	s.api(http.MethodGet, "/provenance/0123456789abcdef", "").problem(t, 404)
	s.api(http.MethodDelete, "/routes/prov", "").want(t, 204)
}

func contractRouteTest(t *testing.T, s *server) {
	s.pushVersion("trial", version(t, "../examples/threshold", "one")).want(t, 201)
	before := s.api(http.MethodGet, "/events", "").body
	body := `{"route":{"endpointName":"of nobody","filter":"type = 'Microsoft.DigitalTwins.Twin.Update'","filters":[{"plugin":"trial","config":{"path":"/T","min":20}}],"transforms":[{"plugin":"tsi"}]},"events":[` +
		strings.Join([]string{
			update("1", "room-1", "/T", "25"), update("2", "room-1", "/T", "15"),
			strings.Replace(update("3", "room-1", "/T", "25"), "Twin.Update", "Twin.Create", 1),
		}, ",") + `]}`
	got := s.api(http.MethodPost, "/routes:test", body).want(t, 200).object(t)
	for i, want := range []struct {
		matched bool
		why     string
		outputs int
		fuel    bool
	}{{true, "pass", 1, true}, {false, "trial@1", 0, true}, {false, "Twin.Create", 0, false}} {
		r := at(t, got, "results", i).(map[string]any)
		fuel, counted := r["fuel"].(float64)
		if r["matched"] != want.matched || !strings.Contains(r["why"].(string), want.why) || len(r["outputs"].([]any)) != want.outputs || !counted || (fuel > 0) != want.fuel {
			t.Errorf("result %d: %v, want %+v", i, r, want)
		}
	}
	if data := at(t, got, "results", 0, "outputs", 0, "event", "data"); fmt.Sprint(data) != "map[$dtId:room-1 T:25]" {
		t.Errorf("output data %v", data)
	}
	if list := at(t, got, "results").([]any); len(list) != 3 {
		t.Errorf("%d results", len(list))
	}

	for _, tt := range []struct{ body, field string }{
		{`{"route":{"filter":"type ="},"events":[]}`, "route.filter"},
		{`{"route":{"transforms":[{"plugin":"nobody"}]},"events":[]}`, "route.transforms[0].plugin"},
		{`{"route":{"transforms":[{"plugin":"tsi","config":{"keys":3}}]},"events":[]}`, "route.transforms[0].config.keys"},
		{`{"events":[]}`, "route"},
		{`{"route":{},"events":[` + update("1", "t", "/x", "1") + `,{"specversion":"1.0"}]}`, "id"},
	} {
		if p := s.api(http.MethodPost, "/routes:test", tt.body).problem(t, 400); p["field"] != tt.field {
			t.Errorf("%s: %v, want field %s", tt.body, p, tt.field)
		}
	}
	if after := s.api(http.MethodGet, "/events", "").body; after != before {
		t.Error("a test left events in the journal")
	}
}

// contractTimeSeries is what tsi makes of events, by its configuration.
func contractTimeSeries(t *testing.T, s *server) {
	twin := func(patch string) string {
		return `{"specversion":"1.0","id":"1","source":"host","type":"Microsoft.DigitalTwins.Twin.Update","subject":"thermostat67","time":"2026-03-01T12:00:00Z","data":{"modelId":"m","patch":` + patch + `}}`
	}
	tests := []struct{ name, config, event, want string }{
		{"replace", `{}`, twin(`[{"value":20.5,"path":"/Temperature","op":"replace"}]`), `{"Temperature":20.5,"$dtId":"thermostat67"}`},
		{"add, nested", `{}`, twin(`[{"value":70,"path":"/Front/Temperature","op":"add"}]`), `{"Front.Temperature":70,"$dtId":"thermostat67"}`},
		{"nested keys", `{"keys":"nested"}`, twin(`[{"value":70,"path":"/Front/Temperature","op":"add"},{"value":1,"path":"/Front/H","op":"add"}]`), `{"Front":{"Temperature":70,"H":1},"$dtId":"thermostat67"}`},
		{"escapes", `{}`, twin(`[{"value":1,"path":"/a~1b~0c","op":"replace"}]`), `{"a/b~c":1,"$dtId":"thermostat67"}`},
		{"object value", `{}`, twin(`[{"value":{"a":[1]},"path":"/Front","op":"replace"}]`), `{"Front":{"a":[1]},"$dtId":"thermostat67"}`},
		{"timestamp", `{"timestamp":"at"}`, twin(`[{"value":1,"path":"/x","op":"replace"}]`), `{"x":1,"at":"2026-03-01T12:00:00Z","$dtId":"thermostat67"}`},
		{"the last of two", `{}`, twin(`[{"value":1,"path":"/x","op":"replace"},{"value":2,"path":"/x","op":"replace"}]`), `{"x":2,"$dtId":"thermostat67"}`},
		{"only removals", `{}`, twin(`[{"path":"/x","op":"remove"}]`), ``},
		{"telemetry", `{}`, `{"specversion":"1.0","id":"1","source":"host/digitaltwins/room1","type":"microsoft.iot.telemetry","data":{"T":3}}`, `{"T":3,"$dtId":"room1"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.api(http.MethodPost, "/routes:test", `{"route":{"transforms":[{"plugin":"tsi","config":`+tt.config+`}]},"events":[`+tt.event+`]}`).want(t, 200).object(t)
			data := at(t, got, "results", 0, "outputs", 0, "event", "data")
			if tt.want == "" {
				if at(t, got, "results", 0, "matched") != true || data != nil {
					t.Errorf("result %v, want a match and no output", got)
				}
				return
			}
			want := reply{body: tt.want}.object(t)
			if fmt.Sprint(data) != fmt.Sprint(want) {
				t.Errorf("data = %v, want %v", data, want)
			}
		})
	}
}

// contractFilters asks, by routes:test, whether conditions hold of events.
func contractFilters(t *testing.T, s *server) {
	updated := func(patch string) string {
		return `{"specversion":"1.0","id":"i1","source":"host.example","type":"Microsoft.DigitalTwins.Twin.Update","subject":"room-1","time":"2026-03-01T12:00:00Z","datacontenttype":"application/json","traceparent":"00-1-2-01","data":{"modelId":"dtmi:x;1","n":null,"$metadata":{"$model":"dtmi:m;1"},"list":[1],"s":"Ab","patch":` + patch + `}}`
	}
	const telemetry = `{"specversion":"1.0","id":"i2","source":"host.example/digitaltwins/room1","type":"microsoft.iot.telemetry","dataschema":"dtmi:m;1","data":{"temperature":22.5}}`
	none, front := updated(`[]`), updated(`[{"op":"replace","path":"/Front","value":{"Temperature":70,"Sub":{"a":1}}}]`)
	tests := []struct {
		event, filter string
		want          bool
	}{
		{none, `true`, true},
		{none, `false`, false},
		{none, `type = 'Microsoft.DigitalTwins.Twin.Update'`, true},
		{none, `type='microsoft.digitaltwins.twin.update'`, false},
		{none, `$eventType = 'Microsoft.DigitalTwins.Twin.Update' or $eventType = 'x'`, false},
		{none, `type = Microsoft.DigitalTwins.Twin.Update`, false},
		{none, "type\n=\n'Microsoft.DigitalTwins.Twin.Update'", true},
		{none, `source = 'host.example' AND subject = 'room-1' AND specversion = '1.0' AND datacontenttype = 'application/json'`, true},
		{none, `id = 'i1' and time = '2026-03-01T12:00:00Z' and traceparent != 'x'`, true},
		{telemetry, `dataschema = 'dtmi:m;1' AND $body.temperature > 22`, true},
		{telemetry, `subject != 'x'`, false},
		{telemetry, `IS_DEFINED(subject)`, false},
		{none, `$body.$metadata.$model = 'dtmi:m;1'`, true},
		{none, `$body.modelId = 'dtmi:x;1' AND STARTS_WITH($body.modelId, 'dtmi:x') AND ENDS_WITH($body.modelId, ';1') AND CONTAINS($body.modelId, ':x')`, true},
		{none, `$body.s = 'ab'`, false},
		{none, `$body.n = null`, true},
		{none, `$body.gone = null`, false},
		{none, `$body.gone != null`, false},
		{none, `NOT $body.gone = 'a'`, false},
		{none, `$body.gone = 'a' OR type != 'x'`, true},
		{none, `$body.list = 1 OR $body.list[0] = 1 OR $body.patch.op = 'replace'`, false},
		{none, `subject IN ['room-2', "room-1"]`, true},
		{telemetry, `$body.temperature IN [22.5]`, true},
		{telemetry, `$body.temperature > '22'`, false},
		{none, `true OR false AND false`, true},
		{none, `(true OR false) AND false`, false},

		{none, `CHANGED('/Front')`, false},
		{front, `CHANGED('/Front')`, true},
		{front, `CHANGED('')`, true},
		{front, `CHANGED('/Front/Temperature')`, true},
		{front, `CHANGED('/Fron')`, false},
		{front, `CHANGED('/Front2')`, false},
		{front, `CHANGED('/Front/Humidity')`, true}, // replaced with the whole
		{front, `PATCH('/Front/Temperature') = 70`, true},
		{front, `PATCH('/Front/Humidity') != null`, false},
		{front, `IS_DEFINED(PATCH('/Front'))`, true},
		{front, `PATCH('/Front/Sub/a') >= 1`, true},
		{updated(`[{"op":"replace","path":"/Front/Temperature","value":70}]`), `CHANGED('/Front')`, true},
		{updated(`[{"op":"replace","path":"/Front/Temperature","value":70}]`), `IS_DEFINED(PATCH('/Front'))`, false},
		{updated(`[{"op":"remove","path":"/Front"}]`), `CHANGED('/Front/Temperature')`, true},
		{updated(`[{"op":"add","path":"/Front","value":{"T":1}},{"op":"remove","path":"/Front"}]`), `IS_DEFINED(PATCH('/Front/T'))`, false},
		{updated(`[{"op":"remove","path":"/Front"},{"op":"add","path":"/Front","value":{"T":1}}]`), `PATCH('/Front/T') = 1`, true},
		{updated(`[{"op":"add","path":"/Front/T","value":1},{"op":"replace","path":"/Front","value":{"H":2}}]`), `IS_DEFINED(PATCH('/Front/T'))`, false},
		{updated(`[{"op":"replace","path":"/a~1b","value":{"c~d":3}}]`), `PATCH('/a~1b/c~0d') = 3`, true},
		{updated(`[{"op":"replace","path":"/x","value":null}]`), `PATCH('/x') = null`, true},
		{updated(`[{"op":"replace","path":"","value":{"x":5}}]`), `PATCH('/x') = 5 AND CHANGED('/x')`, true},
		{telemetry, `CHANGED('/temperature')`, false},
	}
	for _, tt := range tests {
		body := fmt.Sprintf(`{"route":{"filter":%s},"events":[%s]}`, quoted(tt.filter), tt.event)
		got := s.api(http.MethodPost, "/routes:test", body).want(t, 200).object(t)
		if at(t, got, "results", 0, "matched") != tt.want {
			t.Errorf("%s\nof %s\n%v, want %v", tt.filter, tt.event, got, tt.want)
		}
	}
	for filter, says := range map[string]string{
		`this is not a valid filter`: "Line=1, Position=6",
		"type = 'a'\nAND AND":        "Line=2, Position=5",
		`type = 'a`:                  "Position=8",
		`NOPE(type)`:                 "NOPE",
		`type == 'a'`:                "Position=7",
		`CHANGED(x)`:                 "Line=1",
		`PATCH('Front')`:             "Pointer",
		`(type = 'a'`:                "end",
		``:                           "end of input",
	} {
		r := s.api(http.MethodPut, "/routes/filter-x", fmt.Sprintf(`{"endpointName":"page-hub","filter":%s}`, quoted(filter)))
		if p := r.problem(t, 400); p["field"] != "filter" || !strings.Contains(p["detail"].(string), says) {
			t.Errorf("%q: %v, want %q", filter, p, says)
		}
	}
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

// contractStream follows the tail while events are accepted and delivered.
func contractStream(t *testing.T, s *server) {
	s.fileEndpoint("tail-hub")
	s.put("/routes/tail", `{"endpointName":"tail-hub","filter":"source = 'tail'"}`)
	for _, tt := range []struct {
		query, seen string
	}{
		{"?source=tail", "event: accepted"},
		{"?source=tail&deliveries=true", "event: delivery"},
		{"?subject=room-8", `"subject":"room-8"`},
		{"?filter=PATCH('/x')+%3D+1+AND+subject+%3D+'room-8'&sample=10", `"subject":"room-8"`},
		{"?filter=subject+%3D+'room-8'&deliveries=true", "event: delivery"},
	} {
		ctx, cancel := timeout(t, 30*time.Second)
		text := s.follow(ctx, tt.query)
		s.send(from("tail", update("tail1", "room-9", "/x", "1")), from("tail", update("tail2", "room-8", "/x", "1")))
		var got strings.Builder
		for line := range text {
			got.WriteString(line + "\n")
			if strings.Contains(got.String(), tt.seen) && strings.HasPrefix(line, "data: ") {
				break
			}
		}
		cancel()
		if !strings.Contains(got.String(), tt.seen) {
			t.Errorf("%s: the stream ended after %s", tt.query, got.String())
		}
		if strings.Contains(tt.query, "room-8") && strings.Contains(got.String(), "tail1") {
			t.Errorf("%s told of an event of another subject: %s", tt.query, got.String())
		}
	}
	for _, bad := range []string{"deliveries=perhaps", "sample=0", "filter=type+%3D%3D+1"} {
		s.api(http.MethodGet, "/events/stream?"+bad, "").problem(t, 400)
	}
	s.api(http.MethodDelete, "/routes/tail", "").want(t, 204)
}
