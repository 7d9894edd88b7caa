package adt_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway"
)

// TestRecorded holds the answers to those that were published of the service,
// where HEADGATE_ADT_RECORDINGS names a directory of them.
func TestRecorded(t *testing.T) {
	dir := os.Getenv("HEADGATE_ADT_RECORDINGS")
	if dir == "" {
		t.Skip("HEADGATE_ADT_RECORDINGS names no directory of recorded answers")
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	same := func(r reply, status int, name string) {
		t.Helper()
		var got, want any
		if err := json.Unmarshal([]byte(r.want(t, status).body), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(read(name)), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: answered %s", name, r.body)
		}
	}
	s := start(t, gateway.Options{})
	same(s.call(http.MethodGet, "/eventroutes"+version, ""), 200, "rest/list-empty-200.json")
	same(s.route("r", read("rest/put-request.json")), 400, "rest/error-EventRouteEndpointInvalid-400.json")
	s.fileEndpoint("endpoint-001")
	s.fileEndpoint("someEventHubEndpoint")
	s.route("r", read("rest/put-request.json")).want(t, 204)
	same(s.route("r", `{"endpointName":"endpoint-001","filter":"this is not a valid filter"}`), 400, "rest/error-EventRouteFilterInvalid-400.json")
	same(s.call(http.MethodGet, "/eventroutes/x"+version, ""), 404, "rest/error-EventRouteNotFound-404.json")
	var route struct{ ID string }
	if err := json.Unmarshal([]byte(read("rest/get-200.json")), &route); err != nil {
		t.Fatal(err)
	}
	s.route(route.ID, read("rest/get-200.json")).want(t, 204)
	same(s.call(http.MethodGet, "/eventroutes/"+route.ID+version, ""), 200, "rest/get-200.json")

	placeholders := strings.NewReplacer("<ns>", "ns", "<rule>", "rule", "<key>", notAKey, "<key1>", notAKey, "<key2>", notAKey,
		"<hub>", "hub", "<topic>", "topic", "<region>", "westus2", "<account>", "account", "<container>", "dead", "<SAS>", "sig=bm90")
	for _, name := range []string{"eventgrid", "eventhub-keybased", "servicebus-identity", "servicebus-keybased"} {
		body := placeholders.Replace(read("arm/put-" + name + "-request.json"))
		s.call(http.MethodPut, instance+"/"+name+armVersion, body, "Content-Type", "application/json").want(t, 201)
	}
	var want struct{ Properties map[string]any }
	if err := json.Unmarshal([]byte(read("arm/get-servicebus-200.json")), &want); err != nil {
		t.Fatal(err)
	}
	got := s.arm(http.MethodGet, "servicebus-keybased", "").properties(t)
	for name, value := range want.Properties {
		if name != "createdTime" && name != "secondaryConnectionString" && got[name] != value { // the second key is not kept
			t.Errorf("%s is %v, recorded %v", name, got[name], value)
		}
	}
}
