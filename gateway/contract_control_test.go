package gateway_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contractResources walks each kind of resource through its life, and its
// preconditions.
func contractResources(t *testing.T, s *server) {
	file := func(n int) string {
		return fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, filepath.Join(t.TempDir(), fmt.Sprint(n)))
	}
	s.api(http.MethodPut, "/endpoints/res-hub", file(0)).want(t, 201)
	for _, tt := range []struct {
		path, one, two string
		user           string // a route that uses it
	}{
		{"/endpoints/res-e", file(1), file(2), `{"endpointName":"res-e"}`},
		{"/routes/res%20r%3A50%25%C3%A4", `{"endpointName":"res-hub"}`, `{"endpointName":"res-hub","filter":"type = 'x'"}`, ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			s.api(http.MethodGet, tt.path, "").problem(t, 404)
			s.api(http.MethodDelete, tt.path, "").problem(t, 404)
			s.api(http.MethodPut, tt.path, tt.one, "If-Match", `"1"`).problem(t, 412)
			s.api(http.MethodPut, tt.path, tt.one, "If-Match", "*").problem(t, 412)
			created := s.api(http.MethodPut, tt.path, tt.one, "If-None-Match", "*").want(t, 201)
			first := created.header.Get("ETag")
			read := s.api(http.MethodGet, tt.path, "").want(t, 200)
			if own, _, fares := strings.Cut(read.body, `,"status":`); fares {
				read.body = own + "}\n" // how an endpoint fares is no part of it
			}
			if read.body != created.body || read.header.Get("ETag") != first || first == "" {
				t.Errorf("GET answers %s %s, PUT answered %s %s", first, read.body, read.header.Get("ETag"), created.body)
			}
			s.api(http.MethodGet, tt.path, "", "If-None-Match", first).want(t, 304)
			s.api(http.MethodPut, tt.path, tt.two, "If-None-Match", "*").problem(t, 412)
			if same := s.api(http.MethodPut, tt.path, tt.one).want(t, 200); same.header.Get("ETag") != first {
				t.Errorf("the same again made %s of %s", same.header.Get("ETag"), first)
			}
			// What was read may be written back as it is.
			if same := s.api(http.MethodPut, tt.path, s.api(http.MethodGet, tt.path, "").body, "If-Match", first).want(t, 200); same.header.Get("ETag") != first {
				t.Errorf("what was read, written back, made %s of %s", same.header.Get("ETag"), first)
			}
			second := s.api(http.MethodPut, tt.path, tt.two, "If-Match", first).want(t, 200).header.Get("ETag")
			if second == first {
				t.Error("a change kept the ETag")
			}
			s.api(http.MethodPut, tt.path, tt.one, "If-Match", first).problem(t, 412)
			s.api(http.MethodDelete, tt.path, "", "If-Match", first).problem(t, 412)
			s.api(http.MethodPut, tt.path, tt.one, "If-Match", "no tag").problem(t, 400)
			if tt.user != "" {
				s.api(http.MethodPut, "/routes/res-user", tt.user).want(t, 201)
				if p := s.api(http.MethodDelete, tt.path, "").problem(t, 409); !strings.Contains(p["detail"].(string), "res-user") {
					t.Errorf("refused with %v, which does not name the user", p)
				}
				s.api(http.MethodDelete, "/routes/res-user", "").want(t, 204)
			}
			s.api(http.MethodDelete, tt.path, "", "If-Match", second).want(t, 204)
			s.api(http.MethodGet, tt.path, "").problem(t, 404)
		})
	}

	t.Run("a route's defaults", func(t *testing.T) {
		s.api(http.MethodPut, "/routes/res-d", `{"endpointName":"res-hub"}`).want(t, 201)
		r := s.api(http.MethodGet, "/routes/res-d", "").object(t)
		if r["id"] != "res-d" || r["filter"] != "true" || r["enabled"] != true {
			t.Errorf("route %v", r)
		}
		s.api(http.MethodDelete, "/routes/res-d", "").want(t, 204)
	})
	t.Run("what is refused", func(t *testing.T) {
		for _, tt := range []struct{ path, body, field string }{
			{"/routes/res-x", `{"endpointName":"nowhere"}`, "endpointName"},
			{"/routes/res-x", `{}`, "endpointName"},
			{"/routes/res-x", `{"endpointName":"res-hub","filter":"type = "}`, "filter"},
			{"/routes/res-x", `{"endpointName":"res-hub","filter":7}`, "filter"},
			{"/routes/res-x", `{"endpointName":"res-hub","enabled":false,"filter":"type ="}`, "filter"},
			{"/routes/res-x", `{"endpointName":"res-hub","filters":[{"plugin":"nobody"}]}`, "filters[0].plugin"},
			{"/routes/res-x", `{"endpointName":"res-hub","filters":[{"plugin":"tsi"}]}`, "filters[0].plugin"},
			{"/routes/res-x", `{"endpointName":"res-hub","transforms":[{"plugin":"tsi@9"}]}`, "transforms[0].plugin"},
			{"/routes/res-x", `{"endpointName":"res-hub","transforms":[{"plugin":"tsi","config":{"keys":"sideways"}}]}`, "transforms[0].config.keys"},
			{"/routes/res-x", `{"endpointName":"res-hub","enabled":false,"transforms":[{"plugin":"tsi","config":{"keys":"sideways"}}]}`, "transforms[0].config.keys"},
			{"/routes/res-x", `{"endpointName":"res-hub","id":"res-y"}`, "id"},
			{"/routes/res-x", `{"endpointName":"res-hub","endpoint":"res-hub"}`, "endpoint"},
			{"/endpoints/res%2Fx", file(9), "name"},
			{"/endpoints/res-x", `{"kind":"fax"}`, "kind"},
			{"/endpoints/res-x", `{"kind":"file","settings":{"path":"/x","paht":"y"}}`, "settings.paht"},
		} {
			if p := s.api(http.MethodPut, tt.path, tt.body).problem(t, 400); p["field"] != tt.field {
				t.Errorf("%s: field %v, want %s", tt.body, p["field"], tt.field)
			}
		}
		s.api(http.MethodGet, "/routes/res-x", "").problem(t, 404)
	})
	t.Run("OpenAPI", func(t *testing.T) {
		doc := s.api(http.MethodGet, "/openapi.json", "").want(t, 200).object(t)
		paths, _ := doc["paths"].(map[string]any)
		if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.") || len(paths) < 15 {
			t.Errorf("openapi %v with %d paths", doc["openapi"], len(paths))
		}
	})
}

