package site_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/headgate/headgate/gateway/site"
)

var built = fstest.MapFS{
	"index.html":               {Data: []byte("<!doctype html>the page")},
	"favicon.svg":              {Data: []byte("<svg/>")},
	"assets/app-1234.js":       {Data: []byte("plain script")},
	"assets/app-1234.js.br":    {Data: []byte("script in br")},
	"assets/app-1234.js.gz":    {Data: []byte("script in gzip")},
	"assets/style-1.css":       {Data: []byte("plain style")},
	"assets/style-1.css.gz":    {Data: []byte("style in gzip")},
	"assets/archive-1.json.gz": {Data: []byte("a file of its own")},
}

// next stands for the rest of the gateway.
var next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })

const page = "text/html,application/xhtml+xml,*/*;q=0.8"

func TestSite(t *testing.T) {
	s, err := site.New(built)
	if err != nil {
		t.Fatal(err)
	}
	const immutable, ask = "public, max-age=31536000, immutable", "no-cache"
	tests := []struct {
		name, method, path, accept, encodings string
		status                                int
		body, encoding, cache, kind           string
	}{
		{"the page", "GET", "/", "*/*", "", 200, "<!doctype html>the page", "", ask, "text/html; charset=utf-8"},
		{"a deep link", "GET", "/routes/tsi-plant-a/edit?tab=2", page, "br", 200, "<!doctype html>the page", "", ask, "text/html; charset=utf-8"},
		{"a deep link with a dot", "GET", "/routes/a.js", page, "", 200, "<!doctype html>the page", "", ask, "text/html; charset=utf-8"},
		{"a path for a script's eyes", "GET", "/routes", "application/json", "", 418, "", "", "", ""},
		{"a file", "GET", "/favicon.svg", "image/*", "", 200, "<svg/>", "", ask, "image/svg+xml"},
		{"an asset, plain", "GET", "/assets/app-1234.js", "*/*", "", 200, "plain script", "", immutable, "text/javascript; charset=utf-8"},
		{"an asset in the best encoding", "GET", "/assets/app-1234.js", "*/*", "gzip, deflate, br, zstd", 200, "script in br", "br", immutable, "text/javascript; charset=utf-8"},
		{"br refused", "GET", "/assets/app-1234.js", "*/*", "br;q=0, *", 200, "script in gzip", "gzip", immutable, "text/javascript; charset=utf-8"},
		{"nothing but identity", "GET", "/assets/app-1234.js", "*/*", "identity, gzip; q=0.0", 200, "plain script", "", immutable, "text/javascript; charset=utf-8"},
		{"only gzip is there", "GET", "/assets/style-1.css", "*/*", "br, gzip", 200, "style in gzip", "gzip", immutable, "text/css; charset=utf-8"},
		{"head", "HEAD", "/assets/style-1.css", "*/*", "", 200, "", "", immutable, "text/css; charset=utf-8"},
		{"a compressed form is no file", "GET", "/assets/app-1234.js.gz", "*/*", "", 418, "", "", "", ""},
		{"compressed alone is a file", "GET", "/assets/archive-1.json.gz", "*/*", "", 200, "a file of its own", "", immutable, "application/octet-stream"},
		{"an asset of an earlier build", "GET", "/assets/app-0000.js", page, "", 418, "", "", "", ""},
		{"another method", "POST", "/", page, "", 418, "", "", "", ""},
		{"the API", "GET", "/api/v1/nothing", page, "", 418, "", "", "", ""},
		{"events", "GET", "/events", page, "", 418, "", "", "", ""},
		{"Azure's paths, in any case", "GET", "/EventRoutes/a", page, "", 418, "", "", "", ""},
		{"out of the folder", "GET", "/assets/../../../../etc/passwd", "*/*", "", 418, "", "", "", ""},
		{"a folder", "GET", "/assets/", page, "", 200, "<!doctype html>the page", "", ask, "text/html; charset=utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, nil)
			r.Header.Set("Accept", tt.accept)
			r.Header.Set("Accept-Encoding", tt.encodings)
			rec := httptest.NewRecorder()
			s.Wrap(next).ServeHTTP(rec, r)
			h := rec.Header()
			if rec.Code != tt.status || rec.Body.String() != tt.body {
				t.Fatalf("%d %q, want %d %q", rec.Code, rec.Body, tt.status, tt.body)
			}
			if got := h.Get("Content-Encoding"); got != tt.encoding {
				t.Errorf("Content-Encoding = %q, want %q", got, tt.encoding)
			}
			if got := h.Get("Cache-Control"); got != tt.cache {
				t.Errorf("Cache-Control = %q, want %q", got, tt.cache)
			}
			if got := h.Get("Content-Type"); got != tt.kind {
				t.Errorf("Content-Type = %q, want %q", got, tt.kind)
			}
			if tt.status != http.StatusOK {
				return
			}
			csp := h.Get("Content-Security-Policy")
			script, _, _ := strings.Cut(csp[strings.Index(csp, "script-src"):], ";")
			if script != "script-src 'self'" || !strings.Contains(csp, "connect-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("policy %q", csp)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
				t.Errorf("headers %v", h)
			}
			r.Header.Set("If-None-Match", h.Get("ETag"))
			again := httptest.NewRecorder()
			s.Wrap(next).ServeHTTP(again, r)
			if again.Code != http.StatusNotModified {
				t.Errorf("asked again with its ETag: %d, want 304", again.Code)
			}
		})
	}
}

// What the site answers never reaches another room, so it must be no other's.
func TestSiteKeepsToItsPaths(t *testing.T) {
	s, err := site.New(built)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/": true, "/routes": true, "/assets/app-1234.js": true, "/assets/nothing.js": false, "/apis": true, "/dead-letters/groups": true,
		"/api": false, "/api/v1/status": false, "/API/v1": false, "/events": false, "/events/stream": false, "/events/42-0": true, "/events/x-0": false, "/events/42-0/x": false, "/events/42": false, "/api/42-0": false, "/webhooks/eventgrid": false,
		"/eventroutes": false, "/eventRoutes/x": false, "/Subscriptions/1": false, "/metrics": false, "/healthz": false, "/readyz": false,
		"//api/v1/status": false, "/x/../api": false, "/./events": false,
	} {
		r := httptest.NewRequest("GET", "http://localhost"+path, nil)
		r.Header.Set("Accept", page)
		rec := httptest.NewRecorder()
		s.Wrap(next).ServeHTTP(rec, r)
		if got := rec.Code != http.StatusTeapot; got != want {
			t.Errorf("GET %s is answered by the site: %v, want %v", path, got, want)
		}
	}
}

func TestSiteNotBuilt(t *testing.T) {
	for name, s := range map[string]func() (*site.Site, error){
		"no files": func() (*site.Site, error) { return site.New(nil) },
		"no page":  func() (*site.Site, error) { return site.New(fstest.MapFS{"README.md": {Data: []byte("x")}}) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := s()
			if err != nil {
				t.Fatal(err)
			}
			rec := httptest.NewRecorder()
			s.Wrap(next).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
			if rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "go tool task build") {
				t.Errorf("%d %s, want a text that says how to build it", rec.Code, rec.Body)
			}
		})
	}
}
