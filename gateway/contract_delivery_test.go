package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// hook makes an endpoint of the kind webhook at k, with more settings, and a
// route to it for the events of a source; both have that source's name.
func (s *server) hook(k *sink, source, settings, delivery string) {
	s.t.Helper()
	s.put("/endpoints/"+source, fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q%s},"delivery":%s}`, k.URL+"/in", settings, delivery))
	s.put("/routes/"+source, fmt.Sprintf(`{"endpointName":%q,"filter":"source = '%[1]s'"}`, source))
	s.t.Cleanup(func() { s.api(http.MethodDelete, "/routes/"+source, "") })
}

func contractWebhook(t *testing.T, s *server) {
	t.Run("binary", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "wh-binary", "", `{}`)
		s.send(`{"specversion":"1.0","id":"b1","source":"wh-binary","type":"t","subject":"Euro € \"%","time":"2026-03-01T12:00:00.1234567Z","dataschema":"dtmi:x;1","datacontenttype":"application/json; charset=utf-8","n":7,"data":{"a": [1, 2.50]}}`)
		a := k.arrivals(t, 1)[0]
		for name, want := range map[string]string{
			"Ce-Specversion": "1.0", "Ce-Id": "b1", "Ce-Source": "wh-binary", "Ce-Type": "t", "Ce-Subject": "Euro%20%E2%82%AC%20%22%25",
			"Ce-Time": "2026-03-01T12:00:00.1234567Z", "Ce-Dataschema": "dtmi:x;1", "Content-Type": "application/json; charset=utf-8", "Ce-N": "7",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if a.method != http.MethodPost || a.uri != "/in" || a.body != `{"a": [1, 2.50]}` || len(a.header.Get("Ce-Producedby")) != 16 || a.header.Get("Ce-Idempotencykey") == "" {
			t.Errorf("arrived %+v", a)
		}
	})
	t.Run("structured", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "wh-one", `,"mode":"structured"`, `{}`)
		s.send(from("wh-one", update("s1", "room", "/x", "1")))
		a := k.arrivals(t, 1)[0]
		e := reply{body: a.body}.object(t)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "application/cloudevents+json") || e["id"] != "s1" || e["specversion"] != "1.0" || at(t, e, "data", "patch", 0, "value") != 1.0 || e["producedby"] == nil {
			t.Errorf("arrived %+v", a)
		}
	})
	t.Run("batch", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "wh-batch", `,"mode":"batch"`, `{}`)
		var events []string
		for i := range 50 {
			events = append(events, from("wh-batch", update(fmt.Sprint(i), "room", "/x", "1")))
		}
		s.send(events...)
		next := 0
		eventually(t, "fifty events", func() bool {
			next = 0
			for _, a := range k.arrivals(t, 1) {
				var list []map[string]any
				if err := json.Unmarshal([]byte(a.body), &list); err != nil || !strings.HasPrefix(a.header.Get("Content-Type"), "application/cloudevents-batch+json") {
					t.Fatalf("arrived %+v, %v", a, err)
				}
				for _, e := range list {
					if e["id"] != fmt.Sprint(next) {
						t.Fatalf("event %v where %d is due", e["id"], next)
					}
					next++
				}
			}
			return next == len(events)
		})
	})
	t.Run("raw", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "wh-raw", `,"mode":"raw","method":"PUT","headers":{"X-Env":"prod"}`, `{}`)
		s.put("/endpoints/wh-raw", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q,"mode":"raw","method":"PUT","headers":{"X-Env":"prod"}}}`, k.URL+"/twins/{subject}?type={type}&n={n}"))
		s.send(`{"specversion":"1.0","id":"1","source":"wh-raw","type":"a&b=c","subject":"room/1 ?#é","n":7,"data":{"a": 1}}`,
			`{"specversion":"1.0","id":"2","source":"wh-raw","type":"t","subject":"..","n":7,"data":1}`,
			`{"specversion":"1.0","id":"3","source":"wh-raw","type":"t","subject":"room","data":1}`)
		a := k.arrivals(t, 1)[0]
		if a.method != http.MethodPut || a.uri != "/twins/room%2F1%20%3F%23%C3%A9?type=a%26b%3Dc&n=7" || a.body != `{"a": 1}` || a.header.Get("X-Env") != "prod" || a.header.Get("Ce-Id") != "" {
			t.Errorf("arrived %+v", a)
		}
		// What would climb in the path, or has no such attribute, is the event's fault.
		eventually(t, "two dead letters", func() bool { return len(s.letters("wh-raw")) == 2 })
	})
}