func contractPaging(t *testing.T, s *server) {
	s.fileEndpoint("page-hub")
	for i := range 5 {
		s.put(fmt.Sprintf("/routes/page-%d", i), `{"endpointName":"page-hub","enabled":false}`)
		s.put(fmt.Sprintf("/endpoints/page-%d", i), fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, filepath.Join(t.TempDir(), "f")))
	}
	for path, key := range map[string]string{"/routes": "id", "/endpoints": "name", "/plugins": "name"} {
		whole := s.api(http.MethodGet, path, "").want(t, 200).object(t)["items"].([]any)
		var walked []any
		for after, pages := "", 0; pages == 0 || after != ""; pages++ {
			page := s.api(http.MethodGet, path+"?limit=2&after="+url.QueryEscape(after), "").want(t, 200).object(t)
			items := page["items"].([]any)
			if len(items) > 2 {
				t.Fatalf("%s: a page of %d", path, len(items))
			}
			walked = append(walked, items...)
			after, _ = page["next"].(string)
			if pages > len(whole) {
				t.Fatalf("%s: paging does not end", path)
			}
		}
		if diff := cmp.Diff(whole, walked); diff != "" {
			t.Errorf("%s by pages (-whole +pages):\n%s", path, diff)
		}
		if len(whole) == 0 || at(t, whole, 0, key) == nil {
			t.Errorf("%s: %v", path, whole)
		}
		for _, bad := range []string{"0", "-1", "x", "1000000"} {
			s.api(http.MethodGet, path+"?limit="+bad, "").problem(t, 400)
		}
	}
}

