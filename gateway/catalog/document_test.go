package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
)

// Every fault of a document is told, and none that follows from another.
func TestDecodeDocumentFaults(t *testing.T) {
	tests := []struct{ doc, want string }{
		{`{"kind":"Endpoint","name":"e","spec":{"settings":[],"delivery":{"maxAge":7,"timeout":"x","maxTries":1},"color":"red"}}`,
			"spec.settings spec.delivery.maxAge spec.delivery.timeout spec.delivery.maxTries spec.kind spec.color"},
		{`{"kind":"Endpoint","name":"e","spec":{"kind":7}}`, "spec.kind"},
		{`{"kind":"Route","name":"r","spec":{"filters":[{"plugin":"a@x"},{"plug":"b"},{"plugin":7}],"enabled":1}}`,
			"spec.filters[0].plugin spec.filters[1].plugin spec.filters[1].plug spec.filters[2].plugin spec.enabled spec.endpointName"},
		{`{"kind":"Plugin","name":"p","spec":{"file":1,"sha256":"","breaker":{"window":65,"onOpen":"x"}}}`,
			"spec.file spec.breaker.window spec.breaker.onOpen spec.sha256"},
		{`{"kind":"Rule","name":7,"extra":1}`, "name kind extra"},
		{`[]`, ""},
		{`{"a":1,"a":2}`, "a"},
	}
	for _, tt := range tests {
		_, err := catalog.DecodeDocument([]byte(tt.doc))
		if err == nil {
			t.Errorf("%s is accepted", tt.doc)
			continue
		}
		fields := []string{}
		for _, f := range (catalog.FieldErrors{}).Add(err) {
			fields = append(fields, f.Field)
		}
		if diff := cmp.Diff(tt.want, strings.Join(fields, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", tt.doc, diff, err)
		}
		var first *catalog.FieldError
		if !errors.As(err, &first) || first.Field != fields[0] {
			t.Errorf("%s: the first fault is %v", tt.doc, first)
		}
	}
}

// A member that is taken twice is known once.
func TestObjectKnownOnce(t *testing.T) {
	for doc, want := range map[string]string{
		`{"text":"true","position":3,"pos":1}`: "pos: is not known here; known are text, position, kinds",
		`{"kinds":{},"txt":"true"}`:            "txt: is not known here; known are text, position, kinds",
	} {
		if _, err := catalog.DecodeFilterRequest([]byte(doc)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", doc, err, want)
		}
	}
}

func TestDiff(t *testing.T) {
	tests := []struct{ before, after, want string }{
		{`{"a":1,"b":[1,{"c":2}],"d":"x"}`, `{"a":1,"b":[1,{"c":3},4],"e":null}`,
			`b[1].c 2 3; b[2] - 4; d "x" -; e - null`},
		{``, `{"a":{},"b":{"c":[]}}`, `a - {}; b.c - []`},
		{`{"a":{"b":1}}`, `{"a":[1]}`, `a {"b":1} [1]`},
		{`{"a":1}`, `{ "a" : 1 }`, ``},
		{`1`, `2`, ` 1 2`},
		{`{"a":{}}`, `{"a":{"b":1}}`, `a.b - 1`},
	}
	for _, tt := range tests {
		var before json.RawMessage
		if tt.before != "" {
			before = json.RawMessage(tt.before)
		}
		got := []string{}
		for _, d := range catalog.Diff(before, json.RawMessage(tt.after)) {
			part := func(v json.RawMessage) string {
				if v == nil {
					return "-"
				}
				return string(v)
			}
			got = append(got, d.Path+" "+part(d.Before)+" "+part(d.After))
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("Diff(%s, %s) (-want +got):\n%s", tt.before, tt.after, diff)
		}
	}
}

func TestDiffMasked(t *testing.T) {
	got := catalog.DiffMasked(
		json.RawMessage(`{"url":"h?sig=a","key":"k","same":1}`), json.RawMessage(`{"url":"h?sig=b","key":"l","same":1}`),
		json.RawMessage(`{"url":"h?sig=***","key":"***","same":1}`), json.RawMessage(`{"url":"h?sig=***","key":"***","same":1}`))
	want := []catalog.Difference{
		{Path: "key", Before: json.RawMessage(`"***"`), After: json.RawMessage(`"***"`), Secret: true},
		{Path: "url", Before: json.RawMessage(`"h?sig=***"`), After: json.RawMessage(`"h?sig=***"`), Secret: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DiffMasked (-want +got):\n%s", diff)
	}
}

// FuzzDecodeApply has what is taken apart come back together.
func FuzzDecodeApply(f *testing.F) {
	f.Add([]byte(`{"documents":[{"kind":"Route","name":"r","spec":{"endpointName":"e","filters":[{"plugin":"a@1"}]}}],"prune":true,"events":7,"revision":3,"modules":{"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855":""}}`))
	f.Add([]byte(`{"documents":[{"kind":"Plugin","name":"p","spec":{"sha256":"00","breaker":{"traps":-1}}},{"kind":"Endpoint","name":"e","spec":{"kind":"file","settings":{},"delivery":{"maxAge":"7d"}}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		req, err := catalog.DecodeApply(b)
		if err != nil {
			if len(catalog.FieldErrors{}.Add(err)) == 0 {
				t.Fatalf("%v has no fault", err)
			}
			return
		}
		for _, d := range req.Documents {
			var doc catalog.Document
			switch {
			case d.Route != nil:
				doc = catalog.NewRouteDocument(*d.Route)
			case d.Endpoint != nil:
				doc = catalog.NewEndpointDocument(*d.Endpoint)
			case d.Source != nil:
				doc = catalog.NewSourceDocument(*d.Source)
			default:
				continue
			}
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			again, err := catalog.DecodeDocument(text)
			if err != nil {
				t.Fatalf("%s, of %s: %v", text, d.Spec, err)
			}
			if d.Route != nil && !d.Route.Same(*again.Route) || d.Endpoint != nil && !d.Endpoint.Same(*again.Endpoint) || d.Source != nil && !d.Source.Same(*again.Source) {
				t.Fatalf("%s came back as %s", d.Spec, text)
			}
		}
	})
}
