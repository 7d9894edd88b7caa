package auth_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/auth"
)

const token = "correct-horse-battery"

// echoQuery answers 204 and what it saw of the query.
var echoQuery = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Seen-Query", r.URL.RawQuery)
	w.Header().Set("Seen-URI", r.RequestURI)
	w.WriteHeader(http.StatusNoContent)
})

func isStatic(path string) bool { return path == "/" || strings.HasPrefix(path, "/assets/") }

func TestGuard(t *testing.T) {
	tests := []struct {
		name, method, target string
		header               map[string]string
		want                 int
	}{
		{"nothing shown", "GET", "/api/v1/routes", nil, 401},
		{"bearer", "GET", "/api/v1/routes", map[string]string{"Authorization": "Bearer " + token}, 204},
		{"bearer in lower case", "GET", "/api/v1/routes", map[string]string{"Authorization": "bearer " + token}, 204},
		{"wrong bearer", "GET", "/api/v1/routes", map[string]string{"Authorization": "Bearer " + token + "x"}, 401},
		{"prefix of the token", "GET", "/api/v1/routes", map[string]string{"Authorization": "Bearer " + token[:10]}, 401},
		{"empty bearer", "GET", "/api/v1/routes", map[string]string{"Authorization": "Bearer "}, 401},
		{"basic", "GET", "/api/v1/routes", map[string]string{"Authorization": "Basic " + token}, 401},
		{"key at events", "POST", "/events", map[string]string{"aeg-sas-key": token}, 204},
		{"key at the topic", "POST", "/api/events?api-version=2018-01-01", map[string]string{"aeg-sas-key": token}, 204},
		{"wrong key", "POST", "/events", map[string]string{"aeg-sas-key": "x"}, 401},
		{"key is for publishers", "PUT", "/api/v1/routes/a", map[string]string{"aeg-sas-key": token}, 401},
		{"code at the webhook", "POST", "/webhooks/eventgrid?code=" + token, nil, 204},
		{"code in the handshake", "OPTIONS", "/webhooks/eventgrid?code=" + token, nil, 204},
		{"wrong code", "POST", "/webhooks/eventgrid?code=x", nil, 401},
		{"code elsewhere", "POST", "/events?code=" + token, nil, 401},
		{"health", "GET", "/healthz", nil, 204},
		{"readiness", "GET", "/readyz", nil, 204},
		{"health is one path", "GET", "/healthz/../api/v1/routes", nil, 401},
		{"metrics", "GET", "/metrics", nil, 401},
		{"static file", "GET", "/assets/app.js", nil, 204},
		{"static path, but a write", "POST", "/assets/app.js", nil, 401},
		{"unknown path", "GET", "/nothing", nil, 401},
		{"forged cookie", "GET", "/api/v1/routes", map[string]string{"Cookie": "headgate_session=99999999999.AAAA"}, 401},
		{"broken cookie", "GET", "/api/v1/routes", map[string]string{"Cookie": "headgate_session=x"}, 401},
		{"bearer from another origin's script", "POST", "/events", map[string]string{"Authorization": "Bearer " + token, "Sec-Fetch-Site": "cross-site"}, 204},
	}
	guard := auth.New(token, auth.Options{Public: isStatic}).Guard(echoQuery)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.target, nil)
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			rec := httptest.NewRecorder()
			guard.ServeHTTP(rec, r)
			if rec.Code != tt.want {
				t.Fatalf("%s %s = %d, want %d: %s", tt.method, tt.target, rec.Code, tt.want, rec.Body)
			}
			if rec.Code == 401 {
				requireChallenge(t, rec)
			}
		})
	}
}

// requireChallenge checks what every 401 says.
func requireChallenge(t *testing.T, rec *httptest.ResponseRecorder) {
	t.Helper()
	var p struct {
		Status int
		Detail string
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || p.Status != 401 || !strings.Contains(p.Detail, "Bearer") {
		t.Errorf("problem %+v, %v: %s", p, err, rec.Body)
	}
	if !strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("WWW-Authenticate %q", rec.Header().Get("WWW-Authenticate"))
	}
	if strings.Contains(rec.Body.String(), token) {
		t.Errorf("the answer holds the token: %s", rec.Body)
	}
}

func TestGuardHidesCode(t *testing.T) {
	for _, target := range []string{
		"/webhooks/eventgrid?code=" + token,
		"/webhooks/eventgrid?a=1&code=" + token + "&b=2",
		"/webhooks/eventgrid?c%6Fde=" + token,
	} {
		rec := httptest.NewRecorder()
		auth.New(token, auth.Options{}).Guard(echoQuery).ServeHTTP(rec, httptest.NewRequest("POST", target, nil))
		seen := rec.Header().Get("Seen-Query") + rec.Header().Get("Seen-URI")
		if rec.Code != 204 || strings.Contains(seen, token) {
			t.Errorf("%s: %d, and behind the lock %q can be seen", target, rec.Code, seen)
		}
	}
}