func contractFile(t *testing.T, s *server) {
	path := s.fileEndpoint("fi")
	s.put("/routes/fi", `{"endpointName":"fi","filter":"source = 'fi'"}`)
	t.Cleanup(func() { s.api(http.MethodDelete, "/routes/fi", "") })
	s.send(`{"specversion":"1.0","id":"1","source":"fi","type":"t","data":{"text":"a\nb","n":1.50}}`,
		`{"specversion":"1.0","id":"2","source":"fi","type":"t","datacontenttype":"text/plain","data":"line\nline"}`,
		`{"specversion":"1.0","id":"3","source":"fi","type":"t","datacontenttype":"application/octet-stream","data_base64":"AP8="}`)
	lines(t, path, 3)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(b), "\n") || strings.Count(string(b), "\n") != 3 || !strings.Contains(string(b), `"data":{"text":"a\nb","n":1.50}`) ||
		!strings.Contains(string(b), `"data":"line\nline"`) || !strings.Contains(string(b), `"data_base64":"AP8="`) {
		t.Errorf("file:\n%s", b)
	}
}

// letters are the dead letters of an endpoint.
func (s *server) letters(endpoint string) []any {
	s.t.Helper()
	return s.api(http.MethodGet, "/dead-letters?limit=500&endpoint="+endpoint, "").want(s.t, 200).object(s.t)["items"].([]any)
}

// state is what the status says of an endpoint.
func (s *server) state(endpoint string) map[string]any {
	s.t.Helper()
	for _, e := range s.api(http.MethodGet, "/status", "").want(s.t, 200).object(s.t)["endpoints"].([]any) {
		if m := e.(map[string]any); m["name"] == endpoint {
			return m
		}
	}
	return nil
}

