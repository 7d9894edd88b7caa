package adt_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/sdk/plugintest"
)

const version = "?api-version=2023-10-31"

// route puts an event route.
func (s *server) route(id, body string) reply {
	s.t.Helper()
	return s.call(http.MethodPut, "/eventroutes/"+id+version, body, "Content-Type", "application/json")
}

func TestRoutes(t *testing.T) {
	s := start(t, gateway.Options{})
	s.fileEndpoint("hub")

	t.Run("an empty list", func(t *testing.T) {
		r := s.call(http.MethodGet, "/eventroutes"+version, "").want(t, 200)
		if want := `{"value":[],"nextLink":null}`; r.body != want {
			t.Errorf("body %s, want %s", r.body, want)
		}
	})
	t.Run("create, read, replace, delete", func(t *testing.T) {
		filter := "$eventType = 'DigitalTwinTelemetryMessages'  or $eventType = '<&>'\n"
		sent, _ := json.Marshal(map[string]string{"endpointName": "hub", "filter": filter, "id": "ignored"})
		r := s.route("Case", string(sent)).want(t, 204)
		if r.body != "" || r.header.Get("Content-Type") != "" {
			t.Errorf("PUT answered %q as %q, want nothing", r.body, r.header.Get("Content-Type"))
		}
		r = s.call(http.MethodGet, "/eventroutes/Case"+version, "").want(t, 200)
		if want := `{"id":"Case","endpointName":"hub","filter":"$eventType = 'DigitalTwinTelemetryMessages'  or $eventType = '<&>'\n"}`; r.body != want {
			t.Errorf("GET %s, want %s", r.body, want)
		}
		if text := s.call(http.MethodGet, "/api/v1/routes/Case", "").object(t)["filter"]; text != filter {
			t.Errorf("in the control API the filter is %q", text)
		}
		s.route("Case", `{"endpointName":"hub","filter":"true"}`).want(t, 204)
		if got := s.call(http.MethodGet, "/eventroutes/Case"+version, "").object(t)["filter"]; got != "true" {
			t.Errorf("filter %v after it was replaced", got)
		}
		s.call(http.MethodDelete, "/eventroutes/Case"+version, "").want(t, 204)
		s.call(http.MethodGet, "/eventroutes/Case"+version, "").refused(t, 404, "EventRouteNotFound")
	})
	t.Run("paths match in any case, ids in theirs", func(t *testing.T) {
		for i, path := range []string{"/eventroutes/A", "/eventRoutes/a", "/EventRoutes/b", "/EVENTROUTES/c%20d"} {
			body := fmt.Sprintf(`{"endpointName":"hub","filter":"type = '%d'"}`, i)
			s.call(http.MethodPut, path+version, body).want(t, 204)
		}
		for id, want := range map[string]string{"A": "type = '0'", "a": "type = '1'", "b": "type = '2'", "c%20d": "type = '3'"} {
			if got := s.call(http.MethodGet, "/eventRoutes/"+id+version, "").want(t, 200).object(t)["filter"]; got != want {
				t.Errorf("route %s has the filter %v, want %s", id, got, want)
			}
			s.call(http.MethodDelete, "/EventRoutes/"+id+version, "").want(t, 204)
		}
		s.call(http.MethodGet, "/eventroutes/"+version, "").want(t, 200)
	})
	t.Run("every version of the API", func(t *testing.T) {
		for _, v := range []string{"2020-10-31", "2021-06-30-preview", "2022-05-31", "2023-02-27-preview", "2023-06-30", "2023-10-31"} {
			s.call(http.MethodGet, "/eventroutes?api-version="+v, "").want(t, 200)
		}
	})
	t.Run("headers", func(t *testing.T) {
		const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
		r := s.call(http.MethodGet, "/eventroutes"+version, "", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		for name, want := range map[string]string{
			"Content-Type":              `^application/json; charset=utf-8$`,
			"Content-Length":            `^28$`,
			"Date":                      `GMT$`,
			"Strict-Transport-Security": `^max-age=2592000$`,
			"traceresponse":             `^00-` + trace + `-[0-9a-f]{16}-01$`,
			"mise-correlation-id":       `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
		} {
			if got := r.header.Get(name); !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("%s: %q, want %s", name, got, want)
			}
		}
		empty := s.route("Headers", `{"endpointName":"hub","filter":"true"}`).want(t, 204)
		if got := empty.header.Values("Content-Length"); got != nil {
			t.Errorf("a 204 has the Content-Length %q, which RFC 9110 forbids", got)
		}
	})
}

// TestRouteRefusals holds every refusal to its code, and to the words that are
// known of the service.
func TestRouteRefusals(t *testing.T) {
	const (
		endpoint = "The endpoint provided does not exist or is not active. Check that your endpoint is provisioned correctly. See event route documentation (http://aka.ms/ADTv2Routes)."
		missing  = "There is no route available that matches the provided input. Check for all valid event routes by calling EventRoute_List. See Swagger example (https://aka.ms/RouteSwSmpl)."
		filter   = "The provided filter is invalid. Parsing error, Line=%d, Position=%d, Message=%s. See event route documentation for supported values and structure (http://aka.ms/ADTv2Routes)."
	)
	s := start(t, gateway.Options{MaxRoutes: 2})
	s.fileEndpoint("hub")
	s.route("one", `{"endpointName":"hub","filter":"true"}`).want(t, 204)
	s.route("two", `{"endpointName":"hub","filter":"true"}`).want(t, 204)

	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code, message            string // message: a part of it
	}{
		{"a malformed filter", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub","filter":"this is not a valid filter"}`, nil,
			400, "EventRouteFilterInvalid", fmt.Sprintf(filter, 1, 6, "Unexpected input 'is'")},
		{"on its second line", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub","filter":"type = 'a' AND\n  type type"}`, nil,
			400, "EventRouteFilterInvalid", fmt.Sprintf(filter, 2, 8, "Unexpected input 'type'")},
		{"an empty filter", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub","filter":""}`, nil,
			400, "EventRouteFilterInvalid", fmt.Sprintf(filter, 1, 1, "Unexpected end of input")},
		{"no filter", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub"}`, nil, 400, "EventRouteFilterInvalid", ""},
		{"a filter that is null", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub","filter":null}`, nil, 400, "EventRouteFilterInvalid", ""},
		{"a filter that is too long", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub","filter":"` + strings.Repeat(" ", 70_000) + `true"}`, nil,
			400, "EventRouteFilterInvalid", "65536"},
		{"an unknown endpoint", "PUT", "/eventroutes/one" + version, `{"endpointName":"nowhere","filter":"$eventType = 'x'"}`, nil, 400, "EventRouteEndpointInvalid", endpoint},
		{"an endpoint in another case", "PUT", "/eventroutes/one" + version, `{"endpointName":"HUB","filter":"true"}`, nil, 400, "EventRouteEndpointInvalid", endpoint},
		{"no endpoint", "PUT", "/eventroutes/one" + version, `{"filter":"true"}`, nil, 400, "EventRouteEndpointInvalid", endpoint},
		{"one too many", "PUT", "/eventroutes/three" + version, `{"endpointName":"hub","filter":"true"}`, nil, 400, "LimitExceeded", "2"},
		{"an id with a slash", "PUT", "/eventroutes/a%2Fb" + version, `{"endpointName":"hub","filter":"true"}`, nil, 400, "EventRouteIdInvalid", ""},
		{"an id with a control character", "PUT", "/eventroutes/a%00b" + version, `{"endpointName":"hub","filter":"true"}`, nil, 400, "EventRouteIdInvalid", ""},
		{"an id that is no UTF-8", "PUT", "/eventroutes/a%FFb" + version, `{"endpointName":"hub","filter":"true"}`, nil, 400, "EventRouteIdInvalid", ""},
		{"an id that is too long", "PUT", "/eventroutes/" + strings.Repeat("a", 257) + version, `{"endpointName":"hub","filter":"true"}`, nil, 400, "EventRouteIdInvalid", "256"},
		{"a blank id", "PUT", "/eventroutes/%20" + version, `{"endpointName":"hub","filter":"true"}`, nil, 400, "EventRouteIdInvalid", ""},
		{"no such route to read", "GET", "/eventroutes/ONE" + version, "", nil, 404, "EventRouteNotFound", missing},
		{"no such route to delete", "DELETE", "/eventroutes/three" + version, "", nil, 404, "EventRouteNotFound", missing},
		{"a deeper path", "GET", "/eventroutes/one/two" + version, "", nil, 404, "EventRouteNotFound", missing},
		{"no body", "PUT", "/eventroutes/one" + version, ``, nil, 400, "InvalidArgument", "empty"},
		{"malformed JSON", "PUT", "/eventroutes/one" + version, `{"endpointName":`, nil, 400, "InvalidArgument", "JSON"},
		{"an array", "PUT", "/eventroutes/one" + version, `[]`, nil, 400, "InvalidArgument", "object"},
		{"a member of another type", "PUT", "/eventroutes/one" + version, `{"endpointName":1,"filter":"true"}`, nil, 400, "InvalidArgument", "endpointName"},
		{"an unknown member", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub","filter":"true","transforms":[]}`, nil, 400, "InvalidArgument", "transforms"},
		{"a member twice", "PUT", "/eventroutes/one" + version, `{"endpointName":"hub","filter":"true","filter":"false"}`, nil, 400, "InvalidArgument", "filter"},
		{"another content type", "PUT", "/eventroutes/one" + version, `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "UnsupportedMediaType", "application/json"},
		{"a body that is too large", "PUT", "/eventroutes/one" + version, strings.Repeat(" ", 1<<20+1), nil, 413, "RequestEntityTooLarge", ""},
		{"no version", "GET", "/eventroutes", "", nil, 400, "MissingApiVersionParameter", "2023-10-31"},
		{"an unknown version", "GET", "/eventroutes?api-version=2019-01-01", "", nil, 400, "UnsupportedApiVersionValue", "2019-01-01"},
		{"a page of nothing", "GET", "/eventroutes" + version, "", []string{"max-items-per-page", "0"}, 400, "InvalidArgument", "max-items-per-page"},
		{"a page of words", "GET", "/eventroutes" + version, "", []string{"max-items-per-page", "two"}, 400, "InvalidArgument", "two"},
		{"a token of nobody", "GET", "/eventroutes" + version + "&continuationToken=abc", "", nil, 400, "InvalidArgument", "token"},
		{"a token with a count of its own", "GET", "/eventroutes" + version + "&continuationToken=eyJhZnRlciI6ImEiLCJpdGVtcyI6LTF9", "", nil, 400, "InvalidArgument", "token"},
		{"PATCH", "PATCH", "/eventroutes/one" + version, `[]`, nil, 405, "MethodNotAllowed", "PUT"},
		{"POST", "POST", "/eventroutes" + version, `{}`, nil, 405, "MethodNotAllowed", "GET"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := s.call(tt.method, tt.path, tt.body, tt.header...).refused(t, tt.status, tt.code)
			if !strings.Contains(got, tt.message) {
				t.Errorf("message %q, want %q", got, tt.message)
			}
		})
	}
	t.Run("without the token", func(t *testing.T) {
		s.call(http.MethodGet, "/eventRoutes"+version, "", "Authorization", "").want(t, 401)
	})
	t.Run("changed nothing", func(t *testing.T) {
		r := s.call(http.MethodGet, "/eventroutes"+version, "")
		if want := `{"value":[{"id":"one","endpointName":"hub","filter":"true"},{"id":"two","endpointName":"hub","filter":"true"}],"nextLink":null}`; r.body != want {
			t.Errorf("the routes are %s", r.body)
		}
		s.route("two", `{"endpointName":"hub","filter":"false"}`).want(t, 204) // at the limit
	})
}

func TestRoutePages(t *testing.T) {
	s := start(t, gateway.Options{})
	s.fileEndpoint("hub")
	for i := range 5 {
		s.route(fmt.Sprintf("r%d", i), `{"endpointName":"hub","filter":"true"}`).want(t, 204)
	}
	type page struct {
		Value []struct{ ID string }
		Next  *string `json:"nextLink"`
	}
	read := func(r reply) (p page) {
		t.Helper()
		if err := json.Unmarshal([]byte(r.want(t, 200).body), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	walk := func(between func()) (sizes []int, ids []string) {
		p := read(s.call(http.MethodGet, "/eventroutes?api-version=2020-10-31", "", "max-items-per-page", "2"))
		for {
			sizes = append(sizes, len(p.Value))
			for _, r := range p.Value {
				ids = append(ids, r.ID)
			}
			if p.Next == nil {
				return sizes, ids
			}
			if !strings.HasPrefix(*p.Next, s.http.URL+"/EventRoutes?") || !strings.Contains(*p.Next, "continuationToken=") || !strings.Contains(*p.Next, "api-version=2020-10-31") {
				t.Fatalf("nextLink %s", *p.Next)
			}
			between()
			p = read(s.call(http.MethodGet, *p.Next, "")) // as it is, without the header
		}
	}
	sizes, ids := walk(func() {})
	if fmt.Sprint(sizes, ids) != "[2 2 1] [r0 r1 r2 r3 r4]" {
		t.Errorf("pages of %v: %v", sizes, ids)
	}
	gone := []string{"r1", "r3"}
	sizes, ids = walk(func() {
		s.call(http.MethodDelete, "/eventroutes/"+gone[0]+version, "").want(t, 204)
		gone = gone[1:]
	})
	if fmt.Sprint(sizes, ids) != "[2 2 1] [r0 r1 r2 r3 r4]" {
		t.Errorf("with what was listed deleted in between, pages of %v: %v", sizes, ids)
	}
	if p := read(s.call(http.MethodGet, "/eventroutes"+version, "", "max-items-per-page", "2147483647")); len(p.Value) != 3 || p.Next != nil {
		t.Errorf("a large page has %d routes and continues at %v", len(p.Value), p.Next)
	}
}

// TestRouteKeepsWhatADTDoesNotKnow has a client of Azure Digital Twins replace
// a route with plugins, while an operator changes them.
func TestRouteKeepsWhatADTDoesNotKnow(t *testing.T) {
	s := start(t, gateway.Options{})
	s.fileEndpoint("hub")
	module := plugintest.Build(t, "../../plugins/tsi")
	if r := s.call(http.MethodPost, "/api/v1/plugins/shape/versions", string(module), "Content-Type", "application/wasm"); r.status/100 != 2 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	s.put("/routes/r", `{"endpointName":"hub","filter":"type = 'a'","transforms":[{"plugin":"shape"}],"enabled":false}`)
	if got := s.call(http.MethodGet, "/eventroutes/r"+version, "").want(t, 200).body; got != `{"id":"r","endpointName":"hub","filter":"type = 'a'"}` {
		t.Errorf("the route is shown as %s", got)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { s.route("r", fmt.Sprintf(`{"endpointName":"hub","filter":"type = '%d'"}`, i)) })
		wg.Go(func() {
			s.call(http.MethodPut, "/api/v1/routes/r", `{"endpointName":"hub","filter":"type = 'a'","transforms":[{"plugin":"shape"},{"plugin":"shape@1"}],"enabled":false}`, "Content-Type", "application/json")
		})
	}
	wg.Wait()
	s.route("r", `{"endpointName":"hub","filter":"type = 'b'"}`).want(t, 204)
	got := s.call(http.MethodGet, "/api/v1/routes/r", "").object(t)
	if transforms, _ := json.Marshal(got["transforms"]); got["filter"] != "type = 'b'" || got["enabled"] != false ||
		string(transforms) != `[{"config":{},"plugin":"shape"},{"config":{},"plugin":"shape@1"}]` {
		t.Errorf("the route is now %v", got)
	}
}