func TestGuardOpen(t *testing.T) {
	tests := []struct {
		name, method, host string
		header             map[string]string
		want               int
	}{
		{"a program", "PUT", "127.0.0.1:8080", nil, 204},
		{"by name", "PUT", "localhost:8080", nil, 204},
		{"by IPv6", "GET", "[::1]:8080", nil, 204},
		{"the UI itself", "PUT", "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-origin"}, 204},
		{"a page of another site", "POST", "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a page of another site, older browser", "POST", "localhost:8080", map[string]string{"Origin": "http://evil.example"}, 403},
		{"a name that was made to resolve here", "GET", "evil.example:8080", nil, 403},
	}
	guard := auth.New("", auth.Options{}).Guard(echoQuery)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/api/v1/routes/a", nil)
			r.Host = tt.host
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			rec := httptest.NewRecorder()
			guard.ServeHTTP(rec, r)
			if rec.Code != tt.want {
				t.Errorf("status %d, want %d: %s", rec.Code, tt.want, rec.Body)
			}
		})
	}
}

func TestSession(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	lock := auth.New(token, auth.Options{Now: func() time.Time { return now }})
	guard := lock.Guard(echoQuery)
	do := func(method, target, body string, header map[string]string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://localhost"+target, strings.NewReader(body))
		r.TLS = &tls.ConnectionState{}
		for k, v := range header {
			r.Header.Set(k, v)
		}
		rec := httptest.NewRecorder()
		guard.ServeHTTP(rec, r)
		return rec
	}
	for _, body := range []string{"", "x", `{"token":"wrong"}`, `{}`} {
		if rec := do("POST", auth.SessionPath, body, nil); rec.Code != 401 && rec.Code != 400 || len(rec.Result().Cookies()) != 0 {
			t.Errorf("login with %q = %d, %v", body, rec.Code, rec.Result().Cookies())
		}
	}
	if rec := do("POST", auth.SessionPath, `{"token":"`+token+`"}`, map[string]string{"Sec-Fetch-Site": "cross-site"}); rec.Code != 403 {
		t.Errorf("login from another site = %d, want 403", rec.Code)
	}
	rec := do("POST", auth.SessionPath, `{"token":"`+token+`"}`, nil)
	cookies := rec.Result().Cookies()
	if rec.Code != 204 || len(cookies) != 1 {
		t.Fatalf("login = %d, %v", rec.Code, cookies)
	}
	c := cookies[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || strings.Contains(c.Value, token) {
		t.Errorf("cookie %+v", c)
	}
	shown := map[string]string{"Cookie": c.Name + "=" + c.Value}
	const admitted, refused = `{"required":true,"admitted":true}` + "\n", `{"required":true,"admitted":false}` + "\n"
	asks := func(what string, header map[string]string, want string) {
		t.Helper()
		if rec := do("GET", auth.SessionPath, "", header); rec.Code != 200 || rec.Body.String() != want || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s = %d %s, want %s", what, rec.Code, rec.Body, want)
		}
	}
	asks("session", shown, admitted)
	asks("session by header", map[string]string{"Authorization": "Bearer " + token}, admitted)
	asks("no session", nil, refused)
	if rec := do("PUT", "/api/v1/routes/a", "", shown); rec.Code != 204 {
		t.Errorf("write with the cookie = %d, want 204", rec.Code)
	}
	crossSite := map[string]string{"Cookie": shown["Cookie"], "Sec-Fetch-Site": "same-site"}
	if rec := do("PUT", "/api/v1/routes/a", "", crossSite); rec.Code != 403 {
		t.Errorf("write from another site = %d, want 403", rec.Code)
	}
	if rec := do("DELETE", auth.SessionPath, "", shown); rec.Code != 204 || rec.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("logout = %d, %v", rec.Code, rec.Result().Cookies())
	}
	if rec := do("PATCH", auth.SessionPath, "", shown); rec.Code != 405 {
		t.Errorf("PATCH session = %d, want 405", rec.Code)
	}
	now = now.Add(13 * time.Hour)
	asks("expired session", shown, refused)
	now = now.Add(-13 * time.Hour)
	guard = auth.New(token+"2", auth.Options{Now: func() time.Time { return now }}).Guard(echoQuery)
	asks("session of an earlier token", shown, refused)
	guard = auth.New("", auth.Options{}).Guard(echoQuery)
	asks("open door", nil, `{"required":false,"admitted":true}`+"\n")
}

func BenchmarkGuard(b *testing.B) {
	guard := auth.New(token, auth.Options{}).Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest("POST", "/events", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		guard.ServeHTTP(rec, r)
	}
}