// contractBlame has endpoints answer in the three ways that an endpoint may fail.
func contractBlame(t *testing.T, s *server) {
	quick := `{"maxAttempts":3,"initialBackoff":"5ms","maxBackoff":"10ms"}`
	t.Run("the event", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "bl-event", "", quick)
		k.answers(http.StatusBadRequest)
		s.send(from("bl-event", update("1", "room", "/x", "1")))
		eventually(t, "a dead letter", func() bool { return len(s.letters("bl-event")) == 1 })
		l := s.letters("bl-event")[0].(map[string]any)
		if l["attempts"] != 1.0 || l["endpoint"] != "bl-event" || l["route"] != "bl-event" || !strings.Contains(l["reason"].(string), "400") || at(t, l, "event", "id") != "1" || at(t, l, "event", "data", "modelId") == nil {
			t.Errorf("letter %v", l)
		}
	})
	t.Run("the endpoint", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "bl-endpoint", "", quick)
		k.answers(http.StatusUnauthorized)
		s.send(from("bl-endpoint", update("1", "room", "/x", "1")))
		k.arrivals(t, 6)
		if l := s.letters("bl-endpoint"); len(l) != 0 {
			t.Errorf("a rotated key made the dead letter %v", l)
		}
		if e := s.state("bl-endpoint"); e["state"] != "failing" || !strings.Contains(e["reason"].(string), "401") {
			t.Errorf("state %v, want failing, with the reason", e)
		}
		k.answers(http.StatusOK)
		eventually(t, "the endpoint to be well", func() bool { return s.state("bl-endpoint")["state"] == "healthy" })
	})
	t.Run("nobody", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "bl-nobody", "", quick)
		k.answers(http.StatusInternalServerError)
		s.send(from("bl-nobody", update("1", "room", "/x", "1")))
		eventually(t, "a dead letter", func() bool { return len(s.letters("bl-nobody")) == 1 })
		if l := s.letters("bl-nobody")[0].(map[string]any); l["attempts"] != 3.0 || len(l["history"].([]any)) != 3 {
			t.Errorf("letter %v, want three attempts", l)
		}
		if n := len(k.arrivals(t, 3)); n != 3 {
			t.Errorf("%d requests, want maxAttempts, 3", n)
		}
	})
	t.Run("Retry-After", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "bl-later", "", quick)
		var at []time.Time
		k.answer = func(arrival) (int, http.Header) {
			if at = append(at, time.Now()); len(at) == 1 {
				return http.StatusServiceUnavailable, http.Header{"Retry-After": {"1"}}
			}
			return http.StatusNoContent, nil
		}
		s.send(from("bl-later", update("1", "room", "/x", "1")))
		k.arrivals(t, 2)
		if wait := at[1].Sub(at[0]); wait < time.Second {
			t.Errorf("tried again after %v, though asked to wait a second", wait)
		}
	})
	t.Run("the age", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "bl-age", "", `{"maxAge":"50ms","initialBackoff":"5ms","maxBackoff":"10ms"}`)
		k.answers(http.StatusForbidden)
		s.send(from("bl-age", update("1", "room", "/x", "1")))
		eventually(t, "a dead letter", func() bool { return len(s.letters("bl-age")) == 1 })
	})
	t.Run("the timeout", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "bl-slow", "", `{"maxAttempts":1,"timeout":"20ms"}`)
		stuck := make(chan struct{})
		k.answer = func(arrival) (int, http.Header) { <-stuck; return 200, nil }
		s.send(from("bl-slow", update("1", "room", "/x", "1")))
		eventually(t, "a dead letter", func() bool { return len(s.letters("bl-slow")) == 1 })
		close(stuck)
	})
	t.Run("a plugin", func(t *testing.T) {
		k := serveSink(t)
		s.hook(k, "bl-plugin", "", quick)
		s.put("/routes/bl-plugin", `{"endpointName":"bl-plugin","filter":"source = 'bl-plugin'","transforms":[{"plugin":"tsi"}]}`)
		s.send(`{"specversion":"1.0","id":"1","source":"bl-plugin","type":"Microsoft.DigitalTwins.Twin.Update","subject":"r","data":{"patch":7}}`, from("bl-plugin", update("2", "room", "/x", "1")))
		k.arrivals(t, 1)
		eventually(t, "the letter of the other", func() bool { return len(s.letters("bl-plugin")) == 1 })
		if l := s.letters("bl-plugin")[0].(map[string]any); at(t, l, "event", "id") != "1" || !strings.Contains(l["reason"].(string), "tsi@1") {
			t.Errorf("letter %v", l)
		}
	})
}

// contractOrderBy has the first delivery of a key fail for a while, and looks
// for what waits behind it and what does not.
func contractOrderBy(t *testing.T, s *server) {
	event := func(source, id, subject, typ, site string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":%q,"subject":%q,"data":{"site":{"id":%q}}}`, id, source, typ, subject, site)
	}
	for i, tt := range []struct {
		orderBy string
		waits   string // which of the events 2 to 6 wait behind 1
	}{
		{"subject", "2 6"}, {"type", "3"}, {"$body.site.id", "4"}, {"source", "2 3 4 5 6"}, {"none", ""},
	} {
		t.Run(tt.orderBy, func(t *testing.T) {
			source := fmt.Sprint("ord-", i)
			k := serveSink(t)
			failing := true // guarded by the sink's lock
			k.answer = func(a arrival) (int, http.Header) {
				if failing && a.header.Get("Ce-Id") == "1" {
					return http.StatusBadGateway, nil
				}
				return http.StatusOK, nil
			}
			s.hook(k, source, "", fmt.Sprintf(`{"initialBackoff":"20ms","maxBackoff":"20ms","orderBy":%q}`, tt.orderBy))
			s.send(event(source, "1", "room", "t1", "s1"), event(source, "2", "room", "t2", "s2"), event(source, "3", "hall", "t1", "s3"),
				event(source, "4", "yard", "t4", "s1"), event(source, "5", "roof", "t5", "s5"), event(source, "6", "room/relationships/r", "t6", "s6"))
			arrived := func() []string {
				k.mu.Lock()
				defer k.mu.Unlock()
				var order []string
				for _, a := range k.got {
					if id := a.header.Get("Ce-Id"); id != "1" || !failing && !slices.Contains(order, "1") {
						order = append(order, id)
					}
				}
				return order
			}
			waiting := strings.Fields(tt.waits)
			eventually(t, "what need not wait", func() bool {
				k.mu.Lock()
				tries := len(k.got)
				k.mu.Unlock()
				return len(arrived()) >= 5-len(waiting) && tries >= 5-len(waiting)+3
			})
			for _, id := range arrived() {
				if slices.Contains(waiting, id) {
					t.Errorf("%s did not wait for 1", id)
				}
			}
			k.mu.Lock()
			failing = false
			k.mu.Unlock()
			eventually(t, "all", func() bool { return len(arrived()) == 6 })
			var late []string
			for _, id := range arrived() {
				if slices.Contains(waiting, id) {
					late = append(late, id)
				}
			}
			if !slices.Equal(late, waiting) {
				t.Errorf("after 1 came %v, want %v", late, waiting)
			}
		})
	}
}

