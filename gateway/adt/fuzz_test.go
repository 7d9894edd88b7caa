package adt_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/adt"
	"github.com/headgate/headgate/gateway/catalog"
)

// accepting is a backend that takes whatever package adt lets through, and
// remembers the latest.
type accepting struct {
	fixed
	route    *catalog.Route
	endpoint *catalog.Endpoint
}

func (a *accepting) PutRoute(_ context.Context, _ adt.Change, r catalog.Route) error {
	a.route = &r
	return nil
}

func (a *accepting) DeleteRoute(context.Context, adt.Change, string) error {
	return catalog.ErrNotFound
}

func (a *accepting) PutEndpoint(_ context.Context, _ adt.Change, e catalog.Endpoint) (catalog.Endpoint, bool, error) {
	a.endpoint = &e
	return e, false, nil
}

func (a *accepting) DeleteEndpoint(context.Context, adt.Change, string) error {
	return catalog.ErrNotFound
}

func (a *accepting) do(method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler := adt.New(adt.Backend{Catalog: a, Routes: a, Endpoints: a}, adt.Options{}).Wrap(http.NotFoundHandler())
	handler.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

// whole fails unless the answer is one that a client can read, and is not the
// server's own fault.
func whole(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= 500 || w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
}

func FuzzPutRoute(f *testing.F) {
	f.Add("a", `{"endpointName":"hub","filter":"type = 'a'"}`)
	f.Add("..", `{"id":null,"endpointName":"\ud800","filter":"\u0000"}`)
	f.Fuzz(func(t *testing.T, id, body string) {
		var a accepting
		w := a.do(http.MethodPut, "/eventroutes/"+url.PathEscape(id)+version, body)
		whole(t, w)
		if (w.Code == 204) != (a.route != nil) {
			t.Fatalf("answered %d, and stored %v", w.Code, a.route)
		}
		if a.route != nil && (a.route.ID != id || a.route.Filter == "" || a.route.EndpointName == "" || !a.route.Enabled) {
			t.Fatalf("stored %+v as %q", a.route, id)
		}
	})
}

func FuzzPutEndpoint(f *testing.F) {
	f.Add(`{"properties":{"endpointType":"EventHub","connectionStringPrimaryKey":"x","deadLetterSecret":"https://a.b/c?sig=x"}}`)
	f.Add(`{"properties":{"endpointType":"ServiceBus","authenticationType":"IdentityBased","endpointUri":"sb://x.y/","entityPath":"x","identity":{"type":"SystemAssigned"}}}`)
	f.Add(`{"properties":{"endpointType":"EventGrid","TopicEndpoint":"https://x.y","accessKey1":"***","deadLetterUri":"https://a.b/c"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var a accepting
		w := a.do(http.MethodPut, instance+"/hub"+armVersion, body)
		whole(t, w)
		if (w.Code == 200) != (a.endpoint != nil) {
			t.Fatalf("answered %d, and stored %v", w.Code, a.endpoint)
		}
		if a.endpoint == nil {
			return
		}
		// What is shown of it holds no secret, and can be sent back as it is.
		var sent map[string]any
		if err := json.Unmarshal(a.endpoint.Settings, &sent); err != nil {
			t.Fatal(err)
		}
		shown := w.Body.String()
		var p struct{ Properties map[string]any }
		if err := json.Unmarshal([]byte(shown), &p); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []any{p.Properties["connectionStringPrimaryKey"], p.Properties["primaryConnectionString"], p.Properties["accessKey1"], p.Properties["deadLetterSecret"]} {
			if secret != nil && secret != masked && secret != "***" {
				t.Fatalf("shown %s", shown)
			}
		}
		before := string(a.endpoint.Settings)
		a.Endpoints = []catalog.Endpoint{*a.endpoint}
		if again := a.do(http.MethodPut, instance+"/hub"+armVersion, shown); again.Code != 200 || string(a.endpoint.Settings) != before {
			t.Fatalf("sent back: %d %s, stored %s, was %s", again.Code, again.Body, a.endpoint.Settings, before)
		}
	})
}

func FuzzContinuationToken(f *testing.F) {
	f.Add("eyJhZnRlciI6ImEiLCJpdGVtcyI6Mn0")
	f.Add("eyJhZnRlciI6ImEiLCJpdGVtcyI6OTIyMzM3MjAzNjg1NDc3NTgwN30")
	f.Fuzz(func(t *testing.T, token string) {
		a := accepting{fixed: fixed{Routes: []catalog.Route{{ID: "a"}, {ID: "b"}, {ID: "c"}}}}
		whole(t, a.do(http.MethodGet, "/eventroutes"+version+"&continuationToken="+url.QueryEscape(token), ""))
	})
}
