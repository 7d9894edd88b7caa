package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPreviewOfARedrive(t *testing.T) {
	url, _ := picky(t)
	s := start(t, t.TempDir())
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, url))
	s.fileEndpoint("other")
	s.put("/routes/r", `{"endpointName":"hook"}`)
	s.send(updates(30)...)
	eventually(t, "the letters", func() bool {
		return s.api(http.MethodGet, "/dead-letters/groups", "").want(t, 200).object(t)["letters"] == 30.0
	})
	preview := func(body string) map[string]any {
		t.Helper()
		return s.api(http.MethodPost, "/dead-letters/preview", body).want(t, 200).object(t)
	}
	first := func(v map[string]any) map[string]any { return at(t, v, "items", 0).(map[string]any) }
	counts := func(v map[string]any, want map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, v["counts"]); diff != "" {
			t.Errorf("counts (-want +got)\n%s\n%.2000v", diff, v)
		}
	}
	same := preview(`{"endpoint":"hook"}`)
	counts(same, map[string]any{"same": 20.0})
	if same["selected"] != 30.0 || at(t, first(same), "outputs", 0).(map[string]any)["diff"] != nil {
		t.Errorf("%v", first(same))
	}
	id := first(same)["id"].(string)

	s.put("/routes/r", `{"endpointName":"hook","transforms":[{"plugin":"tsi"}]}`)
	changed := preview(`{"all":true,"limit":25}`)
	counts(changed, map[string]any{"changed": 25.0})
	paths := map[string]bool{}
	for _, d := range at(t, first(changed), "outputs", 0, "diff").([]any) {
		paths[fmt.Sprint(at(t, d, "part"), " ", at(t, d, "op"), " ", at(t, d, "path"))] = true
	}
	if !paths["data remove /patch"] || paths["attribute remove idempotencykey"] || paths["attribute remove producedby"] {
		t.Errorf("differences %v, want those that the plugin makes", paths)
	}

	s.put("/routes/r", `{"endpointName":"hook","filter":"subject = 'room-1'"}`)
	group := at(t, s.api(http.MethodGet, "/dead-letters/groups", "").want(t, 200).object(t), "items", 0, "id").(string)
	some := preview(fmt.Sprintf(`{"group":%q,"limit":30}`, group))
	counts(some, map[string]any{"same": 1.0, "nothing": 29.0})
	// Letters are in the order in which they came to be, which is no order of events.
	for _, item := range some["items"].([]any) {
		if l := item.(map[string]any); l["result"] == "nothing" && !strings.Contains(fmt.Sprint(l["why"]), "subject") {
			t.Errorf("why: %v", l["why"])
		}
	}
	for route, want := range map[string]string{
		`{"endpointName":"hook","enabled":false}`: "is disabled",
		`{"endpointName":"other"}`:                "goes to the endpoint other now",
	} {
		s.put("/routes/r", route)
		one := preview(fmt.Sprintf(`{"ids":[%q]}`, id))
		counts(one, map[string]any{"nothing": 1.0})
		if why := first(one)["why"].(string); !strings.Contains(why, want) {
			t.Errorf("why: %q, want %q", why, want)
		}
	}
	s.api(http.MethodDelete, "/routes/r", "").want(t, 204)
	counts(preview(`{"all":true,"limit":1}`), map[string]any{"nothing": 1.0})
	s.api(http.MethodDelete, "/endpoints/hook", "").want(t, 204)
	counts(preview(`{"all":true,"limit":1}`), map[string]any{"refused": 1.0})
	s.api(http.MethodPost, "/dead-letters/preview", `{"ids":["99999-0"]}`).problem(t, 404)
	s.api(http.MethodPost, "/dead-letters/preview", `{"endpoint":"hook"}`).want(t, 200) // its letters are there still
	s.api(http.MethodPost, "/dead-letters/preview", `{"endpoint":"nothing"}`).problem(t, 404)
	if letters := s.api(http.MethodGet, "/dead-letters/groups", "").want(t, 200).object(t)["letters"]; letters != 30.0 {
		t.Errorf("%v letters are left, want all", letters)
	}
}

// A letter that a plugin failed on is shown as what the plugin makes of it now.
func TestPreviewOfAMendedPlugin(t *testing.T) {
	s := start(t, t.TempDir())
	s.fileEndpoint("out")
	s.put("/routes/r", `{"endpointName":"out","transforms":[{"plugin":"adx"}]}`)
	// Its data is no twin's, so that the plugin fails on it.
	s.must(http.MethodPost, "/events", "application/cloudevents+json", `{"specversion":"1.0","id":"1","source":"x.api.digitaltwins.azure.net","type":"Microsoft.DigitalTwins.Twin.Update","subject":"t","time":"2026-03-01T12:00:00Z","datacontenttype":"application/json","data":{"patch":7}}`)
	letters := func() []any {
		return s.api(http.MethodGet, "/dead-letters", "").want(t, 200).object(t)["items"].([]any)
	}
	eventually(t, "the letter", func() bool { return len(letters()) == 1 })
	if at(t, letters(), 0, "unrendered") != true {
		t.Fatalf("%v, want a letter that never came through its plugin", letters())
	}
	v := s.api(http.MethodPost, "/dead-letters/preview", `{"all":true}`).want(t, 200).object(t)
	if at(t, v, "items", 0, "result") != "fails" || at(t, v, "items", 0, "why") == nil {
		t.Errorf("%v, want that it fails", v)
	}
	s.put("/routes/r", `{"endpointName":"out"}`)
	v = s.api(http.MethodPost, "/dead-letters/preview", `{"all":true}`).want(t, 200).object(t)
	if at(t, v, "items", 0, "result") != "new" || at(t, v, "items", 0).(map[string]any)["before"] != nil {
		t.Errorf("%v, want something new", v)
	}
}