func contractRedrive(t *testing.T, s *server) {
	k := serveSink(t)
	s.hook(k, "red", "", `{"maxAttempts":2,"initialBackoff":"5ms","maxBackoff":"5ms"}`)
	k.answers(http.StatusBadGateway)
	var events []string
	for i := range 10 {
		events = append(events, from("red", update(fmt.Sprint(i), fmt.Sprint("twin-", i%2), "/x", "1")))
	}
	s.send(events...)
	eventually(t, "ten dead letters", func() bool { return len(s.letters("red")) == 10 })
	redrive := func(body string) reply { return s.api(http.MethodPost, "/dead-letters/redrive", body) }

	for body, status := range map[string]int{
		`{}`: 400, `{"ids":[]}`: 400, `{"ids":["x"]}`: 400, `{"ids":[7]}`: 400, `{"endpoint":"red","ids":["1-0"]}`: 400, `{"endpoints":"red"}`: 400,
		`{"ids":["999999-0"]}`: 404, `{"endpoint":"nobody"}`: 404,
	} {
		redrive(body).problem(t, status)
	}

	// One that fails again is back, with its attempts added.
	id := at(t, s.letters("red"), 0, "id").(string)
	redrive(fmt.Sprintf(`{"ids":[%q]}`, id)).want(t, 202)
	eventually(t, "the letter with its attempts added", func() bool {
		for _, l := range s.letters("red") {
			if at(t, l, "attempts") == 4.0 {
				return true
			}
		}
		return false
	})
	if n := len(s.letters("red")); n != 10 {
		t.Errorf("%d letters, want 10", n)
	}

	// What the route now sends nothing for stays, and the answer says why.
	route := s.api(http.MethodGet, "/routes/red", "").want(t, 200).body
	s.api(http.MethodPut, "/routes/red", `{"endpointName":"red","filter":"false"}`).want(t, 200)
	refused := redrive(fmt.Sprintf(`{"ids":[%q]}`, at(t, s.letters("red"), 0, "id"))).want(t, 202).object(t)
	if reason, _ := at(t, refused, "refused", 0, "reason").(string); refused["redriving"] != 0.0 || !strings.Contains(reason, "route red") {
		t.Errorf("redrive under a route that drops the event = %v", refused)
	}
	s.api(http.MethodPut, "/routes/red", route).want(t, 200)

	k.answers(http.StatusOK)
	k.mu.Lock()
	k.got = nil
	k.mu.Unlock()
	redrive(`{"endpoint":"red"}`).want(t, 202)
	eventually(t, "an empty list", func() bool { return len(s.letters("red")) == 0 })
	last := map[string]string{}
	got := k.arrivals(t, 10)
	for _, a := range got {
		twin, id := a.header.Get("Ce-Subject"), a.header.Get("Ce-Id")
		if id <= last[twin] {
			t.Errorf("%s: %s came after %s", twin, id, last[twin])
		}
		last[twin] = id
	}
	if len(got) != 10 {
		t.Errorf("%d were delivered, want 10", len(got))
	}
	if l := redrive(`{"endpoint":"red"}`).want(t, 202).object(t); l["redriving"] != 0.0 {
		t.Errorf("of no letters %v are sent", l)
	}
}

