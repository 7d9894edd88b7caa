package gateway_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/headgate/headgate/gateway"
)

// The UI's files are for everybody, and nothing else is.
func TestUIFilesNeedNoToken(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	s := startWith(t, gateway.Options{Dir: t.TempDir(), Token: token, UI: fstest.MapFS{
		"index.html":  {Data: []byte("the page")},
		"assets/a.js": {Data: []byte("the script")},
	}})
	const page = "text/html"
	for _, tt := range []struct {
		path, accept string
		status       int
		body         string
	}{
		{"/", page, 200, "the page"},
		{"/routes/r/edit", page, 200, "the page"},
		{"/assets/a.js", "*/*", 200, "the script"},
		{"/assets/b.js", "*/*", 401, "token"},
		{"/routes/r/edit", "*/*", 401, "token"},
		{"/healthz", page, 200, "ok"},
		{"/api/v1/session", page, 200, `{"required":true,"admitted":false}`},
		{"/api/v1/status", page, 401, "token"},
		{"//api/v1/status", page, 401, "token"},
		{"/x/..//api/v1/status", page, 401, "token"},
		{"/%61pi/v1/status", page, 401, "token"},
		{"/metrics", page, 401, "token"},
		{"/eventRoutes", page, 401, "token"},
		{"//eventroutes", page, 401, "token"},
	} {
		if got := s.call("GET", tt.path, "", "Accept", tt.accept); got.status != tt.status || !strings.Contains(got.body, tt.body) {
			t.Errorf("GET %s = %d %s, want %d with %q", tt.path, got.status, got.body, tt.status, tt.body)
		}
	}
	s.call("POST", "/", "", "Accept", page).want(t, 401)
	s.call("GET", "/api/v1/status", "", "Authorization", "Bearer "+token).want(t, 200)
}
