package admin_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestUnknownQuery refuses query parameters that a path does not have, and takes
// those that it has.
func TestUnknownQuery(t *testing.T) {
	s := serve(t)
	tests := []struct {
		method, path, want string // want: a part of the problem; "" is none
	}{
		{"GET", "/routes?limit=5&after=a", ""},
		{"HEAD", "/routes?limit=5", ""},
		{"GET", "/routes?limits=5", "limits: is no query parameter of this path; known are limit, after"},
		{"GET", "/routes/r/explain?since=abc", "since: is no query parameter of this path; known are from, to, after, limit"},
		{"GET", "/routes?a=1&b=2", `"errors":[{"field":"a",`},
		{"GET", "/status?verbose", "verbose: is no query parameter of this path; it has none"},
		{"POST", "/endpoints/hub:test?deep=1", "deep: is no query parameter of this path; it has none"},
		{"POST", "/routes:test?deep=1", "deep: is no query parameter of this path; it has none"},
		{"POST", "/plugins/p/versions?dryrun=true", "dryrun: is no query parameter of this path; known are dryRun"},
	}
	for _, tt := range tests {
		resp, body := s.do(t, tt.method, tt.path, "")
		switch {
		case tt.want == "" && resp.StatusCode != http.StatusOK:
			t.Errorf("%s %s = %d %s", tt.method, tt.path, resp.StatusCode, body)
		case tt.want != "" && (resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, tt.want)):
			t.Errorf("%s %s = %d %s, want 400 %s", tt.method, tt.path, resp.StatusCode, body, tt.want)
		}
	}
}