func contractReplay(t *testing.T, s *server) {
	k := serveSink(t)
	s.hook(k, "again", "", `{}`)
	replay := func(endpoint, body string) reply {
		return s.api(http.MethodPost, "/endpoints/"+endpoint+"/replay", body)
	}
	arrived := func(n int) (ids []string) {
		for _, a := range k.arrivals(t, n) {
			ids = append(ids, a.header.Get("Ce-Id"))
		}
		return ids
	}

	s.send(from("again", update("1", "twin", "/x", "1")), from("again", update("2", "twin", "/x", "2")))
	s.send(from("again", update("3", "twin", "/x", "3")))
	arrived(3)
	var positions []string
	for _, item := range at(t, s.api(http.MethodGet, "/events?source=again", "").want(t, 200).object(t), "items").([]any) {
		positions = append(positions, at(t, item, "id").(string))
	}
	if len(positions) != 3 {
		t.Fatalf("the events lie at %v", positions)
	}

	for body, status := range map[string]int{
		`{}`: 400, `{"from":""}`: 400, `{"from":7}`: 400, `{"from":"soon"}`: 400, `{"from":"1-0","to":"2-0"}`: 400,
		`{"from":"999999999-0"}`: 400, `{"from":"2999-01-01T00:00:00Z"}`: 400,
		fmt.Sprintf(`{"from":"%s-700000000"}`, strings.TrimSuffix(positions[2], "-0")): 400,
	} {
		replay("again", body).problem(t, status)
	}
	replay("nobody", `{"from":"1-0"}`).problem(t, 404)

	begun := replay("again", fmt.Sprintf(`{"from":%q}`, positions[1])).want(t, 202).object(t)
	if begun["endpoint"] != "again" || begun["from"] != positions[1] || begun["truncated"] != false {
		t.Errorf("the answer is %v", begun)
	}
	if got := arrived(5); !slices.Equal(got[3:], []string{"2", "3"}) {
		t.Errorf("replayed %v, want 2 and 3", got[3:])
	}

	// The routes now in force are applied, to what came before them as well.
	s.api(http.MethodPut, "/routes/again", `{"endpointName":"again","filter":"$body.patch IS_DEFINED"}`).problem(t, 400)
	s.api(http.MethodPut, "/routes/again", `{"endpointName":"again","filter":"id = '1' AND source = 'again'"}`).want(t, 200)
	replay("again", fmt.Sprintf(`{"from":%q}`, at(t, begun, "acceptedAt"))).want(t, 202)
	replay("again", `{"from":"1970-01-02T00:00:00Z"}`).want(t, 202)
	if got := arrived(6); !slices.Contains(got[5:], "1") {
		t.Errorf("replayed %v under a filter for 1", got[5:])
	}
}

// contractDelete holds the answer to a deletion to it that everything which the
// endpoint owed is on disk by then.
func contractDelete(t *testing.T, s *server) {
	k := serveSink(t)
	s.hook(k, "gone", "", `{}`)
	k.answers(http.StatusServiceUnavailable)
	var events []string
	for i := range 200 {
		events = append(events, from("gone", update(fmt.Sprint(i), fmt.Sprint("twin-", i%50), "/x", "1")))
	}
	s.send(events...)
	eventually(t, "an endpoint that owes all of them", func() bool { return s.state("gone")["backlog"] == 0.0 })
	s.api(http.MethodDelete, "/endpoints/gone", "").problem(t, 409)
	s.api(http.MethodDelete, "/routes/gone", "").want(t, 204)
	s.api(http.MethodDelete, "/endpoints/gone", "").want(t, 204)
	if n := len(s.letters("gone")); n != 200 {
		t.Errorf("%d dead letters when the deletion is answered, want what was owed: 200", n)
	}
}
