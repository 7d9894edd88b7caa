package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
)

func TestDecodeEndpointFillsDefaults(t *testing.T) {
	e, err := catalog.DecodeEndpoint("hub", []byte(`{"kind":"webhook"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(delivery.DefaultPolicy(), e.Policy()); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if string(e.Settings) != "{}" {
		t.Errorf("settings = %s, want {}", e.Settings)
	}
}

func TestDecodeEndpointPolicy(t *testing.T) {
	tests := []struct {
		name, delivery string
		want           delivery.Policy
	}{
		{
			"all of it", `{"maxAttempts":8,"maxAge":"24h","initialBackoff":"1s","maxBackoff":"5m","timeout":"30s","orderBy":"none"}`,
			delivery.Policy{MaxAttempts: 8, MaxAge: 24 * time.Hour, InitialBackoff: time.Second, MaxBackoff: 5 * time.Minute, Timeout: 30 * time.Second, OrderBy: "none"},
		},
		{
			"a short longest backoff pulls the first one down", `{"maxBackoff":"20ms"}`,
			delivery.Policy{MaxAge: 24 * time.Hour, InitialBackoff: 20 * time.Millisecond, MaxBackoff: 20 * time.Millisecond, Timeout: 30 * time.Second, OrderBy: "subject"},
		},
		{
			"a long first backoff pushes the longest one up", `{"initialBackoff":"10m"}`,
			delivery.Policy{MaxAge: 24 * time.Hour, InitialBackoff: 10 * time.Minute, MaxBackoff: 10 * time.Minute, Timeout: 30 * time.Second, OrderBy: "subject"},
		},
		{
			"null counts as left out", `{"maxAge":null,"orderBy":"$body.site.id"}`,
			delivery.Policy{MaxAge: 24 * time.Hour, InitialBackoff: time.Second, MaxBackoff: 5 * time.Minute, Timeout: 30 * time.Second, OrderBy: "$body.site.id"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := catalog.DecodeEndpoint("hub", []byte(`{"kind":"file","delivery":`+tt.delivery+`}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, e.Policy()); diff != "" {
				t.Errorf("policy (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeEndpointRefuses(t *testing.T) {
	tests := []struct {
		name, path, body string
		field, reason    string
	}{
		{"no JSON", "hub", `{"kind"`, "", "ends too early"},
		{"more than one value", "hub", `{"kind":"file"} {}`, "", "there is more after"},
		{"not an object", "hub", `["file"]`, "", "want a JSON object, have an array"},
		{"empty", "hub", " ", "", "the body is empty"},
		{"not UTF-8", "hub", "{\"kind\":\"\xff\"}", "", "not UTF-8"},
		{"no kind", "hub", `{}`, "kind", "is required"},
		{"kind of another type", "hub", `{"kind":3}`, "kind", "want a string, have the number 3"},
		{"unknown member", "hub", `{"kind":"file","setings":{}}`, "setings", "is not known here; known are kind, settings"},
		{"another case", "hub", `{"Kind":"file","kind":"file"}`, "Kind", "is not known"},
		{"unknown member inside", "hub", `{"kind":"file","delivery":{"maxage":"1s"}}`, "delivery.maxage", "is not known"},
		{"twice", "hub", `{"kind":"file","kind":"file"}`, "kind", "is given twice"},
		{"twice, deep in the settings", "hub", `{"kind":"file","settings":{"headers":[{"a":1,"a":2}]}}`, "settings.headers[0].a", "is given twice"},
		{"too deep", "hub", `{"kind":"file","settings":{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}}`, "settings.a" + strings.Repeat("[0]", 127), "is nested deeper"},
		{"settings of another type", "hub", `{"kind":"file","settings":"x"}`, "settings", "want a JSON object, have a string"},
		{"duration without a unit", "hub", `{"kind":"file","delivery":{"maxAge":30}}`, "delivery.maxAge", `30 is not a duration; write one such as "500ms"`},
		{"duration in words", "hub", `{"kind":"file","delivery":{"timeout":"1 day"}}`, "delivery.timeout", `"1 day" is not a duration`},
		{"duration of nothing", "hub", `{"kind":"file","delivery":{"timeout":"0s"}}`, "delivery.timeout", "is not between 1ms and 1h"},
		{"negative duration", "hub", `{"kind":"file","delivery":{"maxAge":"-1h"}}`, "delivery.maxAge", "-1h is not between"},
		{"backoffs crossed", "hub", `{"kind":"file","delivery":{"initialBackoff":"1h","maxBackoff":"1m"}}`, "delivery.initialBackoff", "1h is longer than maxBackoff, 1m"},
		{"negative attempts", "hub", `{"kind":"file","delivery":{"maxAttempts":-1}}`, "delivery.maxAttempts", "not between 0 (no limit)"},
		{"half an attempt", "hub", `{"kind":"file","delivery":{"maxAttempts":1.5}}`, "delivery.maxAttempts", "want a whole number, have the number 1.5"},
		{"order by a header", "hub", `{"kind":"file","delivery":{"orderBy":"X-Twin"}}`, "delivery.orderBy", "is none of"},
		{"order by an empty path", "hub", `{"kind":"file","delivery":{"orderBy":"$body."}}`, "delivery.orderBy", "is not a path"},
		{"another name", "hub", `{"kind":"file","name":"hub2"}`, "name", `is "hub2" in the body and "hub" in the path`},
		{"name with a blank", "my hub", `{"kind":"file"}`, "name", "is not a name"},
		{"name of a path", "../x", `{"kind":"file"}`, "name", "is not a name"},
		{"no name", "", `{"kind":"file"}`, "name", "is required"},
		{"long name", strings.Repeat("a", 129), `{"kind":"file"}`, "name", "is 129 bytes long; 128 are allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := catalog.DecodeEndpoint(tt.path, []byte(tt.body))
			var fe *catalog.FieldError
			if !errors.As(err, &fe) {
				t.Fatalf("error = %v, want a FieldError", err)
			}
			if fe.Field != tt.field || !strings.Contains(fe.Reason, tt.reason) {
				t.Errorf("error = %q: %q, want %q: …%q…", fe.Field, fe.Reason, tt.field, tt.reason)
			}
		})
	}
}

func TestEndpointNames(t *testing.T) {
	for _, name := range []string{"a", "hub", "Hub-2", "a.b_c-d", "eventhub123", strings.Repeat("x", 128)} {
		if err := catalog.CheckName("name", name); err != nil {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
	for _, name := range []string{".", "..", "-a", "_a", "a/b", "a@3", "ä", "a b", "a\n"} {
		if err := catalog.CheckName("name", name); err == nil {
			t.Errorf("CheckName(%q) = nil, want an error", name)
		}
	}
}

func TestRouteIDs(t *testing.T) {
	for _, id := range []string{"eventRoute-12345", "adf9b034-0f3c-4d4c-9d33-0a5a57fd09cf", "a b", "50%", "a?b#c", "zähler", "route:1", "~x", strings.Repeat("x", 256)} {
		if err := catalog.CheckRouteID("id", id); err != nil {
			t.Errorf("CheckRouteID(%q) = %v", id, err)
		}
	}
	for _, id := range []string{"", ".", "..", "a/b", `a\b`, " a", "a ", "a\x00", "a\u200b", "\xff", strings.Repeat("x", 257)} {
		if err := catalog.CheckRouteID("id", id); err == nil {
			t.Errorf("CheckRouteID(%q) = nil, want an error", id)
		}
	}
}

func TestDecodeRoute(t *testing.T) {
	r, err := catalog.DecodeRoute("tsi", []byte(`{"endpointName":"hub",
		"filters":[{"plugin":"threshold@2"}],
		"transforms":[{"plugin":"tsi","config":{ "a": [1, 2] }}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := catalog.Route{
		ID: "tsi", EndpointName: "hub", Filter: "true", Enabled: true,
		Filters:    []catalog.PluginRef{{Plugin: catalog.Ref{Name: "threshold", Version: 2}, Config: json.RawMessage(`{}`)}},
		Transforms: []catalog.PluginRef{{Plugin: catalog.Ref{Name: "tsi"}, Config: json.RawMessage(`{"a":[1,2]}`)}},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("route (-want +got):\n%s", diff)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := catalog.DecodeRoute("tsi", b)
	if err != nil || !again.Same(r) {
		t.Errorf("what was written reads as %+v, %v", again, err)
	}
}

func TestDecodeRouteKeepsFilterVerbatim(t *testing.T) {
	filter := "  type='a'\tAND <\u2028&> "
	b, _ := json.Marshal(map[string]string{"endpointName": "hub", "filter": filter})
	r, err := catalog.DecodeRoute("x", b)
	if err != nil || r.Filter != filter {
		t.Errorf("filter = %q, %v, want %q", r.Filter, err, filter)
	}
}

func TestDecodeRouteRefuses(t *testing.T) {
	many := `[` + strings.TrimSuffix(strings.Repeat(`{"plugin":"a"},`, 33), ",") + `]`
	tests := []struct{ name, body, field, reason string }{
		{"no endpoint", `{}`, "endpointName", "is required"},
		{"enabled in quotes", `{"endpointName":"hub","enabled":"yes"}`, "enabled", "want true or false, have a string"},
		{"filters not a list", `{"endpointName":"hub","filters":{"plugin":"a"}}`, "filters", "want an array, have an object"},
		{"a plugin's name alone", `{"endpointName":"hub","filters":["a"]}`, "filters[0]", "want a JSON object, have a string"},
		{"no plugin", `{"endpointName":"hub","transforms":[{"plugin":"a"},{"config":{}}]}`, "transforms[1].plugin", "is required"},
		{"version zero", `{"endpointName":"hub","filters":[{"plugin":"a@0"}]}`, "filters[0].plugin", "is not a plugin reference"},
		{"version in words", `{"endpointName":"hub","filters":[{"plugin":"a@latest"}]}`, "filters[0].plugin", "write name, name@3 or name@sha256:…"},
		{"short digest", `{"endpointName":"hub","filters":[{"plugin":"a@sha256:12"}]}`, "filters[0].plugin", "64 lower-case hex digits"},
		{"unknown member of a plugin", `{"endpointName":"hub","filters":[{"plugin":"a","cfg":1}]}`, "filters[0].cfg", "is not known"},
		{"too many plugins", `{"endpointName":"hub","filters":` + many + `}`, "filters", "names 33 plugins; 32 are allowed"},
		{"long filter", `{"endpointName":"hub","filter":"` + strings.Repeat("x", 65537) + `"}`, "filter", "is 65537 bytes long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := catalog.DecodeRoute("x", []byte(tt.body))
			var fe *catalog.FieldError
			if !errors.As(err, &fe) || fe.Field != tt.field || !strings.Contains(fe.Reason, tt.reason) {
				t.Errorf("error = %v, want %s: …%s…", err, tt.field, tt.reason)
			}
		})
	}
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		24 * time.Hour: "24h", 90 * time.Second: "1m30s", 5 * time.Minute: "5m", time.Hour + time.Second: "1h0m1s",
		250 * time.Millisecond: "250ms", 0: "0s", 10 * time.Minute: "10m", 100 * time.Second: "1m40s", 20 * time.Hour: "20h",
	} {
		if got := catalog.Duration(d).String(); got != want {
			t.Errorf("%v = %q, want %q", d, got, want)
		}
		var back catalog.Duration
		if err := back.UnmarshalText([]byte(want)); err != nil || time.Duration(back) != d {
			t.Errorf("%q reads as %v, %v", want, back, err)
		}
	}
}

func TestResolve(t *testing.T) {
	module := func(n string) string { return catalog.Digest([]byte(n)) }
	snap := catalog.Snapshot{Plugins: []catalog.Plugin{{Name: "tsi", Active: 2, Versions: []catalog.Version{
		{Name: "tsi", Version: 1, Digest: module("one")}, {Name: "tsi", Version: 2, Digest: module("two")},
	}}}}
	tests := []struct {
		ref  string
		want int
	}{{"tsi", 2}, {"tsi@1", 1}, {"tsi@" + module("one"), 1}, {"tsi@3", 0}, {"tsi@" + module("three"), 0}, {"other", 0}}
	for _, tt := range tests {
		ref, err := catalog.ParseRef(tt.ref)
		if err != nil || ref.String() != tt.ref {
			t.Errorf("ParseRef(%q) = %v, %v", tt.ref, ref, err)
		}
		v, err := snap.Resolve(ref)
		if v.Version != tt.want || (err != nil) != (tt.want == 0) {
			t.Errorf("Resolve(%q) = version %d, %v, want %d", tt.ref, v.Version, err, tt.want)
		}
	}
}

func TestProvenanceID(t *testing.T) {
	base := catalog.Provenance{Route: "a", Revision: 7, Plugins: []catalog.PluginVersion{{Name: "tsi", Version: 1, Digest: "sha256:1"}}}
	if id := base.ID(); len(id) != 16 || id != base.ID() {
		t.Fatalf("ID = %q, want 16 stable hex digits", id)
	}
	renamed := base
	renamed.Plugins = []catalog.PluginVersion{{Name: "other", Version: 9, Digest: "sha256:1"}}
	if renamed.ID() != base.ID() {
		t.Error("ID depends on more of a plugin than its digest")
	}
	for name, p := range map[string]catalog.Provenance{
		"route":    {Route: "b", Revision: 7, Plugins: base.Plugins},
		"revision": {Route: "a", Revision: 8, Plugins: base.Plugins},
		"digest":   {Route: "a", Revision: 7, Plugins: []catalog.PluginVersion{{Digest: "sha256:2"}}},
		"plugins":  {Route: "a", Revision: 7},
	} {
		if p.ID() == base.ID() {
			t.Errorf("ID does not depend on the %s", name)
		}
	}
}