func contractEndpoints(t *testing.T, s *server) {
	put := func(delivery string) reply {
		return s.api(http.MethodPut, "/endpoints/set-e", `{"kind":"webhook","settings":{"url":"http://127.0.0.1:9/"},"delivery":`+delivery+`}`)
	}
	def := `{"maxAttempts":0,"maxAge":"24h","initialBackoff":"1s","maxBackoff":"5m","timeout":"30s","orderBy":"subject"}`
	for delivery, want := range map[string]string{
		`{}`: def, `null`: def,
		`{"maxAttempts":8,"maxAge":"24h","initialBackoff":"1s","maxBackoff":"5m","timeout":"30s","orderBy":"subject"}`: strings.Replace(def, ":0", ":8", 1),
		`{"maxAge":"90s","timeout":"1500ms","orderBy":"$body.site.id"}`:                                                strings.NewReplacer(`"24h"`, `"1m30s"`, `"30s"`, `"1.5s"`, `"subject"`, `"$body.site.id"`).Replace(def),
		`{"orderBy":"none"}`:   strings.Replace(def, `"subject"`, `"none"`, 1),
		`{"orderBy":"source"}`: strings.Replace(def, `"subject"`, `"source"`, 1),
	} {
		put(delivery)
		got := s.api(http.MethodGet, "/endpoints/set-e", "").want(t, 200)
		if !strings.Contains(got.body, `"delivery":`+want) {
			t.Errorf("%s became %s, want %s", delivery, got.body, want)
		}
	}
	for delivery, field := range map[string]string{
		`{"maxAttempts":-1}`:                        "delivery.maxAttempts",
		`{"maxAttempts":1.5}`:                       "delivery.maxAttempts",
		`{"maxAttempts":"8"}`:                       "delivery.maxAttempts",
		`{"maxAge":"0s"}`:                           "delivery.maxAge",
		`{"maxAge":"a day"}`:                        "delivery.maxAge",
		`{"maxAge":86400}`:                          "delivery.maxAge",
		`{"timeout":"-1s"}`:                         "delivery.timeout",
		`{"initialBackoff":"2m","maxBackoff":"1m"}`: "delivery.initialBackoff",
		`{"orderBy":""}`:                            "delivery.orderBy",
		`{"orderBy":"Subject Line"}`:                "delivery.orderBy",
		`{"orderBy":"$body."}`:                      "delivery.orderBy",
		`{"retries":3}`:                             "delivery.retries",
		`[]`:                                        "delivery",
	} {
		if p := put(delivery).problem(t, 400); p["field"] != field {
			t.Errorf("%s: field %v, want %s", delivery, p["field"], field)
		}
	}
	for settings, field := range map[string]string{
		`{}`:                           "settings.url",
		`{"url":"ftp://example.com/"}`: "settings.url",
		`{"url":"http://{subject}/"}`:  "settings.url",
		`{"url":"http://h{subject}/","mode":"raw"}`:           "settings.url",
		`{"url":"http://h/{subject}"}`:                        "settings.url",
		`{"url":"http://h/","mode":"fancy"}`:                  "settings.mode",
		`{"url":"http://h/","mode":"raw","method":"FETCH"}`:   "settings.method",
		`{"url":"http://h/","headers":{"X-A":"a\r\nX-B: b"}}`: "settings.headers.X-A",
		`{"url":"http://h/","headers":{"Host":"other"}}`:      "settings.headers.Host",
		`{"url":"http://h/","headers":{"ce-id":"1"}}`:         "settings.headers.ce-id",
		`{"url":["http://h/"]}`:                               "settings.url",
	} {
		if p := s.api(http.MethodPut, "/endpoints/set-x", `{"kind":"webhook","settings":`+settings+`}`).problem(t, 400); p["field"] != field {
			t.Errorf("%s: field %v, want %s", settings, p["field"], field)
		}
	}
}

// contractSecrets looks for secrets in everything that the API says of an
// endpoint, and writes back what it said.
func contractSecrets(t *testing.T, s *server) {
	k := serveSink(t)
	host := strings.TrimPrefix(k.URL, "http://")
	settings := fmt.Sprintf(`{"url":"http://me:s3cret-a@%s/in?sig=s3cret-b&v=1","headers":{"X-Api-Key":"s3cret-c","Cookie":"k=s3cret-d","X-Trace":"Bearer s3cret-e","X-Env":"prod"}}`, host)
	put := func(settings string) reply {
		return s.api(http.MethodPut, "/endpoints/sec", `{"kind":"webhook","settings":`+settings+`}`)
	}
	const all = `"X-Api-Key":"***","Cookie":"***","X-Trace":"***","X-Env":"prod"`
	put(strings.Replace(settings, `"s3cret-c"`, `"***"`, 1)).problem(t, 400)
	put(settings).want(t, 201)
	s.put("/routes/sec", `{"endpointName":"sec","filter":"type = 'sec'"}`)
	for _, path := range []string{"/endpoints/sec", "/endpoints", "/endpoints/sec/revisions", "/status", "/audit", "/routes"} {
		if body := s.api(http.MethodGet, path, "").want(t, 200).body; strings.Contains(body, "s3cret") {
			t.Errorf("%s tells a secret: %s", path, body)
		}
	}
	masked := s.api(http.MethodGet, "/endpoints/sec", "").want(t, 200)
	if !strings.Contains(masked.body, "me:***@"+host+"/in?sig=***&v=1") || !strings.Contains(masked.body, all) {
		t.Errorf("masked as %s", masked.body)
	}
	expect := func(n int) {
		t.Helper()
		s.send(strings.Replace(update(fmt.Sprint("sec", n), "room", "/x", "1"), "Microsoft.DigitalTwins.Twin.Update", "sec", 1))
		a := k.arrivals(t, n)[n-1]
		user, password, _ := strings.Cut("me:s3cret-a", ":")
		r := http.Request{Header: a.header}
		if u, p, _ := r.BasicAuth(); u != user || p != password || a.uri != "/in?sig=s3cret-b&v=1" ||
			a.header.Get("X-Api-Key") != "s3cret-c" || a.header.Get("Cookie") != "k=s3cret-d" || a.header.Get("X-Trace") != "Bearer s3cret-e" {
			t.Errorf("delivered with %s %v", a.uri, a.header)
		}
	}
	expect(1)
	s.api(http.MethodPut, "/endpoints/sec", masked.body).want(t, 200)
	expect(2)
	put(fmt.Sprintf(`{"url":"http://me:***@%s/in?sig=***&v=1","headers":{%s},"mode":"structured"}`, host, all)).want(t, 200)
	expect(3)
	for _, bad := range []string{
		`{"url":"http://h/?code=***"}`, `{"url":"http://h/","headers":{"X-Token":"***"}}`, `{"url":"http://h/","headers":{"X-Api-Key":"Bearer ***"}}`,
	} {
		put(bad).problem(t, 400)
	}
	k.answers(http.StatusUnprocessableEntity)
	s.send(strings.Replace(update("sec4", "room", "/x", "1"), "Microsoft.DigitalTwins.Twin.Update", "sec", 1))
	eventually(t, "a dead letter", func() bool {
		body := s.api(http.MethodGet, "/dead-letters?endpoint=sec", "").want(t, 200).body
		if strings.Contains(body, "s3cret") {
			t.Fatalf("a dead letter tells a secret: %s", body)
		}
		return strings.Contains(body, "422")
	})
}
